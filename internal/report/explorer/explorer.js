"use strict";
(() => {
  const tools = document.getElementById("tools"), tip = document.getElementById("tip"), out = document.getElementById("shown");
  const field = (id) => document.getElementById(id);
  const names = ["text", "inventory", "sdo", "stage", "kind", "judge"];
  const words = (row, key) => (row.dataset[key] || "").split(" ");
  const cache = new WeakMap();
  const textOf = (row) => {
    if (!cache.has(row)) cache.set(row, row.textContent.toLowerCase());
    return cache.get(row);
  };

  function filter() {
    const want = Object.fromEntries(names.map((n) => [n, field("f-" + n).value.trim().toLowerCase()]));
    const differ = field("f-differ").checked;
    let shown = 0, all = 0;
    for (const row of document.querySelectorAll("tbody tr")) {
      const table = row.closest("table");
      let ok = !want.text || want.text.split(/\s+/).every((w) => textOf(row).includes(w));
      for (const key of ["inventory", "sdo", "stage"]) {
        if (want[key] && key in row.dataset) ok = ok && words(row, key).includes(want[key]);
      }
      if (table.classList.contains("matrix") && (want.kind || want.judge || differ)) {
        let any = false;
        for (const a of row.querySelectorAll("td a")) {
          const fits = (!want.kind || words(a, "kind").includes(want.kind)) && (!want.judge || words(a, "judge").includes(want.judge)) && (!differ || a.classList.contains("differ"));
          a.classList.toggle("dim", !fits);
          any = any || fits;
        }
        ok = ok && any;
      } else if (table.classList.contains("matrix")) {
        for (const a of row.querySelectorAll("a.dim")) a.classList.remove("dim");
      } else {
        for (const key of ["kind", "judge"]) {
          if (want[key] && key in row.dataset) ok = ok && words(row, key).includes(want[key]);
        }
      }
      row.hidden = !ok;
      all++;
      if (ok) shown++;
    }
    out.textContent = shown === all ? all + " rows" : shown + " of " + all + " rows";
  }

  function sort(table, column, button) {
    const head = button.parentElement, up = head.getAttribute("aria-sort") !== "ascending";
    for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const x = a.cells[column].textContent.trim(), y = b.cells[column].textContent.trim();
      if (!x || !y) return x ? -1 : y ? 1 : 0;
      return (up ? 1 : -1) * order.compare(x, y);
    });
    table.tBodies[0].append(...rows);
  }

  for (const table of document.querySelectorAll("table")) {
    [...table.tHead.rows[0].cells].forEach((th, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      button.addEventListener("click", () => sort(table, i, button));
      th.append(button);
    });
  }

  let opened = null;
  function show(a) {
    opened = a;
    tip.replaceChildren();
    const first = Number(a.hash.slice(2));
    for (let n = first; n < first + Number(a.dataset.n); n++) {
      const c = field("c" + n).cells, p = document.createElement("p"), b = document.createElement("b");
      const t = (i) => c[i].textContent.trim();
      if (n === first) {
        const h = document.createElement("p");
        h.append(t(0) + " – " + t(1));
        tip.append(h);
      }
      b.textContent = t(2) + ": " + t(3);
      p.append(b, " · " + [["kind ", 4], ["basis ", 5], ["", 6], ["edition ", 7], ["", 8], ["", 9], ["source ", 10], ["confidence ", 11]].filter(([, i]) => t(i)).map(([w, i]) => w + t(i)).join(" · "));
      tip.append(p);
    }
    tip.hidden = false;
    place();
    a.setAttribute("aria-describedby", "tip");
  }
  function place() {
    const box = opened.getBoundingClientRect(), own = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(box.left, innerWidth - own.width - 16)) + "px";
    tip.style.top = (box.bottom + own.height + 8 < innerHeight ? box.bottom + 6 : Math.max(8, box.top - own.height - 6)) + "px";
  }
  function hide() {
    tip.hidden = true;
    if (opened) opened.removeAttribute("aria-describedby");
    opened = null;
  }
  const marked = (e) => e.target.closest && e.target.closest(".matrix td a");
  document.addEventListener("mouseover", (e) => { const a = marked(e); if (a) show(a); else if (!tip.contains(e.target) && opened !== document.activeElement) hide(); });
  document.addEventListener("focusin", (e) => { const a = marked(e); if (a) show(a); else hide(); });
  document.addEventListener("scroll", () => { if (opened && opened === document.activeElement) place(); else hide(); }, true);
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") return hide();
    const a = document.activeElement;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[e.key];
    if (!step || !a.matches(".matrix td a")) return;
    let cell = a.parentElement, row = cell.parentElement, i = cell.cellIndex;
    for (;;) {
      if (step[0]) { do row = step[0] > 0 ? row.nextElementSibling : row.previousElementSibling; while (row && row.hidden); } else i += step[1];
      if (!row || i < 1 || i >= row.cells.length) return;
      const to = row.cells[i].querySelector("a");
      if (to) { e.preventDefault(); to.focus(); return show(to); }
    }
  });
  // A mark that is followed must not lead to a row that a filter hides.
  document.addEventListener("click", (e) => { const a = marked(e); if (a) { const row = field(a.hash.slice(1)); row.hidden = false; } });

  for (const n of names) field("f-" + n).addEventListener("input", filter);
  field("f-differ").addEventListener("input", filter);
  field("f-clear").addEventListener("click", () => { for (const n of names) field("f-" + n).value = ""; field("f-differ").checked = false; filter(); });
  tools.hidden = false;
  filter();
})();

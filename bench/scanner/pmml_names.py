"""Write the elements of PMML 4.4, as nyoka's classes name them: python pmml_names.py > internal/scan/xmlfile/data/pmml.txt"""
import importlib.metadata
import importlib.util
import os
import re
import textwrap

folder = os.path.dirname(importlib.util.find_spec("nyoka").origin)  # it is read, not imported
names = {"PMML", "INT-SparseArray", "TextModelSimilarity"}  # the root, and two that it spells in its own way
for file in ("PMML44.py", "PMML44Super.py"):
    with open(os.path.join(folder, file)) as f:
        names.update(re.findall(r"nodeName_ == '([^']+)'", f.read()))
print(f"# Elements of PMML 4.4, by bench/scanner/pmml_names.py from nyoka {importlib.metadata.version('nyoka')}.")
print("\n".join(textwrap.wrap(" ".join(sorted(names)), 150, break_on_hyphens=False)))

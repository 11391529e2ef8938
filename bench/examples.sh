#!/usr/bin/env bash
# Assesses the examples at depth standard, each in a fresh copy, and prints seconds from start to
# dossier and the largest memory of all processes together (proportional set size, ten times a second).
# usage: bench/examples.sh PATH-TO-ASSIZE
set -eu
assize=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
for example in credit diagnosis digits; do
	copy=$(mktemp -d)
	cp -r "$here/examples/$example/." "$copy"
	rm -rf "$copy/dossier" "$copy/.assize"
	begun=$(date +%s.%N)
	"$assize" assess "$copy" --depth standard >/dev/null 2>&1 &
	pid=$!
	peak=0
	while kill -0 $pid 2>/dev/null; do
		sum=0
		for p in $pid $(pgrep -P $pid || true); do
			pss=$(awk '/^Pss:/ {print $2}' "/proc/$p/smaps_rollup" 2>/dev/null || true)
			sum=$((sum + ${pss:-0}))
		done
		[ $sum -le $peak ] || peak=$sum
		sleep 0.1
	done
	wait $pid || true
	awk -v e=$example -v b=$begun -v n="$(date +%s.%N)" -v p=$peak 'BEGIN {printf "%s: %.1f s, %.0f MiB\n", e, n-b, p/1024}'
	rm -rf "$copy"
done

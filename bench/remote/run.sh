#!/usr/bin/env bash
# Usage: MLSERVER=BIN KSERVE=BIN TRITON=BIN run.sh ASSIZE   assesses the credit model behind real servers
set -euo pipefail
assize=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
credit=$(cd "$here/../../examples/credit" && pwd)
work=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server" && wait "$server" || true; }; server=; }
trap 'stop; rm -rf "$work"' EXIT

# ready PORT waits for a server.
ready() {
	for _ in $(seq 60); do
		curl -sf "http://127.0.0.1:$1/v2/models/credit/ready" >/dev/null && return
		sleep 1
	done
	echo "no server at port $1" >&2
	return 1
}

# assess NAME PROTOCOL PORT
assess() {
	mkdir "$work/$1-$2"
	cp "$credit"/{test.csv,served.csv,features.csv} "$work/$1-$2"
	sed "s/@PROTOCOL@/$2/; s/@PORT@/$3/" "$here/assize.yaml" >"$work/$1-$2/assize.yaml"
	local begun=$SECONDS status=0
	"$assize" assess "$work/$1-$2" >"$work/out" 2>"$work/err" || status=$?
	echo "== $1, $2: exit status $status, $((SECONDS - begun)) s"
	grep -E 'PASS|FAIL|INCONCLUSIVE|disagreements|robust accuracy|crashes' "$work/out"
	grep -E ': failed' "$work/err" || true
	python3 - "$work/$1-$2/dossier/dossier.json" <<-'COUNT'
		import json, sys
		t = [o["traffic"] | {"rows": o["queries"]} for o in json.load(open(sys.argv[1]))["observations"] if "traffic" in o]
		s = {k: sum(o[k] for o in t) for k in ("rows", "calls", "retries", "seconds")}
		print(f"{s['rows']} rows in {s['calls']} calls, {s['retries']} retries, {1000 * s['seconds'] / s['calls']:.1f} ms a call")
	COUNT
}

if [ -n "${MLSERVER:-}" ]; then
	mlserver=$(cd "$MLSERVER" && pwd)
	mkdir "$work/mlserver"
	cp "$here/mlserver_onnx.py" "$work/mlserver"
	echo '{"host": "127.0.0.1", "http_port": 8091, "grpc_port": 8092, "metrics_port": 8093, "parallel_workers": 0, "debug": false}' >"$work/mlserver/settings.json"
	cat >"$work/mlserver/model-settings.json" <<-SETTINGS
		{"name": "credit", "implementation": "mlserver_onnx.OnnxModel", "parameters": {"uri": "$credit/model.onnx", "version": "1"},
		 "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 20]}], "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}]}
	SETTINGS
	(cd "$work/mlserver" && exec "$mlserver/mlserver" start . >"$work/log" 2>&1) &
	server=$!
	ready 8091
	assess mlserver oip-rest 8091
	assess mlserver oip-grpc 8092
	stop
fi
if [ -n "${KSERVE:-}" ]; then
	"$KSERVE/python" "$here/kserve_onnx.py" --model_name credit --http_port 8095 --grpc_port 8096 "$credit/model.onnx" >"$work/log" 2>&1 &
	server=$!
	ready 8095
	assess kserve oip-rest 8095
	assess kserve oip-grpc 8096
	stop
fi
if [ -n "${TRITON:-}" ]; then
	"$TRITON/python" "$here/triton_onnx.py" --http_port 8098 --grpc_port 8099 "$credit/model.onnx" >"$work/log" 2>&1 &
	server=$!
	ready 8098
	assess triton oip-rest 8098
	assess triton oip-grpc 8099
	stop
fi

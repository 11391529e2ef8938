#!/usr/bin/env bash
# Builds a release for this machine's platform into a folder: assize, which carries ONNX Runtime and needs glibc and
# libstdc++ alone, assize-verify, which needs nothing, and their digests. The same commit and the same
# Go and C compilers give the same bytes, wherever the checkout lies.
# usage: release/build.sh [FOLDER]
set -euo pipefail
to=$(realpath -m "${1:-dist}")
cd "$(dirname "$0")/.."
mkdir -p "$to" internal/onnx/ort/embedded
platform=$(go env GOOS)-$(go env GOARCH)
go run ./release/embed internal/onnx/ort/embedded/library.gz
flags=(-trimpath -buildvcs=false -ldflags="-s -w -buildid=")
CGO_ENABLED=1 CGO_CFLAGS="-O2 -g0" CGO_LDFLAGS="-O2 -Wl,--build-id=none" go build -tags ortembed "${flags[@]}" -o "$to/assize-$platform" ./cmd/assize
CGO_ENABLED=0 go build "${flags[@]}" -o "$to/assize-verify-$platform" ./cmd/assize-verify
cd "$to"
sha256sum "assize-$platform" "assize-verify-$platform" >SHA256SUMS
cat SHA256SUMS

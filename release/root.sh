#!/usr/bin/env bash
# Makes a root folder that holds a release build of assize and the few shared libraries that it needs, and nothing else:
# the content of a container image (Containerfile), and the place in which release/check.sh tries the build.
# usage: release/root.sh DIST ROOT
set -euo pipefail
dist=$(realpath "$1")
root=$(realpath -m "$2")
program=$dist/assize-$(go env GOOS)-$(go env GOARCH)
mkdir -p "$root"/{bin,etc,home,proc,target,tmp,dev}
cp "$program" "$root/bin/assize"
# What the program and the library inside it link: glibc's parts, libstdc++ and libgcc_s.
copy() { mkdir -p "$root$(dirname "$1")" && cp -L "$1" "$root$1"; }
copy "$(ldd "$program" | awk '/ld-linux/ {print $1}')"
for name in libc.so.6 libm.so.6 libdl.so.2 librt.so.1 libpthread.so.0 libresolv.so.2 libstdc++.so.6 libgcc_s.so.1; do
	copy "$(gcc -print-file-name="$name" | xargs realpath -s)"
done
printf 'assize:x:65532:65532::/home:/bin/assize\n' >"$root/etc/passwd"
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then copy /etc/ssl/certs/ca-certificates.crt; fi

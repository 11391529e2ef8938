#!/usr/bin/env bash
# Tries what a release promises: two builds from different folders are equal, and the one file assesses an
# example in an empty root without Go, npm or a network.
# usage: release/check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in 1 2/deeper; do
	git clone -q . "$work/$n"
	(cd "$work/$n" && release/build.sh "$work/dist-${n%/*}") | sed "s/^/build ${n%/*}: /"
done
cmp "$work/dist-1/SHA256SUMS" "$work/dist-2/SHA256SUMS"
(cd "$work/dist-1" && sha256sum --check --quiet SHA256SUMS)
echo "two builds are equal"

release/root.sh "$work/dist-1" "$work/image"
cp -r examples/digits "$work/image/target/digits"
rm -rf "$work/image/target/digits/dossier" "$work/image/target/digits/.assize"
set +e
unshare --user --map-root-user --net --pid --fork --mount bash -c '
	mount -t proc proc "$0/proc" && touch "$0/dev/null" "$0/dev/urandom" && mount --bind /dev/null "$0/dev/null" &&
	mount --bind /dev/urandom "$0/dev/urandom" &&
	env -i HOME=/home PATH=/bin "$1" "$0" /bin/assize assess /target/digits --depth quick --allow inconclusive' "$work/image" "$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)" >"$work/out" 2>&1
status=$?
set -e
tail -5 "$work/out"
[ $status -eq 0 ] || { echo "the assessment in the empty root ended with status $status" >&2; exit 1; }
"$work/dist-1/assize-verify-$(go env GOOS)-$(go env GOARCH)" "$work/image/target/digits/dossier" | tail -3
echo "one file assessed an example in an empty root, without a network"

#!/bin/sh
# npm.sh BUILD NAME@VERSION: that package of npm, unpacked in BUILD/npm/NAME, for a test that runs the real
# program. It has no dependencies and nothing of it is run here. Where it cannot be had, BUILD/npm/NAME.why
# says why, the test skips with that reason, and this leaves with 0.
set -u
build=$1 name=${2%@*} version=${2##*@}
dir=$build/npm/$name
mkdir -p "$build/npm"
grep -q "\"version\": \"$version\"" "$dir/package.json" 2>/dev/null && exit 0
why() {
  echo "$1" >"$dir.why"
  echo "npm: $name: $1" >&2
  exit 0
}
rm -rf "$dir" "$dir.why"
command -v npm >/dev/null || why "no npm (Debian: npm)"
tmp=$(mktemp -d "$build/npm/tmp.XXXXXX") || exit 0
trap 'rm -rf "$tmp"' EXIT
timeout 120 npm pack --silent --fetch-retries=1 --pack-destination "$tmp" "$name@$version" >"$tmp/log" 2>&1 ||
  why "npm pack: $(grep -v '^npm *$' "$tmp/log" | head -n 1 | cut -c 1-150)"
tar -xzf "$tmp"/*.tgz -C "$tmp" && mv "$tmp/package" "$dir" || why "the package cannot be unpacked"

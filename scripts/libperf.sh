#!/bin/sh
# libperf.sh PREFIX: builds libperf from the distribution's kernel source package into PREFIX
# (lib64/libperf.a, lib64/libapi.a, include/perf). Does nothing where PREFIX has it already.
# Debian 12 has no package of libperf; the kernel source package holds it under tools/lib/perf.
set -eu
prefix=$1
[ -f "$prefix/lib64/libperf.a" ] && [ -f "$prefix/lib64/libapi.a" ] && exit 0

src=$(ls /usr/src/linux-source-*.tar.xz 2>/dev/null | sort -V | tail -n 1) || true
if [ -z "$src" ]; then
  echo "libperf: no kernel source package in /usr/src (apt-get install linux-source-6.1)" >&2
  exit 1
fi
name=$(basename "$src" .tar.xz)
version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null || echo unknown)
sum=$(sha256sum "$src" | cut -c1-16)
echo "libperf: building from $name $version (sha256 $sum...)"

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
tmp=$(mktemp -d "$prefix/src.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
tools=$name/tools
tar xJf "$src" -C "$tmp" --wildcards \
  "$tools/lib/perf" "$tools/lib/api" "$tools/lib/*.c" "$tools/include" "$tools/build" \
  "$tools/scripts" "$tools/arch/*/include"
# The user's flags are for snapflame, not for a library with warnings of its own.
env -u MAKEFLAGS -u MFLAGS -u CFLAGS -u LDFLAGS \
  make -s -C "$tmp/$tools/lib/perf" prefix="$prefix" install_lib install_headers \
  >"$prefix/build.log" 2>&1 || { tail -n 20 "$prefix/build.log" >&2; exit 1; }
cp "$tmp/$tools/lib/api/libapi.a" "$prefix/lib64/"
echo "$name $version sha256 $(sha256sum "$src" | cut -d' ' -f1)" >"$prefix/VERSION"

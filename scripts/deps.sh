#!/bin/sh
# deps.sh KIND...: installs the Debian packages that snapflame lacks for KIND
# (build, libperf, use, test, gates, fuzz, …; see the file packages). Where it cannot install, it prints
# what to install and leaves with 0: make goes on with what works.
set -u
here=$(dirname "$0")

missing=
for kind in "$@"; do
  [ "$kind" = libperf ] && pkg-config --exists libperf 2>/dev/null && continue
  for pkg in $(awk -v k="$kind" '!/^#/ && $2 == k {print $1}' "$here/packages"); do
    if command -v dpkg-query >/dev/null 2>&1; then
      dpkg-query -W -f '${Status}\n' "$pkg" 2>/dev/null | grep -q 'ok installed' && continue
    fi
    missing="$missing $pkg"
  done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "deps: no apt-get here; install what corresponds to these Debian packages:$missing" >&2
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "deps: not root; run: sudo apt-get install --no-install-recommends$missing" >&2
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
echo "deps: installing$missing"
install() {
  apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
apt-get update -qq || echo "deps: apt-get update failed; trying with the lists at hand" >&2
# shellcheck disable=SC2086 # a list of words
install $missing && exit 0
# One package that cannot be had must not cost the others.
for pkg in $missing; do
  install "$pkg" || echo "deps: could not install $pkg; what needs it will be left out" >&2
done
exit 0

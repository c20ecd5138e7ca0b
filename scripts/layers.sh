#!/bin/sh
# layers.sh: fails if a file in lib/ includes a private header of a layer above its own, or a
# public header that belongs to one. The layer of a public header is the folder whose .c file (or
# private header) has its name; lib/README.md draws the order.
set -eu
cd "$(dirname "$0")/.."
rank() {
  case $1 in
  base) echo 0 ;; perfdata) echo 1 ;; symbol) echo 2 ;; capture) echo 3 ;;
  model) echo 4 ;; analysis) echo 5 ;; render) echo 6 ;; *) echo -1 ;;
  esac
}
bad=0
for f in lib/*/*.[ch]; do
  layer=$(echo "$f" | cut -d/ -f2)
  [ "$layer" = include ] && continue
  mine=$(rank "$layer")
  for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p; s/^#include <\(snapflame\/[^>]*\)>.*/\1/p' "$f"); do
    case $inc in
    snapflame/*)
      other=$(awk -v h="${inc#snapflame/}" '$1 == h {print $2}' lib/layers)
      if [ -z "$other" ]; then
        echo "$f: $inc is in no layer (add it to lib/layers)" >&2
        bad=1
        continue
      fi ;;
    */*) other=${inc%%/*} ;;
    *) continue ;;
    esac
    if [ "$(rank "$other")" -gt "$mine" ]; then
      echo "$f: layer $layer reaches up to $other ($inc)" >&2
      bad=1
    fi
  done
done
exit $bad

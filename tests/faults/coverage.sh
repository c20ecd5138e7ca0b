#!/bin/sh
# coverage.sh BUILD LEAST: lines of lib/ that were run, by layer, from the .gcda files in BUILD; fails
# where the whole is below LEAST percent.
set -u
build=$1 least=$2
cd "$(dirname "$0")/../.." || exit 1
find "$build/lib" -name '*.gcda' | sort | while read -r f; do
  gcov -n -s "$PWD" -r "$f" 2>/dev/null
done | awk -v least="$least" '
  /^File / {file = $2; gsub("\047", "", file); next}
  /^Lines executed:/ && file ~ /^lib\/[a-z]+\/[^\/]*\.c$/ && !(file in seen) {
    seen[file] = 1; split($0, a, /[:% ]+/); split(file, part, "/")
    n = a[length(a)]; hit = a[3] * n / 100
    lines[part[2]] += n; ran[part[2]] += hit; all += n; allran += hit
    if (n > 20 && a[3] < 70) low[file] = a[3]
  }
  END {
    for (l in lines) printf "%-10s %6d lines %6.1f %%\n", l, lines[l], 100 * ran[l] / lines[l]
    for (f in low) printf "  low: %-40s %5.1f %%\n", f, low[f]
    if (!all) {print "no coverage data"; exit 1}
    printf "lib/       %6d lines %6.1f %% (at least %d %%)\n", all, 100 * allran / all, least
    exit 100 * allran / all < least
  }'

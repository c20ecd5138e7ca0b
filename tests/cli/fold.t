# fold gives the lines of perf script --no-inline | stackcollapse-perf.pl: all recordings and texts
# of the shared fixtures, against what that pipeline made of them.
. "$TOP/tests/lib.sh"
fixtures=$SHARED/fixtures
[ -d "$fixtures" ] || skip_all "no fixtures in $SHARED"
LC_ALL=C
export LC_ALL
mkdir "$TMP/empty"

fold() { "$SNAPFLAME" fold -q --view samples --symfs "$TMP/empty" "$@"; }

# without_last FILE: the text without its last stack, which stackcollapse-perf.pl loses where the
# text does not end in a blank line.
without_last() { awk 'BEGIN {RS = ""; ORS = "\n\n"} NR > 1 {print last} {last = $0}' "$1"; }

for want in "$fixtures"/perfscript/results/*.folded; do
  name=$(basename "$want" .folded)
  kind=${name##*.}
  text=$fixtures/perfscript/${name%.*}.txt
  sort "$want" >"$TMP/want"
  case $kind in
  inferno-*) continue ;;
  default) fold "$text" >"$TMP/got" 2>"$err" ;;
  *)
    case $name in
    *dd-stacks* | *java-stacks* | *numa-stacks*)
      without_last "$text" >"$TMP/in"
      text=$TMP/in ;;
    esac
    # Upstream's older results keep the L of Java's names.
    case $name in
    *java-stacks*.pid | *java-stacks*.tid)
      sed 's|;L\([^;]*/\)|;\1|g' "$want" | sort >"$TMP/want" ;;
    esac
    fold "--$kind" "$text" >"$TMP/got" 2>"$err" ;;
  esac
  same "$TMP/got" "$TMP/want" "text: $name"
done

# What perf 6.12 calls :PID is the thread's last name for perf 6.1 and here: without roots.
rootless() { sed 's/^[^; ]*;//' "$1" | awk '{n = $NF; sub(/ [0-9]+$/, ""); w[$0] += n}
  END {for (s in w) printf "%s %d\n", s, w[s]}' | sort; }

# event FILE SHORT: the name of the event that is SHORT where files are named after it
event() {
  awk -F '\t' -v f="$1" '$1 == f {print $2}' "$fixtures/expected/samples.tsv" | while read -r e; do
    [ "$(printf %s "$e" | tr -c 'A-Za-z0-9._-' _)" = "$2" ] && echo "$e"
  done | head -n 1
}

for want in "$fixtures"/expected/*.folded; do
  name=$(basename "$want" .folded)
  data=$fixtures/perfdata/$name
  if [ -f "$data" ]; then
    fold "$data" >"$TMP/got" 2>"$err"
  else
    part=${name##*.}
    data=$fixtures/perfdata/${name%.*}
    if [ "$part" = addrs ]; then
      fold --addrs "$data" >"$TMP/got" 2>"$err"
    else
      fold --event "$(event "${name%.*}" "$part")" "$data" >"$TMP/got" 2>"$err"
    fi
  fi
  sort "$want" >"$TMP/want"
  case $name in
  cros.systemwide.0.addrs | quipper.armv7*.addrs | quipper.callgraph-3.4.addrs)
    rootless "$TMP/got" >"$TMP/got.rootless"
    rootless "$TMP/want" >"$TMP/want.rootless"
    same "$TMP/got.rootless" "$TMP/want.rootless" "perf.data: $name" ;;
  *) same "$TMP/got" "$TMP/want" "perf.data: $name" ;;
  esac
done

# Files that fuzzers made are refused or read as far as they go; they never kill the program.
for data in "$fixtures"/perfdata/quipper.poc-* "$fixtures"/perfdata/quipper.clusterfuzz-* \
  "$fixtures"/perfdata/quipper.piped.corrupted.*; do
  run "$SNAPFLAME" fold --symfs "$TMP/empty" "$data"
  [ "$status" -le 1 ]
  ok $? "hostile: $(basename "$data")" || diag "status $status"
done
done_testing

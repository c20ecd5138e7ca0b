# Every example of the man pages and of the README runs: against a stand-in VMM, in a directory that has
# the files they name, and with less patience. What builds against the library is in tests/cli/install.t.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
command -v bash >/dev/null || skip_all "no bash"
fc=$("$BUILD/branchsim" vmm --sock "$TMP/fc.sock" --cause user-cpu --base 5 --grow 25 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
others=$fc
[ -n "$fc" ] || exit 1

mkdir bin
ln -s "$SNAPFLAME" bin/snapflame
printf '#!/bin/sh\necho %s\n' "$fc" >bin/pidof
printf '#!/bin/sh\nprintf "vmm 7/7 [000] 1.0: 1 cycles:\\n\\t10 f (/x)\\n\\n"\n' >bin/ssh
cat >branch.sh <<END
#!/bin/sh
sock=$TMP/fc.sock
[ ! -S $TMP/vm.sock ] || sock=$TMP/vm.sock
exec $BUILD/branchsim branch --sock \$sock
END
# start-vmm VMM FILE: another one, whose pauses stay as they are; its pid goes into FILE
cat >start-vmm <<END
#!/bin/sh
$BUILD/branchsim vmm --sock $TMP/vm.sock --cause user-cpu --base 30 --grow 0 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/' >\$2
END
chmod +x bin/* branch.sh start-vmm
debian=/usr/share/perl5/Devel/NYTProf/flamegraph.pl
[ -f $debian ] && ! command -v flamegraph.pl >/dev/null &&
  printf '#!/bin/sh\nexec perl %s "$@"\n' $debian >bin/flamegraph.pl && chmod +x bin/flamegraph.pl
PATH=$TMP/bin:$PATH
run snapflame record -q -p "$fc" --branches 5 --gap 0.05 -o run.data -- ./branch.sh
is "$status" 0 "a recording for the examples" || sed 's/^/# /' "$err"

# The literal blocks of a page's EXAMPLES, block.1 …; the indented ones of the README that are commands.
blocks() {
  rm -f block.*
  case $1 in
  *.md) awk '/^    (\$ )?snapflame / {if (!on) n++; on = 1; sub(/^    (\$ )?/, ""); print >"block." n; next}
      /^    / {next} {on = 0}' "$1" ;;
  *) awk '/^\.Sh/ {ex = /EXAMPLES/} ex && /^\.Bd/ {on = 1; n++; next} /^\.Ed/ {on = 0}
      on {gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print >"block." n}' "$1" ;;
  esac
}

# What the block needs and is not here.
lacks() {
  for tool in jq go perf flamegraph.pl; do
    grep -q -E "(^|[|( ])$tool " "$1" && ! command -v $tool >/dev/null && echo "no $tool" && return
  done
  grep -q '^SELECT' "$1" && echo "SQL for DuckDB"
  [ $root -eq 1 ] || echo "not root"
}

perform() {
  for f in snapflame fast slow base new mon tue wed thu; do cp run.data $f.data; done
  printf 'branch,pause_ms\n1,10\n2,12\n3,40\n4,41\n' >sweep.csv
  cp sweep.csv monday.csv
  cp sweep.csv tuesday.csv
  cp run.data kept
  sed -i -e "s|/run/|$TMP/|g; s/--gap [0-9.]*/--gap 0.05/; s/--duration [0-9]*/--duration 0.2/" \
    -e "s/sleep 10/sleep 0.2/; s/--comm firecracker/-p $fc/; s/fc_vcpu\*/*/" "$1"
  control=
  if grep -q '^exec 3>' "$1"; then
    mkfifo branches answers
    snapflame record -q -p "$fc" --control "$TMP/branches,$TMP/answers" -o control.data >/dev/null 2>&1 &
    control=$!
  fi
  run timeout 60 bash -e -o pipefail "$1"
  [ -z "$control" ] || wait "$control"
  mv kept run.data
  # doctor says by its status what the machine lacks.
  grep -q '^snapflame doctor' "$1" && [ "$status" -eq 1 ] && status=0
  # A gate's 3 is an answer; on a busy machine even the right one.
  grep -q -e --fail-over "$1" && [ "$status" -eq 3 ] && status=0
}

n=0
for page in "$TOP"/man/*.[157] "$TOP/README.md"; do
  blocks "$page"
  for b in block.*; do
    [ -s "$b" ] || continue
    what="$(basename "$page"): $(head -n 1 "$b" | cut -c 1-60)"
    why=$(lacks "$b")
    if [ -n "$why" ]; then
      skip "$what" "$why"
      continue
    fi
    perform "$b"
    n=$((n + 1))
    [ "$status" -eq 0 ]
    ok $? "$what" || { sed 's/^/# /' "$b"; tail -n 5 "$err" | sed 's/^/# /'; }
  done
done
[ $root -eq 0 ] || [ "$n" -ge 20 ]
ok $? "$n examples were run"
done_testing

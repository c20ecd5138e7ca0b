#!/bin/sh
# Names of the kernel's functions: from a vmlinux file with the recording's build-id, linked where the
# kernel ran and elsewhere (as it is where the kernel moves itself at boot), from saved copies of
# kallsyms, and never from those of another kernel.
. "$TOP/tests/lib.sh"

for tool in perf cc perl readelf; do
  command -v $tool >/dev/null || skip_all "$tool is missing"
done
HOME=$TMP/home
LC_ALL=C
export HOME LC_ALL
mkdir "$HOME" "$TMP/empty"
cd "$TMP" || exit 1
grep -q '^f[0-9a-f]*[1-9a-f][0-9a-f]* T _stext$' /proc/kallsyms 2>/dev/null ||
  skip_all "kernel addresses are hidden here"
perf record -q -g -F 5000 -e cpu-clock:k -o run.data -- \
  sh -c 'i=0; while [ $i -lt 300 ]; do : "$(: fork)"; i=$((i + 1)); done' >/dev/null 2>err ||
  skip_all "perf cannot record here: $(tail -n 1 err)"
id=$(perf buildid-list -i run.data 2>/dev/null | awk '$2 ~ /kernel.kallsyms/ {print $1}')
[ "${#id}" -eq 40 ] || skip_all "perf stored no build-id of the kernel"

# fold OPTION…: the kernel's part of the stacks
fold() {
  "$SNAPFLAME" fold -q --kernel --weight count "$@" >folded
  awk '{n = split($0, frame, ";"); weight = $NF; sub(/ [0-9]+$/, "", frame[n]); s = ""
      for (i = 1; i <= n; i++) if (frame[i] ~ /_\[k\]$/) {sub(/_\[k\]$/, "", frame[i]); s = s ";" frame[i]}
      if (s != "") w[s] += weight}
    END {for (s in w) print s, w[s]}' folded
}
# total FILE: all samples; named PREFIX FILE: those of them whose last frame begins so
total() { awk '{n += $NF} END {print n + 0}' "$1"; }
named() { awk -v p=";$1" '{s = $0; sub(/ [0-9]+$/, "", s); sub(/.*;/, ";", s)}
  index(s, p) == 1 {n += $NF} END {print n + 0}' "$2"; }
# bare FILE PREFIX: lines with the prefix of names taken away
bare() { sed "s/;$2/;/g" "$1" | sort; }

fold run.data | sort >want
all=$(total want)
[ "$all" -gt 20 ] || skip_all "only $all samples of the kernel"

# image BASE: assembler text with the functions that perf saw, as vm_NAME, where they are behind _stext
image() {
  perf script -i run.data -F ip,sym 2>/dev/null | perl -e '
    no warnings "portable";
    my %seen = map { /^\s+\S+ (\S+)/ ? ($1 => 1) : () } <STDIN>;
    my (@sym, $text);
    open my $f, "<", "/proc/kallsyms" or die;
    while (<$f>) {
      my ($addr, $type, $name, $module) = split or next;
      next if $module || $type !~ /[tw]/i;
      $text //= hex $addr if $name eq "_stext";
      push @sym, [hex $addr, $name];
    }
    @sym = sort { $a->[0] <=> $b->[0] } @sym;
    print ".section .text,\"ax\",\@nobits\n.globl _stext, _text\n_stext:\n_text:\n";
    for my $i (0 .. $#sym - 1) {
      my ($addr, $name, $next) = (@{$sym[$i]}, $sym[$i + 1][0]);
      next if $addr < $text || $next == $addr || !$seen{$name};
      printf ".org %d\n\"vm_%s.%d\":\n.type \"vm_%s.%d\", \@function\n.size \"vm_%s.%d\", %d\n",
        $addr - $text, ($name, $i) x 3, $next - $addr;
    }
    printf ".skip 1\n"; printf STDERR "%x\n", $text' 2>text.addr
}
# link ADDRESS BUILD-ID: symfs/…/.debug
link() {
  file=$TMP/symfs/usr/lib/debug/.build-id/$(echo "$id" | cut -c 1-2)/$(echo "$id" | cut -c 3-).debug
  mkdir -p "${file%/*}"
  cc -nostdlib -static -no-pie -Wl,-e,0 -Wl,--build-id=0x"$2" -Wl,-z,max-page-size=4096 \
    -Wl,-Ttext=0x"$1" image.s -o "$file" 2>cc.err
}
image >image.s
text=$(cat text.addr)
moved=$(printf '%s' "$text" | perl -ne 'no warnings "portable"; printf "%x", hex() + 0x200000')
for at in "$text" "$moved"; do
  if ! link "$at" "$id"; then
    skip "vmlinux at $at" "it cannot be linked: $(tail -n 1 cc.err)"
    continue
  fi
  fold --symfs symfs run.data >got 2>err
  is "$(total got)" "$all" "vmlinux at $at: all samples"
  # Aliases, and the entry code between functions, have no symbol in it.
  [ $(($(named vm_ got) * 100)) -ge $((all * 90)) ]
  ok $? "vmlinux at $at names the kernel: $(named vm_ got) of $all" || diag "$(head -n 3 got)"
  bare got vm_ | sed 's/\.[0-9]*\([; ]\)/\1/g' >got.bare
  sed 's/\.[0-9]*\([; ]\)/\1/g' want | sort >want.bare
  [ "$(comm -12 got.bare want.bare | wc -l)" -gt $(($(wc -l <want.bare) / 2)) ]
  ok $? "vmlinux at $at: with the names that kallsyms has"
done
if link "$text" "$(echo "$id" | tr 0-9a-f 1-9a-f0)"; then
  fold --symfs symfs run.data >got 2>err
  is "$(named vm_ got)" 0 "vmlinux with another build-id names nothing"
else
  skip "vmlinux with another build-id" "it cannot be linked"
fi

# Saved copies: the same functions under other names, so that it is seen where they come from.
perl -ne 's/^(\S+ \S) /$1 saved_/ unless / _s?text$/; print' /proc/kallsyms >saved
fold --kallsyms saved run.data >got 2>err
bare got saved_ >got.bare
same got.bare want "--kallsyms FILE names the kernel"
is "$(named saved_ got)" "$(($(total want) - $(named '[' want)))" "--kallsyms FILE: all from there"
perl -ne 'no warnings "portable"; s/^f\S+/sprintf "%x", hex($&) + 0x200000/e; print' saved >elsewhere
fold --kallsyms elsewhere run.data >got 2>err
bare got saved_ >got.bare
[ "$(named saved_ got)" -gt $((all / 2)) ] && [ "$(comm -12 got.bare want | wc -l)" -gt 5 ]
ok $? "--kallsyms FILE of a boot with the kernel elsewhere"

# What perf keeps by build-id: of another machine's kernel all, of this one where it begins alike.
kept() {
  rm -rf "$HOME/.debug"
  mkdir -p "$HOME/.debug/[kernel.kallsyms]/$1"
  cat >"$HOME/.debug/[kernel.kallsyms]/$1/kallsyms"
}
other=$(echo "$id" | tr 0-9a-f 1-9a-f0)
perl -0777 -pe "BEGIN {\$from = pack 'H*', '$id'; \$to = pack 'H*', '$other'} s/\Q\$from/\$to/g" \
  run.data >other.data
rm -rf "$HOME/.debug"
fold other.data >got 2>err
is "$(named '[[kernel.kallsyms]]' got)" "$all" "another kernel's recording is not named by the running kernel"
kept "$other" <saved
fold other.data >got 2>err
bare got saved_ >got.bare
same got.bare want "another kernel's recording: perf's copy of its list names it"
[ "$(named saved_ got)" -gt 0 ]
ok $? "another kernel's recording: all from there"
kept "$id" <saved
fold run.data | sort >got
same got want "perf's copy that begins otherwise than the running kernel's list is not read"
(head -c 4096 /proc/kallsyms && tail -c +4097 /proc/kallsyms |
  perl -ne 's/^(\S+ \S) /$1 saved_/ if $. > 1; print') | kept "$id"
fold run.data >got
bare got saved_ >got.bare
same got.bare want "perf's copy that begins alike is read"
[ "$(named saved_ got)" -gt $((all / 2)) ]
ok $? "perf's copy that begins alike: names from there"
done_testing

# The names of callchains are those that perf script prints for the same recording: by frame
# pointers and by unwinding stack dumps, for C++, Rust and stripped C, through signal handlers.
. "$TOP/tests/lib.sh"

own=$BUILD/tests/tools/callchains
command -v perf >/dev/null || skip_all "perf is missing"
[ -x "$own" ] || skip_all "tests/tools/callchains is not built"
cd "$TMP" || exit 1
perf record -q -N -B -e cpu-clock -o try true >/dev/null 2>try.err ||
  skip_all "perf cannot record here: $(tail -n 1 try.err)"

# names_of FILE: one line a sample, entries separated by ";", as callchains prints them
names_of() {
  perf script --no-inline -i "$1" -F ip,sym,dso 2>/dev/null | awk '
    NF == 0 { if (line != "") print line; line = ""; next }
    { $1 = ""; line = line substr($0, 2) ";" }
    END { if (line != "") print line }'
}

# wash FILE: while another recording asks for build-ids, Linux marks the mappings of all recordings
# as having one, and perf dies of what it then takes for a build-id. The marks are taken away.
wash() {
  perl -e '
    open my $f, "+<:raw", $ARGV[0] or die; local $/; my $d = <$f>;
    my ($at, $size) = unpack "Q2", substr $d, 40, 16;
    for (my $end = $at + $size; $at < $end;) {
      my ($type, $misc, $n) = unpack "LSS", substr $d, $at, 8;
      substr($d, $at + 4, 2) = pack "S", $misc & ~0x4000 if $type == 10;
      $at += $n or last;
    }
    seek $f, 0, 0; print $f $d;' "$1"
}

# off_by LIMIT WHAT: want and got differ in LIMIT lines at most
off_by() {
  differ=$(diff want got | grep -c '^<')
  [ "$differ" -le "$1" ]
  ok $? "$2, $differ of $(wc -l <want) differ" || diff want got | head -n 20 | sed 's/^/# /'
}

# stubs_as_perf: got, with _init for "f@plt" in a sample where perf has that. To perf 6.1 the code of
# _init, whose symbol has no size, goes on to the next function, over the stubs of the PLT; it names
# them as well, and which of the two it finds depends on what else is in the table.
stubs_as_perf() {
  awk 'FILENAME == "want" {perf[FNR] = $0; next}
    $0 != perf[FNR] {
      line = $0
      gsub(/[^;]*@plt/, "_init", line)
      if (line == perf[FNR]) {$0 = line; stubs++}
    }
    {print}
    END {print stubs + 0 >"stubs"}' want got >got.perf
  mv got.perf got
}

# fold_stubs: the same for folded lines, which name no single sample: all stubs are one there
fold_stubs() {
  awk '{n = $NF; sub(/ [0-9]+$/, ""); gsub(/;[^;]*@plt/, ";_init"); w[$0] += n}
    END {for (stack in w) printf "%s %d\n", stack, w[stack]}' "$1" | LC_ALL=C sort >"$1.stubs"
  mv "$1.stubs" "$1"
}

samples=0 others=0 # of all recordings, and those with other frames than perf's
# compare WHAT PROGRAM PERF-OPTION…
compare() {
  what=$1 program=$2 limit=0
  shift 2
  # -N, -B: perf record would already die of it at its end.
  if ! perf record -q -N -B -F 2500 -e cpu-clock "$@" -o perf.data "$program" >/dev/null 2>try.err
  then
    skip "$what" "perf record failed: $(tail -n 1 try.err)"
    return
  fi
  wash perf.data
  # In a function of the C runtime that has no rules (it runs once, when the program ends) perf's
  # unwinder goes astray: it steps by the frame pointer and takes the stack pointer for another.
  case $* in *dwarf*) limit=2 ;; esac
  names_of perf.data >want
  "$own" perf.data 2>problems | grep . >got
  lines=$(wc -l <want)
  if [ "$lines" -lt 20 ]; then
    skip "$what" "only $lines samples"
    return
  fi
  stubs_as_perf
  off_by $limit "$what: names" || sed 's/^/# /' problems
  [ "$(cat stubs)" -eq 0 ] || diag "$(cat stubs) with f@plt where perf has _init"
  samples=$((samples + lines)) others=$((others + differ))
  perf script --no-inline -i perf.data 2>/dev/null | "$SNAPFLAME" fold - | LC_ALL=C sort >want
  "$SNAPFLAME" fold perf.data 2>problems | LC_ALL=C sort >got
  fold_stubs want
  fold_stubs got
  off_by $limit "$what: folded" || sed 's/^/# /' problems
  # On a machine without the files, with the names that the recorder stored. Stacks that need the
  # files to be unwound are another matter.
  case $* in *dwarf*) return ;; esac
  "$own" perf.data store=names >want 2>/dev/null && [ -s names ] &&
    "$own" perf.data load=names no_local symfs=/nowhere >got 2>/dev/null
  off_by 0 "$what: stored names"
}

cat >mix.c <<'END'
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
static volatile long n;
__attribute__((noinline)) static void burn(int k) { for (volatile int i = 0; i < k; i++) n += i; }
static void handler(int s) { burn(100000); n += s; }
static int cmp(const void *a, const void *b) { volatile int x = 0; for (int i = 0; i < 20; i++) x += i; return *(int *)a - *(int *)b; }
__attribute__((noinline)) static void deep(int d) { char buf[700]; memset(buf, d, sizeof(buf)); if (d) deep(d - 1); else burn(20000); n += buf[5]; }
__attribute__((noinline)) static double mathy(int k) { double s = 0; for (int i = 0; i < k; i++) s += sin(i) * log(i + 1); return s; }
int main(void)
{
	struct itimerval t = {{0, 3000}, {0, 3000}};
	static int v[10000];
	double sum = 0;
	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &t, 0);
	for (int r = 0; r < 25; r++) {
		for (int i = 0; i < 10000; i++) v[i] = rand();
		qsort(v, 10000, sizeof(int), cmp);
		deep(30);
		sum += mathy(20000);
		for (int i = 0; i < 300; i++) n += getppid();
	}
	printf("%ld %f\n", n, sum);
	return 0;
}
END
# Half of what it does is to go through its PLT.
cat >stubs.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static volatile long n;
__attribute__((noinline)) static void work(int k)
{
	for (int i = 0; i < k; i++)
		n += rand() + (long)strlen("abcdef" + (n & 1)) + atoi("12");
}
int main(void)
{
	for (int i = 0; i < 150; i++)
		work(20000);
	return 0;
}
END
cat >names.cpp <<'END'
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>
namespace vmm {
template <class T> struct Device {
	T v;
	__attribute__((noinline)) T work(int k) const { volatile T s = 0; for (int i = 0; i < k; i++) s = s + i * v; return s; }
	__attribute__((noinline)) operator bool() const { return work(9000) != 0; }
};
struct Base { virtual ~Base() {} virtual long run(int) = 0; };
struct Snapshot : Base { long run(int k) override; };
__attribute__((noinline)) long Snapshot::run(int k) { volatile long s = 0; for (int i = 0; i < k; i++) s = s + i; return s; }
}
int main()
{
	std::map<std::string, int> m;
	vmm::Device<long> d{3};
	vmm::Snapshot s;
	vmm::Base *b = &s;
	long t = 0;
	for (int i = 0; i < 2500; i++) {
		t += d.work(9000) + b->run(9000) + (d ? 1 : 0);
		m[std::to_string(i)] = (int)t;
		auto lambda = [&](int k) { volatile long q = 0; for (int x = 0; x < k; x++) q = q + x; return (long)q; };
		std::vector<int> v(300);
		std::generate(v.begin(), v.end(), [&] { return (int)(lambda(20) * i); });
		std::sort(v.begin(), v.end(), [](int x, int y) { volatile int z = x; return z < y; });
		t += v[0];
	}
	printf("%ld %zu\n", t, m.size());
}
END
cat >names.rs <<'END'
use std::collections::HashMap;
mod inner {
    pub trait Walk { fn go(&self, n: u64) -> u64; }
    impl Walk for u32 {
        #[inline(never)]
        fn go(&self, n: u64) -> u64 {
            let mut s = *self as u64;
            for i in 0..n { s = s.wrapping_mul(31).wrapping_add(std::hint::black_box(i)); }
            s
        }
    }
}
use inner::Walk;
#[inline(never)]
fn apply<F: Fn(u64) -> u64>(f: F, n: u64) -> u64 {
    let mut s = 0u64;
    for i in 0..n { s = s.wrapping_add(f(std::hint::black_box(i))); }
    s
}
fn main() {
    let mut m = HashMap::new();
    let mut t = 0u64;
    for i in 0..300u64 {
        t = t.wrapping_add(7u32.go(60000)).wrapping_add(apply(|x| x * 3 + i, 60000));
        m.insert(i.to_string(), t);
    }
    println!("{} {}", t, m.len());
}
END

if cc -O2 -fno-omit-frame-pointer mix.c -o mix-fp -lm 2>cc.err && cc -O2 mix.c -o mix -lm 2>>cc.err; then
  strip -o mix-stripped mix
  compare "C, frame pointers" ./mix-fp -g
  compare "C, stack dumps through signal handlers" ./mix --call-graph dwarf,8192
  compare "C, stack dumps that are too short" ./mix --call-graph dwarf,2048
  compare "stripped C, stack dumps" ./mix-stripped --call-graph dwarf,8192
else
  skip "C programs" "no C compiler"
fi
# A program that a shell starts has, to perf, the shell's libc as well, and where that is the lower of
# the two perf finds no callers. Here they are found: from main, unless a stack is larger than its dump.
if [ -x mix ] && perf record -q -N -B -F 2500 -e cpu-clock --call-graph dwarf,8192 -o shell.data \
  sh -c './mix; true' >/dev/null 2>try.err; then
  wash shell.data
  "$SNAPFLAME" fold -q --weight count shell.data | awk '/^mix;/ {
      n += $NF; if (/;(main|_start|_dl_start_user|deep|\[unknown\]);/) whole += $NF}
    END {print n + 0, whole + 0}' >counted
  read -r n whole <counted
  [ "$n" -gt 20 ] && [ $((whole * 100)) -ge $((n * 95)) ]
  ok $? "stack dumps of a program that a shell started: callers of $whole of $n"
else
  skip "stack dumps of a program that a shell started" "perf record failed: $(tail -n 1 try.err)"
fi
for flags in -fcf-protection=none "-fcf-protection=full -Wl,-z,ibtplt"; do
  # shellcheck disable=SC2086 # several options
  if cc -O2 -fno-builtin -fno-omit-frame-pointer $flags stubs.c -o stubs-c 2>>cc.err; then
    compare "stubs of the PLT, $flags" ./stubs-c -g
    compare "stubs of the PLT, $flags, stack dumps" ./stubs-c --call-graph dwarf,8192
  else
    skip "stubs of the PLT, $flags" "no C compiler that knows them"
  fi
done
if c++ -O1 -fno-omit-frame-pointer names.cpp -o names-cpp 2>>cc.err; then
  compare "C++, frame pointers" ./names-cpp -g
  compare "C++, stack dumps" ./names-cpp --call-graph dwarf,8192
else
  skip "C++ programs" "no C++ compiler"
fi
# Of two events the one with call chains is folded, whichever comes first.
if perf record -q -N -B -e cpu-clock/call-graph=fp/,page-faults/call-graph=no/ -o mixed \
  sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done' >/dev/null 2>mixed.err; then
  wash mixed
  want=$(perf script -i mixed -F event,period 2>/dev/null | awk '/cpu-clock/ { n += $1 } END { print n + 0 }')
  got=$("$SNAPFLAME" fold mixed 2>/dev/null | awk '{ n += $NF } END { print n + 0 }')
  [ "$want" -gt 0 ] && [ "$got" = "$want" ]
  ok $? "beside an event with call chains, one without is passed over" || diag "$got, not $want"
else
  skip "beside an event with call chains, one without is passed over" "$(tail -n 1 mixed.err)"
fi

rust() {
  rustc -O -C force-frame-pointers=yes "$@" names.rs 2>>cc.err
}
if rust -o names-legacy -C symbol-mangling-version=legacy || rust -o names-legacy; then
  compare "Rust, legacy names, frame pointers" ./names-legacy -g
else
  skip "Rust, legacy names" "no rustc"
fi
if rust -o names-v0 -C symbol-mangling-version=v0; then
  compare "Rust, v0 names, stack dumps" ./names-v0 --call-graph dwarf,8192
else
  skip "Rust, v0 names" "no rustc that writes them"
fi
if [ "$samples" -gt 0 ]; then
  [ $((others * 1000)) -le "$samples" ]
  ok $? "the same frames as perf in $(awk "BEGIN {printf \"%.3f\", 100 - 100 * $others / $samples}") % of $samples samples"
else
  skip "the same frames as perf" "nothing was recorded"
fi
done_testing

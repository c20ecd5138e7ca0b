# Recordings of real machines on the two sides of a diff: what else differs is said, what does not compare
# is refused.
. "$TOP/tests/lib.sh"
[ -d "${SHARED:-/nonexistent}/fixtures/perfdata" ] || skip_all "no fixtures"
cd "$SHARED/fixtures/perfdata" || exit 1

said() { # FAST SLOW: what diff says on standard output, in one line
  run "$SNAPFLAME" diff "$1" "$2"
  tr '\n' ' ' <"$out" | tr -s ' '
}

# Another architecture, kernel and machine
text=$(said quipper.armv7.perf_3.14-3.8 piq.perf.data)
like "$text" "*architecture: armv7l in quipper.armv7*, but x86_64 in piq.perf.data:*" "ARM and x86"
like "$text" "*kernel: 3.8.11 in *, but 5.15.56 in *: its functions may have other names*" "two kernels"
like "$text" "*host: localhost in *, but nixos in *" "two hosts"
like "$(cat "$err")" "*cycles against cycles:u: shares of CPU time by different clocks*" "with and without the kernel"
text=$(said linux-perf-data.sleep.data linux-perf-data.sleep.compressed.pipe.data)
like "$text" "*perf: 6.16-1 in *, but 6.5.13 in *: names and call chains may be cut*" "two versions of perf"
like "$text" "*architecture: x86_64 in *, but aarch64 in *" "through a pipe, too"
# CPU types of one architecture
text=$(said covlizer.perf.data piq.perf.data)
like "$text" "*CPU: Intel*i5-4200U* in *, but AMD Ryzen 9*" "two CPUs"
like "$text" "*call chains: branch records (lbr) in *, but * in *: callers may be missing*" "call chains of two kinds"
# Shares are of each side's own weight: rate and length make no difference to them, and are said.
text=$(said quipper.piped.hw_and_sw-3.4 quipper.piped.target-3.4)
like "$text" "*samples: every 1000000 in *, but 1000 Hz in *: shares compare*" "two rates"
run "$SNAPFLAME" diff --json quipper.piped.hw_and_sw-3.4 quipper.piped.target-3.4
like "$(tr '\n' ' ' <"$out" | tr -s ' ')" '*"notes": [ "samples: every 1000000 in *' "in JSON, too"
# Things that are no shares of time
run "$SNAPFLAME" diff cros.systemwide.0 piq.perf.data
is "$status" 1 "branches or cycles: refused"
like "$(cat "$err")" "*shares of different things do not compare; choose one that both have with --event*" "and how to choose"
text=$(said piq.perf.data piq.perf.data)
like "$text" "*no function's share differs*" "a recording against itself"
case $text in *" note "* | *", but "*) false ;; esac
ok $? "made alike: nothing is said"
run "$SNAPFLAME" diff piq.perf.data hotspot.perf.data.true.v1
is "$status" 1 "a recording without samples: refused"
like "$(cat "$err")" "snapflame diff: *no stacks on the slow side*" "and said why"
run "$SNAPFLAME" diff piq.perf.data kitscript.perf.data
is "$status" 1 "one that was never finished: refused" || sed 's/^/# /' "$err" "$out"
done_testing

# record --firecracker: the windows are right, what the VMM says is passed on, and whatever happens the
# VM runs afterwards.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"

# The windows: against the VMM's own time stamps of when its vCPUs left and entered the guest.
# shellcheck disable=SC2016 # perl
compare='
  use JSON::PP; local $/; my ($log, $show) = @ARGV;
  open my $f, "<", $log or die; my @own = map { decode_json($_) } split /\n/, <$f>;
  open my $g, "<", $show or die; my @seen = @{decode_json(<$g>)};
  my ($good, $worst) = (0, 0);
  for my $s (@seen) {
    my $o = $own[$s->{branch} - 1] or next;
    my $len = $o->{dark_ms}; my $allowed = $len > 100 ? $len / 100 : 1;
    my $lo = abs($s->{start_ns} - $o->{dark_start_ns}) / 1e6;
    my $hi = abs($s->{start_ns} / 1e6 + ($s->{dark_ms} // 0) - $o->{dark_end_ns} / 1e6);
    my $off = $lo > $hi ? $lo : $hi; $worst = $off if $off > $worst;
    if ($off <= $allowed) { $good++ } else { print "# BRANCH $s->{branch} of $len ms: off by $lo and $hi ms\n" }
  }
  printf "%d of %d\n# worst: %.3f ms\n", $good, scalar @seen, $worst;'
accurate() {
  what=$1
  shift
  vmm_start "$@" --log "$TMP/log" || return
  record --firecracker "$sock" --branches 10 --gap 0.02 --poll 20
  is "$status" 0 "$what: ten BRANCHes" || diag "$(cat "$err")"
  branches 1 # the log's last line is written when the VM has run for a moment
  "$SNAPFLAME" show run.data branches --json >show.json
  got=$(perl -e "$compare" log show.json)
  diag "$(echo "$got" | grep '^#')"
  is "$(echo "$got" | grep of)" "10 of 10" "$what: dark windows within 1 ms or 1 %"
  vmm_stop
  rm -f log
}
accurate "no cause, 1 vCPU" none --vcpus 1
accurate "backoff, 4 vCPUs" backoff --vcpus 4 --grow 20

# What the pauses consisted of: a partition, in which the sleep is the devices'.
"$SNAPFLAME" show run.data phases --json >phases.json 2>"$err"
perl -MJSON::PP -e 'local $/; my ($p, $b) = map { open my $f, "<", $_ or die; decode_json(<$f>) } @ARGV;
  my (%sum, %ms); for (@$p) { $sum{$_->{branch}} += $_->{ms}; $ms{$_->{branch}}{$_->{phase}} = $_->{ms} }
  for (@$b) {
    my ($n, %m) = ($_->{branch}, %{$ms{$_->{branch}}});
    die "BRANCH $n: $sum{$n} of $_->{dark_ms} ms\n" if abs($sum{$n} - $_->{dark_ms}) > 0.001;
    die "BRANCH $n: no $_\n" for grep { !exists $m{$_} } "stop", "device state", "resume";
  }' phases.json show.json 2>"$err"
ok $? "the phases of a BRANCH sum to its dark window" || diag "$(cat "$err")"

vmm_start none --log "$TMP/log"
record --firecracker "$sock" --branches 3 --gap 0.02
is "$status" 0 "three BRANCHes: status"
is "$(grep -c '^BRANCH [123] of 3: [0-9.]* ms' "$err")" 3 "a line for each"
like "$(marks run.data meta)" "*\"pid\":$vmm,*" "the target is who listens"
is "$(marks run.data window | grep -c '"source":"firecracker"')" 3 "three windows, and who made them"
branches 1
perl -MJSON::PP -e 'my ($log) = shift; open my $f, "<", $log; my @own = map { decode_json($_) } <$f>;
  my ($n, $all) = (0, 0);
  while (<STDIN>) {
    my $w = decode_json($_); my $o = $own[$n++] or die "the VMM has no BRANCH $n\n"; my @p = @{$w->{phases}};
    die "phases\n" if "@{[map { $_->{name} } @p]}" ne "pause create resume";
    my $t = $w->{api_begin};
    for (@p) { die "order\n" if $_->{begin} < $t || $_->{end} < $_->{begin}; $t = $_->{end} }
    die "api_end\n" if $w->{api_end} != $t;
    # The VMM does inside of our calls what we asked for.
    die "pause\n" if $o->{pause_ns} < $p[0]{begin} || $o->{paused_ns} > $p[0]{end};
    die "create\n" if $o->{phases}[0]{start_ns} < $p[1]{begin} || $o->{phases}[-1]{end_ns} > $p[1]{end};
    die "resume\n" if $o->{resume_ns} < $p[2]{begin} || $o->{resume_ns} > $p[2]{end};
    die "diff_ms\n" if abs($w->{json}{diff_ms} - ($p[1]{end} - $p[1]{begin}) / 1e6) > 0.01;
    # A vCPU that gets no CPU makes fewer pages dirty; what was written is what was dirty, all of it.
    my ($want, $got) = ($o->{dirty_pages} * 4096, $w->{json}{diff_physical_bytes}); $all += $got;
    die "diff_physical_bytes: $got of $want\n" if $got < $want || $got > 1.05 * $want + 65536;
  }
  die "$n windows, $all bytes\n" if $n != 3 || !$all;' log 2>"$err" <<MARKS
$(marks run.data window)
MARKS
ok $? "the API windows and phases hold what the VMM did" || diag "$(cat "$err")"
[ -s snapflame.mem ] && [ -s snapflame.vmstate ]
ok $? "the files are where the socket is"
mkdir there
record --firecracker "$sock" --snapshot-dir "$TMP/there" --snapshot-type Full --warmup 1 -q
is "$status$(cat "$err")" 0 "a full snapshot elsewhere, after a warm-up"
is "$(stat -c %b there/snapflame.mem)" "$(stat -c '%s 512' there/snapflame.mem | awk '{print $1 / $2}')" \
  "it is full"
like "$(marks run.data covariates | tail -n 1)" "*$TMP/there/snapflame.mem*" "its size is among the covariates"

# What the VMM says.
wrong "no such directory" "*BRANCH 1: PUT /snapshot/create: Create snapshot error: Cannot open /none/*" \
  --firecracker "$sock" --snapshot-dir /none
goes_on "no such directory"
if [ $root -eq 1 ] && mkdir full && mount -t tmpfs -o size=1m none full 2>/dev/null; then
  mounted=full
  wrong "full disk" "*BRANCH 2: PUT /snapshot/create: *No space left on device" \
    --firecracker "$sock" --snapshot-dir "$TMP/full" --branches 2 --gap 0.01
  umount full
  mounted=
  is "$(marks run.data window | grep -c '"error":"PUT /snapshot/create')" 2 "full disk: both are marked"
  goes_on "full disk"
else
  skip "full disk" "needs root and mount"
fi
wrong "no such socket" "*none.sock: No such file*" --firecracker none.sock
wrong "a file" "*run.data is not a socket" --firecracker run.data
wrong "a long path" "*a socket's path may have 107 bytes*" --firecracker "$(printf '%0120d' 0)"
vmm_stop
vmm_start none
vmm_kill
[ -S "$sock" ] || perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$sock"
wrong "nobody listens" "*nobody listens there*" --firecracker "$sock"
rm -f "$sock"

# APIs that are none, and such that fail.
fake_start() {
  [ -z "$fake" ] || { kill $fake 2>/dev/null; wait $fake 2>/dev/null; }
  rm -f fake.sock fake.log fake.sock.*
  perl "$TOP/tests/tools/fake_vmm.pl" fake.sock "$1" fake.log &
  fake=$!
  wait_for test -S fake.sock
}
# Who does answer may take his time on a busy machine.
broken() {
  fake_start "$1"
  case $1 in hang) timeout=0.3 ;; deaf) timeout=1 ;; *) timeout=10 ;; esac
  wrong "fake: $1" "$2" --firecracker fake.sock --timeout $timeout
  is "$(grep -c Paused fake.log)" "${3:-0}" "fake: $1: paused so often"
  [ "${3:-0}" -eq 0 ] || like "$(grep -v GET fake.log | tail -n 1)" '*PATCH /vm*Resumed*' "fake: $1: resumed at last"
}
broken nonsense "*GET /: the reply is not HTTP"
broken hang "*GET /: no reply within 0.3 s*--timeout*"
broken close "*GET /: the connection was closed*"
broken short "*GET /: the connection was closed*"
broken huge "*GET /: the reply is longer*"
broken headers "*GET /: *"
broken other "*not Firecracker's API"
broken broken "*not Firecracker's API"
broken array "*not Firecracker's API"
broken paused "*the VM is not running: it is Paused"
broken empty "*PATCH /vm: status 400*" 1
broken words '*PUT /snapshot/create: no \\x1b\[31mxxx*x...' 1
broken deaf "*PUT /snapshot/create: no reply within 1 s*" 1
broken drops "*PUT /snapshot/create: the connection was closed*" 1
fake_start dies
wrong "fake: dies" "*process $fake exited after 1 of 1 BRANCHes" --firecracker fake.sock
like "$(marks run.data window)" "*\"error\":\"*process $fake exited in it\"*" "fake: dies: the BRANCH is marked"
like "$("$SNAPFLAME" show run.data branches --json | tr -d '\n')" "*process $fake exited in it*" "fake: dies: and shown"
fake_start quits
wrong "fake: quits" "*process $fake exited after 1 of 2 BRANCHes" --firecracker fake.sock --branches 2 --gap 0
# A VM that cannot be resumed at once: the recorder says so, and somebody goes on trying.
broken stuck "*the VM could not be resumed: PATCH /vm: cannot resume; process * goes on trying*" 1
is "$(ls fake.sock.stuck 2>/dev/null)" fake.sock.stuck "stuck: still paused when the recorder has ended"
: >fake.sock.free
wait_for test ! -e fake.sock.stuck
is "$(ls fake.sock.stuck 2>/dev/null)" "" "stuck: resumed as soon as it can be"
kill $fake
wait $fake 2>/dev/null
fake=

# What a command does, and says, against what was measured.
vmm_start backoff --base 30
record -p "$vmm" -q -- true
is "$status" 0 "a command that pauses nothing: status"
like "$("$SNAPFLAME" show run.data branches)" "*no vCPU stopped in it*" "a command that pauses nothing: shown"
like "$("$SNAPFLAME" show run.data branches --json)" '*"dark_ms": null*' "a command that pauses nothing: null"
# shellcheck disable=SC2016 # for the shell inside
record -p "$vmm" -q -- sh -c '"$1" branch --sock "$2" >/dev/null; echo "{\"pause_ms\": 0.001, \"diff_ms\": 99999}"' \
  - "$sim" "$sock"
"$SNAPFLAME" show run.data branches >shown
like "$(tr -s ' \n' ' ' <shown)" "*says that it paused for 0.0 ms; the vCPUs stood still for*" "a pause that cannot be"
like "$(tr -s ' \n' ' ' <shown)" "*says that its snapshot took 99999.0 ms; all of it took*" "a snapshot that cannot be"
# reply BYTES: a BRANCH by a service that says so of its file, under names of its own
cat >service <<'SERVICE'
"$1" branch --sock "$2" >/dev/null
echo "{\"timing\": {\"frozen\": 77.5, \"dump\": 12.5}, \"out\": {\"bytes\": $4}, \"file\": \"$3/mem.diff\"}"
SERVICE
reply() {
  record -p "$vmm" -q --json-fields pause_ms=timing.frozen,diff_ms=timing.dump,diff_physical_bytes=out.bytes \
    -- sh service "$sim" "$sock" "$dir" "$1"
  "$SNAPFLAME" show run.data branches >shown
}
reply 123456789
like "$(tr -s ' \n' ' ' <shown)" "*says that it wrote 123.5 MB; the files that it names hold [1-9]*" \
  "bytes that cannot be"
reply "$(stat -c '%b * 512' "$dir/mem.diff" | awk '{print $1 * $3}')"
is "$(grep -c 'says that it wrote' shown)" 0 "bytes that can be are not doubted" || diag "$(cat shown)"
is "$("$SNAPFLAME" show run.data branches --csv | tail -n 1 | cut -d, -f4-)" \
  "12.5,$(marks run.data window | sed 's/.*"bytes":\([0-9]*\).*/\1/')" "names of its own: in the sweep's CSV"
record -p "$vmm" -q -- "$sim" branch --sock "$sock"
"$SNAPFLAME" show run.data branches >shown
is "$(grep -c says shown)" 0 "what can be is not doubted"
# Whatever a command prints passes, and the reply is the end of it.
record -p "$vmm" -- perl -e 'print "x" x 99, "\n" for 1 .. 3000; print "{\"pause_ms\": 12}\n"'
is "$status $(wc -l <"$out") $(wc -c <"$out")" "0 3001 300017" "much that is printed: all of it"
like "$(marks run.data window)" '*"json":{"pause_ms":12}*' "much that is printed: the reply behind it"
record -p "$vmm" -- perl -e 'print "{\"x\": \"", "x" x 3000000, "\"}\n"'
is "$status $(wc -c <"$out")" "0 3000010" "a reply of 3 MB: passed on"
like "$(marks run.data window)" '*"json":null*' "a reply of 3 MB: not kept"
like "$(cat "$err")" "*, but it printed a line that is too long for a reply*" "a reply of 3 MB: said"
record -p "$vmm" -- echo '{"pause_ms": 12, "diff'
like "$status $(cat "$err")" "0 *BRANCH 1 of 1: *, but what it printed begins as JSON and cannot be read*" "a broken reply: said"
record -p "$vmm" --json-fields pause_ms=a.b -- echo '{"a": {"c": 1}}'
like "$status $(cat "$err")" "0 *, but its JSON has no number at a.b*" "a reply without what was asked for: said"
record -p "$vmm" -q -- echo '{"diff_physical_bytes": 1e300}'
like "$("$SNAPFLAME" show run.data branches --json)" '*"diff_physical_bytes": null*' "more bytes than can be"
vmm_stop

# By name: exactly one.
vmm_start none --comm-main "vm-$$"
record --comm "vm-$$" -q -- "$sim" branch --sock "$sock"
is "$status" 0 "--comm: status"
like "$(marks run.data meta)" "*\"pid\":$vmm,*" "--comm: the process of that name"
other=$("$sim" vmm --sock other.sock --cause none --comm-main "vm-$$" --daemon | sed 's/.*"pid": *\([0-9]*\).*/\1/')
wrong "--comm: two of that name" "*2 processes are called vm-$$ (*); choose one with -p" --comm "vm-$$" -- true
like "$(cat "$err")" "*$other*" "--comm: they are listed"
like "$(cat "$err")" "*$vmm*" "--comm: both"
kill "$other"
vmm_stop

# Wrong usage.
for args in "--firecracker s -- true" "--firecracker s --duration 1" "-p 1 --timeout 1 -- true" \
  "-p 1 --snapshot-dir / -- true" "--firecracker s --snapshot-type Half"; do
  # shellcheck disable=SC2086 # words
  record $args
  is "$status" 2 "wrong usage: $args" || diag "$(cat "$err")"
done
done_testing

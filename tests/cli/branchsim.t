# branchsim: its API, its time stamps, its end.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"

# request TEXT: the raw reply to those bytes (\r\n as printf writes them), until it is whole.
request() {
  printf "$1" | perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!\n";
    local $SIG{ALRM} = sub { exit 0 }; local $SIG{PIPE} = "IGNORE";
    local $/; my $text = <STDIN>; $s->autoflush(1); syswrite $s, $text; shutdown $s, 1;
    alarm 5; my $buf; print $buf while sysread $s, $buf, 4096;' "$sock"
}

# call METHOD PATH [BODY]
call() {
  request "$1 $2 HTTP/1.1\r\nContent-Length: ${#3}\r\n\r\n$3"
}

# refused WHAT WORDS METHOD PATH BODY: status 400 and a fault message with those words
refused() {
  refused_what=$1 refused_words=$2
  shift 2
  like "$(call "$@")" "HTTP/1.1 400*fault_message*$refused_words*" "400: $refused_what"
}

names_of() { cat "/proc/$vmm/task"/*/comm | sort | tr '\n' ' '; }
running() { [ -e "/proc/$1/exe" ]; }

vmm_start none --log "$TMP/log"
ok $? "a VMM starts" || exit 1
like "$(names_of)" "*fc_api fc_vcpu 0 fc_vcpu 1 firecracker*" "its threads have Firecracker's names"
is "$(cat "/proc/$vmm/comm")" firecracker "the process too"

branches 3
ok $? "three BRANCHes" || diag "$(cat "$err")"
is "$(field branch "$TMP/branches" | tr '\n' ' ')" "1 2 3 " "are numbered"
perl -MJSON::PP -ne 'my $j = decode_json($_); my ($d, $w) = ($j->{dirty_pages} * 4096, $j->{diff_physical_bytes});
  die "wrote $w of $d bytes\n" if !$d || $w < $d || $w > 1.05 * $d + 65536' "$TMP/branches" 2>"$err"
ok $? "each wrote the guest's dirty pages" || diag "$(cat "$err" "$TMP/branches")"
perl -MJSON::PP -ne '
  my $j = decode_json($_); my $t = 0; my @p = @{$j->{phases}};
  die "times out of order\n" unless $j->{start_ns} <= $j->{pause_ns} &&
    $j->{pause_ns} <= $j->{paused_ns} && $j->{paused_ns} <= $p[0]{start_ns} &&
    $p[-1]{end_ns} <= $j->{resume_ns} && $j->{resume_ns} <= $j->{resumed_ns} &&
    $j->{resumed_ns} <= $j->{end_ns} && $j->{start_ns} > $last;
  $last = $j->{end_ns};
  for (@p) {
    die "phases overlap\n" unless $_->{start_ns} >= $t && $_->{end_ns} >= $_->{start_ns};
    $t = $_->{end_ns};
  }
  my ($l) = sort { $a <=> $b } map { $_->{left_ns} } @{$j->{vcpus}};
  my ($e) = sort { $b <=> $a } map { $_->{entered_ns} } @{$j->{vcpus}};
  die "the dark window is not the vCPUs\x27\n"
    unless $l == $j->{dark_start_ns} && $e == $j->{dark_end_ns};
  die "a vCPU left before it was asked\n" unless $l >= $j->{pause_ns};
  for (@{$j->{vcpus}}) { die "a vCPU ran in the pause\n" unless
    $_->{left_ns} <= $j->{paused_ns} && $_->{entered_ns} >= $j->{resume_ns}; }
  die "dark_ms\n" if abs($j->{dark_ms} - ($e - $l) / 1e6) > 0.001;
  END { die "no lines\n" unless $. == 3 }' "$TMP/branches" 2>"$err"
ok $? "the time stamps fit each other" || diag "$(cat "$err")"
# The last line is written when main has been idle for a moment.
logged=$(wc -l <"$TMP/log")
is "$(field dark_ms "$TMP/log" | awk '{ printf "%.6f ", $1 }')" \
  "$(field dark_ms "$TMP/branches" | head -n "$logged" | awk '{ printf "%.6f ", $1 }')" \
  "the log says the same"
[ "$logged" -ge 2 ]
ok $? "of each BRANCH"

like "$(call GET /)" 'HTTP/1.1 200*"state":"Running"*' "GET /"
like "$(call GET /version)" 'HTTP/1.1 200*firecracker_version*' "GET /version"
like "$(call GET /vm)" 'HTTP/1.1 200*"state":"Running"*' "GET /vm"
like "$(call GET /machine-config)" 'HTTP/1.1 200*"vcpu_count":2*' "GET /machine-config"

refused "unknown path" "Invalid request method and/or path" GET /nowhere
refused "wrong method" "Invalid request method and/or path" PUT /vm '{"state":"Paused"}'
refused "no body" "deserializing" PATCH /vm ''
refused "broken JSON" "deserializing" PATCH /vm '{"state":'
refused "not an object" "expected an object" PATCH /vm '[]'
refused "unknown state" "unknown variant" PATCH /vm '{"state":"Asleep"}'
refused "further field" "expected one field" PATCH /vm '{"state":"Paused","x":1}'
refused "no paths" "missing field" PUT /snapshot/create '{"snapshot_type":"Diff"}'
refused "unknown type" "unknown variant" PUT /snapshot/create '{"snapshot_type":"Half"}'
refused "unknown field" "unknown field" PUT /snapshot/create '{"snapshot_kind":"Diff"}'
refused "snapshot while running" "pause it first" PUT /snapshot/create \
  "{\"snapshot_type\":\"Diff\",\"snapshot_path\":\"$TMP/s\",\"mem_file_path\":\"$TMP/m\"}"

like "$(request 'rubbish\r\n\r\n')" "HTTP/1.1 400*close*" "400: no request line"
like "$(request 'GET / HTTP/3.0\r\n\r\n')" "HTTP/1.1 400*" "400: unknown version"
like "$(request 'GET / HTTP/1.1\r\nno colon\r\n\r\n')" "HTTP/1.1 400*" "400: no header"
patch='PATCH /vm HTTP/1.1\r\n'
like "$(request "${patch}Content-Length: -1\r\n\r\n")" "HTTP/1.1 400*" "400: negative length"
like "$(request "${patch}Content-Length: 99999999999999999999\r\n\r\n")" "HTTP/1.1 400*" \
  "400: absurd length"
like "$(request "${patch}Transfer-Encoding: chunked\r\n\r\n")" "HTTP/1.1 400*" "400: chunked"
like "$(request "GET / HTTP/1.1\r\nX: $(printf '%09000d' 0)\r\n\r\n")" "HTTP/1.1 400*too long*" \
  "400: endless headers"
like "$(request 'GET /\377\376 HTTP/1.1\r\n\r\n')" "HTTP/1.1 400*" "400: not UTF-8"
is "$(request 'GET /vm HTTP/1.1\r\n\r\nGET /vm HTTP/1.1\r\n\r\n' | grep -c '"state":"Running"')" 2 \
  "two requests on one connection get two replies"
is "$(request 'GET /vm HTTP/1.1\r\nConnection: close\r\n\r\nGET /vm HTTP/1.1\r\n\r\n' |
  grep -c '"state"')" 1 "a connection that asked to be closed is"

like "$(call PATCH /vm '{"state":"Paused"}')" "HTTP/1.1 204*" "204: pause"
like "$(call GET /)" '*"state":"Paused"*' "it is paused"
like "$(call PATCH /vm '{"state":"Paused"}')" "HTTP/1.1 204*" "204: pause twice"
refused "a directory that is not there" "No such file" PUT /snapshot/create \
  '{"snapshot_type":"Diff","snapshot_path":"/nowhere/s","mem_file_path":"/nowhere/m"}'
like "$(call PATCH /vm '{"state":"Resumed"}')" "HTTP/1.1 204*" \
  "204: resume after a snapshot that failed"
run "$sim" branch --sock "$sock" --dir /nowhere
is "$status" 1 "branch fails when the snapshot fails"
like "$(cat "$err")" "branchsim: $sock: Create snapshot error*/nowhere/vmstate*No such file*" \
  "and says why"
like "$(call GET /)" '*"state":"Running"*' "and the VM runs again"
run "$sim" branch --sock "$sock" --type Full
like "$(cat "$out")" '*"dirty_pages":8192*' "a full snapshot has every page" # 32 MB

run "$sim" vmm --sock "$sock"
is "$status" 1 "a second VMM on the same socket is refused"
running "$vmm"
ok $? "the first one does not mind"

was=$vmm
[ -d "$dir" ]
ok $? "the snapshot directory is there"
vmm_stop
! running "$was" && [ ! -e "$sock" ] && [ ! -e "$dir" ]
ok $? "SIGTERM ends it, with its socket and its directory"

# helper_of PID: a child process of it
helper_of() {
  grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | sed 's/[^0-9]//g;q'
}

vmm_start rpc-cpu
helper=$(helper_of "$vmm")
is "$(cat "/proc/$helper/comm")" snap-helper "a helper process runs"
vmm_stop
! running "$helper"
ok $? "SIGTERM ends it as well"
vmm_start rpc-cpu
helper=$(helper_of "$vmm")
vmm_kill
gone() { ! running "$helper"; }
wait_for gone
ok $? "and so does SIGKILL of the VMM"
vmm_start none
ok $? "a socket that was left behind is no obstacle" # of the one that was killed
vmm_stop

vmm_start mutex-oncpu --comm-main vmm-thread --comm-api rest --comm-vcpu cpu --threads-prefix x-
like "$(names_of)" "cpu 0 cpu 1 *rest vmm-thread x-event-loop x-fc_blk_flush x-*" \
  "all names can be others"
like "$("$sim" causes --json --threads-prefix x- | tr -d '\n')" '*"comm": "x-fc_blk_flush"*' \
  "the right answers follow"
branches 2
ok $? "it works the same"
vmm_stop

vmm_start none --no-kvm
dirties() { branches 2 && [ "$(field dirty_pages "$TMP/branches" | tail -n 1)" -gt 500 ]; }
wait_for dirties # as soon as they get a CPU
ok $? "without KVM the threads dirty the memory themselves" || diag "$(cat "$TMP/branches" "$err")"
vmm_stop

# Paused again before all vCPUs had a CPU to go on with.
vmm_start none --vcpus 8 --log "$TMP/gapless"
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n";
  for (1 .. 100) { for ("Paused", "Resumed") {
    my $b = "{\"state\":\"$_\"}";
    syswrite $s, "PATCH /vm HTTP/1.1\r\nContent-Length: " . length($b) . "\r\n\r\n$b";
    sysread $s, my $r, 4096 or die "no reply\n" } }' "$sock" 2>"$err"
is "$?" 0 "BRANCHes without a gap: they work" || diag "$(cat "$err")"
vmm_stop
is "$(sed -n 's/.*"branch":\([0-9]*\),.*/\1/p' "$TMP/gapless" | tr '\n' ' ')" "$(seq 100 | tr '\n' ' ')" \
  "BRANCHes without a gap: each is in the log"

# A busy machine adds to each: one of three runs has to show it.
for try in 1 2 3; do
  vmm_start user-cpu --base 5 --grow 60 --step 3
  branches 4
  vmm_stop
  field dark_ms "$TMP/branches" | awk '
    { p[NR] = $1 } END { exit !(p[1] < p[3] && p[2] < p[3] && p[3] > 60 && p[4] > 60) }'
  shaped=$?
  [ $shaped -ne 0 ] || break
done
ok $shaped "--base, --grow and --step shape the work" || diag "$(pauses)"

run "$sim" vmm --sock "$sock" --cause nonsense
like "$status $(cat "$err")" "1 *no cause is called nonsense*" "an unknown cause is refused"
run "$sim" vmm --sock "$sock" --cause fsync-many
like "$status $(cat "$err")" "1 *is about storage*" "a cause about storage wants a directory"
run "$sim" vmm --cause none
is "$status" 2 "no socket: wrong usage"
run "$sim" vmm --sock "$sock" --vcpus 0
like "$status $(cat "$err")" "2 *--vcpus takes 1 to 8*" "a number out of range: wrong usage"
run "$sim" branch --sock "$TMP/none" --wait 0
like "$status $(cat "$err")" "1 *No such file*" "branch without a VMM fails"
for c in '' vmm branch causes; do
  run "$sim" $c --help
  like "$status $(cat "$out")" "0 usage: branchsim *" "branchsim $c --help"
done

"$sim" causes --json | perl -MJSON::PP -e '
  my $all = decode_json(join "", <STDIN>);
  my %known = map { $_ => 1 } qw(cpu-user cpu-kernel runqueue cpu-quota lock io-device io-throttle
    io-writeback io-journal memory timer peer vcpu none unknown);
  for my $c (@$all) {
    die "$c->{name}: no answer\n" unless @{$c->{answers}};
    for (@{$c->{answers}}) { die "$c->{name}: $_->{kind}\n" unless $known{$_->{kind}} }
    die "$c->{name}: a control that grows\n" if $c->{grows} != ($c->{answers}[0]{kind} ne "none");
  }
  die "too few\n" unless @$all >= 10' 2>"$err"
ok $? "every cause has answers of known kinds" || diag "$(cat "$err")"
done_testing

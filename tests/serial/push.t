# snapflame export --push: Pyroscope's and Parca's interfaces, and a server that is away, hangs, drops,
# answers 429, 500, 400, 401: nothing is lost, and it is said what happened.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
command -v python3 >/dev/null || { skip "push" "no python3"; done_testing; exit; }
run "$SNAPFLAME" export --push http://127.0.0.1:1/ingest --spool probe
case $(cat "$err") in *"built without libcurl"*) skip "push" "built without libcurl"; done_testing; exit ;; esac

serve() { # serve NAME MODE…: $url is its address without the path
  dir=$TMP/server-$1
  shift
  mkdir "$dir"
  python3 "$TOP/tests/tools/fake_server.py" "$dir" "$@" &
  server=$!
  others="$others $server"
  n=0
  while [ ! -s "$dir/port" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done
  url=http://127.0.0.1:$(cat "$dir/port")
}
stop() { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
push() { run "$SNAPFLAME" export --push "$@" --spool "$TMP/spool"; }
waiting() { find "$TMP/spool" -name '*.push' | wc -l; }
sent() { find "$dir" -name '*.pprof' | wc -l; }

# Usage.
for args in "--push http://127.0.0.1:1/other" "--push ftp://h/ingest" "--push http://h/ingest --format rows" \
  "--push http://h/ingest -o x" "--spool x --format rows a" "--retry 1 --format rows a" \
  "--push http://127.0.0.1:1/ingest --push-header nothing"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" export $args
  is "$status" 2 "$args: wrong usage"
done
run "$SNAPFLAME" export --push http://127.0.0.1:1/other
like "$(cat "$err")" "*/ingest is Pyroscope's*writeraw Parca's*" "another URL: which there are"

[ $root -eq 1 ] || { skip "push" "not root: a recording without switches"; done_testing; exit; }
run "$SNAPFLAME" record -q -p "$vmm" --branches 3 --gap 0.1 --vm 'a{b},c="d"' --label rack-no=7 \
  --label 'zone=ä b' -o run.data -- $branch
is "$status" 0 "three BRANCHes"
"$SNAPFLAME" export --format rows --table windows run.data >windows

# Pyroscope.
serve pyro take
push "$url/ingest" --push-header "X-Scope-OrgID: team 1" run.data
is "$status" 0 "Pyroscope: taken" || sed 's/^/# /' "$err"
is "$(sent) $(waiting)" "3 0" "a profile for each BRANCH, and an empty spool"
[ ! -e "$dir/wrong" ]
ok $? "as the interface wants it" || sed 's/^/# /' "$dir/wrong"
like "$(cat "$err")" "3 profiles sent*" "and that is said"
python3 - "$dir" windows >checks 2>&1 <<'EOF'
import json, sys
w = [json.loads(l) for l in open(sys.argv[2])]
for i, r in enumerate(w, 1):
    d = json.load(open(f"{sys.argv[1]}/{i}.json"))
    assert d["app"] == "firecracker", d
    assert d["from"] == r["start_realtime_ns"], (d, r)
    assert abs((d["until"] - d["from"]) / 1e6 - r["pause_ms"]) < 1e-4, d
    assert d["labels"] == {"host": r["host"], "vm": "a_b__c__d_", "kernel": r["kernel"],
                           "rack_no": "7", "zone": "ä b"}, d["labels"]
    assert d["types"] == ["critical", "oncpu", "samples", "wall"]
    assert d["headers"]["X-Scope-OrgID"] == "team 1"
EOF
ok $? "time, application and labels are the BRANCH's" || sed 's/^/# /' checks
"$SNAPFLAME" export --format pprof --window 2 -o two.pb.gz run.data
is "$(gzip -dc "$dir/2.pprof" | cksum)" "$(gzip -dc two.pb.gz | cksum)" "the profile is the one that -o writes"
echo "X-Scope-OrgID: from a file" >headers
push "$url/ingest" --push-header @headers --window 3 run.data
like "$(cat "$dir/4.json")" '*from a file*' "headers from a file, one BRANCH"
push "$url/ingest"
is "$status $(sent)" "0 4" "nothing waits: nothing is sent"
stop

# Parca.
serve parca take
push "$url/api/profiles/writeraw" run.data
is "$status $(sent)" "0 3" "Parca: taken" || sed 's/^/# /' "$err" "$dir/wrong"
like "$(cat "$dir/1.json")" '*"job": "firecracker"*"vm": "a{b},c=*' "labels"
stop

# Away: kept, and sent later, also without the recording.
push "$url/ingest" --retry 1 run.data
is "$status $(waiting)" "1 3" "away: three wait"
like "$(cat "$err")" "*ingest: *onnect*3 profiles wait in $TMP/spool*" "away: it is said"
is "$(find "$TMP/spool" -name '*.push' -perm 600 | wc -l)" 3 "only the user reads them"
port=${url##*:}
sed -i "s/127.0.0.1:$port/127.0.0.1:1/" "$TMP"/spool/*.push
is "$(waiting)" 3 "still three"
rm "$TMP"/spool/*.push

# Busy and broken at first: tried again, with growing pauses, as late as the server wants.
serve busy 500 429:2 drop take
push "$url/ingest" --window 1,2 run.data
is "$status $(sent) $(waiting)" "0 2 0" "500, 429, a lost connection, then good: all are sent" || sed 's/^/# /' "$err"
like "$(cat "$err")" "2 profiles sent, in [45] tries" "in four or five tries: libcurl itself may repeat a lost one"
late=$(awk '{t[NR] = $1} END {d = t[3] - t[2]; print (d >= 1.9)}' "$dir/tries")
is "$late" 1 "Retry-After is kept" || sed 's/^/# /' "$dir/tries"
stop

# Hanging.
serve hang hang
before=$(date +%s)
push "$url/ingest" --window 1 --timeout 0.5 --retry 2 run.data
is "$status $(waiting)" "1 1" "a server that hangs: it waits"
[ $(($(date +%s) - before)) -lt 20 ]
ok $? "and so does not snapflame"
stop
serve again take
sed -i "1s/127.0.0.1:[0-9]*/127.0.0.1:${url##*:}/" "$TMP"/spool/*.push
push "$url/ingest"
is "$status $(sent) $(waiting)" "0 1 0" "what waited is sent without the recording" || sed 's/^/# /' "$err"
stop

# Wrong for good: kept, and not tried for ever.
serve refuse 400 take
push "$url/ingest" --window 1,2 run.data
is "$status $(sent) $(waiting) $(find "$TMP/spool" -name '*.rejected' | wc -l)" "1 1 0 1" \
  "400: that one is put aside, the other is sent"
like "$(cat "$err")" "*server says 400: no, 400; kept as *rejected*" "400: why, and where it is"
stop
serve key 401
push "$url/ingest" --window 1,2 run.data
is "$status $(waiting) $(wc -l <"$dir/tries")" "1 2 1" "401: one try, all wait"
like "$(cat "$err")" "*server says 401*2 profiles wait*" "401: it is said"
stop
rm -f "$TMP"/spool/*.push

# A damaged spool.
serve damaged take
: >"$TMP/spool/000000000001.push"
printf '{"url": "%s/ingest?name=x", "type": "a/b", "length": 99}\nshort' "$url" >"$TMP/spool/000000000002.push"
printf '\377\376' >"$TMP/spool/000000000003.push"
push "$url/ingest" --window 1 run.data
is "$status $(sent) $(waiting)" "1 1 0" "damaged files are put aside, the good one is sent"
is "$(find "$TMP/spool" -name '00000000000?.push.rejected' | wc -l)" 3 "and are still there"
: >file
run "$SNAPFLAME" export --push "$url/ingest" --spool "$TMP/file/x" run.data
is "$status" 1 "a spool that cannot be"
like "$(cat "$err")" "*spool cannot be used*" "is said"
stop

# Real clients and consumers, where they are.
if command -v go >/dev/null && PPROF_TMPDIR=$TMP timeout 240 go tool pprof -raw "$TMP/server-pyro/1.pprof" >raw 2>/dev/null; then
  like "$(cat raw)" "*critical/nanoseconds*" "go tool pprof reads what the server got"
else
  skip "go tool pprof" "no go tool pprof"
fi
done_testing

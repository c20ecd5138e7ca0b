# Man pages: groff has nothing to say about them, and they and --help name the same options.
. "$TOP/tests/lib.sh"

# Options of the .It lines of a page: "-F" and "--freq" of ".It Fl F Ar HZ , Fl -freq Ar HZ".
page_options() {
  awk '$1 == ".It" && $2 == "Fl" {
    fl = 0
    for (i = 2; i <= NF; i++) {
      if ($i == "Fl") fl = 1
      else if ($i ~ /^[A-Z][a-z]$/) fl = 0
      else if (fl && $i !~ /^[,|]$/) print "-" $i
    }
  }' "$1" | sort -u
}

# The same of --help: lines "  -F, --freq HZ" and "      --poll HZ".
help_options() {
  "$SNAPFLAME" "$1" --help | sed -n -E \
    -e 's/^  (-.), (--[a-z0-9-]+).*/\1\n\2/p' -e 's/^      (--[a-z0-9-]+).*/\1/p' | sort -u
}

for page in "$TOP"/man/*.[1-9]; do
  name=$(basename "$page")
  if command -v groff >/dev/null; then
    groff -mandoc -ww -z "$page" >"$err" 2>&1
    [ ! -s "$err" ]
    ok $? "$name: groff is silent" || sed 's/^/# /' "$err"
  else
    skip "$name: groff is silent" "no groff"
  fi
  command=${name#snapflame-}
  command=${command%.1}
  case $name in snapflame-*.1) ;; *) continue ;; esac
  if ! "$SNAPFLAME" "$command" --help >/dev/null 2>&1; then
    ok 1 "$name: is of a command that there is"
    continue
  fi
  page_options "$page" >"$TMP/page"
  help_options "$command" >"$TMP/help"
  [ -s "$TMP/help" ]
  ok $? "$command: --help has options"
  same "$TMP/page" "$TMP/help" "$name: the options of --help"
  grep -q "^\.Nm snapflame-$command\$" "$page"
  ok $? "$name: NAME"
done

# Commands have pages, and the overview names them.
for command in $("$SNAPFLAME" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
  grep -q "^\.It Cm $command\$" "$TOP/man/snapflame.1"
  ok $? "snapflame.1 lists $command"
done
done_testing

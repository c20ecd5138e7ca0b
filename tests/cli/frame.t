# What every command has in common: help, exit statuses, standard output that fails, completion.
. "$TOP/tests/lib.sh"

run "$SNAPFLAME"
is "$status" 2 "no command: wrong usage"
[ ! -s "$out" ] && grep -q '^usage: snapflame' "$err"
ok $? "no command: usage on standard error"

check "--help" "$SNAPFLAME" --help
commands=$(sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' "$out")
[ -n "$commands" ]
ok $? "--help lists the commands"

for c in $commands; do
  check "$c --help" "$SNAPFLAME" "$c" --help
  cp "$out" "$TMP/help"
  "$SNAPFLAME" help "$c" | cmp -s - "$TMP/help"
  ok $? "help $c is $c --help"
  grep -o -E '^  (-.,|   ) --[a-z0-9-]+' "$TMP/help" | sed 's/.*--/--/' | sort | uniq -d >"$TMP/twice"
  grep -o -E '^  -.,' "$TMP/help" | sort | uniq -d >>"$TMP/twice"
  is "$(cat "$TMP/twice")" "" "$c: no option twice"
  awk 'length > 80 && !/^usage:|^       snapflame/ {exit 1}' "$TMP/help"
  ok $? "$c --help: 80 columns"
  run "$SNAPFLAME" "$c" --no-such-option-at-all
  is "$status" 2 "$c: unknown option"
  is "$(head -n 1 "$err")" "snapflame $c: unknown option --no-such-option-at-all" "$c: reported once"
done

if [ -w /dev/full ]; then
  "$SNAPFLAME" --help >/dev/full 2>"$err"
  is $? 1 "full disk: status 1"
  like "$(cat "$err")" "snapflame: standard output: *" "full disk: reported"
else
  skip "full disk" "no /dev/full"
fi
if [ -p /dev/stdout ] || command -v mkfifo >/dev/null; then
  for ignore in '' "trap '' PIPE;"; do
    # The reader is gone before the first write.
    status=$( { sh -c "$ignore"' sleep 0.2; "$0" --help; echo $? >&3' "$SNAPFLAME" 2>"$err" | :; } 3>&1)
    [ "$status" -eq 141 ]
    ok $? "closed pipe${ignore:+, SIGPIPE ignored}: ends by SIGPIPE" || diag "status $status"
    is "$(cat "$err")" "" "closed pipe: in silence"
  done
fi

for shell in bash zsh fish; do
  check "--completion $shell" "$SNAPFLAME" --completion $shell
  cp "$out" "$TMP/completion.$shell"
  if command -v $shell >/dev/null; then
    run $shell -n "$TMP/completion.$shell"
    [ "$status" -eq 0 ]
    ok $? "$shell reads it" || sed 's/^/# /' "$err"
  else
    skip "$shell reads it" "no $shell"
  fi
done
if command -v bash >/dev/null; then
  got=$(bash -c '. "$1"; COMP_WORDS=(snapflame fold --col); COMP_CWORD=2; _snapflame; echo "${COMPREPLY[*]}"
    COMP_WORDS=(snapflame fold --color al); COMP_CWORD=3; _snapflame; echo "${COMPREPLY[*]}"
    COMP_WORDS=(snapflame fo); COMP_CWORD=1; _snapflame; echo "${COMPREPLY[*]}"' - "$TMP/completion.bash")
  is "$got" "--color
always
fold" "bash completes commands, options and values"
else
  skip "bash completes" "no bash"
fi
# Every option of every command, as --help has them, is completed by each shell that is there.
options_of() { "$SNAPFLAME" "$1" --help | sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z0-9-]*\).*/\2/p' | sort -u; }
# shellcheck disable=SC2016 # the variables are those of the other shells
complete_with() { # SHELL COMMAND: the options that SHELL offers behind COMMAND
  case $1 in
  bash) bash -c '. "$1"; COMP_WORDS=(snapflame "$2" --); COMP_CWORD=2; _snapflame
    printf "%s\n" "${COMPREPLY[@]}"' - "$TMP/completion.bash" "$2" ;;
  fish) HOME=$TMP XDG_CONFIG_HOME=$TMP fish --no-config -c 'source $argv[1]
    complete -C "snapflame $argv[2] --"' "$TMP/completion.fish" "$2" | cut -f 1 ;;
  # Outside of a terminal zsh completes nothing: _arguments is told to say what it was given.
  zsh) zsh -f -c 'compdef() { :; }; _describe() { :; }; _values() { :; }; _files() { :; }
    _arguments() { printf "%s\n" "$@"; }; words=(snapflame "$2"); CURRENT=3 service=snapflame
    . "$1"; _snapflame' - "$TMP/completion.zsh" "$2" 2>/dev/null |
    sed -n 's/^\(([^)]*)\)\{0,1\}\(--[a-z0-9-]*\).*/\2/p' ;;
  esac | sed 's/=$//' | grep -x -e '--[a-z0-9-]*' | sort -u
}
for shell in bash fish zsh; do
  if ! command -v $shell >/dev/null; then
    skip "$shell completes all options" "no $shell"
    continue
  fi
  differ=
  for cmd in record fold show diff report export doctor; do
    options_of $cmd >"$TMP/want"
    complete_with $shell $cmd >"$TMP/have"
    [ -s "$TMP/want" ] && cmp -s "$TMP/want" "$TMP/have" ||
      differ="$differ $cmd:$(diff "$TMP/want" "$TMP/have" | sed -n 's/^[<>]/&/p' | tr '\n' ' ')"
  done
  is "$differ" "" "$shell completes the options of --help, command by command"
done
done_testing

#!/bin/sh
# draw.sh [OPTION...] [FILE]: draws folded stacks with whatever flamegraph.pl there is, with those of
# the options that it knows. An SVG picture goes to standard output.
#
#   snapflame fold --kernel perf.data | sh draw.sh --title "one BRANCH" --colors java >flame.svg
#   sh draw.sh --find     prints where flamegraph.pl is
#
# Looked for are $FLAMEGRAPH_DIR/flamegraph.pl, flamegraph.pl in the PATH, and the one that Debian
# has in libdevel-nytprof-perl, which is of August 2015. Options of a later one are left out there, and
# that is said.
set -u

find_script() {
  for f in "${FLAMEGRAPH_DIR:+$FLAMEGRAPH_DIR/flamegraph.pl}" "$(command -v flamegraph.pl)" \
    /usr/share/perl5/Devel/NYTProf/flamegraph.pl /usr/lib/*/perl5/*/Devel/NYTProf/flamegraph.pl; do
    [ -n "$f" ] && [ -f "$f" ] && echo "$f" && return
  done
  echo "draw.sh: no flamegraph.pl: set FLAMEGRAPH_DIR to a checkout of FlameGraph, or install" \
    "libdevel-nytprof-perl (Debian)" >&2
  return 1
}

# knows NAME: is it in the script's table of options?
knows() { grep -q "^[[:space:]]*'$1[='|]" "$script"; }
# takes_value NAME: does it, in the script's table, or in that of the newest known?
takes_value() {
  if knows "$1"; then
    grep -q "^[[:space:]]*'$1=" "$script"
  else
    case $1 in subtitle | notes | bgcolors) true ;; *) false ;; esac
  fi
}
left_out() { echo "draw.sh: $script does not know $*; left out" >&2; }

script=$(find_script) || exit 1
[ "${1:-}" = --find ] && echo "$script" && exit

# The options that stay are put behind the arguments, one by one, so that spaces survive.
todo=$#
while [ "$todo" -gt 0 ]; do
  arg=$1
  shift
  todo=$((todo - 1))
  case $arg in --*) ;; *) set -- "$@" "$arg"; continue ;; esac
  name=${arg#--}
  name=${name%%=*}
  value=
  case $arg in
  *=*) value=${arg#*=} ;;
  *)
    if takes_value "$name" && [ "$todo" -gt 0 ]; then
      value=$1
      shift
      todo=$((todo - 1))
      arg=--$name=$value
    fi ;;
  esac
  if ! knows "$name"; then
    left_out "--$name"
  elif [ "$name" = colors ] && ! grep -q "eq \"$value\"" "$script"; then
    left_out "the colours $value"
  else
    set -- "$@" "$arg"
  fi
done

# The same names have the same colours in two pictures.
knows hash && set -- --hash "$@"
exec perl "$script" "$@"

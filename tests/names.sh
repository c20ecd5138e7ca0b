# names.sh: what the tests of names that mean harm share. Sourced after lib.sh: the current directory is
# $TMP/work, and ../bad.data a recording full of such names; they would be run here.
#
#   inert FILE WHAT   UTF-8, and no character that acts on a terminal but line ends and tabs
[ -x "$BUILD/tests/tools/text_recording" ] || skip_all "the tool that makes the recording is not built"
cd "$TMP" || exit 1
"$BUILD/tests/tools/text_recording" bad.data <"$TOP/tests/fuzz/corpus/marks/bad-names"
ok $? "a recording full of names that mean harm"
mkdir work && cd work || exit 1

inert() {
  perl -CI -e 'use open qw(:std :utf8); use warnings FATAL => "utf8"; local $/; my $t = <STDIN> // "";
    exit($t =~ /[^\P{Cc}\n\t]|[\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]|\x{fffd}/)' \
    <"$1" 2>/dev/null
  ok $? "$2"
}

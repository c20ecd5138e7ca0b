# make install: everything is in its place, a program builds against the library, uninstall leaves nothing.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
for tool in make pkg-config cc ar; do
  command -v $tool >/dev/null || skip_all "no $tool"
done
root=$TMP/root
placed() {
  env -u MAKEFLAGS -u MFLAGS make -s --no-print-directory -C "$TOP" O="$BUILD" DESTDIR="$root" prefix=/usr libdir=/usr/lib "$1"
}
check "make install" placed install
for f in bin/snapflame lib/libsnapflame.a lib/pkgconfig/snapflame.pc include/snapflame/diff.h \
  share/man/man1/snapflame.1 share/man/man3/libsnapflame.3 share/man/man5/snapflame-recording.5 \
  share/man/man7/snapflame-control.7 share/bash-completion/completions/snapflame \
  share/zsh/site-functions/_snapflame share/fish/vendor_completions.d/snapflame.fish; do
  [ -s "$root/usr/$f" ]
  ok $? "there is $f"
done
is "$(cd "$root/usr/include/snapflame" && echo ./*)" "$(cd "$TOP/lib/include/snapflame" && echo ./*)" \
  "all public headers"
is "$(find "$root" -name '*.[1-8]' | wc -l)" "$(ls "$TOP"/man/*.[1-8] | wc -l)" "all man pages"
for h in "$TOP"/lib/include/snapflame/*.h; do
  grep -q "^\.\(It \)\{0,1\}In snapflame/$(basename "$h")" "$TOP/man/libsnapflame.3" || echo "$h"
done >missing
is "$(cat missing)" "" "libsnapflame.3 names every header"

# The example of the man page, built as the page says. What instrumented code needs is not in the .pc.
awk '/^\.Bd/ {n++; next} /^\.Ed/ {on = 0} n == 1 && /^#include/ {on = 1} on' "$TOP/man/libsnapflame.3" |
  sed 's/\\e/\\/g' >pauses.c
instrumented=
nm "$root/usr/lib/libsnapflame.a" 2>/dev/null | grep -q __asan_init && instrumented=-fsanitize=address,undefined
nm "$root/usr/lib/libsnapflame.a" 2>/dev/null | grep -q __gcov_init && instrumented=--coverage
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
is "$(pkg-config --modversion snapflame)" "$("$SNAPFLAME" --version | cut -d' ' -f2)" "pkg-config knows the version"
# pkg-config puts the root before all directories that it prints, those of the system too.
# shellcheck disable=SC2046 # lists of words
check "the example of the man page builds" cc -Wall -Werror $instrumented -o pauses pauses.c \
  $(pkg-config --cflags --libs snapflame)
run ./pauses no-such-file
[ "$status" -ne 0 ] && grep -q 'No such file' "$err"
ok $? "and says what is wrong" || sed 's/^/# /' "$err"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o run.data
if [ "$status" -eq 0 ]; then
  run ./pauses run.data
  like "$(cat "$out")" "BRANCH*ms*" "and reads a recording"
else
  skip "and reads a recording" "cannot be recorded here: $(tail -n 1 "$err")"
fi

placed uninstall >/dev/null
is "$(find "$root" -type f)" "" "make uninstall leaves nothing"
done_testing

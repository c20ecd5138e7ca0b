# The Debian package: builds from what is committed, without complaints of lintian that are errors.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
for tool in dpkg-buildpackage dh lintian git; do
  command -v $tool >/dev/null || skip_all "no $tool (Debian: debhelper, lintian)"
done
git -C "$TOP" rev-parse HEAD >/dev/null 2>&1 || skip_all "no git repository"
mkdir snapflame-0
git -C "$TOP" archive HEAD | tar x -C snapflame-0 || exit 1
cd snapflame-0 || exit 1
run dpkg-checkbuilddeps
[ "$status" -eq 0 ] || skip_all "$(cat "$err")"
run dpkg-buildpackage -us -uc -b
[ "$status" -eq 0 ]
ok $? "dpkg-buildpackage -us -uc -b" || { tail -n 30 "$err" "$out" | sed 's/^/# /'; done_testing; exit 1; }
cd "$TMP" || exit 1
run lintian --fail-on error snapflame_*.changes
is "$status" 0 "lintian finds no error" || sed 's/^/# /' "$out"
sed 's/^/# /' "$out"
for p in snapflame libsnapflame-dev; do
  dpkg-deb -c ${p}_*.deb >>contents
done
for f in usr/bin/snapflame usr/share/man/man1/snapflame-diff.1.gz usr/share/man/man3/libsnapflame.3.gz \
  usr/share/zsh/vendor-completions/_snapflame usr/share/bash-completion/completions/snapflame \
  usr/share/fish/vendor_completions.d/snapflame.fish usr/include/snapflame/diff.h; do
  grep -q " \./$f\$" contents
  ok $? "$f is in a package"
done
grep -q ' ./usr/lib/.*/libsnapflame.a$' contents && grep -q ' ./usr/lib/.*/pkgconfig/snapflame.pc$' contents
ok $? "the library and its .pc are in a package"
mkdir unpacked
for p in snapflame libsnapflame-dev; do
  dpkg-deb -x ${p}_*.deb unpacked
done
check "the packaged program runs" unpacked/usr/bin/snapflame --version
done_testing

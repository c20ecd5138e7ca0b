# A recording that is read where the binaries are missing, or others are in their place: the names
# that the recorder stored give the frames that they had at home.
. "$TOP/tests/lib.sh"
mkdir "$TMP/bin" && cp "$BUILD/branchsim" "$TMP/bin/" 2>/dev/null || skip_all "branchsim is not built"
home_build=$BUILD
BUILD=$TMP/bin
. "$TOP/tests/record.sh"
BUILD=$home_build

fold() { "$SNAPFLAME" fold -q --view "$@" | sort; }

# shellcheck disable=SC2086 # words
for how in fp dwarf; do
  run "$SNAPFLAME" record -q -p "$vmm" --call-graph $how --branches 2 --gap 0.05 -o $how.data -- $branch
  is "$status" 0 "$how: recorded"
done
cleanup
vmm=
mkdir nothing
for how in fp dwarf; do
  for view in samples wall critical; do
    fold $view $how.data >$how.$view
  done
  grep -q 'hash_entry' $how.samples
  ok $? "$how: the program's functions are named at home"
  [ "$(grep -c 'entry_SYSCALL_64\|do_syscall\|schedule' $how.wall)" -gt 0 ]
  ok $? "$how: and the kernel's"
done

same_as_home() {
  for how in fp dwarf; do
    for view in samples wall critical; do
      fold $view "$@" $how.data >got
      same got $how.$view "$how, $view, $what"
    done
  done
}
what="no file of this machine" same_as_home --symfs nothing
rm bin/branchsim
what="the program is gone" same_as_home
cp /bin/true bin/branchsim
what="another program is in its place" same_as_home
gzip -c fp.data | "$SNAPFLAME" fold -q --view samples --symfs nothing - | sort >got
same got fp.samples "compressed, through a pipe"
done_testing

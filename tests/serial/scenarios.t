# The verdict is the right one about a few known causes: one trial each of those that need the least.
# make scenarios has all of them, three times.
. "$TOP/tests/lib.sh"

if [ "$(id -u)" -ne 0 ]; then
  skip_all "needs root: records a VMM system-wide"
fi
for cause in none user-cpu backoff mutex-oncpu rpc-cpu rewrite; do
  # A busy machine takes the CPU from the VMM now and then, and then that is the cause: once more.
  for try in 1 2 3; do
    if sh "$TOP/samples/scenarios.sh" "$BUILD" "$cause" >"$TMP/$cause" 2>&1; then break; fi
  done
  if grep -q '^skip' "$TMP/$cause"; then
    skip "$cause" "$(sed -n 's/^skip *[^:]*: //p' "$TMP/$cause")"
  else
    grep -q '^right' "$TMP/$cause"
    ok $? "$cause: $(grep -E '^(right|WRONG)' "$TMP/$cause" | tr -s ' ')"
  fi
done
done_testing

# Two hundred recorders come and are killed: see there.
STARTS=200
. "$TOP/tests/cli/record_heart.t"

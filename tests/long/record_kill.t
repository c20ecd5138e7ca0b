# A hundred recorders are killed: see there.
KILLS=100
. "$TOP/tests/cli/record_kill.t"

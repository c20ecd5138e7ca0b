#!/bin/sh
# Where the names of a file come from: its own tables, separate debug files, what a process still has
# open; and that a file with another build-id is never believed.
. "$TOP/tests/lib.sh"

names=$BUILD/tests/tools/names
[ -x "$names" ] || skip_all "tests/tools/names is not built"
for tool in cc strip objcopy readelf nm; do
  command -v $tool >/dev/null || skip_all "$tool is missing"
done
HOME=$TMP/home
export HOME
unset DEBUGINFOD_URLS
cd "$TMP" || exit 1

cat >prog.c <<'END'
#include <stdio.h>
#include <unistd.h>
volatile int sink;
static inline __attribute__((always_inline)) void innermost(int x)
{
	sink += x;
}
static inline __attribute__((always_inline)) void between(int x)
{
	sink++;
	innermost(x);
}
__attribute__((noinline)) static void hidden_one(int x)
{
	between(x);
}
__attribute__((noinline)) void shown_one(int x)
{
	hidden_one(x + 1);
	sink *= x;
}
int main(int argc, char **argv)
{
	shown_one(argc);
	puts("ready");
	fflush(stdout);
	if (argc > 1) {
		alarm(30); /* in case nobody ends it */
		pause();
	}
	return 0;
}
END
# Text at the same offset as its address: what nm says is what a mapping's offset is.
build() {
  out=$1
  shift
  cc -O1 -fcf-protection=none -rdynamic -Wl,--build-id=sha1 -Wl,-z,noseparate-code "$@" prog.c \
    -o "$out" 2>cc.err
}
build prog -g || skip_all "no C compiler"
hidden=$(nm prog | awk '$3 == "hidden_one" {print $1}')
shown=$(nm prog | awk '$3 == "shown_one" {print $1}')
id_of() { readelf -n "$1" | awk '/Build ID/ {print $3}'; }
id=$(id_of prog)
other=0123456789012345678901234567890123456789
ask() { "$names" "$@" 2>&1; }
both="hidden_one
shown_one"
nothing="?
shown_one"

is "$(ask "$TMP/prog" "$hidden" "$shown")" "$both" "the file's own table"
is "$(ask build_id="$id" "$TMP/prog" "$hidden" "$shown")" "$both" "with the right build-id"
like "$(ask build_id=$other "$TMP/prog" "$hidden")" "[?]
problem: $TMP/prog: the file there now has another build-id" "not with another build-id"
like "$(ask "$TMP/gone" "$hidden")" "[?]
problem: *No such file*" "no file"
is "$(ask no_local "$TMP/prog" "$hidden")" "?" "nothing of this machine where that is asked for"

strip -o stripped prog
is "$(ask "$TMP/stripped" "$hidden" "$shown")" "$nothing" "a stripped file still has its exports"

objcopy --only-keep-debug prog prog.debug
mkdir -p linked/.debug
cp stripped linked/prog
cp prog.debug linked/.debug/prog.debug
(cd linked/.debug && objcopy --add-gnu-debuglink=prog.debug ../prog)
is "$(ask "$TMP/linked/prog" "$hidden" "$shown")" "$both" "a debug file that is linked"
build otherprog -g -DOTHER=1 -O0 && objcopy --only-keep-debug otherprog linked/.debug/prog.debug
is "$(ask "$TMP/linked/prog" "$hidden" "$shown")" "$nothing" "but not that of another build"

build noid -g -Wl,--build-id=none && strip -o noid.stripped noid
objcopy --only-keep-debug noid noid.debug
objcopy --add-gnu-debuglink=noid.debug noid.stripped
at=$(nm noid | awk '$3 == "hidden_one" || $3 == "shown_one" {print $3, $1}' | sort | cut -d' ' -f2)
# shellcheck disable=SC2086 # two words
is "$(ask "$TMP/noid.stripped" $at)" "$both" "a linked file without build-id, by its sum"
printf x >>noid.debug
# shellcheck disable=SC2086
is "$(ask "$TMP/noid.stripped" $at)" "$nothing" "and not when the sum is another"

dir=root/usr/lib/debug/.build-id/$(echo "$id" | cut -c1-2)
mkdir -p "$dir" "root$TMP"
cp stripped "root$TMP/inside"
is "$(ask symfs=root "$TMP/inside" "$hidden" "$shown")" "$nothing" "under another root"
cp prog.debug "$dir/$(echo "$id" | cut -c3-).debug"
is "$(ask symfs=root "$TMP/inside" "$hidden" "$shown")" "$both" "and its debug file by build-id"
is "$(ask symfs=root "$TMP/prog" "$hidden")" "?
problem: $TMP/prog: No such file or directory" "the other root is the only one"

dir=cache/.build-id/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)
mkdir -p "$dir"
cp prog "$dir/elf"
is "$(ask buildid_dir=cache build_id="$id" /nowhere/prog "$hidden" "$shown")" "$both" \
  "perf's cache of files"

# A debuginfod server is files under their build-ids.
mkdir -p "server/buildid/$id"
cp prog.debug "server/buildid/$id/debuginfo"
cp stripped "server/buildid/$id/executable"
if command -v python3 >/dev/null &&
  python3 -c 'import ctypes; ctypes.CDLL("libdebuginfod.so.1")' 2>/dev/null; then
  python3 -u -c 'import functools, http.server as h
s = h.HTTPServer(("127.0.0.1", 0), functools.partial(h.SimpleHTTPRequestHandler, directory="server"))
print(s.server_port, flush=True)
s.timeout = 20
for _ in range(8): s.handle_request()' >port 2>requests &
  server=$!
  for _ in $(seq 100); do [ -s port ] || sleep 0.2; done
  DEBUGINFOD_URLS=http://127.0.0.1:$(cat port) DEBUGINFOD_CACHE_PATH=$TMP/fetched
  export DEBUGINFOD_URLS DEBUGINFOD_CACHE_PATH
  is "$(ask build_id="$id" /nowhere/prog "$hidden")" "?
problem: /nowhere/prog: No such file or directory" "no server unless it is asked for"
  is "$(cat requests)" "" "and no request at all"
  is "$(ask debuginfod build_id="$id" /nowhere/prog "$hidden" "$shown")" "$both" "debuginfod"
  kill $server 2>/dev/null
  unset DEBUGINFOD_URLS
else
  skip "debuginfod" "no libdebuginfod, or no python3 to be the server"
fi

if command -v xz >/dev/null; then
  objcopy -S --keep-symbol=hidden_one prog.debug mini && xz -f mini
  objcopy --add-section .gnu_debugdata=mini.xz stripped minidebug
  got=$(ask "$TMP/minidebug" "$hidden" "$shown")
  if [ "$got" = "$nothing" ]; then
    skip "names in .gnu_debugdata" "libdw cannot unpack xz"
  else
    is "$got" "$both" "names in .gnu_debugdata"
  fi
else
  skip "names in .gnu_debugdata" "xz is missing"
fi

# The first stub of the linkage table.
entry() { readelf -SW "$1" | awk -v s="$2" '{sub(/^ *\[ *[0-9]+\]/, "")} $1 == s {print $4}'; }
plt=$(entry prog .plt)
first=$(readelf -rW prog | awk '/R_.*JUMP_SLOT|R_.*JUMP_SLO/ {sub(/@.*/, "", $5); print $5; exit}')
if [ -n "$plt" ] && [ -n "$first" ]; then
  is "$(ask "$TMP/prog" "$(printf '%x' $((0x$plt + 16)))")" "$first@plt" "a stub of the linker"
else
  skip "a stub of the linker" "no .plt"
fi
if build ibt -fcf-protection=full -Wl,-z,ibtplt && plt=$(entry ibt .plt.sec) && [ -n "$plt" ]; then
  is "$(ask "$TMP/ibt" "$plt")" "$first@plt" "a stub with branch tracking"
else
  skip "a stub with branch tracking" "no .plt.sec"
fi

line() { grep -n "$1" prog.c | head -n 1 | cut -d: -f1; }
nest="innermost (inlined) < between (inlined) < hidden_one"
for how in "" -gz -gdwarf-4 -gdwarf-5 -gsplit-dwarf; do
  build inl -O2 -g $how || continue
  at=$(objdump -d --no-show-raw-insn inl | awk '/<hidden_one>:/ {on = 1; next} on && /<sink>/ {
    sub(/:/, "", $1); last = $1} on && /ret/ {print last; exit}')
  [ -n "$at" ] || { skip "inlined calls${how:+, $how}" "the code looks unlike what is known"; continue; }
  got=$(ask inlines "$TMP/inl" "$at")
  case $got in *problem*"no debug information"*) skip "inlined calls${how:+, $how}" "built without libdw"
    continue ;; esac
  is "$got" "$nest" "inlined calls${how:+, $how}"
  is "$(ask inlines lines "$TMP/inl" "$at" | sed 's,[^ ]*/,,g')" \
    "innermost (inlined) prog.c:$(line 'sink += x') < between (inlined) prog.c:$(line '	innermost(x)') < hidden_one prog.c:$(line '	between(x)')" \
    "their lines${how:+, $how}"
done

# A process that has a file mapped which is no longer there, or another one by now.
live() {
  rm -f ready
  "$@" stay >ready &
  live_pid=$!
  for _ in $(seq 200); do
    grep -qs ready ready && return 0
    sleep 0.1
  done
}
end() { kill $live_pid 2>/dev/null; wait $live_pid 2>/dev/null; }
cp prog victim
live ./victim
is "$(ask pid=$live_pid "/victim" "$hidden" "$shown")" "$both" "a live process"
rm victim
if readlink "/proc/$live_pid/map_files/"* >/dev/null 2>&1; then
  is "$(ask pid=$live_pid "/victim" "$hidden" "$shown")" "$both" "and its file, deleted"
  cp otherprog victim
  is "$(ask owner=$live_pid build_id="$id" "$TMP/victim" "$hidden" "$shown")" "$both" \
    "and replaced, by build-id"
  is "$(ask owner=$live_pid build_id=$other "$TMP/victim" "$hidden")" "?
problem: $TMP/victim: the file there now has another build-id" "but neither of the two for a third"
else
  skip "and its file, deleted" "/proc/PID/map_files is for root"
fi
end
if unshare -m true 2>/dev/null && mkdir -p private; then
  live unshare -m sh -c "mount -t tmpfs none '$TMP/private' && cp '$TMP/prog' '$TMP/private/p' &&
    exec '$TMP/private/p' stay"
  [ ! -e private/p ]
  ok $? "a file of another mount namespace is not here"
  is "$(ask pid=$live_pid "/private/p" "$hidden" "$shown")" "$both" "but found through its process"
  end
else
  skip "a file of another mount namespace" "unshare is not allowed"
fi
done_testing

#!/bin/sh
# probe.sh OUT LIBPERF_PREFIX: finds the optional libraries and writes OUT, a makefile with
# HAVE_<X>, DEFS, DEP_CFLAGS and DEP_LIBS. Prints one table of what is on and off.
# WITHOUT="curl libdw ..." switches libraries off on purpose (to test that off builds).
set -u
out=$1
perf_prefix=$2
CC=${CC:-cc}
defs= cflags= libs= table=
without=" ${WITHOUT:-} "

pkgconf() { command -v pkg-config >/dev/null 2>&1 && pkg-config "$@" 2>/dev/null; }

# links HEADER FUNCTION LIBS...: does a program that calls FUNCTION link?
links() {
  hdr=$1 fn=$2
  shift 2
  printf '#include <stdio.h>\n#include <%s>\nint main(void) { return (void *)%s == NULL; }\n' \
    "$hdr" "$fn" | $CC $cflags -x c - -o /dev/null "$@" >/dev/null 2>&1
}

# row NAME yes|no WHAT
row() { table="$table$(printf '  %-14s %-4s %s' "$1" "$2" "$3")
"; }

# want NAME MACRO HEADER FUNCTION PKG LIBS WHAT
want() {
  name=$1 macro=$2 hdr=$3 fn=$4 pkg=$5 l=$6 what=$7
  case $without in *" $name "*) row "$name" off "$what (switched off by WITHOUT)"; return 1;; esac
  c=
  if [ "$pkg" != - ] && pkgconf --exists "$pkg"; then
    c=$(pkgconf --cflags "$pkg")
    l=$(pkgconf --libs "$pkg")
  fi
  # shellcheck disable=SC2086 # lists of words
  if links "$hdr" "$fn" $c $l; then
    defs="$defs -DHAVE_$macro=1" cflags="$cflags $c" libs="$l $libs"
    row "$name" on "$what"
  else
    row "$name" off "$what"
    return 1
  fi
}

# CC may be a command with arguments: "ccache cc", "cc -m32".
if ! command -v "${CC%% *}" >/dev/null 2>&1; then
  echo "probe: no C compiler ($CC); run: make deps" >&2
  exit 1
fi
fatal=
want jansson JANSSON jansson.h json_loads jansson -ljansson "JSON (needed)" || fatal="$fatal libjansson-dev"
if echo '#include <uthash.h>' | $CC -E -x c - >/dev/null 2>&1; then
  row uthash on "hash tables (needed)"
else
  row uthash off "hash tables (needed)"
  fatal="$fatal uthash-dev"
fi
want zlib ZLIB zlib.h inflate zlib -lz "gzip input" || :
want libzstd ZSTD zstd.h ZSTD_decompressStream libzstd -lzstd "compressed recordings" || :
want libelf ELF libelf.h elf_begin libelf -lelf "symbols of ELF files" || :
want libdw DW elfutils/libdwfl.h dwfl_begin libdw "-ldw -lelf" "debug files, source lines, unwinding" || :
want libiberty IBERTY libiberty/demangle.h cplus_demangle - -liberty "C++ and Rust names" || :
want libtraceevent TRACEEVENT event-parse.h tep_alloc libtraceevent -ltraceevent "tracepoint fields" || :
# libcurl is loaded when it is needed (lib/base/curl.c): its header is, not the library.
linked=$libs
want libcurl CURL curl/curl.h curl_easy_init libcurl -lcurl "Firecracker's API, export --push" || :
libs=$linked

case $without in
*" libperf "*) row libperf off "record (switched off by WITHOUT)" ;;
*)
  if pkgconf --exists libperf; then
    want libperf PERF perf/evlist.h perf_evlist__new libperf "-lperf -lapi" "record" || :
  elif [ -f "$perf_prefix/lib64/libperf.a" ]; then
    defs="$defs -DHAVE_PERF=1" cflags="$cflags -I$perf_prefix/include"
    libs="$perf_prefix/lib64/libperf.a $perf_prefix/lib64/libapi.a $libs"
    row libperf on "record ($(cut -d' ' -f1,2 "$perf_prefix/VERSION" 2>/dev/null))"
  else
    row libperf off "record"
  fi ;;
esac

cmocka=
if pkgconf --exists cmocka; then
  cmocka=$(pkgconf --libs cmocka)
  row cmocka on "unit tests"
else
  row cmocka off "unit tests"
fi
if command -v gnuplot >/dev/null 2>&1; then row gnuplot on "figures"; else row gnuplot off "figures"; fi

printf '%s' "$table"
if [ -n "$fatal" ]; then
  echo "probe: cannot build without$fatal (run: make deps, or install them)" >&2
  exit 1
fi
{
  echo "# written by scripts/probe.sh"
  echo "DEFS := $defs"
  echo "DEP_CFLAGS := $cflags"
  echo "DEP_LIBS := $libs"
  echo "CMOCKA_LIBS := $cmocka"
} >"$out"

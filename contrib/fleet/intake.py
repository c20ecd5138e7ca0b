# SPDX-License-Identifier: GPL-2.0-only
"""Rows, windows and causes into a store of Parquet files, by DuckDB.

Nothing is lost and nothing is guessed: a line that cannot be taken is kept in STORE/refused, what was
cut is counted, and a pause whose rows are not all there stays in the store but is no longer "usable".

  part/*.parquet     rows, as they came, with the number of the file they came in (source)
  window/*.parquet   windows, likewise
  cause/*.parquet    causes, likewise
  imports.jsonl      files that were taken, by SHA-256
  refused/           lines of another version, and lines that are no rows

What the questions ask is made anew out of these by every import. Numbers instead of texts, so that ten
million rows are joined and summed in seconds:

  pause.parquet      one row for each pause, with its number: its window, from which source its rows are,
                     and why it cannot be compared, if so
  what.parquet       whose time and where: owner, kind, state, stack, each once, with its number
  spent.parquet      pause, what, ms: the rows of all usable pauses
  caused.parquet     pause, cause, ms, ...: the causes of each recording, from one source, of usable pauses
"""
import glob
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import zlib

import duckdb

SCHEMAS = {"snapflame.rows/1": "part", "snapflame.windows/1": "window", "snapflame.causes/1": "cause"}
BATCH = 1 << 30  # bytes of text for one Parquet file
TOLERANCE_MS = 0.01  # rows are exact to the ns
NS_2020 = 1577836800 * 10**9  # a clock that is older was never set
NS_DAY = 86400 * 10**9

PART = {"schema": "VARCHAR", "recording_id": "VARCHAR", "branch": "INTEGER", "owner": "VARCHAR",
        "owner_process": "VARCHAR", "owner_thread": "VARCHAR", "kind": "VARCHAR", "state": "VARCHAR",
        "stack": "VARCHAR", "ms": "DOUBLE"}
WINDOW = {"schema": "VARCHAR", "recording_id": "VARCHAR", "host": "VARCHAR", "vm": "VARCHAR",
          "recording": "VARCHAR", "trial": "INTEGER", "branch": "INTEGER", "group": "VARCHAR",
          "start_ns": "BIGINT", "start_realtime_ns": "BIGINT", "pause_ms": "DOUBLE",
          "api_ms": "DOUBLE", "dark_ms": "DOUBLE", "said_pause_ms": "DOUBLE", "diff_ms": "DOUBLE",
          "diff_physical_bytes": "BIGINT", "status": "INTEGER", "error": "VARCHAR",
          "median_weight": "DOUBLE", "covariates": "JSON", "kernel": "VARCHAR", "vmm": "VARCHAR",
          "vmm_version": "VARCHAR", "vmm_build_id": "VARCHAR", "file_system": "VARCHAR",
          "disk": "VARCHAR", "disk_model": "VARCHAR", "labels": "JSON"}

CAUSE = {"schema": "VARCHAR", "recording_id": "VARCHAR", "branch": "INTEGER", "cause": "INTEGER",
         "owner": "VARCHAR", "kind": "VARCHAR", "state": "VARCHAR", "path": "VARCHAR", "ms": "DOUBLE",
         "frame_ms": "DOUBLE", "proven": "BOOLEAN", "grows": "BOOLEAN"}
FORMS = {"part": PART, "window": WINDOW, "cause": CAUSE}
COLUMNS = ("owner", "owner_process", "owner_thread", "kind", "state", "stack")  # of what

PAUSE = """
WITH sums AS (SELECT source, recording_id, branch, sum(ms) AS ms, count(*) AS n
              FROM {part} GROUP BY source, recording_id, branch),
matched AS (SELECT w.*, s.source AS part_source, s.ms AS part_ms, s.n AS parts,
                coalesce(abs(s.ms - w.pause_ms) <= {tolerance}, false) AS whole
         FROM {window} w LEFT JOIN sums s USING (recording_id, branch)),
best AS (SELECT *, row_number() OVER (PARTITION BY recording_id, branch
                                      ORDER BY whole DESC, parts DESC NULLS LAST, part_source, source) AS k
         FROM matched),
judged AS (SELECT *,
  CASE WHEN pause_ms IS NULL OR pause_ms <= 0 THEN 'it has no length'
       WHEN status IS NOT NULL AND status <> 0 THEN 'the BRANCH failed'
       WHEN part_source IS NULL THEN 'its rows are not there'
       WHEN NOT whole THEN 'its rows do not sum to it' END AS why,
  CASE WHEN start_realtime_ns IS NULL THEN 'none'
       WHEN start_realtime_ns < {oldest} OR start_realtime_ns > {newest} THEN 'wrong'
       ELSE 'good' END AS clock
  FROM best WHERE k = 1)
SELECT CAST(row_number() OVER (ORDER BY host, start_realtime_ns, recording_id, branch) AS INTEGER) AS pause,
  recording_id, branch, host, vm, recording, trial, "group" AS side, part_source AS source,
  why IS NULL AND host IS NOT NULL AS usable, coalesce(why, CASE WHEN host IS NULL THEN 'it names no host' END) AS why,
  clock, start_realtime_ns,
  CASE WHEN clock = 'good' THEN strftime(make_timestamp(start_realtime_ns // 1000), '%Y-%m-%d %H:%M:%S') END AS began,
  pause_ms, api_ms, dark_ms, median_weight, diff_physical_bytes, kernel, vmm, vmm_version, vmm_build_id,
  file_system, disk, disk_model, CAST(labels AS VARCHAR) AS labels, CAST(covariates AS VARCHAR) AS covariates,
  CAST(json_extract(covariates, '$.Dirty_kB.begin') AS DOUBLE) AS dirty_kb,
  CAST(json_extract(covariates, '$.Writeback_kB.begin') AS DOUBLE) AS writeback_kb
FROM judged ORDER BY pause
"""

# Texts are compared once for each, when they become numbers; the row groups of spent stay in the order
# of pauses, or nearly.
WHAT = """
SELECT CAST(row_number() OVER (ORDER BY {columns}) AS INTEGER) AS what, {columns},
  split_part(stack, ';', -1) AS place
FROM (SELECT DISTINCT {texts} FROM {part}) ORDER BY what
"""
SPENT = """
SELECT w.pause, t.what, p.ms
FROM {part} p
JOIN {pause} w ON p.recording_id = w.recording_id AND p.branch = w.branch AND p.source = w.source
JOIN {what} t ON {same}
WHERE w.usable
"""
# All causes of a recording from one source: another one may number them otherwise.
CAUSED = """
WITH sums AS (SELECT source, recording_id, branch, sum(ms) AS ms FROM {cause} GROUP BY ALL),
whole AS (SELECT s.source, s.recording_id, count(*) AS n
          FROM sums s JOIN {pause} w USING (recording_id, branch)
          WHERE w.usable AND abs(s.ms - w.pause_ms) <= {tolerance} GROUP BY ALL),
best AS (SELECT recording_id, source,
           row_number() OVER (PARTITION BY recording_id ORDER BY n DESC, source DESC) AS k FROM whole)
SELECT w.pause, c.cause, c.owner, c.kind, c.state, c.path, c.ms, c.frame_ms, c.proven, c.grows
FROM {cause} c JOIN best b USING (recording_id, source)
JOIN sums s USING (recording_id, source, branch)
JOIN {pause} w USING (recording_id, branch)
WHERE b.k = 1 AND w.usable AND abs(s.ms - w.pause_ms) <= {tolerance}
"""


def quoted(what):
    if isinstance(what, str):
        return "'" + what.replace("'", "''") + "'"
    return "[" + ", ".join(quoted(w) for w in what) + "]"


def connect(store, memory, threads):
    con = duckdb.connect()
    con.execute(f"SET memory_limit = {quoted(memory.lower().replace('g', 'GB').replace('m', 'MB'))}")
    con.execute(f"SET threads = {int(threads)}")
    con.execute(f"SET temp_directory = {quoted(os.path.join(store, 'tmp'))}")
    con.execute("SET max_temp_directory_size = '10GB'")
    con.execute("SET preserve_insertion_order = false")
    return con


def say(*words):
    print("fleet:", *words, file=sys.stderr)


# ------------------------------------------------------------------------ files

class Cut(Exception):
    pass


def chunks_gzip(f):
    d, member = zlib.decompressobj(31), False
    while data := f.read(1 << 18):
        while data:
            member = True
            yield d.decompress(data)
            data = d.unused_data
            if d.eof:
                d, member = zlib.decompressobj(31), False
    if member:
        raise Cut


def chunks_zstd(f):
    try:
        import zstandard
    except ImportError:
        raise SystemExit("fleet: .zst needs the Python package zstandard, or: zstd -d FILE.zst")
    d, member = zstandard.ZstdDecompressor().decompressobj(), False
    while data := f.read(1 << 18):
        while data:
            member = True
            yield d.decompress(data)
            if not d.eof:
                break
            data, d, member = d.unused_data, zstandard.ZstdDecompressor().decompressobj(), False
    if member:
        raise Cut


def chunks_plain(f):
    while data := f.read(1 << 20):
        yield data


def unpack(path, out):
    """The whole lines of a file into another. (bytes, SHA-256 of the file, what is wrong or None)"""
    size, rest, wrong = 0, b"", None
    with open(path, "rb") as f:
        sha = hashlib.file_digest(f, "sha256").hexdigest()
        f.seek(0)
        magic = f.read(4)
        f.seek(0)
        chunks = chunks_gzip if magic[:2] == b"\x1f\x8b" else \
            chunks_zstd if magic == b"\x28\xb5\x2f\xfd" else chunks_plain
        try:
            for data in chunks(f):
                data = rest + data
                end = data.rfind(b"\n") + 1
                out.write(data[:end])
                size += end
                rest = data[end:]
        except Cut:
            wrong = "it is cut"
        except Exception as e:  # each library has its own
            wrong = f"it is damaged ({e})"
    if rest and not wrong:
        wrong = "its last line is cut"
    return size, sha, wrong


def known(store):
    path = os.path.join(store, "imports.jsonl")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return {i["sha256"]: i for i in map(json.loads, f)}


# ---------------------------------------------------------------------- import

def lines_of(folder):
    return (f"(SELECT line, CAST(parse_filename(filename, true) AS INTEGER) AS source FROM "
            f"read_csv({quoted(os.path.join(folder, '*.jsonl'))}, columns = {{'line': 'VARCHAR'}}, "
            f"delim = chr(1), quote = '', escape = '', header = false, auto_detect = false, "
            f"strict_mode = false, max_line_size = 33554432, filename = true))")


def counts(con, lines):
    """{source: {schema: lines}}; the schema of what is no JSON object is ''."""
    found = {}
    for source, schema, n in con.execute(
            f"SELECT source, CASE WHEN json_valid(line) THEN coalesce(json_extract_string(line, '$.schema'), '') "
            f"ELSE '' END AS s, count(*) FROM {lines} GROUP BY source, s").fetchall():
        found.setdefault(source, {})[schema] = n
    return found


def copy(con, store, lines, batch, schema, table, form):
    path = os.path.join(store, table, batch + ".parquet")
    # A row without its key could never be counted again.
    con.execute(f"COPY (SELECT source, unnest(json_transform(line, {quoted(json.dumps(form))})) FROM {lines} "
                f"WHERE json_valid(line) AND json_extract_string(line, '$.schema') = {quoted(schema)}) "
                f"TO {quoted(path + '.new')} (FORMAT parquet, COMPRESSION zstd)")
    os.rename(path + ".new", path)


def flush(con, store, folder, batch, done):
    lines = lines_of(folder)
    found = counts(con, lines)
    for schema, table in SCHEMAS.items():
        if any(schema in f for f in found.values()):
            copy(con, store, lines, batch, schema, table, FORMS[table])
    refused = sum(n for f in found.values() for s, n in f.items() if s not in SCHEMAS)
    if refused:
        good = ", ".join(quoted(s) for s in SCHEMAS)
        con.execute(f"COPY (SELECT line FROM {lines} WHERE NOT json_valid(line) OR "
                    f"coalesce(json_extract_string(line, '$.schema'), '') NOT IN ({good})) TO "
                    f"{quoted(os.path.join(store, 'refused', batch + '.jsonl'))} "
                    f"(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')")
    with open(os.path.join(store, "imports.jsonl"), "a", encoding="utf-8") as f:
        for i in done:
            i["lines"] = found.get(i["source"], {})
            f.write(json.dumps(i) + "\n")
    for i in done:
        for schema, n in sorted(i["lines"].items()):
            if schema not in SCHEMAS:
                say(f"{i['path']}: {n} lines " + (f"of another version, {schema}" if schema else
                    "that are no rows") + f": kept in {os.path.join(store, 'refused')}")
    for path in glob.glob(os.path.join(folder, "*.jsonl")):
        os.unlink(path)
    return sum(n for f in found.values() for n in f.values()), refused


def take(store, files, memory, threads):
    for d in (*FORMS, "refused", "tmp"):
        os.makedirs(os.path.join(store, d), exist_ok=True)
    con, seen, done, size, lines, refused, bad = connect(store, memory, threads), known(store), [], 0, 0, 0, 0
    source = max([i["source"] for i in seen.values()], default=0)
    folder = tempfile.mkdtemp(dir=os.path.join(store, "tmp"))
    try:
        for path in files:
            source += 1
            target = os.path.join(folder, f"{source}.jsonl")
            try:
                with open(target, "wb") as out:
                    n, sha, wrong = unpack(path, out)
            except OSError as e:
                say(f"{path}: {e.strerror}")
                os.unlink(target)
                bad += 1
                continue
            if sha in seen:
                say(f"{path}: taken before, as {seen[sha]['path']}: skipped")
                os.unlink(target)
                continue
            if wrong:
                say(f"{path}: {wrong}: whole lines are taken")
                bad += 1
            seen[sha] = {"path": path, "sha256": sha, "source": source, "wrong": wrong}
            done.append(seen[sha])
            size += n
            if size >= BATCH:
                l, r = flush(con, store, folder, f"{source:08}", done)
                lines, refused, size, done = lines + l, refused + r, 0, []
        if done:
            l, r = flush(con, store, folder, f"{source:08}", done)
            lines, refused = lines + l, refused + r
    finally:
        shutil.rmtree(folder)
    say(f"{len(files)} files, {lines} lines, {refused} of them refused")
    make_tables(con, store)
    summary(con, store)
    return 1 if bad or refused else 0


def table(store, name):
    files = sorted(glob.glob(os.path.join(store, name, "*.parquet")))
    if files:
        return f"read_parquet({quoted(files)}, union_by_name = true)"
    # Nothing of the sort yet: an empty table of that form.
    return (f"(SELECT CAST(NULL AS INTEGER) AS source, "
            f"unnest(json_transform('{{}}', {quoted(json.dumps(FORMS[name]))})) WHERE false)")


def made(store, name):
    return f"read_parquet({quoted(os.path.join(store, name + '.parquet'))})"


def make(con, store, name, sql):
    path = os.path.join(store, name + ".parquet")
    con.execute(f"COPY ({sql}) TO {quoted(path + '.new')} (FORMAT parquet, COMPRESSION zstd)")
    os.rename(path + ".new", path)


def make_tables(con, store):
    """Everything that questions are asked of. Who asks meanwhile may see half of it; asking again helps."""
    given = {name: table(store, name) for name in FORMS}
    given |= {name: made(store, name) for name in ("pause", "what")}
    given |= {"tolerance": TOLERANCE_MS, "oldest": NS_2020, "newest": time.time_ns() + NS_DAY,
              "columns": ", ".join(COLUMNS), "texts": ", ".join(f"coalesce({c}, '') AS {c}" for c in COLUMNS),
              "same": " AND ".join(f"coalesce(p.{c}, '') = t.{c}" for c in COLUMNS)}
    for name, sql in (("pause", PAUSE), ("what", WHAT), ("spent", SPENT), ("caused", CAUSED)):
        make(con, store, name, sql.format(**given))


# ----------------------------------------------------------------------- report

def summary(con, store):
    pause = made(store, "pause")
    n, usable, hosts, dark = con.execute(
        f"SELECT count(*), count(*) FILTER (usable), count(DISTINCT host) FILTER (usable), "
        f"count(*) FILTER (usable AND dark_ms IS NULL) FROM {pause}").fetchone()
    say(f"{n} pauses, {usable} of them usable, of {hosts} hosts")
    for why, k in con.execute(f"SELECT why, count(*) FROM {pause} WHERE NOT usable GROUP BY why "
                              f"ORDER BY why").fetchall():
        say(f"  {k} not compared: {why}")
    if dark:
        say(f"  {dark} whose dark time is not known: the time of the API stands for it")
    for clock, k in con.execute(f"SELECT clock, count(*) FROM {pause} WHERE clock <> 'good' "
                                f"GROUP BY clock ORDER BY clock").fetchall():
        say(f"  {k} in no question about time: " + (
            "when they were is not recorded" if clock == "none" else "their host's clock was wrong"))
    for column in ("kernel", "file_system", "disk", "vmm_version", "dirty_kb"):
        k, = con.execute(f"SELECT count(*) FROM {pause} WHERE usable AND {column} IS NULL").fetchone()
        if k:
            say(f"  {k} without {column}: they are '?' there")
    orphans, = con.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT recording_id, branch FROM {table(store, 'part')}) p "
        f"ANTI JOIN {pause} w ON p.recording_id = w.recording_id AND p.branch = w.branch").fetchone()
    if orphans:
        say(f"  rows of {orphans} pauses whose window has not been imported")
    alone, = con.execute(
        f"SELECT count(DISTINCT recording_id) FROM {pause} WHERE usable AND side IS NOT NULL AND recording_id "
        f"NOT IN (SELECT recording_id FROM {made(store, 'caused')} JOIN {pause} USING (pause))").fetchone()
    if alone:
        say(f"  {alone} recordings without causes (export --table causes): in no verdict")


def report(store, memory, threads):
    if not os.path.isdir(os.path.join(store, "window")):
        raise SystemExit(f"fleet: {store} is no store")
    con = connect(store, memory, threads)
    make_tables(con, store)
    summary(con, store)
    return 0

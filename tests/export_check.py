#!/usr/bin/env python3
# export_check.py CHECK FILE…: for tests/serial/export.t. Checks one exported file against its format's
# rules and against totals from elsewhere; prints what is wrong and exits 1.
import collections
import csv
import json
import sys

MS = 1e-6  # ns


def fail(*what):
    print(*what)
    sys.exit(1)


def close(a, b, tolerance, *what):
    if abs(a - b) > tolerance:
        fail(*what, a, "is not", b)


def lines(path):
    with open(path, encoding="utf-8", errors="strict") as f:
        return [json.loads(line) for line in f]


def load(path):
    with open(path, encoding="utf-8", errors="strict") as f:
        return json.load(f)


def pprof(raw, *totals):
    """pprof -raw: sums of the values in ns or counts, against "name µs lines" of fold."""
    names, sums = None, None
    for line in open(raw):
        if line.startswith("samples/count"):
            names = [n.split("/")[0] for n in line.split()]
            sums = [0] * len(names)
        elif line.startswith("Locations"):
            break
        elif names and ":" in line and not line.startswith("   " * 4):
            head = line.split(":")[0].split()
            if len(head) == len(names) and all(v.isdigit() for v in head):
                sums = [a + int(b) for a, b in zip(sums, head)]
    if names != ["samples", "oncpu", "wall", "critical"]:
        fail("sample types", names)
    if not sums[0] > 0:
        fail("no samples")
    for t in totals:
        name, us, rounded = t.split()
        close(sums[names.index(name)] / 1000, int(us), int(rounded) / 2 + 1, "µs of", name)


def speedscope(path, windows):
    d = load(path)
    if d["$schema"] != "https://www.speedscope.app/file-format-schema.json":
        fail("schema")
    frames = d["shared"]["frames"]
    if not all(isinstance(f["name"], str) and f["name"] for f in frames):
        fail("a frame without name")
    for p in d["profiles"]:
        if p["type"] != "sampled" or p["unit"] != "nanoseconds":
            fail("type", p["name"])
        if len(p["samples"]) != len(p["weights"]):
            fail("samples and weights", p["name"])
        if sum(p["weights"]) != p["endValue"] - p["startValue"]:
            fail("weights do not sum to the window", p["name"])
        if any(not 0 <= i < len(frames) for s in p["samples"] for i in s):
            fail("no such frame", p["name"])
    paths = [p for p in d["profiles"] if p["name"].endswith("critical path")]
    for p, w in zip(paths, lines(windows), strict=True):
        close(p["endValue"] * MS, w["pause_ms"], 1e-6, p["name"])
        if ("(%s)" % w["group"] in p["name"]) != bool(w["group"]):
            fail("group", p["name"])


def columns(name, table, but=("length", "weightType")):
    for c, v in table.items():
        if c not in but and len(v) != table["length"]:
            fail(name, c, len(v), "is not", table["length"])


def below(name, values, limit):
    if any(v is not None and v != -1 and not 0 <= v < limit for v in values):
        fail(name, "out of range")


def firefox(path, windows):
    d = load(path)
    strings = len(d["shared"]["stringArray"])
    cats = len(d["meta"]["categories"])
    schemas = {s["name"]: {f["key"] for f in s["fields"]} for s in d["meta"]["markerSchema"]}
    pauses = sum(w["pause_ms"] for w in lines(windows))
    if d["meta"]["preprocessedProfileVersion"] != 57:
        fail("version")
    for t in d["threads"]:
        n = t["name"]
        for k in ("frameTable", "funcTable", "stackTable", "resourceTable", "nativeSymbols",
                  "samples", "markers"):
            columns(n + " " + k, t[k])
        below(n + " func", t["frameTable"]["func"], t["funcTable"]["length"])
        below(n + " category", t["frameTable"]["category"] + t["markers"]["category"], cats)
        below(n + " name", t["funcTable"]["name"] + t["resourceTable"]["name"] +
              t["markers"]["name"], strings)
        below(n + " resource", t["funcTable"]["resource"], t["resourceTable"]["length"])
        below(n + " frame", t["stackTable"]["frame"], t["frameTable"]["length"])
        below(n + " stack", t["samples"]["stack"], t["stackTable"]["length"])
        if any(p is not None and p >= i for i, p in enumerate(t["stackTable"]["prefix"])):
            fail(n, "a stack before its prefix")
        if t["samples"]["time"] != sorted(t["samples"]["time"]):
            fail(n, "samples are not in order")
        for m in t["markers"]["data"]:
            if not set(m) - {"type"} <= schemas[m["type"]]:
                fail(n, "marker", m)
        states = sum(e - s for e, s, m in zip(t["markers"]["endTime"], t["markers"]["startTime"],
                                              t["markers"]["data"]) if m["type"] == "state")
        close(states, sum(t["samples"]["weight"]), 0.001, n, "markers and samples")
        if sum(t["samples"]["weight"]) > pauses + 0.001:
            fail(n, "more time than there is")
    close(sum(d["threads"][0]["samples"]["weight"]), pauses, 0.001, "the critical path")
    found = [m["name"] for m in d["threads"][0]["markers"]["data"] if m["type"] == "window"]
    for w in lines(windows):
        if not any(name.startswith("BRANCH %d" % w["branch"]) for name in found):
            fail("no marker of BRANCH", w["branch"])


def perfetto(path, windows):
    tracks, flows, names = collections.defaultdict(list), collections.defaultdict(list), {}
    for e in load(path)["traceEvents"]:
        track = e["pid"], e["tid"]
        if e["ph"] == "M":
            names[track] = e["args"]["name"]
        elif e["ph"] == "X":
            tracks[track].append((e["ts"], e["ts"] + e["dur"], e["cat"]))
        elif e["ph"] in "sf":
            flows[e["id"]].append(e)
        elif e["ph"] != "i":
            fail("event", e)
    for track, slices in tracks.items():
        if track not in names:
            fail("no name of track", track)
        slices.sort()
        if any(a[1] > b[0] + 1e-3 for a, b in zip(slices, slices[1:]) if a[2] != "phase"):
            fail("slices overlap", names[track])
    if not flows:
        fail("no wakings")
    for pair in flows.values():
        if [e["ph"] for e in pair] != ["s", "f"] or pair[1]["bp"] != "e":
            fail("flow", pair)
        for e in pair:
            around = tracks[e["pid"], e["tid"]]
            if not any(a[0] - 1e-3 <= e["ts"] <= a[1] + 1e-3 for a in around):
                fail("a flow outside of slices", e)
    pauses = sum(w["pause_ms"] for w in lines(windows))
    for name in ("critical path", "BRANCHes"):
        track = [t for t in tracks if names[t] == name][0]
        close(sum(b - a for a, b, _ in tracks[track]) / 1000, pauses, 0.01, name)


def causes(path, windows):
    """The causes of a window sum to its pause; only windows with a group have any."""
    sums = collections.defaultdict(float)
    for r in lines(path):
        if r["schema"] != "snapflame.causes/1":
            fail("schema", r["schema"])
        sums[r["branch"]] += r["ms"]
    for w in lines(windows):
        if (w["group"] is None) != (w["branch"] not in sums):
            fail("branch", w["branch"], "is in group", w["group"])
        if w["group"]:
            close(sums[w["branch"]], w["pause_ms"], 1e-5, "causes of branch", w["branch"])


def rows(path, windows, diff):
    """The rows of a window sum to its pause, and with median_weight to what the diff says."""
    w = {(r["host"], r["vm"], r["recording"], r["trial"], r["branch"]): r for r in lines(windows)}
    sums, owned = collections.defaultdict(float), collections.defaultdict(float)
    for r in lines(path):
        key = r["host"], r["vm"], r["recording"], r["trial"], r["branch"]
        if r["schema"] != "snapflame.rows/1":
            fail("schema", r)
        sums[key] += r["ms"]
        if r["group"]:
            sign = 1 if r["group"] == "slow" else -1
            owned[r["owner"], r["kind"], r["stack"]] += sign * r["ms"] * w[key]["median_weight"]
    for key, r in w.items():
        close(sums[key], r["pause_ms"], 1e-4, key)
        if not r["covariates"]["Dirty_kB"]["begin"] >= 0:
            fail("covariates", key)
    d = load(diff)
    close(sum(owned.values()), d["delta_ms"]["median"], 0.1, "delta")
    causes = [c for c in d["causes"] if c["owner"] and c["frames"]]
    if not causes:
        fail("no cause to compare")
    for c in causes:
        who = c["owner"]["label"], c["kind"]
        under = ";".join(f.replace(";", ":") for f in reversed(c["frames"]))
        ms = sum(v for (o, k, stack), v in owned.items()
                 if (o, k) == who and (stack + ";").startswith(under + ";"))
        close(ms, c["frame_ms"], 0.1, *who, under)


def tsv(path, jsonl):
    with open(path, encoding="utf-8", newline="") as f:
        table = list(csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    want = lines(jsonl)
    if len(table) != len(want) + 1:
        fail(len(table) - 1, "rows, not", len(want))
    if table[0] != list(want[0]):
        fail("header", table[0])
    for got, row in zip(table[1:], want):
        for g, v in zip(got, row.values(), strict=True):
            if isinstance(v, bool):
                if g != json.dumps(v):
                    fail("field", g, v)
            elif isinstance(v, (int, float)) and abs(float(g) - v) > 1e-9 * abs(v):
                fail("field", g, v)
            if isinstance(v, dict) and json.loads(g) != v:
                fail("field", g)
            if v is None and g:
                fail("null", g)


{f.__name__: f for f in (pprof, speedscope, firefox, perfetto, causes, rows, tsv)}[sys.argv[1]](*sys.argv[2:])

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check.py verdict DIFF ANSWER ROWS WINDOWS   the SQL's verdict, and the rows, are diff --json's, to 0.1 ms
check.py same ANSWER ANSWER         two answers are the same but for the order of their sums
check.py pauses ROWS WINDOWS CAUSES   writes six pauses, three fast and three slow, for resample.py
check.py truth DEAR QUESTION ANSWER... the answers about a fleet of resample.py are what it made true

DEAR is what resample.py printed; ANSWER what fleet.py ask --format json did.
"""
import json
import sys

LIMIT_MS = 0.1


def answer(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def same(what, a, b):
    if abs(a - b) > LIMIT_MS:
        sys.exit(f"{what}: {a} ms in the diff, {b} ms in SQL")


def frame_of(cause, rows):
    """What the rows say of a cause: its owners' time of its kind under its path."""
    owners = {o["label"] for o in [cause["owner"], *cause["others"]]}
    if cause["kind"] == "runqueue":  # the others there have the CPU, too: no work of the same kind
        owners = {cause["owner"]["label"]}
    path = cause["frames"][::-1]
    return sum(r["ms"] * r["weight"] for r in rows if r["owner"] in owners and r["kind"] == cause["kind"]
               and r["stack"].split(";")[:len(path)] == path)


def verdict(diff_path, answer_path, rows_path, windows_path):
    with open(diff_path, encoding="utf-8") as f:
        diff = json.load(f)
    found, causes = answer(answer_path), diff["causes"]
    if not found or [r["cause"] for r in found] != list(range(1, len(causes) + 1)):
        sys.exit(f"{len(causes)} causes in the diff, {len(found)} in SQL")
    same("growth", diff["delta_ms"]["median"], found[0]["growth_ms"])
    weight = {w["branch"]: (w["median_weight"] or 0) * (1 if w["group"] == "slow" else -1)
              for w in answer(windows_path)}
    rows = [{**r, "weight": weight[r["branch"]]} for r in answer(rows_path)]
    for c, r in zip(causes, found):
        name = c["owner"]["label"] if c["owner"] else None
        what = f"cause {r['cause']}, {name} {c['kind']}"
        if (name, c["kind"]) != (r["owner"], r["kind"]) or c["frames"] != [f for f in r["path"].split(";")[::-1] if f]:
            sys.exit(f"{what}: another one in SQL: {r}")
        for key in ("delta_ms", "fast_ms", "slow_ms", "frame_ms"):
            same(f"{what}, {key}", c[key], r[key])
        if c["owner"]:
            same(f"{what}, its rows", c["frame_ms"], frame_of(c, rows))
    v = diff["verdict"]
    proven = v is not None
    if any((r["proven"], r["grows"]) != (proven, proven and v["kind"] != "none") for r in found):
        sys.exit("the proof, or that it grows")
    print(f"{len(found)} causes, growth {diff['delta_ms']['median']:.3f} and {found[0]['growth_ms']:.3f} ms, first "
          f"{found[0]['owner']} {found[0]['kind']} {causes[0]['delta_ms']:.3f} and {found[0]['delta_ms']:.3f} ms")


def same_answers(a_path, b_path):
    a, b = answer(a_path), answer(b_path)
    if not a or len(a) != len(b):
        sys.exit(f"{len(a)} and {len(b)} rows")
    for x, y in zip(a, b):
        for k, v in x.items():
            if v != y[k] and not (isinstance(v, float) and abs(v - y[k]) <= 1e-9 * max(1.0, abs(v))):
                sys.exit(f"{k}: {v} and {y[k]}")


def pauses(rows_path, windows_path, causes_path):
    stacks = (("vmm (main)", "cpu-user", "main;save;hash", 30), ("vmm (main)", "io-device", "main;save;fsync", 9),
              ("vcpu 0", "runqueue", "start;wait", 2))
    with open(rows_path, "w", encoding="utf-8") as rows, open(windows_path, "w", encoding="utf-8") as windows, \
            open(causes_path, "w", encoding="utf-8") as causes:
        def line(f, table, key, **columns):
            f.write(json.dumps({"schema": f"snapflame.{table}/1", **key, **columns}) + "\n")
        for branch in range(1, 7):
            side = "slow" if branch > 3 else "fast"
            key = {"recording_id": "00c0ffee", "host": "h", "vm": "v", "recording": "run.data", "trial": 1,
                   "branch": branch, "group": side}
            total = 0
            for nr, (owner, kind, stack, ms) in enumerate(stacks, 1):
                ms = ms + branch / 10 + (60 if side == "slow" and kind == "io-device" else 0)
                total += ms
                line(rows, "rows", key, owner=owner, kind=kind, state="running", stack=stack, ms=ms)
                listed = nr < len(stacks)
                line(causes, "causes", key, cause=nr, owner=owner if listed else None,
                     kind=kind if listed else "unknown", path=stack if listed else "", ms=ms,
                     frame_ms=ms if listed else 0, proven=True, grows=True)
            line(windows, "windows", key, status=0, pause_ms=total,
                 start_realtime_ns=1790000000000000000 + branch, median_weight=1.0 if branch in (2, 5) else 0.0)


def truth(dear_path, *pairs):
    rows = dict(zip(pairs[::2], map(answer, pairs[1::2])))
    with open(dear_path, encoding="utf-8") as f:
        _, owner, kind = f.read().rstrip("\n").split("\t")
    dear = {"owner": owner, "kind": kind}
    is_dear = lambda r: all(r[k] == v for k, v in dear.items())  # noqa: E731
    if not is_dear(rows["costs"][0]) or rows["costs"][0]["kernel"] != "6.9-b":
        sys.exit(f"costs: {rows['costs'][0]}, not {dear} on kernel 6.9-b")
    first = rows["paths"][0]
    if not is_dear(first) or first["low_ms"] <= 0 or not first["low_ms"] < first["delta_ms"] < first["high_ms"]:
        sys.exit(f"paths: {first}, not more of {dear}")
    # The hosts that turned slow did so with their 31st pause. q <= 0.05 allows a false one, of chance.
    turned = {r["host"]: r["pauses_after"] for r in rows["turned"] if r["growth_ms"] > 40}
    if set(turned) != {"host-00007", "host-00047"} or any(abs(n - 20) > 1 for n in turned.values()) \
            or len(rows["turned"]) > 3:
        sys.exit(f"turned: {rows['turned']}, not hosts 7 and 47 with 20 slow pauses")
    worst = rows["worst"][0]
    if worst["pauses_worst"] != 25 or worst["ms_worst"] <= 2 * worst["ms_other"]:
        sys.exit(f"worst: {worst}, not 25 pauses that are far longer")
    if {r["recording_id"] for r in rows["verdict"]} != {f"host-{h:05}" for h in range(1, 51)}:
        sys.exit("verdict: not of all 50 recordings")
    print(f"{owner}, {kind}; " + ", ".join(f"{k} {len(v)} rows" for k, v in rows.items()))


{"verdict": verdict, "same": same_answers, "pauses": pauses, "truth": truth}[sys.argv[1]](*sys.argv[2:])

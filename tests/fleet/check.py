#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check.py verdict DIFF ANSWER         the SQL's verdict is that of diff --json, to 0.1 ms
check.py same ANSWER ANSWER         two answers are the same but for the order of their sums
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


def verdict(diff_path, answer_path):
    with open(diff_path, encoding="utf-8") as f:
        diff = json.load(f)
    rows = answer(answer_path)
    growth = diff["delta_ms"]["median"]
    if not rows:
        sys.exit("no answer")
    same("growth", growth, rows[0]["growth_ms"])
    left, compared = list(rows), 0
    for cause in diff["causes"]:
        for part in cause["parts"]:
            if abs(part["delta_ms"]) < max(LIMIT_MS, 0.006 * abs(growth)):
                continue  # the SQL leaves out what is below 0.5 %
            near = [r for r in left if r["kind"] == part["kind"]
                    and all(abs(r[k] - part[k]) <= LIMIT_MS for k in ("delta_ms", "fast_ms", "slow_ms"))]
            if not near:
                sys.exit(f"no row for {part} of {cause['owner']}")
            left.remove(near[0])
            compared += 1
    if not compared:
        sys.exit("nothing was compared")
    v = diff["verdict"]
    if v["owner"]:
        mine = [r for r in rows if r["owner"] == v["owner"]["label"] and r["kind"] == v["kind"]]
        if len(mine) != 1:
            sys.exit(f"{len(mine)} rows of {v['owner']['label']}, {v['kind']}")
        if v["frame_ms"] is not None:
            same("frame", v["frame_ms"], mine[0]["frame_ms"])
            if mine[0]["path"].split(";")[-1] != v["frames"][0]:
                sys.exit(f"frame {v['frames'][0]} in the diff, {mine[0]['path']} in SQL")
    print(f"{compared} parts compared, growth {growth:.3f} and {rows[0]['growth_ms']:.3f} ms, "
          f"verdict {v['kind']}")


def same_answers(a_path, b_path):
    a, b = answer(a_path), answer(b_path)
    if not a or len(a) != len(b):
        sys.exit(f"{len(a)} and {len(b)} rows")
    for x, y in zip(a, b):
        for k, v in x.items():
            if v != y[k] and not (isinstance(v, float) and abs(v - y[k]) <= 1e-9 * max(1.0, abs(v))):
                sys.exit(f"{k}: {v} and {y[k]}")


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
    # Both hosts that turned slow at their 31st pause; q <= 0.05 allows a false one now and then.
    turned = {r["host"]: r["pauses_after"] for r in rows["turned"]}
    if len(turned) > 4 or any(abs(turned.get(h, 0) - 20) > 3 for h in ("host-00007", "host-00047")):
        sys.exit(f"turned: {turned}, not hosts 7 and 47 with 20 slow pauses")
    worst = rows["worst"][0]
    if worst["pauses_worst"] != 25 or worst["ms_worst"] <= 2 * worst["ms_other"]:
        sys.exit(f"worst: {worst}, not 25 pauses that are far longer")
    if {r["recording_id"] for r in rows["verdict"]} != {f"host-{h:05}" for h in range(1, 51)}:
        sys.exit("verdict: not of all 50 recordings")
    print(f"{owner}, {kind}; " + ", ".join(f"{k} {len(v)} rows" for k, v in rows.items()))


{"verdict": verdict, "same": same_answers, "truth": truth}[sys.argv[1]](*sys.argv[2:])

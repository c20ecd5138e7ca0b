#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check.py verdict DIFF ANSWER         the SQL's verdict is that of diff --json, to 0.1 ms
check.py same ANSWER ANSWER         two answers are the same but for the order of their sums
check.py pauses ROWS WINDOWS       writes six pauses, three fast and three slow, for resample.py
check.py truth DEAR QUESTION ANSWER... the answers about a fleet of resample.py are what it made true

DEAR is what resample.py printed; ANSWER what fleet.py ask --format json did.
"""
import json
import sys

LIMIT_MS = 0.1


def answer(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def same(what, a, b, limit=LIMIT_MS):
    if abs(a - b) > limit:
        sys.exit(f"{what}: {a} ms in the diff, {b} ms in SQL")


def verdict(diff_path, answer_path):
    with open(diff_path, encoding="utf-8") as f:
        diff = json.load(f)
    rows = answer(answer_path)
    growth = diff["delta_ms"]["median"]
    if not rows:
        sys.exit("no answer")
    same("growth", growth, rows[0]["growth_ms"])
    # SQL has one row for each thread and kind. The diff may tell several calls of one thread apart, put
    # threads of a pool or a device and whom it serves together, and counts turns in the run queue with the
    # work of who waits there; in SQL they are with who had the CPU.
    sums, causes, unknown, mixed = {}, {}, 0, set()
    for cause in diff["causes"]:
        if not cause["owner"]:
            unknown += abs(cause["delta_ms"])
            continue
        if cause["kind"] == "runqueue":
            continue
        if cause["others"] or cause["owner"]["device"]:
            mixed |= {o["label"] for o in [cause["owner"], cause["waiter"], *cause["others"]] if o}
        for part in cause["parts"]:
            if part["kind"] != "runqueue":
                key = cause["owner"]["label"], part["kind"]
                causes.setdefault(key, []).append(cause)
                sums[key] = sums.get(key, 0) + part["delta_ms"]
    found, compared = {(r["owner"], r["kind"]): r for r in rows}, 0
    least = 0.006 * abs(growth)  # the SQL leaves out what is below 0.5 %
    for key, delta in sums.items():
        if key[0] in mixed or abs(delta) < least:
            continue
        if key not in found:
            sys.exit(f"no row for {key}, {delta} ms")
        # What the diff found too small for a cause is in no part.
        same(str(key), delta, found[key]["delta_ms"], LIMIT_MS + unknown)
        compared += 1
    v = diff["verdict"]
    if v["owner"] and v["kind"] != "runqueue" and v["owner"]["label"] not in mixed:
        key = v["owner"]["label"], v["kind"]
        same(f"verdict {key}", sums[key], found[key]["delta_ms"])
        if len(causes[key]) == 1:
            same("frame", v["frame_ms"], found[key]["frame_ms"])
            if v["frames"] and found[key]["path"].split(";")[-1] != v["frames"][0]:
                sys.exit(f"frame {v['frames'][0]} in the diff, {found[key]['path']} in SQL")
        v = f"{v['kind']} {sums[key]:.3f} and {found[key]['delta_ms']:.3f} ms"
    else:
        v = "none that one thread has alone"
    print(f"{compared} causes compared, growth {growth:.3f} and {rows[0]['growth_ms']:.3f} ms, verdict {v}")


def same_answers(a_path, b_path):
    a, b = answer(a_path), answer(b_path)
    if not a or len(a) != len(b):
        sys.exit(f"{len(a)} and {len(b)} rows")
    for x, y in zip(a, b):
        for k, v in x.items():
            if v != y[k] and not (isinstance(v, float) and abs(v - y[k]) <= 1e-9 * max(1.0, abs(v))):
                sys.exit(f"{k}: {v} and {y[k]}")


def pauses(rows_path, windows_path):
    stacks = (("vmm (main)", "cpu-user", "main;save;hash", 30), ("vmm (main)", "io-device", "main;save;fsync", 9),
              ("vcpu 0", "runqueue", "start;wait", 2))
    with open(rows_path, "w", encoding="utf-8") as rows, open(windows_path, "w", encoding="utf-8") as windows:
        for branch in range(1, 7):
            side = "slow" if branch > 3 else "fast"
            key = {"recording_id": "00c0ffee", "host": "h", "vm": "v", "recording": "run.data", "trial": 1,
                   "branch": branch, "group": side}
            total = 0
            for owner, kind, stack, ms in stacks:
                ms = ms + branch / 10 + (60 if side == "slow" and kind == "io-device" else 0)
                total += ms
                rows.write(json.dumps({"schema": "snapflame.rows/1", **key, "owner": owner, "kind": kind,
                                       "state": "running", "stack": stack, "ms": ms}) + "\n")
            windows.write(json.dumps({"schema": "snapflame.windows/1", **key, "status": 0, "pause_ms": total,
                                      "start_realtime_ns": 1790000000000000000 + branch,
                                      "median_weight": 1.0 if branch in (2, 5) else 0.0}) + "\n")


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

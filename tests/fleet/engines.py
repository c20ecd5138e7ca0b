#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""engines.py [--spark] STORE...: every question of contrib/fleet on DuckDB, and on Spark SQL beside it.

Prints how long each took, how many rows of the store that is a second, and how that grows from the first
store to the next ones. With --spark every number is compared. Exits with 1 where one differs.
"""
import glob
import os
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "fleet"))
import fleet  # noqa: E402

OPTIONS = SimpleNamespace(engine="duckdb", memory="1g", threads=2, a="kernel = '6.1-a'",
                          b="kernel = '6.9-b'")
NAMES = sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(fleet.HERE, "sql", "*.sql")))


def differ(a, b):
    """Where two answers differ, in words; None where they do not. Sums of doubles depend on their order."""
    if a[0] != b[0]:
        return f"columns {a[0]} and {b[0]}"
    if len(a[1]) != len(b[1]):
        return f"{len(a[1])} and {len(b[1])} rows"
    for i, (x, y) in enumerate(zip(a[1], b[1])):
        for name, v, w in zip(a[0], x, y):
            if v is None or w is None or isinstance(v, str):
                same = v == w
            else:
                same = abs(float(v) - float(w)) <= 1e-6 * max(1.0, abs(float(v)))
            if not same:
                return f"row {i + 1}, {name}: {v!r} and {w!r}"
    return None


def ask_all(kind, store):
    OPTIONS.engine = kind
    e, found = fleet.engine(store, OPTIONS), {}
    rows = e.ask("SELECT count(*) FROM spent")[1][0][0]
    for name in NAMES:
        start = time.monotonic()
        answer = e.ask(fleet.question_text(name))
        found[name] = answer, time.monotonic() - start
    if kind == "duckdb":
        e.close()
    return rows, found


def main(args):
    spark = "--spark" in args
    stores = [a for a in args if a != "--spark"]
    first, bad, numbers = {}, 0, 0
    for store in stores:
        rows, duck = ask_all("duckdb", store)
        beside = ask_all("spark", store)[1] if spark else {}
        for name in NAMES:
            line = [f"{rows / 1e6:8.2f} M rows", f"{name:<8}"]
            for kind, found in (("duckdb", duck), ("spark", beside)):
                if name not in found:
                    continue
                took = found[name][1]
                base = first.setdefault((kind, name), (took, rows))
                line.append(f"{kind} {took:7.2f} s {rows / took / 1e6:7.2f} M rows/s, "
                            f"{took / base[0]:5.2f} times the time for {rows / base[1]:5.2f} times the rows")
            print("  ".join(line), f" {len(duck[name][0][1])} rows of answer")
            if name in beside:
                what = differ(duck[name][0], beside[name][0])
                numbers += sum(len(r) for r in duck[name][0][1])
                if what:
                    print(f"DIFFERENT {store} {name}: {what}")
                    bad = 1
    if spark:
        print(f"{numbers} fields compared")
    return bad


sys.exit(main(sys.argv[1:]))

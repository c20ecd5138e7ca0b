#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fleet.py: asks questions of the rows that snapflame export --format rows made on many hosts.

  fleet.py import STORE FILE...           take rows and windows, .jsonl, .gz or .zst, into STORE
  fleet.py check STORE                    what is in it, and what is not fit to be compared
  fleet.py ask STORE QUESTION [options]   run sql/QUESTION.sql
  fleet.py questions                      list them

The store is Parquet. The SQL runs unchanged on DuckDB, which is the default, and on Spark SQL.
"""
import argparse
import glob
import json
import os
import re
import sys

import intake

HERE = os.path.dirname(os.path.abspath(__file__))

COHORT = """
SELECT 'a' AS cohort, pause, host FROM pause WHERE usable AND ({a})
UNION ALL
SELECT 'b' AS cohort, pause, host FROM pause WHERE usable AND ({b})
"""


def question_text(name):
    path = os.path.join(HERE, "sql", name + ".sql")
    if not re.fullmatch(r"[a-z_]+", name) or not os.path.exists(path):
        raise SystemExit(f"fleet: no question {name}; fleet.py questions lists them")
    with open(path, encoding="utf-8") as f:
        return f.read()


TABLES = ("pause", "what", "spent", "caused")


class DuckDB:
    """One engine: the tables of intake.py, the view cohort, and a way to ask."""

    def __init__(self, store, options):
        self.con = intake.connect(store, options.memory, options.threads)
        for name in TABLES:
            self.view(name, f"SELECT * FROM {intake.made(store, name)}")

    def view(self, name, sql):
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")

    def ask(self, sql):
        cursor = self.con.execute(sql)
        return [c[0] for c in cursor.description], cursor.fetchall()

    def close(self):
        self.con.close()


class Spark:
    def __init__(self, store, options):
        from pyspark.sql import SparkSession
        b = SparkSession.builder.appName("snapflame-fleet")
        # spark-submit says where the cluster is; alone it is this machine.
        if "SPARK_ENV_LOADED" not in os.environ and "MASTER" not in os.environ:
            b = b.master(f"local[{options.threads}]").config("spark.ui.enabled", "false")
            b = b.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        b = b.config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", options.memory)
        b = b.config("spark.sql.shuffle.partitions", str(options.threads * 2))
        b = b.config("spark.ui.showConsoleProgress", "false")
        b = b.config("spark.local.dir", os.path.abspath(os.path.join(store, "tmp")))
        self.spark = b.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        for name in TABLES:
            path = os.path.join(store, name + ".parquet")
            self.spark.read.parquet(path).createOrReplaceTempView(name)

    def view(self, name, sql):
        self.spark.sql(sql).createOrReplaceTempView(name)

    def ask(self, sql):
        frame = self.spark.sql(sql)
        return frame.columns, [tuple(r) for r in frame.collect()]

    def close(self):
        self.spark.stop()


def engine(store, options):
    if not all(os.path.exists(os.path.join(store, name + ".parquet")) for name in TABLES):
        raise SystemExit(f"fleet: nothing in {store}: fleet.py import {store} FILE...")
    e = (Spark if options.engine == "spark" else DuckDB)(store, options)
    e.view("cohort", COHORT.format(a=options.a, b=options.b))
    return e


def text_of(value, digits=None):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{digits}f}" if digits is not None else repr(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def write(columns, rows, form):
    if form == "json":
        for r in rows:
            print(json.dumps(dict(zip(columns, r)), ensure_ascii=False))
    elif form == "tsv":
        for r in [columns] + rows:
            print("\t".join(text_of(v) for v in r))
    else:
        table = [columns] + [[text_of(v, 3) for v in r] for r in rows]
        widths = [min(60, max(len(r[i]) for r in table)) for i in range(len(columns))]
        for r in table:
            print("  ".join(c[:w].ljust(w) for c, w in zip(r, widths)).rstrip())


def main():
    p = argparse.ArgumentParser(prog="fleet.py", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command", choices=["import", "check", "ask", "questions"])
    p.add_argument("store", nargs="?")
    p.add_argument("what", nargs="*", help="files to import, or a question")
    p.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb")
    p.add_argument("--format", choices=["table", "tsv", "json"], default="table")
    p.add_argument("--a", default="false", metavar="SQL",
                   help="pauses of cohort a, a condition on the table pause: \"kernel = '6.1.0'\"")
    p.add_argument("--b", default="false", metavar="SQL", help="pauses of cohort b")
    p.add_argument("--memory", default="1g", help="memory for the engine (1g)")
    p.add_argument("--threads", type=int, default=2, help="CPUs for the engine (2)")
    o = p.parse_intermixed_args()
    if o.command == "questions":
        for path in sorted(glob.glob(os.path.join(HERE, "sql", "*.sql"))):
            with open(path, encoding="utf-8") as f:
                print(f"{os.path.basename(path)[:-4]:<10} {f.readline()[3:].strip()}")
        return 0
    if not o.store or (o.command in ("import", "ask") and not o.what):
        p.error(f"{o.command}: what is missing? STORE, and " + (
            "FILEs" if o.command == "import" else "a QUESTION"))
    if o.command == "import":
        return intake.take(o.store, o.what, o.memory, o.threads)
    if o.command == "check":
        return intake.report(o.store, o.memory, o.threads)
    if len(o.what) != 1:
        p.error("ask: one QUESTION at a time")
    sql = question_text(o.what[0])
    if "cohort" in sql and "false" in (o.a, o.b):
        p.error(f"{o.what[0]} compares two cohorts: give --a and --b")
    e = engine(o.store, o)
    columns, rows = e.ask(sql)
    write(columns, [list(r) for r in rows], o.format)
    e.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)

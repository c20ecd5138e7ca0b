#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""resample.py FROM TO HOSTS BRANCHES: a fleet out of a store of measured pauses, by resampling.

Each pause is one of the measured ones, longer or shorter by up to 10 %. What is true of the fleet:

  - hosts with an odd number have kernel b; the cause that costs most takes 1.5 times as long there
  - every 40th host (7, 47, ...) turned slow at its 31st pause: its pauses are drawn from the slow ones
  - one pause in 200 is a disaster: 8 times as long
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "fleet"))
import intake  # noqa: E402

# u1, u2, u3: numbers of [0, 1) that look random and are the same on every machine.
PAUSES = """
CREATE TABLE want AS
SELECT h AS host_nr, b AS branch, h % 2 AS kernel_b, h % 40 = 7 AND b > 30 AS slow,
  md5_number_lower(h || '/' || b || '/1') / 18446744073709551616.0 AS u1,
  md5_number_lower(h || '/' || b || '/2') / 18446744073709551616.0 AS u2,
  md5_number_lower(h || '/' || b || '/3') / 18446744073709551616.0 AS u3
FROM range(1, {hosts} + 1) AS a(h), range(1, {branches} + 1) AS c(b);
CREATE TABLE measured AS
SELECT *, row_number() OVER (PARTITION BY side ORDER BY recording_id, branch) - 1 AS k,
  count(*) OVER (PARTITION BY side) AS n
FROM base_pause WHERE usable AND side IS NOT NULL;
CREATE TABLE drawn AS
SELECT w.*, m.recording_id AS m_recording, m.branch AS m_branch, m.source AS m_source,
  (0.9 + 0.2 * u2) * CASE WHEN u3 < 0.005 THEN 8 ELSE 1 END AS factor
FROM want w JOIN measured m
  ON m.side = CASE WHEN w.slow THEN 'slow' ELSE 'fast' END AND m.k = CAST(floor(w.u1 * m.n) AS BIGINT);
CREATE TABLE dear AS
SELECT owner, kind FROM base_part p JOIN measured m USING (recording_id, branch, source)
WHERE side = 'fast' GROUP BY owner, kind ORDER BY sum(ms) DESC, owner, kind LIMIT 1;
"""

PARTS = """
SELECT 1 AS source, 'snapflame.rows/1' AS schema, printf('host-%05d', d.host_nr) AS recording_id,
  CAST(d.branch AS INTEGER) AS branch, p.owner, p.owner_process, p.owner_thread, p.kind, p.state, p.stack,
  p.ms * d.factor * CASE WHEN d.kernel_b = 1 AND p.owner = dear.owner AND p.kind = dear.kind THEN 1.5 ELSE 1 END AS ms
FROM drawn d
JOIN base_part p ON p.recording_id = d.m_recording AND p.branch = d.m_branch AND p.source = d.m_source
CROSS JOIN dear
"""

# The rows of a pause and its causes have one sum: what is dearer in the rows is in the first cause of that
# owner and kind, else in what is not listed.
CAUSES = """
WITH dearer AS (
  SELECT recording_id, branch, coalesce(min(cause) FILTER (c.owner = dear.owner AND c.kind = dear.kind),
    max(cause)) AS cause
  FROM base_cause c CROSS JOIN dear GROUP BY recording_id, branch),
extra AS (
  SELECT recording_id, branch, source, sum(ms) / 2 AS ms
  FROM base_part JOIN dear USING (owner, kind) GROUP BY recording_id, branch, source)
SELECT 1 AS source, 'snapflame.causes/1' AS schema, printf('host-%05d', d.host_nr) AS recording_id,
  CAST(d.branch AS INTEGER) AS branch, c.cause, c.owner, c.kind, c.state, c.path,
  d.factor * (c.ms + CASE WHEN d.kernel_b = 1 AND c.cause = x.cause THEN coalesce(e.ms, 0) ELSE 0 END) AS ms,
  d.factor * c.frame_ms AS frame_ms, c.proven, c.grows
FROM drawn d
JOIN base_cause c ON c.recording_id = d.m_recording AND c.branch = d.m_branch
JOIN dearer x ON x.recording_id = c.recording_id AND x.branch = c.branch
LEFT JOIN extra e ON e.recording_id = d.m_recording AND e.branch = d.m_branch AND e.source = d.m_source
"""

WINDOWS = """
SELECT 1 AS source, 'snapflame.windows/1' AS schema, printf('host-%05d', d.host_nr) AS recording_id,
  printf('host-%05d', d.host_nr) AS host, 'vm-1' AS vm, 'run.data' AS recording, 1 AS trial,
  CAST(d.branch AS INTEGER) AS branch, CASE WHEN d.branch <= 30 THEN 'fast' ELSE 'slow' END AS "group", NULL::BIGINT AS start_ns,
  1790000000000000000 + d.branch * 3600000000000 + d.host_nr AS start_realtime_ns,
  s.ms AS pause_ms, NULL::DOUBLE AS api_ms, s.ms AS dark_ms, NULL::DOUBLE AS said_pause_ms,
  NULL::DOUBLE AS diff_ms, NULL::BIGINT AS diff_physical_bytes, 0 AS status, NULL::VARCHAR AS error,
  CASE WHEN d.branch IN (15, 40) THEN 1.0 ELSE 0.0 END AS median_weight, '{{"Dirty_kB":{{"begin":1000,"end":1000}}}}' AS covariates,
  CASE WHEN d.kernel_b = 1 THEN '6.9-b' ELSE '6.1-a' END AS kernel, 'firecracker' AS vmm,
  CASE WHEN d.host_nr % 3 = 0 THEN '1.13.0' ELSE '1.12.0' END AS vmm_version, NULL::VARCHAR AS vmm_build_id,
  CASE WHEN d.host_nr % 5 = 0 THEN 'xfs' ELSE 'ext4' END AS file_system, 'vda' AS disk,
  NULL::VARCHAR AS disk_model, '{{"rack":"1"}}' AS labels
FROM drawn d JOIN (SELECT recording_id, branch, sum(ms) AS ms FROM read_parquet('{part}')
                   GROUP BY recording_id, branch) s
  ON s.recording_id = printf('host-%05d', d.host_nr) AND s.branch = d.branch
"""


def main(base, store, hosts, branches):
    for d in ("part", "window", "cause", "tmp"):
        os.makedirs(os.path.join(store, d), exist_ok=True)
    con = intake.connect(store, "1g", 2)
    con.execute(f"CREATE VIEW base_part AS SELECT * FROM {intake.table(base, 'part')}")
    con.execute(f"CREATE VIEW base_pause AS SELECT * FROM {intake.made(base, 'pause')}")
    con.execute(f"CREATE VIEW base_cause AS SELECT p.recording_id, p.branch, c.* "
                f"FROM {intake.made(base, 'caused')} c JOIN base_pause p USING (pause)")
    con.execute(PAUSES.format(hosts=hosts, branches=branches))
    part = os.path.join(store, "part", "00000001.parquet")
    for name, sql in (("part", PARTS), ("window", WINDOWS.format(part=part)), ("cause", CAUSES)):
        path = os.path.join(store, name, "00000001.parquet")
        con.execute(f"COPY ({sql}) TO {intake.quoted(path)} (FORMAT parquet, COMPRESSION zstd)")
    intake.make_tables(con, store)
    intake.summary(con, store)
    rows, = con.execute(f"SELECT count(*) FROM read_parquet({intake.quoted(part)})").fetchone()
    print(rows, *con.execute("SELECT owner, kind FROM dear").fetchone(), sep="\t")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

-- What is different in the worst 1 % of all pauses?
--
-- The causes of the longest hundredth of the pauses, in ms per pause, beside what the same cause takes
-- in all others; hosts_worst tells a bad host from a bad day of all. dirty_mb is what was dirty when
-- the worst began, on average; of pauses that say it.
WITH
ordered AS (
  SELECT pause, host, pause_ms, dirty_kb,
    row_number() OVER (ORDER BY pause_ms DESC, recording_id, branch) AS k, count(*) OVER () AS n
  FROM pause WHERE usable
),
grouped AS (
  SELECT *, CASE WHEN k <= ceil(n / 100.0) THEN 1 ELSE 0 END AS worst FROM ordered
),
size AS (
  SELECT
    CAST(sum(worst) AS DOUBLE) AS n_worst, CAST(sum(1 - worst) AS DOUBLE) AS n_other,
    sum(CASE WHEN worst = 1 THEN pause_ms END) AS worst_ms,
    min(CASE WHEN worst = 1 THEN pause_ms END) AS limit_ms,
    avg(CASE WHEN worst = 1 THEN dirty_kb END) / 1024 AS dirty_mb,
    avg(CASE WHEN worst = 0 THEN dirty_kb END) / 1024 AS dirty_mb_other
  FROM grouped
),
-- All rows are seen here, and as numbers only.
cost AS (
  SELECT s.what,
    sum(CASE WHEN g.worst = 1 THEN s.ms ELSE 0 END) AS worst_ms,
    sum(CASE WHEN g.worst = 0 THEN s.ms ELSE 0 END) AS other_ms
  FROM spent s JOIN grouped g ON s.pause = g.pause
  GROUP BY s.what
),
had AS (
  SELECT t.owner, t.kind, t.place, count(DISTINCT g.host) AS hosts_worst
  FROM spent s JOIN grouped g ON s.pause = g.pause JOIN what t ON s.what = t.what
  WHERE g.worst = 1
  GROUP BY t.owner, t.kind, t.place
),
cause AS (
  SELECT t.owner, t.kind, t.place, sum(c.worst_ms) AS worst_ms, sum(c.other_ms) AS other_ms,
    max(h.hosts_worst) AS hosts_worst
  FROM cost c JOIN what t ON c.what = t.what
  JOIN had h ON t.owner = h.owner AND t.kind = h.kind AND t.place = h.place
  GROUP BY t.owner, t.kind, t.place
)
SELECT
  c.owner, c.kind, c.place, c.worst_ms / s.n_worst AS ms_worst,
  c.other_ms / greatest(1.0, s.n_other) AS ms_other,
  100 * c.worst_ms / s.worst_ms AS percent_of_worst, c.hosts_worst,
  s.n_worst AS pauses_worst, s.limit_ms AS pauses_from_ms, s.dirty_mb, s.dirty_mb_other
FROM cause c CROSS JOIN size s
WHERE c.worst_ms > 0
ORDER BY c.worst_ms DESC, c.owner, c.kind, c.place
LIMIT 40

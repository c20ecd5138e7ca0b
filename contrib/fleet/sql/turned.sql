-- Which hosts turned slow, and since when?
--
-- Pettitt's test for one change in the order of each host's pauses: it looks at ranks only, so that a
-- few bad pauses make no change. q is its p (an approximation that errs to the safe side below 0.5)
-- after the false discovery rate of Benjamini and Hochberg over all hosts that were tested. A host
-- needs 8 pauses whose time is known.
WITH
one AS (
  SELECT host, began, pause_ms,
    row_number() OVER (PARTITION BY host ORDER BY start_realtime_ns, recording_id, branch) AS k,
    count(*) OVER (PARTITION BY host) AS n,
    rank() OVER (PARTITION BY host ORDER BY pause_ms)
      + (count(*) OVER (PARTITION BY host, pause_ms) - 1) / 2.0 AS r
  FROM pause WHERE usable AND clock = 'good'
),
-- u: how much larger the ranks after the k-th are than they would be without a change
walk AS (
  SELECT host, began, pause_ms, k, n,
    CAST(k * (n + 1) AS DOUBLE)
      - 2 * CAST(sum(r) OVER (PARTITION BY host ORDER BY k ROWS UNBOUNDED PRECEDING) AS DOUBLE) AS u
  FROM one WHERE n >= 8
),
largest AS (
  SELECT host, k, n, u, row_number() OVER (PARTITION BY host ORDER BY abs(u) DESC, k) AS j
  FROM walk WHERE k < n
),
test AS (
  SELECT host, k AS last_fast, n, u,
    least(1.0, 2 * exp(-6 * u * u / (CAST(n AS DOUBLE) * n * n + CAST(n AS DOUBLE) * n))) AS p
  FROM largest WHERE j = 1
),
adjusted AS (
  SELECT host, last_fast, n, u, p,
    min(p * m / i) OVER (ORDER BY i DESC ROWS UNBOUNDED PRECEDING) AS q
  FROM (SELECT *, row_number() OVER (ORDER BY p, host) AS i, count(*) OVER () AS m FROM test) t
),
half AS (
  SELECT w.host, a.n, a.p, a.q,
    max(CASE WHEN w.k = a.last_fast + 1 THEN w.began END) AS since,
    avg(CASE WHEN w.k <= a.last_fast THEN w.pause_ms END) AS before_ms,
    avg(CASE WHEN w.k > a.last_fast THEN w.pause_ms END) AS after_ms,
    count(CASE WHEN w.k > a.last_fast THEN 1 END) AS pauses_after
  FROM walk w JOIN adjusted a ON w.host = a.host
  WHERE a.u > 0
  GROUP BY w.host, a.n, a.p, a.q
)
SELECT host, since, n AS pauses, pauses_after, before_ms, after_ms, after_ms - before_ms AS growth_ms, p, q
FROM half
WHERE q <= 0.05 AND after_ms > before_ms
ORDER BY growth_ms DESC, host

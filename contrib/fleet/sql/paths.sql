-- Which paths differ between two groups of hosts (--a, --b), with intervals over hosts?
--
-- Pauses of one host are no independent evidence, so the unit is the host: its mean ms per pause on
-- each path, 0 where it has none. The 95 % interval of the difference of the groups' means is Welch's,
-- with the quantile of t from Wallace's approximation (a little too wide below 5 degrees of freedom).
-- q bounds the false discovery rate over all paths: it uses exp(-z*z/2) >= P(|Z| > z). At least 3 hosts
-- in each group.
WITH
size AS (
  SELECT cohort, host, count(*) AS pauses FROM cohort GROUP BY cohort, host
),
hosts AS (
  SELECT
    CAST(sum(CASE WHEN cohort = 'a' THEN 1 ELSE 0 END) AS DOUBLE) AS na,
    CAST(sum(CASE WHEN cohort = 'b' THEN 1 ELSE 0 END) AS DOUBLE) AS nb
  FROM size
),
-- Paths that differ in their state alone are one.
path AS (
  SELECT what, owner, kind, stack, dense_rank() OVER (ORDER BY owner, kind, stack) AS path FROM what
),
member AS (
  SELECT c.cohort, c.pause, s.pauses, dense_rank() OVER (ORDER BY c.cohort, c.host) AS member
  FROM cohort c JOIN size s ON c.cohort = s.cohort AND c.host = s.host
),
-- All rows are seen here, and as numbers only.
per_host AS (
  SELECT m.member, t.path, min(m.cohort) AS cohort, sum(s.ms) / max(m.pauses) AS ms
  FROM spent s JOIN member m ON s.pause = m.pause JOIN path t ON s.what = t.what
  GROUP BY m.member, t.path
),
per_path AS (
  SELECT path,
    sum(CASE WHEN cohort = 'a' THEN ms ELSE 0 END) AS a1,
    sum(CASE WHEN cohort = 'a' THEN ms * ms ELSE 0 END) AS a2,
    sum(CASE WHEN cohort = 'b' THEN ms ELSE 0 END) AS b1,
    sum(CASE WHEN cohort = 'b' THEN ms * ms ELSE 0 END) AS b2,
    count(CASE WHEN cohort = 'a' THEN 1 END) AS hosts_a,
    count(CASE WHEN cohort = 'b' THEN 1 END) AS hosts_b
  FROM per_host
  GROUP BY path
),
sums AS (
  SELECT n.owner, n.kind, n.stack, s.a1, s.a2, s.b1, s.b2, s.hosts_a, s.hosts_b
  FROM per_path s JOIN (SELECT DISTINCT path, owner, kind, stack FROM path) n ON s.path = n.path
),
moments AS (
  SELECT s.owner, s.kind, s.stack, s.hosts_a, s.hosts_b, h.na, h.nb,
    s.a1 / h.na AS a_ms, s.b1 / h.nb AS b_ms,
    greatest(0.0, s.a2 - s.a1 * s.a1 / h.na) / (h.na - 1) / h.na AS va,
    greatest(0.0, s.b2 - s.b1 * s.b1 / h.nb) / (h.nb - 1) / h.nb AS vb
  FROM sums s CROSS JOIN hosts h
  WHERE h.na >= 3 AND h.nb >= 3
),
welch AS (
  SELECT *, b_ms - a_ms AS delta_ms, sqrt(va + vb) AS se,
    (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1)) AS df
  FROM moments WHERE va + vb > 0
),
scaled AS (
  SELECT *, (8 * df + 1) / (8 * df + 3) AS c FROM welch
),
tested AS (
  SELECT owner, kind, stack, hosts_a, hosts_b, a_ms, b_ms, delta_ms,
    se * sqrt(df * (exp(1.959964 / c * (1.959964 / c) / df) - 1)) AS half,
    least(1.0, exp(-c * c * df * ln(1 + delta_ms * delta_ms / (se * se) / df) / 2)) AS p
  FROM scaled
),
adjusted AS (
  SELECT *, min(p * m / i) OVER (ORDER BY i DESC ROWS UNBOUNDED PRECEDING) AS q
  FROM (SELECT *, row_number() OVER (ORDER BY p, abs(delta_ms) DESC, owner, kind, stack) AS i,
          count(*) OVER () AS m FROM tested) t
)
SELECT owner, kind, stack, hosts_a, hosts_b, a_ms, b_ms, delta_ms,
  delta_ms - half AS low_ms, delta_ms + half AS high_ms, q
FROM adjusted
WHERE q <= 0.05
ORDER BY abs(delta_ms) DESC, owner, kind, stack
LIMIT 100

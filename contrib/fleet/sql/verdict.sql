-- What made the slow BRANCHes of each recording slower than its fast ones?
--
-- For each owner and kind: how much of the growth of the median pause is theirs (delta_ms, as in the
-- parts of the causes of snapflame diff --json, summed where it tells calls apart), the deepest call under which at least 80 % of that
-- still lies, and how much that is (frame_ms). Causes below 0.5 % of the growth are left out.
WITH
change AS (
  SELECT p.recording_id, p.owner, p.kind, p.stack,
    sum(CASE WHEN w.side = 'slow' THEN p.ms * w.median_weight ELSE 0 END) AS slow_ms,
    sum(CASE WHEN w.side = 'fast' THEN p.ms * w.median_weight ELSE 0 END) AS fast_ms
  FROM part p JOIN pause w
    ON p.recording_id = w.recording_id AND p.branch = w.branch AND p.source = w.source
  WHERE w.usable AND w.median_weight > 0
  GROUP BY p.recording_id, p.owner, p.kind, p.stack
),
top AS (
  SELECT recording_id, owner, kind, sum(fast_ms) AS fast_ms, sum(slow_ms) AS slow_ms,
    sum(slow_ms - fast_ms) AS delta_ms
  FROM change GROUP BY recording_id, owner, kind
),
whole AS (
  SELECT recording_id, sum(delta_ms) AS growth_ms FROM top GROUP BY recording_id
),
digit AS (
  SELECT d FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS digits (d)
),
level AS (
  SELECT 1 + a.d + 10 * b.d AS depth FROM digit a CROSS JOIN digit b
),
-- every stack by all its beginnings
begun AS (
  SELECT c.recording_id, c.owner, c.kind, c.stack, l.depth,
    substring_index(c.stack, ';', CAST(l.depth AS INTEGER)) AS path, c.slow_ms - c.fast_ms AS delta_ms
  FROM change c JOIN level l
    ON l.depth <= length(c.stack) - length(replace(c.stack, ';', '')) + 1 AND c.stack <> ''
),
path AS (
  SELECT recording_id, owner, kind, depth, path, sum(delta_ms) AS frame_ms
  FROM begun GROUP BY recording_id, owner, kind, depth, path
),
-- A path counts as long as it and all above it hold 80 % of the owner's change.
held AS (
  SELECT b.recording_id, b.owner, b.kind, b.depth, b.path, p.frame_ms,
    min(CASE WHEN p.frame_ms * t.delta_ms > 0 AND abs(p.frame_ms) >= 0.8 * abs(t.delta_ms) THEN 1 ELSE 0 END)
      OVER (PARTITION BY b.recording_id, b.owner, b.kind, b.stack ORDER BY b.depth
            ROWS UNBOUNDED PRECEDING) AS yes
  FROM begun b
  JOIN path p ON b.recording_id = p.recording_id AND b.owner = p.owner AND b.kind = p.kind
    AND b.depth = p.depth AND b.path = p.path
  JOIN top t ON b.recording_id = t.recording_id AND b.owner = t.owner AND b.kind = t.kind
),
deepest AS (
  SELECT recording_id, owner, kind, depth, path, frame_ms,
    row_number() OVER (PARTITION BY recording_id, owner, kind
                       ORDER BY depth DESC, abs(frame_ms) DESC, path) AS k
  FROM held WHERE yes = 1
)
SELECT t.recording_id, t.owner, t.kind, t.fast_ms, t.slow_ms, t.delta_ms,
  100 * t.delta_ms / w.growth_ms AS percent_of_growth,
  coalesce(d.frame_ms, t.delta_ms) AS frame_ms, coalesce(d.path, '') AS path, w.growth_ms
FROM top t
JOIN whole w ON t.recording_id = w.recording_id
LEFT JOIN deepest d
  ON t.recording_id = d.recording_id AND t.owner = d.owner AND t.kind = d.kind AND d.k = 1
WHERE abs(t.delta_ms) >= 0.005 * abs(w.growth_ms) AND t.delta_ms <> 0
ORDER BY t.recording_id, t.delta_ms DESC, t.owner, t.kind

-- What made the slow BRANCHes of each recording slower than its fast ones?
--
-- The ranked list of snapflame diff, of all recordings: how much of the growth of the median pause is
-- each cause's (delta_ms), and how much of that lies under its path (frame_ms). proven is false where
-- diff gives no verdict, grows where it says that nothing grew. The last cause of a recording, without
-- an owner, is all that is not listed.
WITH
median AS (
  SELECT pause, recording_id, median_weight,
    CASE WHEN side = 'slow' THEN median_weight ELSE 0 END AS slow,
    CASE WHEN side = 'fast' THEN median_weight ELSE 0 END AS fast
  FROM pause WHERE usable AND median_weight > 0
),
change AS (
  SELECT m.recording_id, c.cause, c.owner, c.kind, c.state, c.path, c.proven, c.grows,
    sum(c.ms * m.fast) AS fast_ms, sum(c.ms * m.slow) AS slow_ms,
    sum(c.ms * (m.slow - m.fast)) AS delta_ms, sum(c.frame_ms * (m.slow - m.fast)) AS frame_ms
  FROM caused c JOIN median m ON c.pause = m.pause
  GROUP BY m.recording_id, c.cause, c.owner, c.kind, c.state, c.path, c.proven, c.grows
),
-- Both sides whole, or half of a comparison would pass for one.
whole AS (
  SELECT recording_id, sum(delta_ms) AS growth_ms FROM change
  WHERE recording_id IN (SELECT recording_id FROM median GROUP BY recording_id
                         HAVING abs(sum(slow) - 1) < 1e-9 AND abs(sum(fast) - 1) < 1e-9)
  GROUP BY recording_id
)
SELECT c.recording_id, c.cause, c.owner, c.kind, c.state, c.fast_ms, c.slow_ms, c.delta_ms,
  CASE WHEN w.growth_ms <> 0 THEN 100 * c.delta_ms / w.growth_ms END AS percent_of_growth,
  c.frame_ms, c.path, w.growth_ms, c.proven, c.grows
FROM change c JOIN whole w ON c.recording_id = w.recording_id
ORDER BY c.recording_id, c.cause

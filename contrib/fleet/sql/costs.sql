-- Which cause costs the most guest-dark time, by kernel, file system, disk and VMM version?
--
-- A cause is the owner of the time, why, and the innermost function: 40 of them, the dearest first.
-- worst_stack is the stack that cost most of it.
WITH
named AS (
  SELECT
    coalesce(kernel, '?') AS kernel, coalesce(file_system, '?') AS file_system,
    coalesce(disk_model, disk, '?') AS disk, coalesce(vmm, '?') AS vmm,
    coalesce(vmm_version, vmm_build_id, '?') AS vmm_version, pause, host, pause_ms
  FROM pause WHERE usable
),
numbered AS (
  SELECT *, dense_rank() OVER (ORDER BY kernel, file_system, disk, vmm, vmm_version) AS machine FROM named
),
machine AS (
  SELECT machine, kernel, file_system, disk, vmm, vmm_version,
    count(*) AS pauses, count(DISTINCT host) AS hosts, sum(pause_ms) AS dark_ms
  FROM numbered
  GROUP BY machine, kernel, file_system, disk, vmm, vmm_version
),
-- All rows are seen here, and as numbers only.
cost AS (
  SELECT n.machine, s.what, sum(s.ms) AS ms
  FROM spent s JOIN numbered n ON s.pause = n.pause
  GROUP BY n.machine, s.what
),
-- What differs in its state alone is one stack.
stacked AS (
  SELECT m.machine, m.kernel, m.file_system, m.disk, m.vmm, m.vmm_version, t.owner, t.kind, t.place, t.stack,
    sum(c.ms) AS ms
  FROM cost c JOIN what t ON c.what = t.what JOIN machine m ON c.machine = m.machine
  GROUP BY m.machine, m.kernel, m.file_system, m.disk, m.vmm, m.vmm_version, t.owner, t.kind, t.place, t.stack
),
ranked AS (
  SELECT *,
    row_number() OVER (PARTITION BY machine, owner, kind, place ORDER BY ms DESC, stack) AS k
  FROM stacked
),
cause AS (
  SELECT machine, kernel, file_system, disk, vmm, vmm_version, owner, kind, place,
    sum(ms) AS cost_ms, max(CASE WHEN k = 1 THEN stack END) AS worst_stack
  FROM ranked
  GROUP BY machine, kernel, file_system, disk, vmm, vmm_version, owner, kind, place
)
SELECT
  c.kernel, c.file_system, c.disk, c.vmm, c.vmm_version, m.hosts, m.pauses,
  c.owner, c.kind, c.place, c.cost_ms,
  c.cost_ms / m.pauses AS ms_per_pause, 100 * c.cost_ms / m.dark_ms AS percent_of_dark,
  c.worst_stack
FROM cause c JOIN machine m ON c.machine = m.machine
ORDER BY c.cost_ms DESC, c.kernel, c.file_system, c.disk, c.vmm, c.vmm_version, c.owner, c.kind, c.place
LIMIT 40

-- Which cause costs the most guest-dark time, by kernel, file system, disk and VMM version?
--
-- A cause is the owner of the time, why, and the innermost function: 40 of them, the dearest first.
-- worst_stack is the stack that cost most of it.
WITH
cost AS (
  SELECT
    coalesce(w.kernel, '?') AS kernel, coalesce(w.file_system, '?') AS file_system,
    coalesce(w.disk_model, w.disk, '?') AS disk, coalesce(w.vmm, '?') AS vmm,
    coalesce(w.vmm_version, w.vmm_build_id, '?') AS vmm_version,
    p.owner, p.kind, p.stack, sum(p.ms) AS ms
  FROM part p JOIN pause w
    ON p.recording_id = w.recording_id AND p.branch = w.branch AND p.source = w.source
  WHERE w.usable
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
machine AS (
  SELECT
    coalesce(kernel, '?') AS kernel, coalesce(file_system, '?') AS file_system,
    coalesce(disk_model, disk, '?') AS disk, coalesce(vmm, '?') AS vmm,
    coalesce(vmm_version, vmm_build_id, '?') AS vmm_version,
    count(*) AS pauses, count(DISTINCT host) AS hosts, sum(pause_ms) AS dark_ms
  FROM pause WHERE usable
  GROUP BY 1, 2, 3, 4, 5
),
ranked AS (
  SELECT *, split_part(stack, ';', -1) AS place,
    row_number() OVER (
      PARTITION BY kernel, file_system, disk, vmm, vmm_version, owner, kind, split_part(stack, ';', -1)
      ORDER BY ms DESC, stack) AS k
  FROM cost
),
cause AS (
  SELECT kernel, file_system, disk, vmm, vmm_version, owner, kind, place,
    sum(ms) AS cost_ms, max(CASE WHEN k = 1 THEN stack END) AS worst_stack
  FROM ranked
  GROUP BY kernel, file_system, disk, vmm, vmm_version, owner, kind, place
)
SELECT
  c.kernel, c.file_system, c.disk, c.vmm, c.vmm_version, m.hosts, m.pauses,
  c.owner, c.kind, c.place, c.cost_ms,
  c.cost_ms / m.pauses AS ms_per_pause, 100 * c.cost_ms / m.dark_ms AS percent_of_dark,
  c.worst_stack
FROM cause c JOIN machine m
  ON c.kernel = m.kernel AND c.file_system = m.file_system AND c.disk = m.disk AND c.vmm = m.vmm
  AND c.vmm_version = m.vmm_version
ORDER BY c.cost_ms DESC, c.kernel, c.file_system, c.disk, c.vmm, c.vmm_version, c.owner, c.kind, c.place
LIMIT 40

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the page and the text of a report both say. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "render/markup.h"
#include "render/report.h"

typedef void (*put_fn)(void *arg, const char *name, const char *value);

const char *report_title(const struct report *r)
{
	if (r->diff && r->diff->has_verdict && r->diff->kind != SF_KIND_NONE)
		return "Why the pauses grew";
	if (r->diff)
		return "Snapshot pauses, fast and slow";
	return r->in->flame ? "Stacks" : "Snapshot pauses";
}

static void put_pct(put_fn put, void *arg, const char *name, double v, int decimals)
{
	char buf[64];

	if (v < 0)
		snprintf(buf, sizeof(buf), "not known");
	else
		snprintf(buf, sizeof(buf), "%.*f %%", decimals, v);
	put(arg, name, buf);
}

void report_proof(const struct sf_diff *d, put_fn put, void *arg)
{
	const struct sf_coverage *c = &d->coverage;
	char buf[96];

	snprintf(buf, sizeof(buf), "%zu fast + %zu slow", d->nr[SF_FAST], d->nr[SF_SLOW]);
	put(arg, "windows", buf);
	snprintf(buf, sizeof(buf), "%zu, and %zu others", c->threads, c->others);
	put(arg, "threads", buf);
	put_pct(put, arg, "critical path attributed", c->critical_path_pct, 1);
	put_pct(put, arg, "of it with a stack", c->stack_pct, 1);
	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)c->lost);
	put(arg, "lost events", buf);
	put_pct(put, arg, "CPU time off the kernel's by", c->schedstat_error_pct, 1);
	put_pct(put, arg, "sampler saw of what it should", c->sampler_pct, 0);
	put_pct(put, arg, "waker not seen for", c->missing_wakers_pct, 1);
	snprintf(buf, sizeof(buf), "%.1f ms", c->overhead_ms);
	put(arg, "recorder's own time", buf);
	snprintf(buf, sizeof(buf), "%.1f ms", c->stolen_ms);
	put(arg, "of the target's CPU time, taken by a hypervisor", buf);
}

static void put_string(const struct sf_recording *rec, const char *name, uint32_t id, put_fn put,
		       void *arg)
{
	if (id && *sf_text(rec, id))
		put(arg, name, sf_text(rec, id));
}

static void put_hz(const char *name, double hz, put_fn put, void *arg)
{
	char buf[64];

	if (hz <= 0)
		return;
	snprintf(buf, sizeof(buf), "%.0f Hz", hz);
	put(arg, name, buf);
}

static void put_time(uint64_t ns, put_fn put, void *arg)
{
	time_t t = (time_t)(ns / 1000000000);
	char buf[64];
	struct tm tm;

	if (ns && gmtime_r(&t, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S UTC", &tm))
		put(arg, "recorded", buf);
}

void report_recording(const struct sf_recording *rec, put_fn put, void *arg)
{
	const struct sf_meta *m = &rec->meta;
	char buf[64];

	put_time(m->realtime_ns, put, arg);
	put_string(rec, "host", m->host, put, arg);
	put_string(rec, "kernel", m->kernel, put, arg);
	put_string(rec, "architecture", m->arch, put, arg);
	if (m->cpus) {
		snprintf(buf, sizeof(buf), "%u", m->cpus);
		put(arg, "CPUs", buf);
	}
	put_string(rec, "VMM", m->exe ? m->exe : m->comm, put, arg);
	if (m->pid) {
		snprintf(buf, sizeof(buf), "%u", m->pid);
		put(arg, "its PID", buf);
	}
	put_string(rec, "command", m->cmdline, put, arg);
	put_string(rec, "recorder", m->tool, put, arg);
	put_string(rec, "scope", m->scope, put, arg);
	put_string(rec, "user stacks", m->call_graph, put, arg);
	put_string(rec, "wakings", m->wakings, put, arg);
	put_hz("CPU samples", m->hz, put, arg);
	put_hz("looks at /proc", m->poll_hz, put, arg);
	if (m->recorder_cpu_ns) {
		snprintf(buf, sizeof(buf), "%.1f ms", (double)m->recorder_cpu_ns / 1e6);
		put(arg, "recorder's CPU time", buf);
	}
	if (m->end_reason && strcmp(m->end_reason, "done"))
		put(arg, "ended", m->end_reason);
}

/* As a shell would read it back; what is printed anywhere is escaped by who prints it. */
void report_command(struct sf_str *out, const struct sf_report_input *in)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./=,:+@%";

	for (size_t i = 0; i < in->nr_words; i++) {
		const char *w = in->command[i];

		sf_str_add(out, i ? " " : "");
		if (*w && !w[strspn(w, plain)]) {
			sf_str_add(out, w);
			continue;
		}
		sf_str_addch(out, '\'');
		for (; *w; w++)
			if (*w == '\'')
				sf_str_add(out, "'\\''");
			else
				sf_str_addch(out, *w);
		sf_str_addch(out, '\'');
	}
}

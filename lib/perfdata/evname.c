/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of events that the recording does not name, as perf composes them from the attr. */
#include <inttypes.h>

#include <snapflame/str.h>

#include "perfdata/evlist.h"

static const char *const hardware[] = {
	"cycles",
	"instructions",
	"cache-references",
	"cache-misses",
	"branches",
	"branch-misses",
	"bus-cycles",
	"stalled-cycles-frontend",
	"stalled-cycles-backend",
	"ref-cycles",
};

static const char *const software[] = {
	"cpu-clock",	    "task-clock",   "page-faults",  "context-switches",
	"cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
	"emulation-faults", "dummy",	    "bpf-output",   "cgroup-switches",
};

static const char *const cache[] = { "L1-dcache", "L1-icache", "LLC", "dTLB",
				     "iTLB",	  "branch",    "node" };
static const char *const cache_op[] = { "load", "store", "prefetch" };
static const char *const cache_ops[] = { "loads", "stores", "prefetches" };

static void add_cache_name(struct sf_str *s, uint64_t config)
{
	unsigned type = config & 0xff, op = config >> 8 & 0xff, result = config >> 16 & 0xff;

	if (type >= SF_ARRAY_SIZE(cache))
		sf_str_add(s, "unknown-ext-hardware-cache-type");
	else if (op >= SF_ARRAY_SIZE(cache_op))
		sf_str_add(s, "unknown-ext-hardware-cache-op");
	else if (result > 1)
		sf_str_add(s, "unknown-ext-hardware-cache-result");
	else if (result)
		sf_str_addf(s, "%s-%s-misses", cache[type], cache_op[op]);
	else
		sf_str_addf(s, "%s-%s", cache[type], cache_ops[op]);
}

static void add_breakpoint(struct sf_str *s, const struct perf_event_attr *attr)
{
	sf_str_addf(s, "mem:0x%" PRIx64 ":", (uint64_t)attr->bp_addr);
	for (unsigned i = 0; i < 3; i++) /* HW_BREAKPOINT_R 1, _W 2, _X 4 */
		if (attr->bp_type & 1u << i)
			sf_str_addch(s, "rwx"[i]);
}

/*
 * ":u", ":ppp", ":HG" …: k, u, h where one of the three is excluded; p for each step of
 * precision; H and G where they differ from what perf asks for by itself, which depends on the
 * former.
 */
static void add_modifiers(struct sf_str *s, const struct perf_event_attr *attr)
{
	bool plain = true;
	size_t start = s->len;

	sf_str_addch(s, ':');
	if (attr->exclude_kernel || attr->exclude_user || attr->exclude_hv) {
		sf_str_add(s, attr->exclude_kernel ? "" : "k");
		sf_str_add(s, attr->exclude_user ? "" : "u");
		sf_str_add(s, attr->exclude_hv ? "" : "h");
		plain = false;
	}
	if (attr->precise_ip) {
		sf_str_addn(s, "ppp", attr->precise_ip);
		plain = false;
	}
	if (attr->exclude_host || attr->exclude_guest == !plain) {
		sf_str_add(s, attr->exclude_host ? "" : "H");
		sf_str_add(s, attr->exclude_guest ? "" : "G");
	}
	if (s->len == start + 1 && !sf_str_failed(s))
		s->buf[--s->len] = '\0';
}

char *sf_evname_compose(const struct perf_event_attr *attr)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t config = (uint32_t)attr->config; /* bits 63:32 name the PMU of a hybrid CPU */

	switch (attr->type) {
	case PERF_TYPE_HARDWARE:
		sf_str_add(&s, config < SF_ARRAY_SIZE(hardware) ? hardware[config]
								: "unknown-hardware");
		break;
	case PERF_TYPE_SOFTWARE:
		sf_str_add(&s, attr->config < SF_ARRAY_SIZE(software) ? software[config]
								      : "unknown-software");
		break;
	case PERF_TYPE_HW_CACHE:
		add_cache_name(&s, config);
		break;
	case PERF_TYPE_RAW:
		sf_str_addf(&s, "raw 0x%" PRIx64, (uint64_t)attr->config);
		break;
	case PERF_TYPE_BREAKPOINT:
		add_breakpoint(&s, attr);
		break;
	case PERF_TYPE_TRACEPOINT:
		sf_str_add(&s, "unknown tracepoint");
		return sf_str_detach(&s);
	default:
		sf_str_addf(&s, "unknown attr type: %u", attr->type);
		return sf_str_detach(&s);
	}
	add_modifiers(&s, attr);
	return sf_str_detach(&s);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMM's own time stamps of a BRANCH, as JSON, to check a recording's windows with. */
#include "util.h"
#include "vmm.h"

static json_t *vcpus_json(struct vmm *vmm, uint64_t *first_left, uint64_t *last_entered)
{
	json_t *list = json_array();

	*first_left = UINT64_MAX;
	*last_entered = 0;
	for (unsigned i = 0; i < vmm->nvcpus; i++) {
		struct vcpu *v = &vmm->vcpus[i];
		uint64_t entered = __atomic_load_n(&v->entered_ns, __ATOMIC_ACQUIRE);

		if (v->left_ns < *first_left)
			*first_left = v->left_ns;
		if (entered > *last_entered)
			*last_entered = entered;
		json_array_append_new(list, json_pack("{s:s, s:i, s:I, s:I}", "comm", v->name, "tid",
						      (int)v->tid, "left_ns",
						      (json_int_t)v->left_ns, "entered_ns",
						      (json_int_t)entered));
	}
	return list;
}

static json_t *phases_json(const struct branch *b)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < b->nphases; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", b->phases[i].name,
						      "start_ns", (json_int_t)b->phases[i].start_ns,
						      "end_ns", (json_int_t)b->phases[i].end_ns));
	return list;
}

json_t *branch_json(struct vmm *vmm)
{
	struct branch *b = &vmm->branch;
	uint64_t left, entered;
	json_t *vcpus;

	if (!b->k || vmm->paused || !vcpus_running(vmm))
		return NULL;
	vcpus = vcpus_json(vmm, &left, &entered);
	return json_pack("{s:i, s:s, s:f, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
			 "branch", (int)b->k, "cause", vmm->cause->name, "work",
			 vmm_work(vmm, b->k), "dark_start_ns", (json_int_t)left, "dark_end_ns",
			 (json_int_t)entered, "dark_ms", (double)(entered - left) / 1e6,
			 "pause_ns", (json_int_t)b->pause_ns, "paused_ns", (json_int_t)b->paused_ns,
			 "resume_ns", (json_int_t)b->resume_ns, "resumed_ns",
			 (json_int_t)b->resumed_ns, "dirty_pages", (json_int_t)b->pages,
			 "dirty_runs", (json_int_t)b->runs, "phases", phases_json(b), "vcpus",
			 vcpus);
}

void branch_log(struct vmm *vmm)
{
	json_t *line = vmm->branch.logged ? NULL : branch_json(vmm);

	if (!line)
		return;
	vmm->branch.logged = 1;
	if (vmm->log) {
		json_dumpf(line, vmm->log, JSON_COMPACT);
		fputc('\n', vmm->log);
		fflush(vmm->log);
	}
	json_decref(line);
}

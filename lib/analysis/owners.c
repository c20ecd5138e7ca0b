/* SPDX-License-Identifier: GPL-2.0-only */
/* Who owns time: threads by the names of process and thread, devices by theirs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "analysis/profile_internal.h"

/* kworker/u8:3-events and kworker/0:1H are the same worker for anyone who compares. */
static const char *plain_comm(const struct sf_thread *t, const char *comm, char *buf, size_t size)
{
	if (!(t->flags & SF_THREAD_KERNEL) && strncmp(comm, "kworker/", 8))
		return comm;
	snprintf(buf, size, "%s", comm);
	if (!strncmp(comm, "kworker/", 8))
		snprintf(buf, size, "kworker");
	else if (!strncmp(comm, "jbd2/", 5))
		return comm;
	else if (strchr(comm, '/') && isdigit((unsigned char)comm[strlen(comm) - 1]))
		buf[strcspn(buf, "/")] = '\0'; /* ksoftirqd/1, migration/0 */
	return buf;
}

static const char *process_comm(const struct sf_recording *rec, const struct sf_thread *t)
{
	uint32_t leader;

	if (t->flags & SF_THREAD_KERNEL || t->pid == UINT32_MAX)
		return "";
	leader = sf_recording_thread(rec, t->pid, t->start);
	return leader == SF_NO_THREAD ? "" : sf_text(rec, rec->thread[leader].comm);
}

/* A process that a thread of the target has forked, and that still has its name. */
static bool is_child(const struct sf_recording *rec, const struct sf_thread *t)
{
	const struct sf_thread *maker = t->creator == SF_NO_THREAD ? NULL : &rec->thread[t->creator];

	return maker && maker->flags & SF_THREAD_TARGET && !(t->flags & SF_THREAD_TARGET) &&
	       !strcmp(sf_text(rec, t->comm), sf_text(rec, maker->comm));
}

static void thread_label(const struct sf_recording *rec, const struct sf_thread *t, const char *comm,
			 const char *process, char *buf, size_t size)
{
	if (!*comm)
		snprintf(buf, size, "another process");
	else if (is_child(rec, t))
		snprintf(buf, size, "%s (child)", comm);
	else if (t->flags & SF_THREAD_RECORDER)
		snprintf(buf, size, "%s (recorder)", comm);
	else if (t->flags & SF_THREAD_KERNEL || !*process)
		snprintf(buf, size, "%s", comm);
	else if (t->flags & SF_THREAD_TARGET)
		snprintf(buf, size, t->tid == t->pid ? "%s (main)" : "%s", comm);
	else if (strcmp(comm, process))
		snprintf(buf, size, "%s (of %s)", comm, process);
	else
		snprintf(buf, size, "%s", comm);
}

/* By label: it has the process's name in it where that differs. A thread that has just been started
 * still has its maker's process name, and is the same owner. */
static uint32_t find(struct sf_profile *p, uint32_t label, uint32_t process, uint32_t dev, bool *made)
{
	uint64_t key = (uint64_t)label << 32 | dev;
	uint32_t *v = sf_map64_at(&p->owner_of, key, made);

	if (!v)
		return 0;
	if (*made) {
		if (SF_GROW(p->owner, p->nr_owners + 2, p->owner_alloc))
			return 0;
		if (!p->nr_owners)
			p->owner[p->nr_owners++] = (struct sf_owner){ 0 };
		*v = (uint32_t)p->nr_owners++;
		p->owner[*v] = (struct sf_owner){ .label = label, .process = process, .dev = dev };
	}
	return *v;
}

static uint32_t device_owner(struct sf_profile *p, const struct sf_recording *rec, uint32_t dev)
{
	char buf[64];
	uint32_t label = sf_strtab_id(&p->str, sf_device_name(rec, dev, buf, sizeof(buf)));
	bool made;
	uint32_t i = label ? find(p, label, 0, dev, &made) : 0;

	if (i && made)
		p->owner[i].comm = label;
	return i;
}

uint32_t sf_profile_owner(struct sf_profile *p, const struct sf_recording *rec, uint32_t thread,
			  uint32_t dev)
{
	const struct sf_thread *t;
	char plain[64], label[128];
	const char *comm, *process;
	uint32_t i, id[3];
	bool made;

	if (dev)
		return device_owner(p, rec, dev);
	if (thread >= rec->nr_threads)
		return 0;
	t = &rec->thread[thread];
	comm = plain_comm(t, sf_text(rec, t->comm), plain, sizeof(plain));
	process = process_comm(rec, t);
	thread_label(rec, t, comm, process, label, sizeof(label));
	id[0] = sf_strtab_id(&p->str, label);
	id[1] = sf_strtab_id(&p->str, process);
	id[2] = sf_strtab_id(&p->str, comm);
	i = id[0] && id[1] && id[2] ? find(p, id[0], id[1], 0, &made) : 0;
	if (!i)
		return 0;
	p->owner[i].comm = id[2];
	sf_profile_seen(p, i, t);
	return i;
}

void sf_profile_seen(struct sf_profile *p, uint32_t owner, const struct sf_thread *t)
{
	struct sf_owner *o = &p->owner[owner];

	o->tid = t->tid;
	o->pid = t->pid == UINT32_MAX ? 0 : t->pid;
	o->target = t->flags & SF_THREAD_TARGET;
	o->kernel = t->flags & SF_THREAD_KERNEL;
	o->vcpu = t->flags & SF_THREAD_VCPU;
}

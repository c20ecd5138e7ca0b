/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jitdump files (tools/perf/Documentation/jitdump-specification.txt): a header, then records, in
 * the byte order of the process that wrote them. A process maps a page of its file as executable,
 * only to leave the file's name in the recording.
 */
#include "symbol/jit.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#define MAGIC	      0x4a695444u /* "JiTD" */
#define MAGIC_SWAPPED 0x4454694au

enum { CODE_LOAD = 0, CODE_MOVE = 1 };

struct reader {
	const char *p, *end;
	bool swap;
};

static bool get32(struct reader *r, uint32_t *v)
{
	if (r->end - r->p < 4)
		return false;
	memcpy(v, r->p, 4);
	if (r->swap)
		*v = __builtin_bswap32(*v);
	r->p += 4;
	return true;
}

static bool get64(struct reader *r, uint64_t *v)
{
	if (r->end - r->p < 8)
		return false;
	memcpy(v, r->p, 8);
	if (r->swap)
		*v = __builtin_bswap64(*v);
	r->p += 8;
	return true;
}

/* magic, version, size of the header, machine, padding, pid, time stamp, flags */
static int read_header(struct reader *r, const char **first)
{
	uint32_t magic, version, size;
	const char *start = r->p;

	if (!get32(r, &magic))
		return -EINVAL;
	if (magic == MAGIC_SWAPPED)
		r->swap = true;
	else if (magic != MAGIC)
		return -EINVAL;
	if (!get32(r, &version) || !get32(r, &size) || size < 40 || size > (size_t)(r->end - start))
		return -EINVAL;
	*first = start + size;
	return 0;
}

/* pid, tid, vma, code address, code size, index, name, code */
static int code_load(struct reader r, struct sf_symtab *t)
{
	uint64_t vma, addr, size, index;
	uint32_t pid, tid;

	if (!get32(&r, &pid) || !get32(&r, &tid) || !get64(&r, &vma) || !get64(&r, &addr) ||
	    !get64(&r, &size) || !get64(&r, &index) || !memchr(r.p, '\0', (size_t)(r.end - r.p)))
		return 0;
	return sf_symtab_add(t, addr, size, STB_GLOBAL, r.p);
}

/* pid, tid, vma, old address, new address, size, index. The name is that of the last load there. */
static int code_move(struct reader r, struct sf_symtab *t)
{
	uint64_t vma, from, to, size;
	uint32_t pid, tid;

	if (!get32(&r, &pid) || !get32(&r, &tid) || !get64(&r, &vma) || !get64(&r, &from) ||
	    !get64(&r, &to) || !get64(&r, &size))
		return 0;
	for (size_t i = t->nr; i-- > 0 && t->nr - i < 4096;)
		if (t->sym[i].start == from)
			return sf_symtab_add(t, to, size, STB_GLOBAL, t->sym[i].name);
	return 0;
}

int sf_jit_parse_dump(const char *data, size_t len, struct sf_symtab *t)
{
	struct reader r = {data, data + len, false};
	int ret = read_header(&r, &r.p);

	while (!ret && r.end - r.p >= 16) {
		struct reader rec = r;
		uint32_t id, size;
		uint64_t time;

		if (!get32(&rec, &id) || !get32(&rec, &size) || !get64(&rec, &time) || size < 16 ||
		    size > (size_t)(r.end - r.p))
			break; /* cut off: the process was still writing */
		rec.end = r.p + size;
		if (id == CODE_LOAD)
			ret = code_load(rec, t);
		else if (id == CODE_MOVE)
			ret = code_move(rec, t);
		r.p += size;
	}
	t->latest = true;
	sf_symtab_settle(t, SF_SYMTAB_PLAIN);
	return ret;
}

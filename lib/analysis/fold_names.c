/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* memmem, memrchr */
#include "analysis/fold_names.h"

#include <errno.h>
#include <string.h>

#include <snapflame/array.h>

static bool equal(struct sf_text t, const char *s)
{
	return t.len == strlen(s) && !memcmp(t.p, s, t.len);
}

static bool starts_with(struct sf_text t, const char *s)
{
	return t.len >= strlen(s) && !memcmp(t.p, s, strlen(s));
}

static bool ends_with(struct sf_text t, const char *s)
{
	size_t n = strlen(s);

	return t.len >= n && !memcmp(t.p + t.len - n, s, n);
}

static bool contains(struct sf_text t, const char *s)
{
	return memmem(t.p, t.len, s, strlen(s)) != NULL;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool space(char c)
{
	return c == ' ' || c == '\t';
}

/* "foo 12" reads as a stack "foo" with two weights. */
static void guard_number(struct sf_str *s, size_t from)
{
	size_t i = s->len;

	while (i > from && (digit(s->buf[i - 1]) || s->buf[i - 1] == '.'))
		i--;
	if (i < s->len && i > from && digit(s->buf[i]) && s->buf[i - 1] == ' ')
		s->buf[i - 1] = '_';
}

/* Append name so that the line can be read back: no separator, no control character. */
static void add_safe(struct sf_str *s, const char *name, size_t len)
{
	size_t from = s->len;

	sf_str_add_printable(s, name, len);
	if (sf_str_failed(s))
		return;
	for (char *p = s->buf + from; (p = strchr(p, ';')); p++)
		*p = ':';
	guard_number(s, from);
}

/* What n->name holds as a name. */
static uint32_t intern(struct sf_fold_namer *n)
{
	if (!n->name.len)
		sf_str_add(&n->name, "[unknown]");
	return sf_str_failed(&n->name) ? 0 : sf_strtab_idn(&n->names, n->name.buf, n->name.len);
}

uint32_t sf_fold_namer_safe(struct sf_fold_namer *n, const char *name, size_t len)
{
	sf_str_reset(&n->name);
	add_safe(&n->name, name, len);
	return intern(n);
}

static struct sf_text base_name(struct sf_text path)
{
	const char *slash = memrchr(path.p, '/', path.len);

	if (slash) {
		path.len -= (size_t)(slash + 1 - path.p);
		path.p = slash + 1;
	}
	return path;
}

/* What stands for a frame without name: "[libc.so.6]", "[unknown]", with the address on demand. */
static void add_unknown(struct sf_str *s, const struct sf_printed_frame *f, bool addrs)
{
	struct sf_text mod = base_name(f->dso);

	sf_str_addch(s, '[');
	if (!f->dso.len || equal(f->dso, "[unknown]"))
		sf_str_add(s, "unknown");
	else
		sf_str_addn(s, mod.p, mod.len);
	if (addrs)
		sf_str_addf(s, " <%.*s>", (int)f->pc.len, f->pc.p);
	sf_str_addch(s, ']');
}

/* "net/http.(*Client).Do": parentheses that hold a receiver, not arguments. */
static bool is_go_method(struct sf_text t)
{
	const char *open = memmem(t.p, t.len, ".(", 2);

	return open && memmem(open + 2, t.len - (size_t)(open + 2 - t.p), ").", 2);
}

/* Without arguments: up to the first '(' that is not part of a name. */
static struct sf_text cut_arguments(struct sf_text t)
{
	static const char anonymous[] = "(anonymous namespace)";
	const char *p = t.p, *end = t.p + t.len;

	if (is_go_method(t))
		return t;
	while ((p = memchr(p, '(', (size_t)(end - p)))) {
		if (!starts_with((struct sf_text){p, (size_t)(end - p)}, anonymous)) {
			t.len = (size_t)(p - t.p);
			break;
		}
		p++;
	}
	return t;
}

/* "RegExp:[&<>\"\']": quotes would have to be escaped in a picture. */
static void drop_quotes(struct sf_str *s)
{
	size_t n = 0;

	if (sf_str_failed(s) || !s->len)
		return;
	for (size_t i = 0; i < s->len; i++)
		if (s->buf[i] != '"' && s->buf[i] != '\'')
			s->buf[n++] = s->buf[i];
	s->len = n;
	s->buf[n] = '\0';
}

/* "/tmp/perf-1234.map", somewhere in the path */
static bool is_perf_map(struct sf_text dso)
{
	const char *p = dso.p, *end = dso.p + dso.len;

	while ((p = memmem(p, (size_t)(end - p), "/tmp/perf-", 10))) {
		const char *q = p += 10;

		while (q < end && digit(*q))
			q++;
		if (q > p && end - q >= 4 && !memcmp(q, ".map", 4))
			return true;
	}
	return false;
}

static const char *suffix(const struct sf_fold_opts *opts, const struct sf_printed_frame *f,
			  bool inlined, struct sf_text name)
{
	if (inlined)
		return contains(name, "_[i]") ? "" : "_[i]";
	if (opts->kernel && f->dso.len && (f->dso.p[0] == '[' || ends_with(f->dso, "vmlinux")) &&
	    !contains(f->dso, "unknown"))
		return "_[k]";
	if (opts->jit && is_perf_map(f->dso))
		return contains(name, "_[j]") ? "" : "_[j]";
	return "";
}

/* One of the names that "a->b" was split into. */
static int add_name(struct sf_fold_namer *n, bool java, const struct sf_printed_frame *f,
		    struct sf_text part, bool inlined, struct sf_name_list *out)
{
	uint32_t id;

	sf_str_reset(&n->raw);
	sf_str_reset(&n->name);
	if (equal(part, "[unknown]"))
		add_unknown(&n->raw, f, n->opts->addrs);
	else
		sf_str_addn(&n->raw, part.p, part.len);
	part = cut_arguments((struct sf_text){n->raw.buf, n->raw.len});
	n->raw.len = part.len;
	drop_quotes(&n->raw);
	part.len = n->raw.len;
	if (java && part.len && part.p[0] == 'L' && memchr(part.p, '/', part.len)) {
		part.p++;
		part.len--;
	}
	add_safe(&n->name, part.p, part.len);
	sf_str_add(&n->name, suffix(n->opts, f, inlined, part));
	id = sf_str_failed(&n->raw) ? 0 : intern(n);
	if (!id || SF_GROW(out->id, out->nr + 1, out->alloc))
		return -ENOMEM;
	out->id[out->nr++] = id;
	return 0;
}

int sf_fold_namer_frame(struct sf_fold_namer *n, bool java, const struct sf_printed_frame *f,
			struct sf_name_list *out)
{
	const char *p = f->symbol.p, *end = p + f->symbol.len;
	bool inlined = f->inlined;

	if (f->symbol.len && *p == '(')
		return 0; /* the script takes it for the name of a process */
	/*
	 * "[unknown] (/usr/bin/vmm (deleted))": the script takes "deleted)" for the file, and the
	 * rest for the name, from which it cuts what is in parentheses.
	 */
	if (ends_with(f->dso, " (deleted)") && equal(f->symbol, "[unknown]"))
		return add_name(n, java, f, (struct sf_text){"[unknown] ", 10}, inlined, out);
	/* As Perl splits: nothing behind the last "->" is no part. */
	while (end - p >= 2 && !memcmp(end - 2, "->", 2))
		end -= 2;
	while (p < end) {
		const char *arrow = memmem(p, (size_t)(end - p), "->", 2);
		struct sf_text part = {p, (size_t)((arrow ? arrow : end) - p)};
		int ret = add_name(n, java, f, part, inlined, out);

		if (ret || !arrow)
			return ret;
		p = arrow + 2;
		inlined = true;
	}
	return 0;
}

/*
 * Length of the name that the script sees at the start of a header: as short as can be, but two
 * characters, with white space, a number and white space behind it. So "fc_vcpu 0" is "fc_vcpu".
 * The end of the text counts as white space. 0 where there is none.
 */
static size_t script_name(struct sf_text header)
{
	const char *end = header.p + header.len;

	for (const char *p = header.p + 2; p < end; p++) {
		const char *q = p, *number;

		while (q < end && space(*q))
			q++;
		if (q == p)
			continue;
		for (number = q; q < end && digit(*q);)
			q++;
		if (q == number)
			continue;
		while (q < end && *q == '/')
			q++;
		while (q < end && digit(*q))
			q++;
		if (q == end || space(*q))
			return (size_t)(p - header.p);
	}
	return 0;
}

/*
 * With pid or tid in the root, which the script cannot know from perf script's usual text, the name
 * is what it is.
 */
static struct sf_text root_name(const struct sf_fold_namer *n, const struct sf_printed_thread *t)
{
	struct sf_text seen = sf_root_is_odd(t->comm, t->tid) ? t->header : t->comm;
	size_t len;

	if (n->opts->pid || n->opts->tid || seen.len < 2)
		return t->comm;
	len = script_name(seen);
	return len ? (struct sf_text){seen.p, len} : t->comm;
}

uint32_t sf_fold_namer_root(struct sf_fold_namer *n, const struct sf_printed_thread *t)
{
	struct sf_text name = root_name(n, t);

	sf_str_reset(&n->name);
	add_safe(&n->name, name.p, name.len);
	if (n->opts->pid || n->opts->tid) {
		if (t->has_pid)
			sf_str_addf(&n->name, "-%lld", (long long)t->pid);
		else
			sf_str_add(&n->name, "-?");
	}
	if (n->opts->tid)
		sf_str_addf(&n->name, "/%lld", (long long)t->tid);
	if (!sf_str_failed(&n->name))
		for (char *p = n->name.buf; (p = strchr(p, ' ')); p++)
			*p = '_';
	return intern(n);
}

bool sf_fold_namer_is_java(const struct sf_fold_namer *n, uint32_t root)
{
	return !strncmp(sf_strtab_text(&n->names, root), "java", 4);
}

void sf_fold_namer_init(struct sf_fold_namer *n, const struct sf_fold_opts *opts)
{
	*n = (struct sf_fold_namer){.opts = opts};
	sf_str_init(&n->raw);
	sf_str_init(&n->name);
}

void sf_fold_namer_release(struct sf_fold_namer *n)
{
	sf_strtab_release(&n->names);
	sf_str_release(&n->raw);
	sf_str_release(&n->name);
}

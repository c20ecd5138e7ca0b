/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tracefs.h"

/* The value of an option: "--id X", "--id=X", "-id X". NULL where the words have none. */
static const char *value_of(const char *words, size_t len, const char *option)
{
	size_t n = strlen(option);

	for (const char *w = words, *end = words + len; w < end; w += strlen(w) + 1) {
		const char *name = w + (w[0] == '-') + (w[0] == '-' && w[1] == '-');

		if (name == w || strncmp(name, option, n))
			continue;
		if (name[n] == '=')
			return name + n + 1;
		if (!name[n])
			return w + strlen(w) + 1 < end ? w + strlen(w) + 1 : NULL;
	}
	return NULL;
}

/* QEMU's "guest=vm1,debug-threads=on", or "vm1,debug-threads=on". */
static void add_qemu_name(struct sf_str *out, const char *name)
{
	if (!strncmp(name, "guest=", 6))
		name += 6;
	sf_str_addn(out, name, strcspn(name, ","));
}

static bool is_program(const char *words, const char *name)
{
	const char *slash = strrchr(words, '/');

	return !strncmp(slash ? slash + 1 : words, name, strlen(name));
}

int sf_vm_id_of(const char *words, size_t len, struct sf_str *out)
{
	const char *id = NULL;

	if (!len || words[len - 1]) /* not ended: nothing of it can be believed */
		return 0;
	if (is_program(words, "firecracker") && (id = value_of(words, len, "id")))
		sf_str_add(out, strcmp(id, "anonymous-instance") ? id : "");
	else if (is_program(words, "qemu") && (id = value_of(words, len, "uuid")))
		sf_str_add(out, id);
	else if (is_program(words, "qemu") && (id = value_of(words, len, "name")))
		add_qemu_name(out, id);
	return sf_str_failed(out) ? -ENOMEM : 0;
}

int sf_vm_id(pid_t pid, struct sf_str *out)
{
	struct sf_str words = SF_STR_INIT;
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	ret = sf_read_at(AT_FDCWD, path, &words);
	if (!ret)
		ret = sf_vm_id_of(words.buf, words.len, out);
	sf_str_release(&words);
	return ret == -ENOMEM ? ret : 0;
}

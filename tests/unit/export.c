/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exports are written with: protocol buffers, JSON text, files that appear whole. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/export.h>

#include "render/export_json.h"
#include "render/export_proto.h"

/* The examples of the encoding's own documentation: 150 is 96 01, "testing" is 7 bytes. */
static void varints(void **state)
{
	const uint64_t packed[] = { 3, 270, 86942 };
	struct sf_str m = SF_STR_INIT;

	sf_pb_uint(&m, 1, 150);
	sf_pb_uint(&m, 9, 0);
	sf_pb_bytes(&m, 2, "testing", 7);
	sf_pb_packed(&m, 6, packed, 3);
	sf_pb_uint(&m, 1, UINT64_MAX);
	assert_int_equal(m.len, 3 + 9 + 8 + 11);
	assert_memory_equal(m.buf, "\x08\x96\x01" "\x12\x07testing" "\x32\x06\x03\x8e\x02\x9e\xa7\x05"
			    "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", m.len);
	sf_str_release(&m);
}

static void json_text(void **state)
{
	char *buf;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	assert_non_null(f);
	sf_put_string(f, "a\"\\\n\xc3\xa9");
	sf_put_string(f, "\xff\"");
	sf_put_ms(f, 1000001);
	putc(' ', f);
	sf_put_us(f, UINT64_C(12345678901234567));
	sf_put_number(f, 0.0 / 0.0);
	fclose(f);
	assert_string_equal(buf, "\"a\\\"\\\\\\u000a\xc3\xa9\"" "\"\\\\xff\\\"\"" "1.000001 "
			    "12345678901234.567" "null");
	free(buf);
}

static void files(void **state)
{
	char dir[] = "/tmp/snapflame-export-XXXXXX", path[64];
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outfile o;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	assert_int_equal(sf_outfile_open(&o, path, &err), 0);
	fputs("half", o.file);
	sf_outfile_release(&o);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sf_outfile_open(&o, path, &err), 0);
	fputs("whole", o.file);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sf_outfile_commit(&o, &err), 0);
	sf_outfile_release(&o);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sf_outfile_open(&o, dir, &err), -EISDIR);
	/* Nothing else was left in it. */
	assert_int_equal(rmdir(dir), 0);
}

/* What is written goes on at once, and is not kept in memory until the end. */
static void packed(void **state)
{
	const enum sf_packing packing[] = { SF_PACKING_NONE, SF_PACKING_GZIP, SF_PACKING_ZSTD };

	for (size_t i = 0; i < 3; i++) {
		struct sf_error err = SF_ERROR_INIT;
		struct sf_packed p;
		FILE *f = tmpfile();
		int ret = sf_packed_open(&p, f, packing[i], &err);
		long early;

		if (ret == -ENOTSUP) {
			fclose(f);
			continue;
		}
		assert_int_equal(ret, 0);
		for (unsigned line = 0; line < 200000; line++)
			fprintf(p.file, "%u %u\n", line, line * line % 977);
		early = ftell(f);
		assert_int_equal(sf_packed_close(&p), 0);
		assert_true(early > ftell(f) / 2);
		fclose(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints),
		cmocka_unit_test(json_text),
		cmocka_unit_test(files),
		cmocka_unit_test(packed),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}

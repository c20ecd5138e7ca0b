/* SPDX-License-Identifier: GPL-2.0-only */
/* perf script text in the shapes that perf versions and options give it. */
#define _GNU_SOURCE /* memfd_create */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <snapflame/script.h>
#include <snapflame/str.h>

#include "near_text.h"

static struct sf_script *parse(struct sf_input **in, const char *text)
{
	struct sf_script *s = NULL;

	*in = open_text(text, strlen(text));
	assert_non_null(*in);
	assert_int_equal(sf_script_new(&s, *in, "text", NULL), 0);
	return s;
}

/* One sample in one line: comm|pid|tid|cpu|time|period|event|text|frames (pc symbol offset dso). */
static void describe(struct sf_str *out, const struct sf_script_sample *s)
{
	sf_str_addf(out, "%.*s|", (int)s->comm.len, s->comm.p);
	sf_str_addf(out, s->has_pid ? "%d|" : "-|", (int)s->pid);
	sf_str_addf(out, "%d|", (int)s->tid);
	sf_str_addf(out, s->has_cpu ? "%u|" : "-|", s->cpu);
	sf_str_addf(out, s->has_time ? "%llu|" : "-|", (unsigned long long)s->time);
	sf_str_addf(out, s->has_period ? "%llu|" : "-|", (unsigned long long)s->period);
	sf_str_addf(out, "%.*s|", (int)s->event.len, s->event.p);
	sf_str_addf(out, "%.*s|", (int)s->text.len, s->text.p);
	for (size_t i = 0; i < s->nr_frames; i++) {
		const struct sf_script_frame *f = &s->frames[i];

		sf_str_addf(out, "{%.*s=%llx %.*s+%llx %.*s}", (int)f->pc.len, f->pc.p,
			    (unsigned long long)f->ip, (int)f->symbol.len, f->symbol.p,
			    (unsigned long long)f->offset, (int)f->dso.len, f->dso.p);
	}
	sf_str_add(out, s->bare ? "bare\n" : "\n");
}

static void expect(const char *text, const char *want)
{
	const struct sf_script_sample *sample;
	struct sf_str got = SF_STR_INIT;
	struct sf_input *in;
	struct sf_script *s = parse(&in, text);

	while (sf_script_next(s, &sample, NULL) > 0)
		describe(&got, sample);
	sf_script_free(s);
	sf_input_free(in);
	assert_string_equal(got.buf, want);
	sf_str_release(&got);
}

static void headers(void **state)
{
	expect("java 25607 4794564.109216: 1 cycles:\n\tab f (/x)\n\n",
	       "java|-|25607|-|4794564109216000|1|cycles||{ab=ab f+0 /x}\n");
	expect("java 12688/12764 6544038.708352: 235 cpu-clock: \n\tab f (/x)\n\n",
	       "java|12688|12764|-|6544038708352000|235|cpu-clock||{ab=ab f+0 /x}\n");
	expect("V8 WorkerThread 24636/25607 [007] 94564.109216:    100 cycles:ppp:\n\tab f (/x)\n\n",
	       "V8 WorkerThread|24636|25607|7|94564109216000|100|cycles:ppp||{ab=ab f+0 /x}\n");
	expect("node 31912 cpu-clock: \n  ab f (/x)\n\n",
	       "node|-|31912|-|-|-|cpu-clock||{ab=ab f+0 /x}\n");
	expect("x -1/-1 [000] 1.000000001: cpu-clock:\n\tab f (/x)\n\n",
	       "x|-1|-1|0|1000000001|-|cpu-clock||{ab=ab f+0 /x}\n");
}

static void names_of_threads(void **state)
{
	expect("fc_vcpu 0  4245 [001]  12.5:   10 cycles:\n\tab f (/x)\n\n",
	       "fc_vcpu 0|-|4245|1|12500000000|10|cycles||{ab=ab f+0 /x}\n");
	expect("7 1/2 [000] 0.5: 1 e:\n\tab f (/x)\n\n",
	       "7|1|2|0|500000000|1|e||{ab=ab f+0 /x}\n");
	expect("   2/3 [000] 0.5: 1 e:\n\tab f (/x)\n\n",
	       "|2|3|0|500000000|1|e||{ab=ab f+0 /x}\n");
	expect("k/[2] 4/4 [000] 0.5: 1 e:\n\tab f (/x)\n\n",
	       "k/[2]|4|4|0|500000000|1|e||{ab=ab f+0 /x}\n");
	expect(":1234  1234 1.5: 1 e:\n\tab f (/x)\n\n",
	       ":1234|-|1234|-|1500000000|1|e||{ab=ab f+0 /x}\n");
}

static void frames(void **state)
{
	expect("a 1 1.5: 1 e:\n"
	       "\t  ffffffff8103ce3b native_safe_halt+0x6 ([kernel.kallsyms])\n"
	       "\t 7f10 v8::Call(v8::Isolate*, int)+0xfffff018fd5dce00 (/opt/a (b)/node)\n"
	       "\t 10 [unknown] ([unknown])\n"
	       "\t 20 f+0x1 (/usr/bin/vmm (deleted))\n"
	       "\t 30 operator()+0x1 (inlined)\n"
	       "\taddress symbol (module)\n\n",
	       "a|-|1|-|1500000000|1|e||"
	       "{ffffffff8103ce3b=ffffffff8103ce3b native_safe_halt+6 [kernel.kallsyms]}"
	       "{7f10=7f10 v8::Call(v8::Isolate*, int)+0xfffff018fd5dce00 (/opt/a+0 b)/node}"
	       "{10=10 [unknown]+0 [unknown]}"
	       "{20=20 f+1 /usr/bin/vmm (deleted)}"
	       "{30=30 operator()+1 inlined}"
	       "{address=0 symbol+0 module}\n");
}

static void one_line(void **state)
{
	expect("           false 39654 19115.4:          1 cycles:u:  ffffffff9b201293 [unknown] ([unknown])\n"
	       "           cafe 3 19115.5:          1 cycles:      7fa6 _dl_start+0x4 (/ld.so)\n",
	       "false|-|39654|-|19115400000000|1|cycles:u||{ffffffff9b201293=ffffffff9b201293 [unknown]+0 [unknown]}\n"
	       "cafe|-|3|-|19115500000000|1|cycles||{7fa6=7fa6 _dl_start+4 /ld.so}\n");
}

static void tracepoints(void **state)
{
	expect("comm1\t0/0\t\t[000] 0.5:\t\t\t1 sched:sched_switch: prev_comm=a prev_pid=0 ==> next_pid=1\n"
	       "\tff symbol (module)\n\n"
	       "comm2 5/6 [000] 0.5: sched:sched_switch: prev_comm=b\n"
	       "comm3 5/6 [000] 0.5: sched:sched_switch: prev_comm=c\n\n",
	       "comm1|0|0|0|500000000|1|sched:sched_switch|prev_comm=a prev_pid=0 ==> next_pid=1|{ff=ff symbol+0 module}\n"
	       "comm2|5|6|0|500000000|-|sched:sched_switch|prev_comm=b|bare\n"
	       "comm3|5|6|0|500000000|-|sched:sched_switch|prev_comm=c|\n");
	expect("  fio 6/6 [021] 1.5: 1 block:block_rq_issue: 259,76 R 4096 () 57622160 + 8 [fio] "
	       "ffffffff8beead90 blk_mq_start_request ([kernel.kallsyms])\n",
	       "fio|6|6|21|1500000000|1|block:block_rq_issue|259,76 R 4096 () 57622160 + 8 [fio] |"
	       "{ffffffff8beead90=ffffffff8beead90 blk_mq_start_request+0 [kernel.kallsyms]}\n");
}

static void odd_input(void **state)
{
	expect("", "");
	expect("\n\n# comment\n", "");
	expect("\xef\xbb\xbf# x\r\na 1 1.5: 1 e:\r\n\tab f (/x)\r\n\r\n",
	       "a|-|1|-|1500000000|1|e||{ab=ab f+0 /x}\n");
	/* The end of the input ends a stack. */
	expect("a 1 1.5: 1 e:\n\tab f (/x)", "a|-|1|-|1500000000|1|e||{ab=ab f+0 /x}\n");
	/* A frame that belongs to nothing. */
	expect("a 1 1.5: 1 e:\n\n\tab f (/x)\n", "a|-|1|-|1500000000|1|e||\n");
	expect("a 1 99999999999999999999.5: 99999999999999999999999 e:\n\n",
	       "a|-|1|-|-|-|99999999999999999999.5|99999999999999999999999 e:|\n");
}

static void counts_what_it_skips(void **state)
{
	const struct sf_script_sample *sample;
	struct sf_input *in;
	struct sf_script *s = parse(&in, "a 1 1.5: 1 e:\n\tab f (/x)\n  file.c:12\n\nrubbish\n");

	while (sf_script_next(s, &sample, NULL) > 0)
		assert_int_equal(sample->nr_frames, 1);
	assert_int_equal(sf_script_stats(s)->samples, 1);
	assert_int_equal(sf_script_stats(s)->unrecognized, 2);
	assert_int_equal(sf_script_stats(s)->first_unrecognized, 3);
	sf_script_free(s);
	sf_input_free(in);
}

static enum sf_filetype type_of(const char *text)
{
	return sf_filetype_of(text, strlen(text), 1);
}

static void types(void **state)
{
	char tmp[] = "PERFILE2\0\0\0\0";
	struct sf_input *in;

	assert_int_equal(type_of(""), SF_FILETYPE_EMPTY);
	assert_int_equal(type_of("# x\n\n"), SF_FILETYPE_EMPTY);
	assert_int_equal(type_of("a;b 12\n"), SF_FILETYPE_FOLDED);
	assert_int_equal(type_of("main 12"), SF_FILETYPE_FOLDED);
	assert_int_equal(type_of("# differential\n\na;b, c 12 13.5\n"), SF_FILETYPE_FOLDED);
	assert_int_equal(type_of("branch,pause_ms\n1,12\n"), SF_FILETYPE_CSV);
	assert_int_equal(type_of("a 1 1.5: 1 e:\n"), SF_FILETYPE_SCRIPT);
	assert_int_equal(type_of("a 1 [000] 1.5: e: x=1, y 2\n"), SF_FILETYPE_SCRIPT);
	assert_int_equal(type_of("node 31912 cpu-clock: \n  ab f (/x)\n"), SF_FILETYPE_SCRIPT);
	assert_int_equal(type_of("\x7f" "ELF\n"), SF_FILETYPE_UNKNOWN);
	assert_int_equal(sf_filetype_of("# =====\n# cut in the mid", 24, 0), SF_FILETYPE_SCRIPT);
	in = open_pipe(tmp, sizeof(tmp));
	assert_int_equal(sf_input_type(in), SF_FILETYPE_PERF_DATA);
	sf_input_free(in);
}

/* Looking at the type of a stream takes nothing from it. */
static void type_of_stream(void **state)
{
	const struct sf_script_sample *sample;
	struct sf_str text = SF_STR_INIT;
	struct sf_script *s;
	struct sf_input *in;
	int n = 0;

	for (int i = 0; i < 1000; i++)
		sf_str_addf(&text, "a %d 1.5: 1 e:\n\tab f (/x)\n\n", i);
	in = open_pipe(text.buf, text.len);
	assert_non_null(in);
	assert_int_equal(sf_input_type(in), SF_FILETYPE_SCRIPT);
	assert_int_equal(sf_script_new(&s, in, "-", NULL), 0);
	for (; sf_script_next(s, &sample, NULL) > 0; n++)
		assert_int_equal(sample->tid, n);
	assert_int_equal(n, 1000);
	sf_script_free(s);
	sf_input_free(in);
	sf_str_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(names_of_threads),
		cmocka_unit_test(frames),
		cmocka_unit_test(one_line),
		cmocka_unit_test(tracepoints),
		cmocka_unit_test(odd_input),
		cmocka_unit_test(counts_what_it_skips),
		cmocka_unit_test(types),
		cmocka_unit_test(type_of_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

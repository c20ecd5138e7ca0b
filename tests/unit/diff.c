/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict, its sums and its refusals, on recordings made by hand. */
#include "synth.h"

#include <errno.h>
#include <math.h>

#include <snapflame/diff_paths.h>

#include "near.h"

#define THREADS \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 vmm target\n" \
	"thread 101 100 worker target\n" \
	"thread 102 100 parked target\n" \
	"thread 110 100 vcpu target vcpu\n" \
	"thread 200 200 helper\n"

/* BRANCH k from 1000 k ms on: main computes for cpu ms and sleeps for nap ms while the vCPU waits. */
static void branch(struct sf_str *s, int k, double cpu, double nap)
{
	double t = 1000.0 * k;

	sf_str_addf(s, "window %d %f %f 110\n", k, t, t + cpu + nap + 2);
	sf_str_addf(s, "%f in 110 cpu1\n%f in 100 cpu0\n", t - 1, t - 1);
	sf_str_addf(s, "%f out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n", t);
	for (double at = t + 1; at < t + cpu; at += 1)
		sf_str_addf(s, "%f sample 100 | hash_entry serialize create_snapshot main\n", at);
	sf_str_addf(s, "%f out 100 S do_nanosleep hrtimer_nanosleep | retry create_snapshot main\n",
		    t + cpu);
	sf_str_addf(s, "%f wake 100 irq\n%f in 100 cpu0\n", t + cpu + nap, t + cpu + nap);
	sf_str_addf(s, "%f wake 110 by 100\n%f in 110 cpu1\n", t + cpu + nap + 1, t + cpu + nap + 2);
	sf_str_addf(s, "%f out 100 S ep_poll | loop main\n", t + cpu + nap + 2);
	sf_str_addf(s, "%f out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run | run\n", t + cpu + nap + 20);
	for (int tid = 101; tid <= 102; tid++)
		sf_str_addf(s, "snap %d begin %f 0 %d S 0\n", k, t - 5, tid);
}

struct compared {
	struct sf_recording *rec;
	struct sf_window_ref ref[64];
	struct sf_diff_input in;
	char text[256];
	struct sf_diff *d;
};

/* Window by window the causes are all of its time; in the median windows they are what is said of them. */
static void causes_hold(const struct sf_diff *d)
{
	for (size_t k = 0; k < d->profile.nr_columns; k++) {
		double sum = 0;

		for (size_t i = 0; i < d->nr_causes; i++)
			sum += sf_cause_ms(d, &d->cause[i], k);
		assert_true(fabs(sum - sf_profile_total(&d->profile, 0, k)) < 1e-6);
	}
	for (size_t i = 0; i < d->nr_causes; i++) {
		const struct sf_cause *c = &d->cause[i];
		double ms[SF_NR_SIDES] = { 0 }, frame = 0;

		for (int n = 0; n < 2 * SF_NR_SIDES; n++) {
			size_t column = d->median_column[n / 2][n % 2];

			ms[n / 2] += sf_cause_ms(d, c, column) / 2;
			frame += sf_cause_frame_ms(d, c, column) / (n / 2 == SF_SLOW ? 2 : -2);
		}
		assert_true(fabs(ms[SF_FAST] - c->fast_ms) < 1e-6);
		assert_true(fabs(ms[SF_SLOW] - c->slow_ms) < 1e-6);
		assert_true(fabs(frame - c->frame_ms) < 1e-6);
	}
}

static void compare_in(struct compared *c, struct sf_recording *rec)
{
	struct sf_error err = SF_ERROR_INIT;

	memset(c, 0, sizeof(*c));
	c->rec = rec;
	assert_int_equal(sf_diff_split(c->rec, NULL, 0, NULL, 0, 0, c->ref, &c->in, c->text,
				       sizeof(c->text), &err), 0);
	assert_int_equal(sf_diff_make(&c->d, &c->in, NULL, &err), 0);
	causes_hold(c->d);
}

static void compare(struct compared *c, const char *text)
{
	compare_in(c, synth(text));
}

static void done(struct compared *c)
{
	sf_diff_free(c->d);
	sf_recording_free(c->rec);
}

static double sum_of_causes(const struct sf_diff *d)
{
	double sum = 0;

	for (size_t i = 0; i < d->nr_causes; i++)
		sum += d->cause[i].delta.value;
	return sum;
}

static void steps(struct sf_str *s, int nr, const double *cpu, const double *nap)
{
	sf_str_add(s, THREADS);
	for (int k = 0; k < nr; k++)
		branch(s, k + 1, cpu[k], nap[k]);
}

static void names_what_grows(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 50, 51, 50, 50, 51 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	assert_true(c.d->coverage.ok);
	assert_true(c.d->has_verdict);
	assert_int_equal(c.d->nr[SF_FAST], 2);
	assert_int_equal(c.d->nr[SF_SLOW], 3);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_string_equal(c.d->cause[0].frame[0], "hash_entry");
	assert_string_equal(c.d->cause[0].frame[c.d->cause[0].nr_frames - 1], "main");
	assert_string_equal(sf_diff_text(c.d, c.d->profile.owner[c.d->cause[0].owner].label), "vmm (main)");
	/* Large on both sides is not what grew. */
	assert_true(c.d->cause[0].share_pct > 90 && c.d->cause[0].share_pct < 110);
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	assert_true(c.d->coverage.critical_path_pct > 99.5);
	assert_non_null(strstr(c.d->sentence, "hash_entry"));
	done(&c);
	sf_str_release(&s);
}

static void sleep_that_grows_is_a_timer(void **state)
{
	static const double cpu[] = { 20, 21, 20, 21, 20 }, nap[] = { 10, 60, 110, 160, 210 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_TIMER);
	assert_true(c.d->trend);
	assert_true(c.d->cause[0].delta.has_interval);
	assert_true(c.d->cause[0].delta.lo > 100 && c.d->cause[0].delta.hi < 200);
	done(&c);
	sf_str_release(&s);
}

static void nothing_grows(void **state)
{
	static const double cpu[] = { 20, 22, 19, 21, 20 }, nap[] = { 400, 410, 395, 405, 402 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	assert_true(c.d->has_verdict);
	assert_int_equal(c.d->kind, SF_KIND_NONE);
	done(&c);
	sf_str_release(&s);
}

static void who_waits_is_listed_and_not_blamed(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 5, 5, 5, 5, 5 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;
	bool vcpu = false, parked = false;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	for (size_t i = 0; i < c.d->nr_passive; i++) {
		const struct sf_passive *p = &c.d->passive[i];

		if (!strcmp(p->comm, "vcpu"))
			vcpu = !p->idle && p->for_comm && !strcmp(p->for_comm, "vmm");
		if (!strcmp(p->comm, "parked"))
			parked = p->idle;
	}
	assert_true(vcpu);
	assert_true(parked);
	done(&c);
	sf_str_release(&s);
}

/* A steady cause comes before a disturbance that is larger, and the words say so. */
static void a_disturbance_is_no_cause(void **state)
{
	static const double cpu[] = { 20, 40, 60, 80, 100 }, nap[] = { 5, 5, 5, 5, 200 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_true(c.d->cause[1].delta.value > c.d->cause[0].delta.value);
	assert_non_null(strstr(c.d->sentence, "but not steadily"));
	done(&c);
	sf_str_release(&s);
}

/*
 * main computes twice as long, on a CPU that a neighbour has half of the time: the waiting grows with
 * the work. Then the same with work that stays and a neighbour that takes more.
 */
static void shared_cpu(struct sf_str *s, int k, int slices, int other)
{
	double t = 1000.0 * k, end = t + slices * (10 + other) + 1;

	sf_str_addf(s, "window %d %f %f 110\n%f in 110 cpu1\n%f in 100 cpu0\n", k, t, end, t - 1, t - 1);
	sf_str_addf(s, "%f out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n", t);
	for (int i = 0; i < slices; i++) {
		double at = t + i * (10 + other);

		for (int k2 = 1; k2 < 10; k2++)
			sf_str_addf(s, "%f sample 100 | hash_entry main\n", at + k2);
		sf_str_addf(s, "%f out 100 R | hash_entry main\n%f in 200 cpu0\n", at + 10, at + 10);
		sf_str_addf(s, "%f out 200 R | burn\n%f in 100 cpu0\n", at + 10 + other, at + 10 + other);
	}
	sf_str_addf(s, "%f wake 110 by 100\n%f in 110 cpu1\n", end - 0.5, end);
	sf_str_addf(s, "%f out 110 S kvm_vcpu_block kvm_vcpu_ioctl\n%f out 100 S ep_poll | loop\n", end + 5,
		    end + 5);
	for (int tid = 101; tid <= 102; tid++)
		sf_str_addf(s, "snap %d begin %f 0 %d S 0\n", k, t - 5, tid);
}

static void the_queue_belongs_to_the_work(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;
	char words[64];

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		shared_cpu(&s, k, k > 2 ? 10 : 5, 10);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_true(c.d->cause[0].share_pct > 95);
	assert_int_equal(c.d->cause[0].nr_parts, 2);
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	sf_str_reset(&s);
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		shared_cpu(&s, k, 5, k > 2 ? 30 : 10);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_RUNQUEUE);
	assert_string_equal(sf_diff_text(c.d, c.d->profile.owner[c.d->cause[0].owner].comm), "helper");
	done(&c);
	/* A little more work is no reason to wait ten times as long. */
	sf_str_reset(&s);
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		shared_cpu(&s, k, k > 2 ? 6 : 5, k > 2 ? 100 : 10);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_RUNQUEUE);
	assert_true(c.d->cause[0].share_pct > 80);
	/* The words have what the cause has, without what went to the work. */
	snprintf(words, sizeof(words), "waits %.0f ms longer for a CPU", c.d->cause[0].delta.value);
	assert_non_null(strstr(c.d->sentence, words));
	done(&c);
	sf_str_release(&s);
}

/* main reads n times, 1 ms each, and then waits turn ms for a CPU that a neighbour has. */
static void reads(struct sf_str *s, int k, int n, double turn)
{
	double t = 1000.0 * k, step = 1.2 + turn, end = t + n * step + 1;

	sf_str_addf(s, "window %d %f %f 110\n%f in 110 cpu1\n%f in 100 cpu0\n", k, t, end, t - 1, t - 1);
	sf_str_addf(s, "%f out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n", t);
	for (int i = 0; i < n; i++) {
		double at = t + i * step;

		sf_str_addf(s, "%f sample 100 | read_state main\n", at + 0.1);
		sf_str_addf(s, "%f out 100 D io_schedule folio_wait_bit_common filemap_read_folio | "
			       "read_state main\n%f in 200 cpu0\n", at + 0.2, at + 0.2);
		sf_str_addf(s, "%f wake 100 irq\n%f out 200 R | burn\n%f in 100 cpu0\n", at + 1.2,
			    at + step, at + step);
	}
	sf_str_addf(s, "%f wake 110 by 100\n%f in 110 cpu1\n", end - 0.5, end);
	sf_str_addf(s, "%f out 110 S kvm_vcpu_block kvm_vcpu_ioctl\n%f out 100 S ep_poll | loop\n", end + 5,
		    end + 5);
	for (int tid = 101; tid <= 102; tid++)
		sf_str_addf(s, "snap %d begin %f 0 %d S 0\n", k, t - 5, tid);
}

/* Who sleeps more often waits for a CPU more often; where each wait is longer, the neighbour takes more. */
static void turns_belong_to_what_was_slept_for(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		sf_str_add(&s, THREADS);
		for (int k = 1; k <= 5; k++)
			reads(&s, k, !i && k > 2 ? 40 : 15, i && k > 2 ? 20 : 4);
		compare(&c, s.buf);
		assert_int_equal(c.d->kind, i ? SF_KIND_RUNQUEUE : SF_KIND_IO_DEVICE);
		assert_true(c.d->cause[0].share_pct > 95);
		assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
		if (!i)
			assert_non_null(strstr(c.d->sentence, "100 ms longer for a CPU after that"));
		done(&c);
		sf_str_release(&s);
	}
}

/* The windows of a side lie far apart where the growth is steep: that is no noise. */
static void steep_growth_is_steady(void **state)
{
	static const double cpu[] = { 20, 30, 40, 50, 60 }, nap[] = { 1, 3, 40, 110, 290 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_TIMER);
	assert_false(c.d->cause[0].significant);
	done(&c);
	sf_str_release(&s);
}

/* A few ms have to be surer than more of them: idle pauses come in all lengths from 2 to 5 ms. */
static void few_ms_are_no_growth(void **state)
{
	static const double cpu[] = { 1, 1, 1, 1, 1 };
	static const double nap[][5] = {
		{ 1.1, 1.4, 1.5, 3.5, 2.9 }, { 11, 14, 15, 35, 29 }, { 1, 1.01, 1.02, 3, 3.02 },
	};

	for (int i = 0; i < 3; i++) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		steps(&s, 5, cpu, nap[i]);
		compare(&c, s.buf);
		assert_true(c.d->series_p < 0.05);
		assert_int_equal(c.d->kind, i ? SF_KIND_TIMER : SF_KIND_NONE);
		if (!i)
			assert_non_null(strstr(c.d->sentence, "so few ms"));
		done(&c);
		sf_str_release(&s);
	}
}

/* Neighbours that come and go make the pauses too noisy for a test; what the work itself took is not. */
static void a_cause_can_grow_in_noise(void **state)
{
	static const int slices[2][5] = { { 1, 5, 9, 13, 17 }, { 5, 5, 5, 5, 5 } };
	static const int other[2][5] = { { 53, 1, 34, 44, 3 }, { 3, 1, 70, 130, 34 } };

	for (int i = 0; i < 2; i++) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		sf_str_add(&s, THREADS);
		for (int k = 0; k < 5; k++)
			shared_cpu(&s, k + 1, slices[i][k], other[i][k]);
		compare(&c, s.buf);
		assert_true(c.d->series_p > 0.05);
		assert_true(c.d->delta.value > 50);
		assert_int_equal(c.d->kind, i ? SF_KIND_NONE : SF_KIND_CPU_USER);
		if (!i) {
			assert_non_null(strstr(c.d->sentence, "too noisy to tell their growth"));
			assert_non_null(strstr(c.d->sentence, "This came with every BRANCH"));
			assert_true(c.d->cause[0].growth.series.p < 0.001);
		}
		done(&c);
		sf_str_release(&s);
	}
}

static void is_refused(const struct compared *c, const char *why)
{
	bool said = false;

	assert_false(c->d->has_verdict);
	assert_false(c->d->coverage.ok);
	assert_null(c->d->sentence);
	for (size_t i = 0; i < c->d->coverage.nr_problems; i++)
		said |= strstr(c->d->coverage.problem[i], why) != NULL;
	assert_true(said);
}

static void refuses(const char *more, const char *why)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 50, 51, 50, 50, 51 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	sf_str_add(&s, more);
	compare(&c, s.buf);
	is_refused(&c, why);
	done(&c);
	sf_str_release(&s);
}

/*
 * Two threads of the VMM take turns at the same work, ms each, while main waits: one unwinder stops
 * at start_thread, another reaches clone3.
 */
static void turns(struct sf_str *s, int k, int ms, const char *frames1, const char *frames2)
{
	double t = 1000.0 * k, end = t + 2 * ms;

	sf_str_addf(s, "window %d %f %f 100\n%f in 100 cpu0\n%f in 101 cpu0\n", k, t, end + 1, t - 1, t);
	sf_str_addf(s, "%f out 100 S futex_do_wait futex_wait | wait_pool main\n", t);
	for (int i = 1; i < ms; i++)
		sf_str_addf(s, "%f sample 101 %s\n%f sample 102 %s\n", t + i, frames1, t + ms + i, frames2);
	sf_str_addf(s, "%f wake 102 by 101\n%f out 101 S futex_wait | idle\n%f in 102 cpu0\n", t + ms, t + ms,
		    t + ms);
	sf_str_addf(s, "%f wake 100 by 102\n%f out 102 S futex_wait | idle\n%f in 100 cpu0\n", end, end, end);
	sf_str_addf(s, "%f out 100 S ep_poll | loop\n", end + 1);
}

static void threads_of_a_pool_are_one_cause(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		turns(&s, k, k > 2 ? 50 : 10, "| pack work start_thread", "| pack work start_thread clone3");
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_true(c.d->cause[0].share_pct > 95);
	assert_int_not_equal(sf_cause_other_owner(c.d, &c.d->cause[0], 0), 0);
	assert_int_equal(sf_cause_other_owner(c.d, &c.d->cause[0], 1), 0);
	assert_non_null(strstr(c.d->sentence, "(and 1 thread that does the same)"));
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	/* Different work stays apart. */
	sf_str_reset(&s);
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		turns(&s, k, k > 2 ? 50 : 10, "| pack work start_thread", "| send work start_thread");
	compare(&c, s.buf);
	assert_true(c.d->cause[0].share_pct < 60);
	assert_int_equal(sf_cause_other_owner(c.d, &c.d->cause[0], 0), 0);
	done(&c);
	sf_str_release(&s);
}

/*
 * main computes own ms, then hands over n times to the worker, which computes work ms each time. On the
 * way there and back 0.1 ms go by: half of it in the run queue, half in main's own code and the kernel's.
 */
static void handovers(struct sf_str *s, int k, double own, int n, double work)
{
	double t = 1000.0 * k, at = t + own;

	sf_str_addf(s, "window %d %f %f 100\n%f in 100 cpu0\n", k, t, at + n * (work + 0.1) + 1, t - 1);
	for (double i = 0.5; i < own; i++)
		sf_str_addf(s, "%f sample 100 | encode serialize create_snapshot main\n", t + i);
	for (int i = 0; i < n; i++) {
		sf_str_addf(s, "%f sample 100 %s| post drain_ring create_snapshot main\n", at + 0.02,
			    i % 2 ? "futex_wake do_futex " : "");
		sf_str_addf(s, "%f wake 101 by 100\n%f out 100 S futex_do_wait | wait drain_ring "
			       "create_snapshot main\n%f in 101 cpu1\n", at + 0.05, at + 0.05, at + 0.07);
		sf_str_addf(s, "%f sample 101 | parse handle worker\n", at + 0.07 + work / 2);
		at += 0.07 + work;
		sf_str_addf(s, "%f wake 100 by 101\n%f out 101 S futex_do_wait | worker\n%f in 100 cpu0\n",
			    at, at, at + 0.03);
		at += 0.03;
	}
	sf_str_addf(s, "%f out 100 S ep_poll | loop main\n", at + 1);
}

static double part_ms(const struct sf_diff *d, enum sf_part_of of)
{
	const struct sf_cause *c = &d->cause[0];
	double ms = 0;

	for (size_t i = 0; i < c->nr_parts; i++)
		ms += c->part[i].of == of ? c->part[i].slow_ms - c->part[i].fast_ms : 0;
	return ms;
}

static void both_sides_of_more_exchanges_are_one_cause(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		handovers(&s, k, 20, k > 2 ? 400 : 100, 0.2);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_string_equal(c.d->cause[0].frame[0], "parse");
	assert_string_equal(sf_diff_text(c.d, c.d->profile.owner[c.d->cause[0].owner].label), "worker");
	assert_true(c.d->cause[0].share_pct > 95 && c.d->cause[0].share_pct < 105);
	/* The growth is 300 times 0.2 ms in the worker and 0.1 ms around it. */
	assert_true(part_ms(c.d, SF_PART_OWN) > 59 && part_ms(c.d, SF_PART_OWN) < 61);
	assert_non_null(strstr(c.d->sentence, "in turns of vmm (main) and worker, 399 instead of 99"));
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	sf_str_release(&s);
}

static void longer_exchanges_are_the_growth_of_one_side(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	/* As many, but the worker has twice the work: none of it is main's. */
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		handovers(&s, k, k > 2 ? 28 : 20, 100, k > 2 ? 0.4 : 0.2);
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_string_equal(c.d->cause[0].frame[0], "parse");
	assert_true(c.d->cause[0].share_pct > 65 && c.d->cause[0].share_pct < 75);
	assert_true(part_ms(c.d, SF_PART_TURNS) == 0);
	assert_int_equal(c.d->cause[0].exchange, 0);
	done(&c);
	/* More exchanges, and main has more of its own to do before: two causes. */
	sf_str_reset(&s);
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		handovers(&s, k, k > 2 ? 80 : 20, k > 2 ? 400 : 100, 0.2);
	compare(&c, s.buf);
	assert_true(c.d->cause[0].share_pct < 65 && c.d->cause[1].share_pct > 35);
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	sf_str_release(&s);
}

/* A loop over fresh memory: itself, the faults and the call that frees it; twice as long in the end. */
static void loop_over_memory(struct sf_str *s, int k, int ms, const char *frees)
{
	double t = 1000.0 * k;

	sf_str_addf(s, "window %d %f %f 100\n%f in 100 cpu0\n", k, t, t + 10 * ms, t);
	for (int i = 0; i < 10 * ms; i++)
		sf_str_addf(s, "%f sample 100 %s create_snapshot main\n", t + i + 0.5,
			    i % 10 < 6   ? "clear_page do_anonymous_page handle_mm_fault exc_page_fault | fill"
			    : i % 10 < 8 ? "| fill" : frees);
	sf_str_addf(s, "%f out 100 S ep_poll | loop\n", t + 10 * ms);
}

static void kinds_in_one_function_are_one_cause(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		loop_over_memory(&s, k, k > 2 ? 20 : 10, "zap_pte_range do_madvise __x64_sys_madvise | madvise fill");
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_MEMORY);
	assert_true(c.d->cause[0].share_pct > 95 && c.d->cause[0].share_pct < 105);
	assert_true(part_ms(c.d, SF_PART_CALL) > 39 && part_ms(c.d, SF_PART_CALL) < 41);
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	/* What another function does in the same thread is another cause. */
	sf_str_reset(&s);
	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++)
		loop_over_memory(&s, k, k > 2 ? 20 : 10, "zap_pte_range do_madvise __x64_sys_madvise | madvise trim");
	compare(&c, s.buf);
	assert_true(c.d->cause[0].share_pct > 75 && c.d->cause[0].share_pct < 85);
	assert_string_equal(c.d->cause[1].frame[c.d->cause[1].nr_frames - 3], "trim");
	done(&c);
	sf_str_release(&s);
}

/* main and the worker that it waits for are in one cgroup, which gets less and less. */
static void threads_of_one_quota_are_one_cause(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++) {
		double t = 1000.0 * k, held = k > 2 ? 60 : 10;

		sf_str_addf(&s, "window %d %f %f 100\n%f in 100 cpu0\n", k, t, t + 20 + 2 * held, t);
		for (double i = 0.5; i < 5; i++)
			sf_str_addf(&s, "%f sample 100 | encode main\n%f sample 100 | encode main\n", t + i,
				    t + 5 + held + i);
		sf_str_addf(&s, "%f out 100 R | encode main\n%f in 0 cpu0\n%f in 100 cpu0\n", t + 5, t + 5,
			    t + 5 + held);
		sf_str_addf(&s, "%f wake 101 by 100\n%f out 100 S futex_do_wait | wait main\n%f in 101 cpu0\n",
			    t + 10 + held, t + 10 + held, t + 10 + held);
		sf_str_addf(&s, "%f out 101 R | pack worker\n%f in 0 cpu0\n%f in 101 cpu0\n", t + 12 + held,
			    t + 12 + held, t + 12 + 2 * held);
		sf_str_addf(&s, "%f wake 100 by 101\n%f out 101 S futex_do_wait | worker\n%f in 100 cpu0\n",
			    t + 15 + 2 * held, t + 15 + 2 * held, t + 15 + 2 * held);
		sf_str_addf(&s, "%f out 100 S ep_poll | loop\n", t + 20 + 2 * held);
		sf_str_addf(&s, "covariate %d cgroup_throttled_us 0 %f\n", k, 2000 * held);
	}
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_QUOTA);
	assert_true(c.d->cause[0].share_pct > 99);
	assert_true(part_ms(c.d, SF_PART_QUEUE) > 49 && part_ms(c.d, SF_PART_QUEUE) < 51);
	assert_non_null(strstr(c.d->sentence, "(and 1 other)"));
	done(&c);
	sf_str_release(&s);
}

/* Where an owner's growth has not even its outermost frame in common, each good part has its frames. */
static void what_has_no_frame_in_common_is_several_causes(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++) {
		double t = 1000.0 * k;
		int ms = k > 2 ? 60 : 10;

		sf_str_addf(&s, "window %d %f %f 100\n%f in 100 cpu0\n", k, t, t + 2 * ms, t);
		for (int i = 0; i < 2 * ms; i++)
			sf_str_addf(&s, "%f sample 100 | %s\n", t + i + 0.5, i < ms ? "copy first" : "move second");
		sf_str_addf(&s, "%f out 100 S ep_poll | loop\n", t + 2 * ms);
	}
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_int_equal(c.d->cause[0].nr_frames, 2);
	assert_int_equal(c.d->cause[1].nr_frames, 2);
	assert_true(c.d->cause[0].share_pct > 40 && c.d->cause[1].share_pct > 40);
	assert_true(fabs(sum_of_causes(c.d) - c.d->delta.value) < 0.02 * c.d->delta.value);
	done(&c);
	sf_str_release(&s);
}

static void no_verdict_without_proof(void **state)
{
	refuses("lost 4020 50\n", "lost");
	/* The kernel's clock says that three times as much CPU time was used. */
	refuses("snap 3 begin 2999 0 100 S 0\nsnap 3 end 3200 900 100 S 900\n", "CPU time");
	/* Or that a third of it was, and the hypervisor does not explain it. */
	refuses("snap 3 begin 2999 0 100 S 0\nsnap 3 end 3200 40 100 S 40\n"
		"covariate 3 cpu_steal_ms 500 510\n", "switches are missing");
	/* Woken twice for one sleep; on two CPUs at once. */
	refuses("3001 in 102 cpu2\n3002 out 102 S ep_poll\n3003 wake 102 by 100\n3004 wake 102 by 101\n"
		"3005 in 102 cpu2\n3006 out 102 S ep_poll\n3007 wake 102 by 100\n3008 wake 102 by 101\n"
		"3009 in 102 cpu2\n3010 out 102 S ep_poll\n", "in BRANCH 3 2 of ");
	refuses("3001 in 102 cpu2\n3002 in 102 cpu3\n3003 out 102 S ep_poll\n3004 wake 102 by 100\n"
		"3005 in 102 cpu2\n3006 in 102 cpu3\n3007 out 102 S ep_poll\n", "clocks differ");
	/* A BRANCH after the last event, and one before the first. */
	refuses("window 6 90000 90150 110\n", "BRANCH 6 lies outside of what was recorded");
	refuses("window 6 200 350 110\n", "BRANCH 6 lies outside of what was recorded");
}

static bool noted(const struct sf_diff *d, const char *what)
{
	for (size_t i = 0; i < d->coverage.nr_notes; i++)
		if (strstr(d->coverage.note[i], what))
			return true;
	return false;
}

static void say_stolen(struct sf_str *s, const int ms[5])
{
	for (int k = 0; k < 5; k++)
		sf_str_addf(s, "covariate %d cpu_steal_ms 100 %d\n", k + 1, 100 + ms[k]);
}

/* The verdict stands where the first cause is the first without all that a hypervisor took, too. */
static void stolen_time_is_nobodys_growth(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 5, 5, 5, 5, 5 };
	static const int much[] = { 0, 10, 160, 150, 160 }, less[] = { 0, 10, 80, 70, 80 },
			 steady[] = { 10, 10, 40, 50, 40 };
	static const int *const steal[] = { much, less, steady };

	for (int i = 0; i < 3; i++) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		steps(&s, 5, cpu, nap);
		say_stolen(&s, steal[i]);
		compare(&c, s.buf);
		if (i)
			assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
		else
			is_refused(&c, "stole");
		assert_int_equal(noted(c.d, "stays the first"), i == 1);
		done(&c);
		sf_str_release(&s);
	}
}

/* What was taken from the target's own CPU time is measured, whatever others lost meanwhile. */
static void stolen_from_others(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 5, 5, 5, 5, 5 };
	static const int much[] = { 0, 10, 160, 150, 160 };

	for (int taken = 2; taken <= 110; taken += 108) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		steps(&s, 5, cpu, nap);
		say_stolen(&s, much);
		for (int k = 1; k <= 5; k++)
			sf_str_addf(&s, "snap %d begin %d 0 100 S 0\nsnap %d end %f %f 100 S %f\n", k,
				    1000 * k, k, 1000 * k + cpu[k - 1] + 5, cpu[k - 1] - (k > 2 ? taken : 0),
				    cpu[k - 1] - (k > 2 ? taken : 0));
		compare(&c, s.buf);
		if (taken < 100)
			assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
		else
			is_refused(&c, "stole");
		assert_true(fabs(c.d->coverage.stolen_ms - 3 * taken) < 2);
		assert_true(c.d->coverage.schedstat_error_pct < 1);
		done(&c);
		sf_str_release(&s);
	}
}

/* Pauses that may have grown: not "none" while a hypervisor makes as much noise. */
static void stolen_time_hides_growth(void **state)
{
	static const double cpu[] = { 20, 90, 40, 120, 60 }, nap[] = { 5, 5, 5, 5, 5 };
	static const int much[] = { 0, 60, 0, 70, 0 }, none[] = { 0, 0, 0, 0, 0 };

	for (int i = 0; i < 2; i++) {
		struct sf_str s = SF_STR_INIT;
		struct compared c;

		steps(&s, 5, cpu, nap);
		say_stolen(&s, i ? none : much);
		compare(&c, s.buf);
		if (i)
			assert_int_equal(c.d->kind, SF_KIND_NONE);
		else
			is_refused(&c, "a hypervisor stole up to 70.0 ms");
		done(&c);
		sf_str_release(&s);
	}
}

/* A recording of samples: they do not say who waited for whom. */
static void no_verdict_without_switches(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 5, 5, 5, 5, 5 };
	struct sf_str s = SF_STR_INIT;
	struct sf_recording *rec;
	struct compared c;

	steps(&s, 5, cpu, nap);
	rec = synth(s.buf);
	rec->has_switches = false;
	compare_in(&c, rec);
	is_refused(&c, "no context switches");
	done(&c);
	sf_str_release(&s);
}

/* Two thousand threads that sleep all the time are known by the snapshots alone. */
static void many_threads(void **state)
{
	static const double cpu[] = { 20, 21, 120, 121, 119 }, nap[] = { 50, 51, 50, 50, 51 };
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 5, cpu, nap);
	for (int tid = 1000; tid < 3000; tid++) {
		sf_str_addf(&s, "thread %d 100 pool-%d target\n", tid, tid);
		for (int k = 1; k <= 5; k++)
			sf_str_addf(&s, "snap %d begin %d 0 %d S 0\n", k, 1000 * k - 5, tid);
	}
	compare(&c, s.buf);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_string_equal(c.d->cause[0].frame[0], "hash_entry");
	assert_int_equal(c.d->coverage.threads, 2004);
	assert_true(c.d->coverage.critical_path_pct > 99.5);
	done(&c);
	sf_str_release(&s);
}

/* Neither wakings nor a second source: the wait for a futex has no owner. */
static void wakings_that_are_missing_are_not_made_up(void **state)
{
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 4; k++) {
		int t = 1000 * k, len = k > 2 ? 200 : 50;

		sf_str_addf(&s, "window %d %d %d 110\n%d in 110\n%d out 110 S futex_do_wait | wait\n", k, t,
			    t + len, t - 1, t);
		sf_str_addf(&s, "%d in 110\n%d out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run\n", t + len, t + len + 5);
	}
	compare(&c, s.buf);
	assert_false(c.d->has_verdict);
	assert_true(c.d->coverage.nr_problems > 0);
	done(&c);
	sf_str_release(&s);
}

static void one_window_a_side(void **state)
{
	static const double cpu[] = { 20, 120 }, nap[] = { 5, 5 };
	static const uint32_t fast = 1, slow = 2;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str s = SF_STR_INIT;
	struct compared c = { 0 };

	steps(&s, 2, cpu, nap);
	c.rec = synth(s.buf);
	assert_int_equal(sf_diff_split(c.rec, &fast, 1, &slow, 1, 0, c.ref, &c.in, c.text,
				       sizeof(c.text), &err), 0);
	assert_int_equal(sf_diff_make(&c.d, &c.in, NULL, &err), 0);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_false(c.d->delta.has_interval);
	assert_non_null(strstr(c.d->sentence, "n = 1"));
	for (size_t i = 0; i < c.d->coverage.nr_notes; i++)
		assert_null(strstr(c.d->coverage.note[i], "failed"));
	sf_diff_free(c.d);
	/* A snapshot that failed is told of. */
	c.rec->window[1].error = "migrate: no room";
	assert_int_equal(sf_diff_make(&c.d, &c.in, NULL, &err), 0);
	assert_true(c.d->coverage.nr_notes > 0);
	assert_non_null(strstr(c.d->coverage.note[0], "1 of the BRANCHes failed and is compared"));
	assert_non_null(strstr(c.d->coverage.note[0], "BRANCH 2 of"));
	assert_non_null(strstr(c.d->coverage.note[0], "migrate: no room"));
	sf_diff_free(c.d);
	/* What cannot be split is said. */
	assert_int_equal(sf_diff_split(c.rec, NULL, 0, NULL, 0, 0, c.ref, &c.in, c.text,
				       sizeof(c.text), &err), -EINVAL);
	assert_non_null(strstr(err.what, "--branches"));
	assert_int_equal(sf_diff_split(c.rec, &fast, 1, NULL, 0, 0, c.ref, &c.in, c.text,
				       sizeof(c.text), &err), -EINVAL);
	sf_recording_free(c.rec);
	sf_str_release(&s);
}

static const struct sf_path_row *row_of(const struct sf_diff *d, const struct sf_diff_paths *t,
					const char *name)
{
	for (size_t i = 0; i < t->nr_rows; i++)
		if (!strcmp(sf_diff_text(d, d->profile.path[t->row[i].path].label), name))
			return &t->row[i];
	fail_msg("no row for %s", name);
	return NULL;
}

static double exclusive_sum(const struct sf_diff_paths *t)
{
	double sum = t->rest_ms[SF_SLOW] - t->rest_ms[SF_FAST];

	for (size_t i = 0; i < t->nr_rows; i++)
		sum += t->row[i].exclusive.ms[SF_SLOW] - t->row[i].exclusive.ms[SF_FAST];
	return sum;
}

/* The root has the growth, what everybody has alone sums to it, and each has its own proof. */
static void the_table_adds_up(void **state)
{
	static const double cpu[] = { 20, 22, 21, 120, 121, 124, 122 };
	static const double nap[] = { 50, 51, 52, 52, 50, 53, 51 };
	const struct sf_path_row *hash, *create;
	struct sf_diff_paths *t;
	struct sf_str s = SF_STR_INIT;
	struct compared c;

	steps(&s, 7, cpu, nap);
	compare(&c, s.buf);
	assert_int_equal(c.d->nr[SF_FAST], 3);
	assert_int_equal(sf_diff_paths_make(&t, c.d), 0);
	assert_int_equal(t->row[0].path, 0);
	assert_near(t->row[0].inclusive.ms[SF_SLOW] - t->row[0].inclusive.ms[SF_FAST],
		    c.d->delta.value, 1e-9);
	assert_near(t->row[0].inclusive.interval.lo, c.d->delta.lo, 1e-9);
	assert_near(exclusive_sum(t), c.d->delta.value, 1e-9);
	for (size_t i = 1; i < t->nr_rows; i++) {
		assert_true(t->row[i].parent < i);
		assert_int_equal(t->row[t->row[i].parent].path, c.d->profile.path[t->row[i].path].parent);
	}
	hash = row_of(c.d, t, "hash_entry");
	assert_int_equal(hash->class, SF_PATH_GREW);
	assert_true(hash->inclusive.q < 0.05 && hash->inclusive.p < 0.05);
	assert_true(hash->inclusive.interval.lo > 90 && hash->inclusive.interval.hi < 110);
	assert_near(hash->exclusive.ms[SF_SLOW], hash->inclusive.ms[SF_SLOW], 1e-9);
	create = row_of(c.d, t, "serialize");
	assert_near(create->exclusive.ms[SF_SLOW], 0, 1e-9);
	assert_true(create->inclusive.ms[SF_SLOW] > 115);
	assert_int_equal(row_of(c.d, t, "retry")->class, SF_PATH_UNCLEAR);
	sf_diff_paths_free(t);
	done(&c);
	sf_str_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_grows),
		cmocka_unit_test(sleep_that_grows_is_a_timer),
		cmocka_unit_test(nothing_grows),
		cmocka_unit_test(who_waits_is_listed_and_not_blamed),
		cmocka_unit_test(a_disturbance_is_no_cause),
		cmocka_unit_test(the_queue_belongs_to_the_work),
		cmocka_unit_test(turns_belong_to_what_was_slept_for),
		cmocka_unit_test(steep_growth_is_steady),
		cmocka_unit_test(threads_of_a_pool_are_one_cause),
		cmocka_unit_test(both_sides_of_more_exchanges_are_one_cause),
		cmocka_unit_test(longer_exchanges_are_the_growth_of_one_side),
		cmocka_unit_test(kinds_in_one_function_are_one_cause),
		cmocka_unit_test(threads_of_one_quota_are_one_cause),
		cmocka_unit_test(what_has_no_frame_in_common_is_several_causes),
		cmocka_unit_test(few_ms_are_no_growth),
		cmocka_unit_test(a_cause_can_grow_in_noise),
		cmocka_unit_test(no_verdict_without_proof),
		cmocka_unit_test(no_verdict_without_switches),
		cmocka_unit_test(stolen_time_is_nobodys_growth),
		cmocka_unit_test(stolen_from_others),
		cmocka_unit_test(stolen_time_hides_growth),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(wakings_that_are_missing_are_not_made_up),
		cmocka_unit_test(one_window_a_side),
		cmocka_unit_test(the_table_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

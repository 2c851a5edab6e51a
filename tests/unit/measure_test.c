/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers in Prometheus' text: the examples of its documentation, and buckets counted by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/measure.h"

#define TEXT                                                              \
	"# HELP http_requests_total The total number of HTTP requests.\n" \
	"# TYPE http_requests_total counter\n"                            \
	"http_requests_total{method=\"post\",code=\"200\"} 1027\n"        \
	"http_requests_total{method=\"post\",code=\"400\"}    3\n"        \
	"http_requests_total_more 9\n"                                    \
	"metric_without_timestamp_and_labels 12.47\n"                     \
	"http_request_duration_seconds_bucket{le=\"0.05\"} 24054\n"       \
	"http_request_duration_seconds_bucket{le=\"0.1\"} 33444\n"        \
	"http_request_duration_seconds_bucket{le=\"0.2\"} 100392\n"       \
	"http_request_duration_seconds_bucket{le=\"+Inf\"} 144320\n"      \
	"http_request_duration_seconds_sum 53423\n"

static void
sums_samples(void **state)
{
	(void)state;
	double value;
	assert_true(measure_value(SLICE(TEXT), "http_requests_total", NULL, &value));
	assert_true(value == 1030);
	assert_true(measure_value(SLICE(TEXT), "http_requests_total", "code=\"400\"", &value));
	assert_true(value == 3);
	assert_true(
		measure_value(SLICE(TEXT), "metric_without_timestamp_and_labels", NULL, &value));
	assert_true(value == 12.47);
	assert_false(measure_value(SLICE(TEXT), "http_requests", NULL, &value));
	assert_false(measure_value(SLICE(TEXT), "http_requests_total", "code=\"500\"", &value));
	assert_false(measure_value(SLICE("x"), "x", NULL, &value));
	assert_false(measure_value(SLICE("x{"), "x", NULL, &value));
	assert_false(measure_value(SLICE("x "), "x", NULL, &value));
}

static void
finds_the_bound_of_a_share(void **state)
{
	(void)state;
	struct measure_histogram none = {.count = 0}, all, more;
	measure_histogram(SLICE(TEXT), "http_request_duration_seconds", &all);
	assert_int_equal(all.count, 4);
	assert_true(all.bounds[1] == 0.1 && all.counts[2] == 100392);
	assert_int_equal(measure_quantile(&none, &all, 0.99), -1);
	assert_int_equal(measure_quantile(&all, &all, 0.99), -1);
	more = all;
	for (size_t i = 1; i < 4; i++)
		more.counts[i] += 100;
	assert_int_equal(measure_quantile(&all, &more, 0.99), 100000);
	more.counts[0] += 99;
	assert_int_equal(measure_quantile(&all, &more, 0.99), 50000);
	more.counts[3] += 2;
	assert_int_equal(measure_quantile(&all, &more, 0.99), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_samples),
		cmocka_unit_test(finds_the_bound_of_a_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the running daemon, and reads its metrics: as much of Prometheus' text format as thongked writes. */
#include "cli/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/http_get.h"

int
measure_ask(const struct conf *conf, const char *path, struct buf *body, char *error,
	    size_t error_size)
{
	int status = -1;
	snprintf(error, error_size, "admin_listen is empty, so the daemon cannot be asked");
	for (size_t i = 0; i < conf->admin_listen_count && status < 0; i++)
		status = http_get(&conf->admin_listens[i], path, body, error, error_size);
	return status;
}

/* Takes the next line off *text; false at the end. */
static bool
next_line(struct slice *text, struct slice *line)
{
	if (text->len == 0)
		return false;
	const char *end = memchr(text->ptr, '\n', text->len);
	size_t len = end ? (size_t)(end - text->ptr) : text->len;
	*line = (struct slice){text->ptr, len};
	text->ptr += len + (end != NULL);
	text->len -= len + (end != NULL);
	return true;
}

/* The sample of that name: its labels, "" without any, and its value. */
static bool
take_sample(struct slice line, const char *name, struct slice *labels, double *value)
{
	size_t len = strlen(name);
	if (line.len <= len || memcmp(line.ptr, name, len) != 0)
		return false;
	struct slice rest = {line.ptr + len, line.len - len};
	const char *close = *rest.ptr == '{' ? memchr(rest.ptr, '}', rest.len) : NULL;
	*labels = close ? (struct slice){rest.ptr + 1, (size_t)(close - rest.ptr) - 1} : SLICE("");
	const char *blank = close ? close + 1 : rest.ptr;
	char number[64];
	size_t left = (size_t)(line.ptr + line.len - blank);
	if (left < 2 || *blank != ' ' || left > sizeof(number))
		return false;
	memcpy(number, blank + 1, left - 1);
	number[left - 1] = '\0';
	*value = strtod(number, NULL);
	return true;
}

bool
measure_value(struct slice text, const char *name, const char *label, double *value)
{
	struct slice line, labels;
	double sample;
	bool found = false;
	*value = 0;
	while (next_line(&text, &line)) {
		if (!take_sample(line, name, &labels, &sample) ||
		    (label && !memmem(labels.ptr, labels.len, label, strlen(label))))
			continue;
		*value += sample;
		found = true;
	}
	return found;
}

void
measure_histogram(struct slice text, const char *name, struct measure_histogram *out)
{
	struct buf bucket = {0};
	struct slice line, labels;
	double sample;
	buf_addf(&bucket, "%s_bucket", name);
	buf_add(&bucket, "", 1);
	out->count = 0;
	while (next_line(&text, &line) && out->count < MEASURE_BOUNDS_MAX) {
		if (!take_sample(line, bucket.data, &labels, &sample) || labels.len < 5)
			continue;
		out->bounds[out->count] = strtod(labels.ptr + 4, NULL); /* behind le=" */
		out->counts[out->count++] = sample;
	}
	buf_release(&bucket);
}

int64_t
measure_quantile(const struct measure_histogram *before, const struct measure_histogram *after,
		 double share)
{
	size_t last = after->count;
	if (last == 0 || before->count != last)
		return -1;
	double all = after->counts[last - 1] - before->counts[last - 1];
	for (size_t i = 0; all > 0 && i < last; i++)
		if (after->counts[i] - before->counts[i] >= all * share)
			return isinf(after->bounds[i]) ? -1
						       : (int64_t)(after->bounds[i] * 1e6 + 0.5);
	return -1;
}

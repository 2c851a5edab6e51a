/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks as a list: there are few, and a hit younger than the newest of them is not compared with any. */
#include "store/marks.h"

void
marks_release(struct marks *marks)
{
	for (size_t i = 0; i < marks->count; i++)
		free(marks->list[i].field);
	free(marks->list);
	*marks = (struct marks){0};
}

/* False: it is none that we know. */
static bool
read_field(struct mark *mark, struct slice field)
{
	const char *blank = memchr(field.ptr, ' ', field.len);
	mark->site = (struct slice){field.ptr, blank ? (size_t)(blank - field.ptr) : field.len};
	mark->scope = MARK_SITE;
	if (!blank)
		return field.len > 0 && !slice_eq(field, SLICE(":"));
	struct slice rest = {blank + 1, field.len - mark->site.len - 1};
	if (slice_eq(rest, SLICE("visitors"))) {
		mark->scope = MARK_VISITORS;
	} else if (slice_eq(rest, SLICE("restored"))) {
		mark->scope = MARK_RESTORED;
	} else if (slice_eq(rest, SLICE("merged"))) {
		mark->scope = MARK_MERGED;
	} else if (rest.len > 0 && *rest.ptr == '/') {
		mark->scope = MARK_PAGE;
		mark->page = rest;
	} else {
		mark->scope = MARK_PERIOD;
		return period_parse(rest, &mark->kind, &mark->id);
	}
	return true;
}

const struct mark *
marks_put(struct marks *marks, struct slice field, int64_t ms)
{
	struct mark mark = {.ms = ms};
	for (size_t i = 0; i < marks->count; i++) {
		struct mark *known = &marks->list[i];
		if (!slice_eq(slice_of(known->field), field))
			continue;
		if (known->ms >= ms)
			return NULL;
		known->ms = ms;
		marks->newest = ms > marks->newest ? ms : marks->newest;
		return known;
	}
	if (!read_field(&mark, field))
		return NULL;
	mark.field = xstrndup(field.ptr, field.len);
	(void)read_field(&mark, slice_of(mark.field));
	marks->list = xrealloc(marks->list, (marks->count + 1) * sizeof(*marks->list));
	marks->list[marks->count++] = mark;
	marks->newest = ms > marks->newest ? ms : marks->newest;
	return &marks->list[marks->count - 1];
}

bool
marks_pass(const struct marks *marks, struct hit *hit)
{
	if (hit->time_ms > marks->newest)
		return true;
	for (size_t i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->list[i];
		if (hit->time_ms > mark->ms ||
		    !(slice_eq(mark->site, hit->site) || slice_eq(mark->site, SLICE("*"))))
			continue;
		if (mark->scope == MARK_SITE || mark->scope == MARK_RESTORED ||
		    (mark->scope == MARK_PERIOD && period_of_day(mark->kind, hit->day) == mark->id))
			return false;
		if (mark->scope == MARK_VISITORS)
			hit->visitor = 0;
		if (mark->scope == MARK_PAGE && slice_eq(mark->page, hit->values[HIT_PAGES]))
			hit->values[HIT_PAGES] = (struct slice){0};
	}
	/* A hit that counts for its page alone, which is gone. */
	return !(hit->page_only && !hit->values[HIT_PAGES].ptr);
}

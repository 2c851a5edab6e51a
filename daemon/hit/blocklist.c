/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocked hosts: one block of text and an open-addressed hash table, built once. The names in it are the
 * operator's; a stranger's is only looked up, so the hash needs no secret.
 */
#include "hit/blocklist.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <stdatomic.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/conf_value.h"
#include "hit/host.h"

/* Where a host stands in the text; len 0: a free place. */
struct place {
	uint32_t at;
	uint8_t len;
};

struct blocklist {
	atomic_int refs;
	struct buf text;
	struct place *places;
	uint32_t mask;
	uint32_t count;
};

static struct place *
find_place(const struct blocklist *list, struct slice host)
{
	for (uint64_t at = XXH3_64bits(host.ptr, host.len);; at++) {
		struct place *place = &list->places[at & list->mask];
		if (place->len == 0 ||
		    (place->len == host.len &&
		     memcmp(list->text.data + place->at, host.ptr, host.len) == 0))
			return place;
	}
}

/* Twice the places. */
static void
grow(struct blocklist *list)
{
	struct place *old = list->places;
	uint32_t count = old ? list->mask + 1 : 0;
	list->mask = old ? 2 * count - 1 : 15;
	list->places = xcalloc(list->mask + 1, sizeof(*list->places));
	for (uint32_t i = 0; i < count; i++) {
		struct slice host = {list->text.data + old[i].at, old[i].len};
		if (host.len > 0)
			*find_place(list, host) = old[i];
	}
	free(old);
}

static void
add_host(struct blocklist *list, struct slice host)
{
	if (!list->places || list->count > list->mask / 2)
		grow(list);
	struct place *place = find_place(list, host);
	if (place->len > 0)
		return;
	*place = (struct place){(uint32_t)list->text.len, (uint8_t)host.len};
	buf_add_slice(&list->text, host);
	list->count++;
}

/* The line without comment and white space around it. */
static char *
trimmed(char *line)
{
	static const char space[] = " \t\r\n";
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, space);
	size_t len = strlen(line);
	while (len > 0 && strchr(space, line[len - 1]))
		len--;
	line[len] = '\0';
	return line;
}

/* What is wrong with a line, or NULL. */
static const char *
take_line(struct blocklist *list, char *line, size_t len)
{
	char host[CONF_HOST_MAX + 1];
	if (strlen(line) != len)
		return "a NUL byte";
	line = trimmed(line);
	if (*line == '\0')
		return NULL;
	if (*line == '*' || !conf_parse_host(line, host))
		return line;
	if (list->count >= BLOCKLIST_MAX)
		return "one host too many";
	add_host(list, slice_of(host));
	return NULL;
}

static bool
read_lines(struct blocklist *list, FILE *file, const char *path, char *error, size_t error_size)
{
	char *line = NULL;
	const char *wrong = NULL;
	size_t room = 0;
	ssize_t len;
	for (int number = 1; !wrong && (len = getline(&line, &room, file)) >= 0; number++) {
		wrong = take_line(list, line, (size_t)len);
		if (wrong)
			snprintf(error, error_size,
				 "%s:%d: \"%.80s\" is no host; allowed: one host a line, such as "
				 "spam.example, which stands for *.spam.example too; at most %d",
				 path, number, wrong, BLOCKLIST_MAX);
	}
	if (!wrong && ferror(file)) {
		snprintf(error, error_size, "cannot read the referrer blocklist %s: %s", path,
			 strerror(errno));
		wrong = path;
	}
	free(line);
	return !wrong;
}

struct blocklist *
blocklist_read(const char *path, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(error, error_size, "cannot open the referrer blocklist %s: %s", path,
			 strerror(errno));
		return NULL;
	}
	struct blocklist *list = xcalloc(1, sizeof(*list));
	atomic_init(&list->refs, 1);
	grow(list);
	bool fine = read_lines(list, file, path, error, error_size);
	fclose(file);
	if (fine)
		return list;
	blocklist_unref(list);
	return NULL;
}

struct blocklist *
blocklist_ref(struct blocklist *list)
{
	if (list)
		atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
	return list;
}

void
blocklist_unref(struct blocklist *list)
{
	if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1)
		return;
	buf_release(&list->text);
	free(list->places);
	free(list);
}

bool
blocklist_has(const struct blocklist *list, struct slice host)
{
	char name[HIT_VALUE_MAX];
	struct slice rest = host_normalise(host, name);
	while (rest.len > 0) {
		if (find_place(list, rest)->len > 0)
			return true;
		const char *dot = memchr(rest.ptr, '.', rest.len);
		size_t label = dot ? (size_t)(dot - rest.ptr) + 1 : rest.len;
		rest = (struct slice){rest.ptr + label, rest.len - label};
	}
	return false;
}

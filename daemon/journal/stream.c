/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: their names, their lists of segments, and the removal of what is no longer needed. Never writes a frame and
 * never decides what may be removed: the caller knows what has been applied.
 */
#include "journal/stream.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/form.h"

struct stream *
stream_new(struct journal *journal, const struct stream_id *id)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));
	stream->journal = journal;
	stream->id = *id;
	for (size_t i = 0; i < STREAM_ID_SIZE; i++)
		snprintf(stream->name + 2 * i, 3, "%02x", id->bytes[i]);
	return stream;
}

void
stream_free(struct stream *stream)
{
	free(stream->segments);
	free(stream);
}

void
stream_path(const struct stream *stream, char out[SEGMENT_PATH_MAX])
{
	snprintf(out, SEGMENT_PATH_MAX, "%s/%s", stream->journal->dir, stream->name);
}

/* Lower case only, as stream_new writes it: two names must not mean one stream. */
bool
stream_id_parse(const char *name, struct stream_id *id)
{
	if (strspn(name, "0123456789abcdef") != 2 * STREAM_ID_SIZE || name[2 * STREAM_ID_SIZE])
		return false;
	for (size_t i = 0; i < STREAM_ID_SIZE; i++)
		id->bytes[i] =
			(unsigned char)(hex_value(name[2 * i]) << 4 | hex_value(name[2 * i + 1]));
	return true;
}

void
stream_add_segment(struct stream *stream, struct segment segment)
{
	stream->segments =
		xrealloc(stream->segments, (stream->segment_count + 1) * sizeof(*stream->segments));
	stream->segments[stream->segment_count++] = segment;
}

void
list_add(void *list, size_t *count, void *item)
{
	void **items = *(void ***)list;
	items = xrealloc(items, (*count + 1) * sizeof(*items));
	items[(*count)++] = item;
	*(void ***)list = items;
}

void
list_remove(void *list, size_t *count, const void *item)
{
	void **items = *(void ***)list;
	for (size_t i = 0; i < *count; i++) {
		if (items[i] == item) {
			memmove(items + i, items + i + 1, (*count - i - 1) * sizeof(*items));
			(*count)--;
			return;
		}
	}
}

void
journal_each(struct journal *journal, void (*each)(struct stream *stream, void *arg), void *arg)
{
	/* A copy: the callback may remove its stream, and writers may add theirs. */
	pthread_mutex_lock(&journal->lock);
	size_t count = journal->stream_count;
	struct stream **streams = xmalloc(count * sizeof(struct stream *));
	if (count)
		memcpy(streams, journal->streams, count * sizeof(struct stream *));
	pthread_mutex_unlock(&journal->lock);
	for (size_t i = 0; i < count; i++)
		each(streams[i], arg);
	free(streams);
}

const struct stream_id *
stream_id(const struct stream *stream)
{
	return &stream->id;
}

const char *
stream_name(const struct stream *stream)
{
	return stream->name;
}

bool
stream_sealed(const struct stream *stream)
{
	return atomic_load_explicit(&stream->sealed, memory_order_acquire);
}

uint64_t
stream_end(const struct stream *stream)
{
	return atomic_load_explicit(&stream->end, memory_order_acquire);
}

uint64_t
stream_first(const struct stream *stream)
{
	pthread_mutex_lock(&stream->journal->lock);
	uint64_t first = stream->segment_count ? stream->segments[0].first : stream_end(stream);
	pthread_mutex_unlock(&stream->journal->lock);
	return first;
}

static int64_t
age_of(int64_t written_s)
{
	int64_t age = clock_wall_ms() / 1000 - written_s;
	return age < 0 ? 0 : age;
}

int64_t
stream_idle(const struct stream *stream)
{
	pthread_mutex_lock(&stream->journal->lock);
	size_t count = stream->segment_count;
	bool live = count == 0 || stream->segments[count - 1].live;
	int64_t idle = live ? 0 : age_of(stream->segments[count - 1].written_s);
	pthread_mutex_unlock(&stream->journal->lock);
	return idle;
}

bool
stream_oldest_segment(const struct stream *stream, struct segment_info *info)
{
	pthread_mutex_lock(&stream->journal->lock);
	/* A stream that is sealed meanwhile must not vanish under a caller who took it for a live one. */
	bool found =
		stream->segment_count > 1 || (stream->segment_count == 1 && stream_sealed(stream));
	if (found) {
		const struct segment *oldest = &stream->segments[0];
		info->first = oldest->first;
		info->end = stream->segment_count > 1 ? oldest[1].first : stream_end(stream);
		info->age = age_of(oldest->written_s);
	}
	pthread_mutex_unlock(&stream->journal->lock);
	return found;
}

/* Takes the oldest segment off the list; true when the stream is thereby used up. */
static bool
take_oldest(struct journal *journal, struct stream *stream, struct segment *oldest)
{
	pthread_mutex_lock(&journal->lock);
	*oldest = stream->segments[0];
	stream->segment_count--;
	memmove(stream->segments, stream->segments + 1,
		stream->segment_count * sizeof(*stream->segments));
	bool used_up = stream->segment_count == 0 && stream_sealed(stream);
	if (used_up)
		list_remove(&journal->streams, &journal->stream_count, stream);
	pthread_mutex_unlock(&journal->lock);
	return used_up;
}

/* A writer that still finds no room says so again. */
static void
note_removed(struct journal *journal, uint64_t allocated)
{
	uint64_t wanted = atomic_load(&journal->wanted);
	atomic_fetch_sub(&journal->allocated, allocated);
	atomic_store(&journal->wanted, wanted > allocated ? wanted - allocated : 0);
}

void
stream_remove_oldest(struct journal *journal, struct stream *stream)
{
	struct segment_info info;
	if (journal->read_only || !stream_oldest_segment(stream, &info))
		return;
	struct segment oldest;
	bool used_up = take_oldest(journal, stream, &oldest);
	char path[SEGMENT_PATH_MAX];
	segment_path(path, journal->dir, stream->name, oldest.first, SEGMENT_TORN);
	unlink(path);
	segment_path(path, journal->dir, stream->name, oldest.first, SEGMENT_LOG);
	/* One that cannot be removed still takes its space. */
	if (unlink(path) == 0 || errno == ENOENT)
		note_removed(journal, oldest.allocated);
	else
		log_error("journal_remove_failed file=%s error=\"%s\"", path, strerror(errno));
	if (!used_up)
		return;
	stream_path(stream, path);
	if (rmdir(path) < 0 && errno != ENOENT)
		log_warn("journal_remove_failed directory=%s error=\"%s\"", path, strerror(errno));
	stream_free(stream);
}

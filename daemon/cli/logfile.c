/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a plain or compressed file, with their running hash. Knows nothing of what a line says. */
#include "cli/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

enum { HEAD_MAX = 256 /* bytes that tell a file that was emptied and written anew */ };

struct logfile {
	gzFile gz;
	int fd;       /* gz' */
	int64_t size; /* on disk */
	size_t head_len;
	char *data; /* LOGFILE_LINE_MAX bytes */
	size_t start, end;
	size_t hashed; /* data[hashed, start) is passed over but not in the hash yet */
	size_t line; /* bytes of the line that was looked at, with its end; 0: none or a long one */
	bool ended;
	uint64_t offset, lines; /* at start */
	XXH3_state_t *hash;
	void (*watch)(uint64_t offset, struct slice line, void *arg);
	void *watch_arg;
	char damage[160];
	char head[HEAD_MAX]; /* the file's first bytes when it was opened */
};

static int
temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int len =
		snprintf(path, sizeof path, "%s/thongke-import-XXXXXX", dir && *dir ? dir : "/tmp");
	if (len < 0 || (size_t)len >= sizeof path)
		return -1;
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, bytes, len);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			len -= (size_t)written;
		}
	}
	return true;
}

static bool
copy_all(int from, int to)
{
	char bytes[64 * 1024];
	for (;;) {
		ssize_t len = read(from, bytes, sizeof bytes);
		if (len == 0)
			return lseek(to, 0, SEEK_SET) == 0;
		if (len < 0 && errno != EINTR)
			return false;
		if (len > 0 && !write_all(to, bytes, (size_t)len))
			return false;
	}
}

/* A file that can be read twice in place of one that cannot; takes `fd` over. -1 with errno set. */
static int
spool(int fd)
{
	int to = temporary_file();
	if (to >= 0 && !copy_all(fd, to)) {
		int saved = errno;
		close(to);
		errno = saved;
		to = -1;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return to;
}

static int
open_seekable(const char *path, struct stat *status)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, status) != 0)
		return -1;
	if (S_ISDIR(status->st_mode)) {
		close(fd);
		errno = EISDIR;
		return -1;
	}
	if (standard || !S_ISREG(status->st_mode))
		fd = spool(fd);
	return fd < 0 || fstat(fd, status) != 0 ? -1 : fd;
}

int
logfile_descriptor(const char *path)
{
	struct stat status;
	return open_seekable(path, &status);
}

struct logfile *
logfile_open(const char *path, char *error, size_t error_size)
{
	struct stat status;
	int fd = open_seekable(path, &status);
	gzFile gz = fd < 0 ? NULL : gzdopen(fd, "rb");
	if (!gz) {
		snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	/* zlib reads a file that is not compressed as it is. */
	gzbuffer(gz, 256 * 1024);
	struct logfile *file = xcalloc(1, sizeof *file);
	file->gz = gz;
	file->fd = fd;
	ssize_t head = pread(fd, file->head, sizeof(file->head), 0);
	file->head_len = head > 0 ? (size_t)head : 0;
	file->size = status.st_size;
	file->data = xmalloc(LOGFILE_LINE_MAX);
	file->hash = XXH3_createState();
	XXH3_128bits_reset(file->hash);
	return file;
}

void
logfile_free(struct logfile *file)
{
	if (!file)
		return;
	gzclose(file->gz);
	XXH3_freeState(file->hash);
	free(file->data);
	free(file);
}

static void
hash_passed(struct logfile *file)
{
	XXH3_128bits_update(file->hash, file->data + file->hashed, file->start - file->hashed);
	file->hashed = file->start;
}

/* Moves what is unread to the front and fills the rest; false when nothing was added. */
static bool
fill(struct logfile *file)
{
	size_t left = file->end - file->start;
	hash_passed(file);
	memmove(file->data, file->data + file->start, left);
	file->start = file->hashed = 0;
	file->end = left;
	while (!file->ended && file->end < LOGFILE_LINE_MAX) {
		int got = gzread(file->gz, file->data + file->end,
				 (unsigned)(LOGFILE_LINE_MAX - file->end));
		int code = Z_OK;
		const char *text = gzerror(file->gz, &code);
		if (code != Z_OK && code != Z_STREAM_END)
			snprintf(file->damage, sizeof file->damage, "%s",
				 code == Z_ERRNO ? strerror(errno) : text);
		file->ended = got <= 0 || *file->damage;
		file->end += got > 0 ? (size_t)got : 0;
	}
	return file->end > left;
}

static void
pass(struct logfile *file, size_t bytes)
{
	file->start += bytes;
	file->offset += bytes;
}

static char *
line_end(const struct logfile *file, size_t from)
{
	return memchr(file->data + from, '\n', file->end - from);
}

/* A full buffer without a line end is a long line; a buffer that is not full is all that is left of the file. */
enum logfile_line
logfile_peek(struct logfile *file, struct slice *line)
{
	char *newline = line_end(file, file->start);
	if (!newline && fill(file))
		newline = line_end(file, file->start);
	file->line = newline ? (size_t)(newline + 1 - file->data) - file->start : 0;
	size_t len = newline ? file->line - 1 : file->end - file->start;
	*line = (struct slice){file->data + file->start, len};
	if (newline)
		return LOGFILE_LINE;
	return len == LOGFILE_LINE_MAX ? LOGFILE_LONG : LOGFILE_END;
}

static void
to_beginning(struct logfile *file)
{
	gzclearerr(file->gz); /* a damaged file cannot be rewound otherwise */
	gzrewind(file->gz);
	file->start = file->end = file->hashed = file->line = 0;
	file->offset = file->lines = 0;
	file->ended = false;
	file->damage[0] = '\0';
	XXH3_128bits_reset(file->hash);
}

/* The first whole line of what was just read. */
static void
show_line(const struct logfile *file)
{
	const char *before = line_end(file, file->start);
	size_t start = before ? (size_t)(before + 1 - file->data) : file->end;
	const char *after = start < file->end ? line_end(file, start) : NULL;
	if (!after)
		return;
	struct slice line = {file->data + start, (size_t)(after - file->data) - start};
	file->watch(file->offset + (start - file->start), line, file->watch_arg);
}

void
logfile_watch(struct logfile *file, void (*each)(uint64_t offset, struct slice line, void *arg),
	      void *arg)
{
	file->watch = each;
	file->watch_arg = arg;
}

bool
logfile_seek(struct logfile *file, uint64_t offset)
{
	if (offset < file->offset)
		to_beginning(file);
	while (file->offset < offset) {
		if (file->start == file->end) {
			if (!fill(file))
				return false;
			if (file->watch)
				show_line(file);
		}
		size_t most = file->end - file->start;
		size_t bytes = offset - file->offset < most ? offset - file->offset : most;
		const char *from = file->data + file->start, *end = from + bytes;
		while ((from = memchr(from, '\n', (size_t)(end - from)))) {
			file->lines++;
			from++;
		}
		pass(file, bytes);
	}
	file->line = 0;
	return true;
}

/* Passes over a line that the buffer cannot hold. Without an end it stays the next one, so all is read again. */
static bool
take_long(struct logfile *file)
{
	uint64_t before = file->offset;
	char *newline;
	do {
		pass(file, file->end - file->start);
		newline = fill(file) ? line_end(file, file->start) : NULL;
	} while (!newline && file->end > file->start);
	if (!newline)
		return logfile_seek(file, before) && false;
	pass(file, (size_t)(newline + 1 - file->data) - file->start);
	file->lines++;
	return true;
}

bool
logfile_take(struct logfile *file)
{
	if (file->line == 0)
		return take_long(file);
	pass(file, file->line);
	file->line = 0;
	file->lines++;
	return true;
}

uint64_t
logfile_offset(const struct logfile *file)
{
	return file->offset;
}

uint64_t
logfile_lines(const struct logfile *file)
{
	return file->lines;
}

void
logfile_hash(struct logfile *file, char hex[LOGFILE_HASH_SIZE])
{
	hash_passed(file);
	XXH128_hash_t hash = XXH3_128bits_digest(file->hash);
	snprintf(hex, LOGFILE_HASH_SIZE, "%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
}

/* --- a file that is written to meanwhile --- */

static bool
is_cut(const struct logfile *file, const struct stat *status)
{
	char head[HEAD_MAX];
	if ((uint64_t)status->st_size < file->offset)
		return true;
	ssize_t len = pread(file->fd, head, file->head_len, 0);
	return len < 0 || (size_t)len != file->head_len ||
	       memcmp(head, file->head, file->head_len) != 0;
}

enum logfile_change
logfile_change(const struct logfile *file, const char *path)
{
	struct stat own, named;
	if (fstat(file->fd, &own) != 0 || is_cut(file, &own))
		return LOGFILE_CUT;
	if (stat(path, &named) != 0 || named.st_dev != own.st_dev || named.st_ino != own.st_ino)
		return LOGFILE_ROTATED;
	return LOGFILE_SAME;
}

void
logfile_go_on(struct logfile *file)
{
	if (*file->damage)
		return;
	if (file->head_len < sizeof(file->head)) {
		ssize_t head = pread(file->fd, file->head, sizeof(file->head), 0);
		file->head_len = head > 0 ? (size_t)head : 0;
	}
	gzclearerr(file->gz);
	file->ended = false;
}

bool
logfile_can_grow(struct logfile *file, const char *path)
{
	struct stat named;
	bool copied =
		strcmp(path, "-") == 0 || (stat(path, &named) == 0 && !S_ISREG(named.st_mode));
	return !copied && gzdirect(file->gz);
}

double
logfile_share(const struct logfile *file)
{
	int64_t behind = gzoffset(file->gz);
	if (file->size <= 0 || behind >= file->size)
		return 1;
	return behind < 0 ? 0 : (double)behind / (double)file->size;
}

const char *
logfile_damage(const struct logfile *file)
{
	return file->damage;
}

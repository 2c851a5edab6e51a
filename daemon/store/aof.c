/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis' append-only file: requests as on the wire ("*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"), transactions between MULTI and EXEC,
 * notes ("#TS:1589976000\r\n"). Since Redis 7 it is a folder: a base, files of what came since, and a manifest with their
 * order. Only those files are read and cut here.
 */
#include "store/aof.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_MAX_BYTES = 16, NAME_SIZE = 256, FILE_PATH_MAX = 4096 };

/* --- one command (pure); each take_ returns the bytes it takes, 0: they are not all there, -1: it is none --- */

static struct slice
behind(struct slice bytes, size_t at)
{
	return (struct slice){bytes.ptr + at, bytes.len - at};
}

/* A kind, digits, CR LF. */
static int64_t
take_number(struct slice in, char kind, int64_t *number)
{
	*number = 0;
	if (in.len > 0 && in.ptr[0] != kind)
		return -1;
	for (size_t at = 1; at < in.len && at < LINE_MAX_BYTES; at++) {
		if (in.ptr[at] == '\r' && at > 1) {
			if (at + 1 == in.len)
				return 0;
			return in.ptr[at + 1] == '\n' ? (int64_t)at + 2 : -1;
		}
		if (in.ptr[at] < '0' || in.ptr[at] > '9')
			return -1;
		*number = *number * 10 + (in.ptr[at] - '0');
	}
	return in.len < LINE_MAX_BYTES ? 0 : -1;
}

static int64_t
take_word(struct slice in, struct slice *word)
{
	int64_t len, head = take_number(in, '$', &len);
	if (head <= 0)
		return head;
	size_t end = (size_t)(head + len);
	*word = (struct slice){in.ptr + head, (size_t)len};
	if (end + 2 > in.len)
		return 0;
	return memcmp(in.ptr + end, "\r\n", 2) == 0 ? (int64_t)end + 2 : -1;
}

static int64_t
take_command(struct slice in, struct slice *name)
{
	int64_t words, at = take_number(in, '*', &words);
	for (int64_t n = 0; at > 0 && n < words; n++) {
		struct slice word;
		int64_t taken = take_word(behind(in, (size_t)at), n == 0 ? name : &word);
		if (taken <= 0)
			return taken;
		at += taken;
	}
	return at;
}

static int64_t
take_note(struct slice in)
{
	const char *end = memchr(in.ptr, '\n', in.len);
	return end ? end - in.ptr + 1 : 0;
}

size_t
aof_whole(struct slice bytes, bool *damaged)
{
	size_t at = 0, whole = 0;
	bool within = false; /* a transaction */
	*damaged = false;
	while (at < bytes.len) {
		struct slice rest = behind(bytes, at), name = SLICE("");
		int64_t taken = *rest.ptr == '#' ? take_note(rest) : take_command(rest, &name);
		if (taken == 0)
			break;
		bool begins = slice_case_eq(name, SLICE("MULTI"));
		bool ends = slice_case_eq(name, SLICE("EXEC"));
		*damaged = taken < 0 || (begins && within) || (ends && !within);
		if (*damaged)
			break;
		within = begins || (within && !ends);
		at += (size_t)taken;
		if (!within)
			whole = at;
	}
	return whole;
}

/* --- the files --- */

/* Where to cut; the size itself where nothing is torn. -1 with errno. */
static int64_t
whole_of(int fd, size_t size, const char *path)
{
	bool damaged;
	if (size == 0)
		return 0;
	void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -1;
	size_t whole = aof_whole((struct slice){bytes, size}, &damaged);
	munmap(bytes, size);
	if (damaged)
		log_error("redis_file_damaged file=%s behind=%zu outcome=left", path, whole);
	return (int64_t)(damaged ? size : whole);
}

static int
mend_open_file(int fd, const char *path, bool *torn)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -1;
	int64_t keep = *torn ? 0 : whole_of(fd, (size_t)status.st_size, path);
	if (keep < 0)
		return -1;
	if (keep == status.st_size)
		return 0;
	log_warn("redis_file_torn file=%s kept=%" PRId64 " cut=%" PRId64, path, keep,
		 (int64_t)status.st_size - keep);
	*torn = true;
	return ftruncate(fd, (off_t)keep) < 0 ? -1 : fdatasync(fd);
}

static int
mend_file(const char *path, bool *torn)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	int result = mend_open_file(fd, path, torn);
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* A line of the manifest, "file NAME seq 1 type i": i is what came since the base, in the order written. */
static int
mend_line(const char *dir, const char *line, bool *torn)
{
	char name[NAME_SIZE], path[FILE_PATH_MAX], type;
	bool known = sscanf(line, "file %255s seq %*u type %c", name, &type) == 2;
	if (!known || type != 'i' || strchr(name, '/'))
		return 0;
	snprintf(path, sizeof(path), "%s/appendonlydir/%s", dir, name);
	return mend_file(path, torn);
}

int
aof_mend(const char *dir)
{
	char line[FILE_PATH_MAX];
	int result = 0;
	bool torn = false;
	snprintf(line, sizeof(line), "%s/appendonlydir/appendonly.aof.manifest", dir);
	FILE *manifest = fopen(line, "re");
	if (!manifest)
		return errno == ENOENT ? 0 : -1;
	while (result == 0 && fgets(line, sizeof(line), manifest))
		result = mend_line(dir, line, &torn);
	int saved = errno;
	fclose(manifest);
	errno = saved;
	return result;
}

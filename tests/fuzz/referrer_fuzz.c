/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a referrer. Holds that what it is counted as is short and inert: one of our names or a host in its one
 * form, which as a host stays what it is.
 */
#include "hit/host.h"
#include "hit/referrer.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A configuration of two sites, made once: the fuzzer lives in one process. */
static const struct conf *
configuration(void)
{
	static struct conf *conf;
	char path[] = "/tmp/thongke-fuzz-XXXXXX", error[512];
	int fd = conf ? -1 : mkstemp(path);
	if (fd < 0)
		return conf;
	FILE *file = fdopen(fd, "w");
	HOLD(file);
	fputs("site \"a\" { hosts = {\"a.vn\", \"*.a.vn\", \"::1\"} }\n"
	      "site \"b\" { hosts = {\"b.vn\", \"*\"} }\n",
	      file);
	fclose(file);
	conf = conf_load(path, NULL, 0, error, sizeof(error));
	HOLD(conf);
	remove(path);
	return conf;
}

static void
hold_inert(struct slice value)
{
	HOLD(value.len > 0 && value.len <= HIT_VALUE_MAX);
	for (size_t i = 0; i < value.len; i++)
		HOLD((value.ptr[i] >= 'A' && value.ptr[i] <= 'Z') ||
		     (value.ptr[i] >= 'a' && value.ptr[i] <= 'z') ||
		     (value.ptr[i] >= '0' && value.ptr[i] <= '9') ||
		     strchr("._-: ()", value.ptr[i]));
}

static void
hold_host(struct slice value)
{
	char out[HIT_VALUE_MAX], bracketed[HIT_VALUE_MAX + 2];
	bool v6 = memchr(value.ptr, ':', value.len) != NULL;
	memcpy(bracketed + 1, value.ptr, value.len);
	bracketed[0] = '[';
	bracketed[value.len + 1] = ']';
	struct slice again = v6 ? (struct slice){bracketed, value.len + 2}
				: (struct slice){value.ptr, value.len};
	HOLD(slice_eq(host_normalise(again, out), value));
}

static void
try_referrer(struct slice url)
{
	const struct conf *conf = configuration();
	for (size_t i = 0; i < conf->site_count; i++) {
		char out[HIT_VALUE_MAX];
		struct slice value = referrer_value(url, conf, &conf->sites[i], out);
		hold_inert(value);
		if (value.ptr >= out && value.ptr < out + sizeof(out))
			hold_host(value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const schemes[] = {"", "http://", "https://www.", "http://[",
					      "android-app://"};
	char url[1024];
	if (size > sizeof(url) - 32)
		return 0;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		size_t len = strlen(schemes[i]);
		memcpy(url, schemes[i], len);
		memcpy(url + len, data, size);
		try_referrer((struct slice){url, len + size});
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of Content-Security-Policy, level 3. An IPv6 address has none there: such a host frames as "'self'" alone. */
#include "show/policy.h"

#include <sodium.h>

/* nginx takes 4 KiB of header from a server behind it. */
enum { ANCESTORS_MAX = 2000 };

void
policy_hash(char out[POLICY_HASH_SIZE], struct slice style)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char base64[sodium_base64_ENCODED_LEN(sizeof(digest), sodium_base64_VARIANT_ORIGINAL)];
	crypto_hash_sha256(digest, (const unsigned char *)style.ptr, style.len);
	sodium_bin2base64(base64, sizeof(base64), digest, sizeof(digest),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, POLICY_HASH_SIZE, "'sha256-%s'", base64);
}

/* A source of http takes pages over https too, but old browsers want to be told. */
static void
add_ancestor(struct buf *out, const char *host)
{
	if (strchr(host, ':'))
		return;
	buf_addf(out, " http://%s:* https://%s:*", host, host);
}

void
policy_line(struct buf *out, const struct conf_site *site, const char *const *hashes, size_t count)
{
	buf_add_literal(out, "Content-Security-Policy: default-src 'none'; style-src");
	for (size_t i = 0; i < count; i++)
		buf_addf(out, " %s", hashes[i]);
	buf_add_literal(out, "; base-uri 'none'; form-action 'none'; frame-ancestors");
	size_t start = out->len;
	bool anybody = false;
	buf_add_literal(out, " 'self'");
	for (size_t i = 0; i < site->host_count && !anybody; i++) {
		add_ancestor(out, site->hosts[i]);
		anybody = strcmp(site->hosts[i], "*") == 0 || out->len - start > ANCESTORS_MAX;
	}
	if (anybody) {
		out->len = start;
		buf_add_literal(out, " *");
	}
	buf_add_literal(out, "\r\n");
}

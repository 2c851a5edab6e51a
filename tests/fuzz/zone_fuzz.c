/* SPDX-License-Identifier: BSD-2-Clause */
/* TZif bytes of a stranger: read without a fault, and whatever is accepted answers for every moment. */
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t moments[] = {INT64_MIN,  -62135596801, -62135596800, -1,
					  0,          1589959927,   2147483647,   4133980799,
					  4294967296, 253370764799, 253370764800, INT64_MAX};
	struct zone *zone;
	int result = zone_parse(data, size, &zone);
	require(result == 0 ? zone != NULL : result == ZONE_BAD && zone == NULL);
	for (size_t i = 0; zone && i < COUNT_OF(moments); i++) {
		struct zone_span span = zone_at(zone, moments[i]);
		require(span.from <= moments[i] && span.to >= moments[i]);
		require(span.to > moments[i] || moments[i] == INT64_MAX);
		if (moments[i] > INT64_MIN / 2 && moments[i] < INT64_MAX / 2)
			require((unsigned)zone_span_local(span, moments[i]).hour < 24);
	}
	zone_free(zone);
	return 0;
}

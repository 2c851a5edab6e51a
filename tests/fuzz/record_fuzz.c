/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records and frames from any bytes: nothing is read out of bounds, and what is accepted can be written back to the
 * same bytes. The checksum is put right where the fuzzer cannot.
 */
#include <assert.h>

#include "journal/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_records(struct slice rest)
{
	struct buf again = {0};
	struct hit hit;
	int taken;
	while ((taken = record_get(rest, &hit)) > 0) {
		assert((size_t)taken <= rest.len && hit.hour < 24);
		buf_clear(&again);
		record_put(&again, &hit);
		assert(again.len == (size_t)taken && memcmp(again.data, rest.ptr, again.len) == 0);
		rest = (struct slice){rest.ptr + taken, rest.len - (size_t)taken};
	}
	buf_release(&again);
}

/* The same header with a right checksum must be accepted exactly when its other fields are in order. */
static void
read_mended(struct slice bytes, const struct stream_id *id)
{
	if (bytes.len < FRAME_HEADER_SIZE || bytes.len > FRAME_SIZE_MAX)
		return;
	struct buf mended = {0};
	struct frame frame = {
		.offset = 99,
		.count = (uint32_t)bytes.len,
		.payload = {bytes.ptr + FRAME_HEADER_SIZE, bytes.len - FRAME_HEADER_SIZE},
	};
	buf_add_slice(&mended, bytes);
	frame_header((unsigned char *)mended.data, id, &frame);
	struct frame got;
	assert(frame_parse(buf_slice(&mended), id, 99, &got) == (int64_t)bytes.len);
	assert(got.count == frame.count && slice_eq(got.payload, frame.payload));
	read_records(got.payload);
	buf_release(&mended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_id id = {{1, 2, 3}};
	struct slice bytes = {(const char *)data, size};
	struct frame frame;
	int64_t taken = frame_parse(bytes, &id, 99, &frame);
	assert(taken <= (int64_t)size);
	read_records(bytes);
	read_mended(bytes, &id);
	return 0;
}

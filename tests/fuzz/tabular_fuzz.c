/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a file of rows: it comes to an end, and every row has its cells inside itself. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
bytes_of(const struct tabular_row *row)
{
	size_t sum = row->table.len;
	for (size_t i = 0; i < row->cell_count; i++)
		for (size_t k = 0; k < row->cells[i].len; k++)
			sum += (unsigned char)row->cells[i].ptr[k] > 0;
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], error[256];
	struct tabular_row row;
	size_t sum = 0;
	int fd = memfd_create("rows", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct tabular *file = tabular_open(path, error, sizeof(error));
	if (!file)
		abort();
	while (tabular_next(file, &row)) {
		sum += bytes_of(&row) + counters_know(&row, NULL);
		if (row.cell_count > TABULAR_COLUMNS_MAX || row.name_count > TABULAR_COLUMNS_MAX)
			abort();
	}
	if (tabular_rows(file) > size + 1)
		abort();
	(void)sum;
	tabular_free(file);
	close(fd);
	return 0;
}

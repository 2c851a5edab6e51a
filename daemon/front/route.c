/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the route of a path. Paths are compared as sent: no route needs an escape, and none has two names. */
#include "front/route.h"

const struct route *
route_find(const struct route *routes, size_t count, struct slice path)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq(routes[i].path, path))
			return &routes[i];
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of keys that are there, found by looking through all of them: for operators' commands. */
#ifndef STORE_KEYLIST_H
#define STORE_KEYLIST_H

#include "store/inside.h"

/* Sorted, none twice. Zeroed is a valid empty one. */
struct keylist {
	char **names;
	size_t count, room;
};
void keylist_release(struct keylist *list);
/* Every key that begins with what store->key holds; replaces what was in the list. */
int keylist_scan(struct store *store, struct keylist *list) MUST_CHECK;
/* Leaves only those for which it is true; `tail` is what follows the first `prefix` bytes. */
void keylist_filter(struct keylist *list, size_t prefix,
		    bool (*wanted)(struct slice tail, const void *arg), const void *arg);
/* Whether all of the others are in it. */
bool keylist_has_all(const struct keylist *list, const struct keylist *others);

#endif

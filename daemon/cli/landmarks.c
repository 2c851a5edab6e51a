/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in a log which time is. Knows nothing of files; what it is told stays true of a file that only grows. */
#include "cli/landmarks.h"

void
landmarks_release(struct landmarks *landmarks)
{
	free(landmarks->marks);
	*landmarks = (struct landmarks){0};
}

void
landmarks_note(struct landmarks *landmarks, uint64_t offset, int64_t utc)
{
	size_t count = landmarks->count;
	if (count > 0 && offset < landmarks->marks[count - 1].offset + LANDMARK_EVERY)
		return;
	if (count == landmarks->room) {
		landmarks->room = count ? 2 * count : 64;
		landmarks->marks =
			xrealloc(landmarks->marks, landmarks->room * sizeof(*landmarks->marks));
	}
	landmarks->marks[landmarks->count++] = (struct landmark){offset, utc};
}

/* The last mark is at most as late as the line at `offset`, so counting back from it goes back too far, if at all. */
uint64_t
landmarks_before(const struct landmarks *landmarks, uint64_t offset, int64_t seconds)
{
	size_t last = landmarks->count;
	while (last > 0 && landmarks->marks[last - 1].offset > offset)
		last--;
	for (size_t i = last; i > 0; i--)
		if (landmarks->marks[i - 1].utc <= landmarks->marks[last - 1].utc - seconds)
			return landmarks->marks[i - 1].offset;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Colours as text, and how light they are. Draws nothing. */
#include "show/tint.h"

/* Black and white contrast alike with this relative luminance: (1 + 0.05) / (L + 0.05) = (L + 0.05) / 0.05. */
static const double balance = 0.1791;

void
tint_add(struct buf *out, uint32_t color)
{
	static const char digits[] = "0123456789abcdef";
	char text[7] = "#";
	for (int i = 0; i < 6; i++)
		text[1 + i] = digits[color >> (20 - 4 * i) & 15];
	buf_add(out, text, sizeof(text));
}

/* The curve of sRGB by a polynomial, which stays within 0.002 of it. */
static double
linear(uint32_t channel)
{
	double x = (channel & 255) / 255.0;
	return x * (x * (x * 0.305306 + 0.682171) + 0.012523);
}

uint32_t
tint_on(uint32_t color)
{
	double luminance =
		0.2126 * linear(color >> 16) + 0.7152 * linear(color >> 8) + 0.0722 * linear(color);
	return luminance > balance ? 0x000000 : 0xffffff;
}

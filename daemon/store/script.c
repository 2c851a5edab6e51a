/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embeds the script with the assembler, so that it stays a file of its own which tests may replace (APPLY_SCRIPT).
 * The path is relative to the repository's root, where the build runs.
 */
#include "store/script.h"

#ifndef APPLY_SCRIPT
#define APPLY_SCRIPT "daemon/store/apply.lua"
#endif

__asm__(".pushsection .rodata\n"
	".global thongke_apply_script, thongke_apply_script_end\n"
	"thongke_apply_script:\n"
	".incbin \"" APPLY_SCRIPT "\"\n"
	"thongke_apply_script_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char thongke_apply_script[], thongke_apply_script_end[];

struct slice
script_apply(void)
{
	return (struct slice){thongke_apply_script,
			      (size_t)(thongke_apply_script_end - thongke_apply_script)};
}

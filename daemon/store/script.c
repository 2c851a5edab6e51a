/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embeds the scripts with the assembler, so that they stay files of their own; tests may replace one (APPLY_SCRIPT).
 * The paths are relative to the repository's root, where the build runs.
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
	".global thongke_bring_script, thongke_bring_script_end\n"
	"thongke_bring_script:\n"
	".incbin \"daemon/store/bring.lua\"\n"
	"thongke_bring_script_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char thongke_apply_script[], thongke_apply_script_end[];
extern const char thongke_bring_script[], thongke_bring_script_end[];

struct slice
script_apply(void)
{
	return (struct slice){thongke_apply_script,
			      (size_t)(thongke_apply_script_end - thongke_apply_script)};
}

struct slice
script_bring(void)
{
	return (struct slice){thongke_bring_script,
			      (size_t)(thongke_bring_script_end - thongke_bring_script)};
}

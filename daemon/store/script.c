/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embeds the scripts with the assembler, so that they stay files of their own, of which tests may replace one
 * (APPLY_SCRIPT). Paths are relative to the repository's root, where the build runs.
 */
#include "store/script.h"

#ifndef APPLY_SCRIPT
#define APPLY_SCRIPT "daemon/store/apply.lua"
#endif

#define EMBED(name, file)                                                          \
	__asm__(".pushsection .rodata\n"                                           \
		".global thongke_" #name "_script, thongke_" #name "_script_end\n" \
		"thongke_" #name "_script:\n"                                      \
		".incbin \"" file "\"\n"                                           \
		"thongke_" #name "_script_end:\n"                                  \
		".byte 0\n"                                                        \
		".popsection\n");                                                  \
	extern const char thongke_##name##_script[], thongke_##name##_script_end[]

EMBED(apply, APPLY_SCRIPT);
EMBED(bring, "daemon/store/bring.lua");
EMBED(put, "daemon/store/put.lua");

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

struct slice
script_put(void)
{
	return (struct slice){thongke_put_script,
			      (size_t)(thongke_put_script_end - thongke_put_script)};
}

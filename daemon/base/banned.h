/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before everything else (Makefile, -include). Pulls in the standard headers first, then
 * turns the functions that invite overflows, hidden state or silent failure into compile errors.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf strtok atoi atol atof
#pragma GCC poison gmtime localtime asctime ctime gets

#endif

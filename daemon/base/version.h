/* SPDX-License-Identifier: BSD-2-Clause */
/* What both programs say of themselves, and where they look for the configuration. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define THONGKE_VERSION "0.1.0"

#ifndef THONGKE_CONF_FILE /* set by the Makefile from SYSCONFDIR */
#define THONGKE_CONF_FILE "/etc/thongke/thongke.conf"
#endif

/* The variable that names another file; no key of the configuration is called "conf". */
#define THONGKE_CONF_VARIABLE "THONGKE_CONF"

#endif

# SPDX-License-Identifier: BSD-2-Clause
# thongke: `make` builds, `make run` shows it, `make check` proves it. DEVELOPER=1 adds sanitizers and -Werror.

PREFIX ?= /usr/local
B := build$(if $(DEVELOPER),/developer)$(if $(MUTANT),/$(MUTANT))
CC := gcc
PACKAGES := libevent_core libevent_pthreads hiredis libconfuse libsodium libxxhash jansson zlib
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith
SANITIZE := $(if $(DEVELOPER),-Werror -fsanitize=address$(,)undefined -fno-omit-frame-pointer)
, := ,
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -pthread $(WARNINGS) $(CFLAGS) $(SANITIZE) -Idaemon -include daemon/base/banned.h \
	$(shell pkg-config --cflags $(PACKAGES)) $(if $(MUTANT),-DAPPLY_SCRIPT='"tests/torture/$(MUTANT).lua"')
LDLIBS = -pthread $(shell pkg-config --libs $(PACKAGES))

LIBRARY := $(patsubst %,$(B)/%.o,$(basename $(wildcard daemon/*/*.c)))
LIBRARY := $(filter-out $(B)/daemon/cli/thongke.o,$(LIBRARY))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

all: $(B)/thongked $(B)/thongke

$(B)/thongked: $(B)/daemon/thongked.o $(B)/libthongke.a
$(B)/thongke: $(B)/daemon/cli/thongke.o $(B)/libthongke.a
$(B)/thongked $(B)/thongke:
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libthongke.a: $(LIBRARY)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/%: tests/unit/%.c $(B)/libthongke.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(B)/libthongke.a $(LDLIBS) -lcmocka

clean:
	rm -rf build

.PHONY: all clean
-include $(shell find build -name '*.d' 2>/dev/null)

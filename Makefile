# SPDX-License-Identifier: BSD-2-Clause
# thongke: `make run` shows it, `make check` proves it, `make install` installs what `make` built.
# DEVELOPER=1 builds with -Werror and sanitizers into build/developer; MUTANT=name builds a daemon that counts wrongly
# (a name in tests/torture/mutate), to see that `make torture` notices.

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
B := build$(if $(DEVELOPER),/developer)$(if $(MUTANT),/$(MUTANT))
CC := gcc
PYTHON := /usr/bin/python3
JOBS := -j$(shell nproc 2>/dev/null || echo 1)

LIBRARIES := libevent_core libevent_pthreads hiredis libconfuse libmaxminddb libsodium libxxhash libpcre2-8 jansson zlib
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith
, := ,
SANITIZE := $(if $(DEVELOPER),-Werror -fsanitize=address$(,)undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer)
CFLAGS ?= -O2 -g
# Asked when something is compiled, not when this file is read: on a bare machine `make deps` comes first.
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(LIBRARIES)))$(or $(PKG_LIBS),$(error \
	pkg-config does not know all of: $(LIBRARIES); "make deps" installs them))
PKG_CFLAGS = $(if $(PKG_LIBS),$(eval PKG_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES)))$(PKG_CFLAGS))
ALL_CFLAGS = -std=c11 -pthread $(WARNINGS) $(CFLAGS) $(SANITIZE) -Idaemon -include daemon/base/banned.h \
	$(PKG_CFLAGS) $(if $(MUTANT),-DAPPLY_SCRIPT='"$(B)/apply.lua"')
LDLIBS = -pthread $(PKG_LIBS)

LIBRARY := $(patsubst %,$(B)/%.o,$(basename $(filter-out daemon/cli/thongke.c,$(wildcard daemon/*/*.c))))
ASSETS := $(wildcard client-js/*.js client-js/*.css client-js/*.html)
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
C_FILES = $(wildcard daemon/*.c daemon/*/*.[ch] tests/*/*.[ch])

BUILD_PACKAGES := gcc libc6-dev make pkg-config libevent-dev libhiredis-dev libconfuse-dev libmaxminddb-dev \
	libsodium-dev libxxhash-dev libpcre2-dev libjansson-dev zlib1g-dev redis-server tzdata
TEST_PACKAGES := python3 python3-pytest python3-redis python3-maxminddb python3-prometheus-client redis-tools \
	libcmocka-dev libc-bin faketime strace curl php-cli clang clang-format libclang-rt-14-dev llvm chromium nginx \
	libnginx-mod-stream mandoc zsh fish \
	$(if $(shell command -v npm),,nodejs npm ca-certificates)
BENCH_PACKAGES := python3 python3-redis goaccess nginx libnginx-mod-http-lua lua-nginx-redis lua-cjson webdis

all: $(B)/thongked $(B)/thongke
unit: $(UNIT) $(B)/tests/http_parse $(B)/tests/agents

$(B)/thongked: $(B)/daemon/thongked.o $(B)/libthongke.a
$(B)/thongke: $(B)/daemon/cli/thongke.o $(B)/libthongke.a
$(B)/thongked $(B)/thongke:
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libthongke.a: $(LIBRARY)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What is embedded with .incbin, which the compiler's own list of dependencies does not see.
$(B)/daemon/store/script.o: $(if $(MUTANT),$(B),daemon/store)/apply.lua daemon/store/bring.lua daemon/store/put.lua
$(B)/daemon/show/assets.o: $(foreach file,$(ASSETS),$(B)/$(file) $(B)/$(file).gz)
$(B)/daemon/show/assets.o: ALL_CFLAGS += -DASSETS_DIR='"$(B)/client-js"'

# What is served of client-js: the script without indentation and comments, and every file compressed as well.
$(B)/client-js/%.js: client-js/%.js
	@mkdir -p $(@D)
	sed -e 's/^[[:space:]]*//' -e 's|^// .*||' -e 's| // .*||' -e '/^$$/d' $< >$@.new && mv $@.new $@

$(B)/client-js/%: client-js/%
	@mkdir -p $(@D)
	cp $< $@

$(B)/client-js/%.gz: $(B)/client-js/%
	gzip -9nc $< >$@.new && mv $@.new $@

# Where the installed program finds the files that come with it.
$(B)/daemon/hit/rules.o: ALL_CFLAGS += -DTHONGKE_SHARE_DIR='"$(PREFIX)/share/thongke"'

$(B)/apply.lua: daemon/store/apply.lua tests/torture/mutate
	@mkdir -p $(@D)
	tests/torture/mutate $(MUTANT) <$< >$@.new && mv $@.new $@

$(B)/tests/%: tests/unit/%.c $(B)/libthongke.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(B)/libthongke.a $(LDLIBS) -lcmocka

$(B)/tests/http_parse: tests/oracle/http_parse.c
$(B)/tests/agents: tests/corpus/agents.c
$(B)/tests/http_parse $(B)/tests/agents: $(B)/libthongke.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $(filter %.c,$^) $(B)/libthongke.a $(LDLIBS)

fuzz:
	$(MAKE) B=build/fuzz CC=clang SANITIZE="-fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined" $(FUZZ)

build/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(B)/libthongke.a
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(B)/libthongke.a $(LDLIBS)

# $(call apt,reason,packages): installs those that are missing and says why; starts and enables no service.
define apt
@missing=$$(for p in $(2); do \
	dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
[ -n "$$missing" ] || exit 0; \
echo "Installing what $(1) and is not here yet:" $$missing; \
[ "$$(id -u)" = 0 ] && as= || as=sudo; \
command -v $${as:-apt-get} >/dev/null || { \
	echo "thongke: to install them, run as root: apt-get install" $$missing >&2; exit 1; }; \
$$as sh -c 'policy=/usr/sbin/policy-rc.d; if [ ! -e $$policy ]; then trap "rm -f $$policy" EXIT; \
	printf "#!/bin/sh\nexit 101\n" >$$policy; chmod +x $$policy; fi; export DEBIAN_FRONTEND=noninteractive; \
	apt-get -q update; apt-get -q install -y --no-install-recommends "$$@" || exit 1; \
	for s in redis-server nginx webdis; do case " $$* " in *" $$s "*) \
		systemctl disable -q $$s 2>/dev/null || update-rc.d $$s disable; esac; done; exit 0' sh $$missing
endef

deps:
	$(call apt,the build and the private redis-server need,$(BUILD_PACKAGES))

check-deps: deps
	$(call apt,the tests need,$(TEST_PACKAGES))
	@for test in browser corpus geo; do (cd tests/$$test; \
		cmp -s package-lock.json node_modules/.installed && exit; \
		echo "Installing what the $$test test needs: see tests/$$test/package.json (npm ci)"; \
		npm ci --ignore-scripts --no-audit --no-fund && cp package-lock.json node_modules/.installed) || exit; done

bench-deps: deps
	$(call apt,the comparison with other servers needs,$(BENCH_PACKAGES))

# ADDRESS=127.0.0.1:9090 where 8080 is taken; ARGS are more options of thongked.
run: deps
	@$(MAKE) -s $(JOBS) all
	@echo 'The demo page, as soon as thongked says "ready" (Ctrl-C ends it):  http://$(or $(ADDRESS),127.0.0.1:8080)/demo'
	@echo 'To paste into a page of the sites that conf/demo.conf names:'
	@echo '  <div class="thongke"></div>'
	@echo '  <script async src="http://$(or $(ADDRESS),127.0.0.1:8080)/thongke.js"></script>'
	@exec $(B)/thongked -c conf/demo.conf $(if $(ADDRESS),-o listen=$(ADDRESS)) $(ARGS)

check: check-deps
	@$(PYTHON) tests/run

format-check:
	clang-format --dry-run -Werror $(C_FILES)

torture: check-deps
	@$(MAKE) -s $(JOBS) all
	$(PYTHON) tests/torture/torture.py --runs $(or $(RUNS),10) --seed $(or $(SEED),1) --thongked $(B)/thongked \
		$(if $(MUTANT),--expect-caught) $(ARGS)

bench: bench-deps
	@$(MAKE) -s $(JOBS) all build/bench/load
	$(PYTHON) tests/bench/bench.py --thongked $(B)/thongked $(ARGS)

build/bench/%: tests/bench/%.c $(B)/libthongke.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(B)/libthongke.a $(LDLIBS) -lm

# What a year of a site takes of Redis' memory: INSTALL has the figures. Half a minute for every 10,000 hits a day.
site-year: bench-deps
	@$(MAKE) -s $(JOBS) build/bench/site_year
	$(PYTHON) tests/bench/site_year.py build/bench/site_year $(or $(HITS),1000 10000)

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SYSCONFDIR)/thongke \
		$(DESTDIR)$(PREFIX)/share/thongke $(DESTDIR)$(PREFIX)/share/doc/thongke
	install $(B)/thongked $(DESTDIR)$(PREFIX)/sbin
	install $(B)/thongke $(DESTDIR)$(PREFIX)/bin
	install -m 644 client-js/thongke.js client-js/thongke.css client-js/demo.html conf/bots.txt $(DESTDIR)$(PREFIX)/share/thongke
	install -m 644 LICENSE README.md INSTALL daemon/PROTOCOL.md $(filter-out %bots.txt,$(wildcard conf/*)) \
		$(DESTDIR)$(PREFIX)/share/doc/thongke
	for m in man/*; do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/} || exit; done
	for c in bash:bash-completion/completions/thongke zsh:zsh/site-functions/_thongke fish:fish/vendor_completions.d/thongke.fish; do \
		$(B)/thongke completion $${c%%:*} | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/$${c#*:} || exit; done
	[ -e $(DESTDIR)$(SYSCONFDIR)/thongke/thongke.conf ] || install -m 644 conf/thongke.conf $(DESTDIR)$(SYSCONFDIR)/thongke

clean:
	rm -rf build

.PHONY: all unit fuzz deps check-deps bench-deps run check format-check torture bench site-year install clean
-include $(shell find build -name '*.d' 2>/dev/null)

# snapflame: explains where the time of a VM snapshot pause went.
#
#   make            build build/snapflame
#   make demo       install what is missing, record a slowing VMM, print the verdict
#   make check      install what the tests need, run them all
#   make help       the other targets
#
# CFLAGS, CPPFLAGS and LDFLAGS are yours. V=1 shows commands, WERROR=1 makes warnings errors,
# SANITIZE=address,undefined instruments, O=dir builds elsewhere, WITHOUT="libcurl ..." leaves
# optional libraries out.

O       ?= build
CC      ?= cc
CFLAGS  ?= -O2 -g
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
libdir  ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir  ?= $(prefix)/share/man
pkgconfigdir ?= $(libdir)/pkgconfig
bashdir ?= $(prefix)/share/bash-completion/completions
zshdir  ?= $(prefix)/share/zsh/site-functions
fishdir ?= $(prefix)/share/fish/vendor_completions.d
INSTALL ?= install
VERSION := 0.1.0

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers
OWN_CFLAGS := -std=gnu11 -fno-strict-aliasing -fno-omit-frame-pointer $(WARN) $(if $(WERROR),-Werror) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
OWN_LDFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# Targets that install first and then build do so on all CPUs, unless make was told how many (-j).
PAR = $(if $(findstring -j,$(MAKEFLAGS))$(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
LIB_INC := -Ilib/include -Ilib -I$(O)/lib

LIB_SRC := $(sort $(wildcard lib/*/*.c))
SRC     := $(sort $(wildcard src/*.c))
UNIT    := $(sort $(wildcard tests/unit/*.c))
FUZZ    := $(sort $(wildcard tests/fuzz/*.c))
TOOLS   := $(sort $(wildcard tests/tools/*.c))
ASSETS  := $(sort $(wildcard lib/render/*.js lib/render/*.css))
HEADERS := $(sort $(wildcard lib/include/snapflame/*.h))
SAMPLE_SRC := $(sort $(wildcard samples/branchsim/*.c))

LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
OBJ     := $(SRC:%.c=$(O)/%.o)
UNIT_BIN := $(UNIT:tests/unit/%.c=$(O)/tests/unit/%)
FUZZ_BIN := $(filter-out $(O)/tests/fuzz/driver,$(FUZZ:tests/fuzz/%.c=$(O)/tests/fuzz/%))
TOOL_BIN := $(TOOLS:%.c=$(O)/%)
SAMPLE_OBJ := $(SAMPLE_SRC:%.c=$(O)/%.o)

CONFIG := $(O)/config.mk
LIBPERF ?= $(O)/libperf

.PHONY: all
all: $(O)/snapflame samples ## build the program, the library and the samples

# The targets below need neither a compiler nor the configuration.
PLAIN := help clean distclean deps demo check check-long bench scenarios gates check-sanitize \
	check-compilers coverage fuzz
ifneq ($(filter-out $(PLAIN),$(or $(MAKECMDGOALS),all)),)
-include $(CONFIG)
endif

$(CONFIG): scripts/probe.sh $(wildcard $(LIBPERF)/VERSION)
	@mkdir -p $(O)
	@if [ ! -f $(LIBPERF)/VERSION ] && ! pkg-config --exists libperf 2>/dev/null && \
		ls /usr/src/linux-source-*.tar.xz >/dev/null 2>&1; then \
		sh scripts/libperf.sh $(LIBPERF) || echo "libperf: not built; record is left out" >&2; fi
	@CC="$(CC)" WITHOUT="$(WITHOUT)" sh scripts/probe.sh $@ $(LIBPERF)

$(O)/%.o: %.c $(CONFIG)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(if $(filter src/%,$<),-Ilib/include,$(LIB_INC)) $(DEFS) $(DEP_CFLAGS) \
		-DSNAPFLAME_VERSION='"$(VERSION)"' $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Scripts and styles that the library writes into pages, as C strings.
$(O)/lib/render/%.inc: lib/render/%
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/?/\\?/g; s/^/"/; s/$$/\\n"/' $< >$@

$(O)/lib/render/flame_assets.o $(O)/lib/render/report_html.o: $(ASSETS:%=$(O)/%.inc)

$(O)/libsnapflame.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/snapflame: $(OBJ) $(O)/libsnapflame.a
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(DEP_LIBS) -lpthread -lm

$(O)/tests/unit/%: tests/unit/%.c $(O)/libsnapflame.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(LIB_INC) $(DEFS) $(DEP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(OWN_LDFLAGS) \
		$(LDFLAGS) -MMD -MP -o $@ $< $(O)/libsnapflame.a $(CMOCKA_LIBS) $(DEP_LIBS) -lpthread -lm

$(O)/tests/tools/%: tests/tools/%.c $(O)/libsnapflame.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(LIB_INC) $(DEFS) $(DEP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(OWN_LDFLAGS) \
		$(LDFLAGS) -MMD -MP -o $@ $< $(O)/libsnapflame.a $(DEP_LIBS) -lpthread -lm

$(O)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/driver.c $(O)/libsnapflame.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(LIB_INC) $(DEFS) $(DEP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(OWN_LDFLAGS) \
		$(LDFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer,tests/fuzz/driver.c) -MMD -MP -o $@ $< \
		$(O)/libsnapflame.a $(DEP_LIBS) -lpthread -lm

$(O)/tests/bench/%: tests/bench/%.c $(O)/libsnapflame.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(LIB_INC) $(DEFS) $(DEP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(OWN_LDFLAGS) \
		$(LDFLAGS) -o $@ $< $(O)/libsnapflame.a $(DEP_LIBS) -lpthread -lm

-include samples/branchsim/module.mk
.PHONY: samples
samples: $(SAMPLE_BINS)

.PHONY: deps
deps: ## install what the build, the demo and the figures need (as root, with apt)
	@sh scripts/deps.sh build libperf use

.PHONY: demo
demo: deps ## record 5 BRANCHes of a slowing VMM, print the verdict, write demo-report/
	@$(MAKE) $(PAR) --no-print-directory O=$(O) all
	@sh samples/demo.sh $(O) demo-report

.PHONY: pictures
pictures: ## the README's pictures in docs/, from what make demo left in demo-report/
	@for f in pauses causes timeline; do cp demo-report/$$f.svg docs/demo-$$f.svg || exit 1; done
	@cp demo-report/flame-diff.svg docs/demo-flame.svg

.PHONY: check
check: ## install what the tests need and run them all
	@sh scripts/deps.sh build libperf use test
	@sh tests/fleet/venv.sh $(O) duckdb zstandard
	@sh tests/npm.sh $(O) speedscope@1.25.0
	@$(MAKE) $(PAR) --no-print-directory O=$(O) run-tests

.PHONY: check-long
check-long: ## tests that take minutes: the Debian package, recorders killed 300 times; see gates, too
	@sh scripts/deps.sh build libperf use test browser shells long
	@sh tests/fleet/venv.sh $(O) duckdb zstandard pyspark
	@sh tests/npm.sh $(O) speedscope@1.25.0
	@$(MAKE) $(PAR) --no-print-directory O=$(O) run-tests JOBS=1 TESTS="$(or $(TESTS),tests/cli/browser.t tests/cli/frame.t tests/cli/speedscope.t $(sort $(wildcard tests/long/*.t)))"

JOBS ?= 2
TESTS ?=
.PHONY: run-tests
run-tests: all unit $(TOOL_BIN) $(FUZZ_BIN) ## run the tests (no installing); TESTS="tests/cli/fold.t" for some
	@SNAPFLAME=$(abspath $(O)/snapflame) BUILD=$(abspath $(O)) SHARED=$(abspath ../shared) \
		sh tests/run.sh $(JOBS) $(TESTS)

.PHONY: unit
unit: $(if $(CMOCKA_LIBS),$(UNIT_BIN))

TRIALS ?= 3
.PHONY: scenarios
scenarios: ## known causes against the verdict: a table of expected and found
	@$(MAKE) $(PAR) --no-print-directory O=$(O) all
	@sh samples/scenarios.sh $(abspath $(O)) -n $(TRIALS)

.PHONY: bench
bench: ## ratios of speed and of recording cost, within one run
	@sh scripts/deps.sh build libperf test bench
	@$(MAKE) $(PAR) --no-print-directory O=$(O) all
	@BUILD=$(abspath $(O)) sh tests/bench/run.sh

.PHONY: bless
bless: all ## rewrite the expected results of tests/cli for review
	@SNAPFLAME=$(abspath $(O)/snapflame) BUILD=$(abspath $(O)) SHARED=$(abspath ../shared) BLESS=1 \
		sh tests/run.sh 1 $(TESTS)

.PHONY: check-layers
check-layers: ## inside lib/, dependencies point down the layers only
	@sh scripts/layers.sh

.PHONY: check-headers
check-headers: ## each public header compiles alone
	@for h in $(HEADERS); do \
		echo "#include \"$$h\"" | $(CC) $(OWN_CFLAGS) -Werror -Ilib/include -fsyntax-only -x c - || \
		{ echo "$$h does not compile alone" >&2; exit 1; }; done

.PHONY: format
format: ## clang-format everything
	@git ls-files '*.c' '*.h' | grep -v '^contrib/' | xargs clang-format -i

include tests/gates.mk

# Libraries that were built here are nowhere on the system: the installed archive has them inside.
INNER := $(filter %.a,$(DEP_LIBS))
$(O)/install/libsnapflame.a: $(O)/libsnapflame.a $(INNER)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && { echo create $@; printf 'addlib %s\n' $^; echo save; echo end; } | $(AR) -M

$(O)/install/snapflame.pc: lib/snapflame.pc.in $(CONFIG) Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|' \
		-e 's|@version@|$(VERSION)|; s|@libs@|$(filter-out %.a,$(DEP_LIBS)) -lpthread -lm|' $< >$@

MAN := $(sort $(wildcard man/*.[1-8]))
# Each man page into the directory of its section.
man_file = $(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))

.PHONY: install
install: $(O)/snapflame $(O)/install/libsnapflame.a $(O)/install/snapflame.pc ## install under $(DESTDIR)$(prefix)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(libdir) $(pkgconfigdir) $(includedir)/snapflame \
		$(bashdir) $(zshdir) $(fishdir) $(sort $(dir $(foreach m,$(MAN),$(call man_file,$(m))))))
	$(INSTALL) -m 755 $(O)/snapflame $(DESTDIR)$(bindir)/snapflame
	$(INSTALL) -m 644 $(O)/install/libsnapflame.a $(DESTDIR)$(libdir)/libsnapflame.a
	$(INSTALL) -m 644 $(O)/install/snapflame.pc $(DESTDIR)$(pkgconfigdir)/snapflame.pc
	$(INSTALL) -m 644 $(HEADERS) $(DESTDIR)$(includedir)/snapflame
	@set -e; $(foreach m,$(MAN),$(INSTALL) -m 644 $(m) $(DESTDIR)$(call man_file,$(m));)
	$(O)/snapflame --completion bash >$(DESTDIR)$(bashdir)/snapflame
	$(O)/snapflame --completion zsh >$(DESTDIR)$(zshdir)/_snapflame
	$(O)/snapflame --completion fish >$(DESTDIR)$(fishdir)/snapflame.fish

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR),$(bindir)/snapflame $(libdir)/libsnapflame.a $(pkgconfigdir)/snapflame.pc \
		$(bashdir)/snapflame $(zshdir)/_snapflame $(fishdir)/snapflame.fish \
		$(foreach m,$(MAN),$(call man_file,$(m))))
	rm -rf $(DESTDIR)$(includedir)/snapflame

.PHONY: clean
clean: ## remove what was built, but for the cached libperf
	@if [ -d $(O) ]; then find $(O) -mindepth 1 -maxdepth 1 ! -name libperf -exec rm -rf {} +; fi

.PHONY: distclean
distclean: ## remove the build directory
	rm -rf $(O)

.PHONY: help
help: ## this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile tests/gates.mk

-include $(LIB_OBJ:.o=.d) $(OBJ:.o=.d) $(SAMPLE_OBJ:.o=.d) $(UNIT_BIN:=.d) $(TOOL_BIN:=.d)

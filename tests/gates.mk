# Gates of quality that are more than tests: each prints its figures and fails where it is not met.
# `make check` needs none of them; `make gates` is all but the fuzzing.

CLANG ?= clang
PROBED = LIBPERF=$(abspath $(LIBPERF))
QUICK_TESTS = $(wildcard tests/cli/*.t)
# What check-compilers tries: COMPILERS=gcc LEVELS=-O2 for one of them
COMPILERS ?= gcc $(CLANG)
LEVELS ?= -O0 -O2

# Each of them builds in a directory of its own, with the libperf of this one.
sub = $(MAKE) --no-print-directory O=$(O)/$(1) $(PROBED)

.PHONY: gates
gates: lint check-compilers check-valgrind check-faults check-sanitize coverage ## all of the gates below

# For LD_PRELOAD: calls that fail, and clocks that are set
PRELOADS = $(O)/tests/faults.so $(O)/tests/clocks.so
$(PRELOADS): $(O)/tests/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(OWN_CFLAGS) $(CPPFLAGS) $(CFLAGS) -shared -fPIC -o $@ $< -ldl

# The program has its own malloc where it is instrumented.
ifeq ($(SANITIZE),)
run-tests: $(PRELOADS)
endif

.PHONY: check-faults
check-faults: all $(O)/tests/faults.so $(O)/tests/tools/text_recording ## each malloc, read, open and write fails in turn
	@FAULT_POINTS=$(or $(FAULT_POINTS),60) FAULT_RECORD=1 SNAPFLAME=$(abspath $(O)/snapflame) \
		BUILD=$(abspath $(O)) SHARED=$(abspath ../shared) sh tests/run.sh 1 tests/cli/faults.t

.PHONY: check-sanitize
check-sanitize: ## the tests with address and undefined-behaviour sanitizers; TESTS= for some
	+@UBSAN_OPTIONS=print_stacktrace=1 \
		LSAN_OPTIONS=suppressions=$(abspath tests/faults/lsan.supp):print_suppressions=0 \
		$(call sub,sanitize) SANITIZE=address,undefined CFLAGS="-O1 -g" \
		run-tests TESTS="$(or $(TESTS),$(UNIT:tests/unit/%.c=$(O)/sanitize/tests/unit/%) $(QUICK_TESTS))"

.PHONY: check-valgrind
check-valgrind: ## the unit tests under valgrind
	@sh scripts/deps.sh test gates
	@$(MAKE) --no-print-directory O=$(O) unit
	@sh tests/faults/valgrind.sh $(UNIT_BIN)

.PHONY: check-compilers
check-compilers: ## gcc and clang, -O0 and -O2, without a warning; unit tests of each
	@sh scripts/deps.sh build test gates
	+@for cc in $(COMPILERS); do for opt in $(LEVELS); do \
		echo "== $$cc $$opt"; \
		$(call sub,$$cc$$opt) CC=$$cc CFLAGS="$$opt -g" WERROR=1 all unit && \
		$(call sub,$$cc$$opt) CC=$$cc CFLAGS="$$opt -g" WERROR=1 run-tests \
			TESTS="$$(echo $(UNIT:tests/unit/%.c=$(O)/$$cc$$opt/tests/unit/%))" || exit 1; \
	done; done

COVERAGE_LEAST ?= 85
.PHONY: coverage
coverage: ## share of lib/ that the tests run, by layer; fails below COVERAGE_LEAST %
	+@$(call sub,coverage) CFLAGS="-O0 -g --coverage" LDFLAGS=--coverage run-tests \
		TESTS="$(TESTS)"; tests=$$?; \
	sh tests/faults/coverage.sh $(O)/coverage $(COVERAGE_LEAST) && exit $$tests

FUZZ_SECONDS ?= 60
.PHONY: fuzz-build
fuzz-build:
	+@$(call sub,fuzz) CC=$(CLANG) LIBFUZZER=1 SANITIZE=address,undefined \
		CFLAGS="-O1 -g -fsanitize=fuzzer-no-link" $(FUZZ_BIN:$(O)/%=$(O)/fuzz/%)

.PHONY: fuzz
fuzz: ## libFuzzer on every parser, FUZZ_SECONDS each; FUZZ_ONLY="perfdata marks" for some
	@sh scripts/deps.sh build fuzz
	@$(MAKE) --no-print-directory O=$(O) fuzz-build
	@SHARED=$(abspath ../shared) sh tests/fuzz/run.sh $(O)/fuzz $(FUZZ_SECONDS) \
		$(or $(FUZZ_ONLY),$(notdir $(FUZZ_BIN)))

.PHONY: lint
lint: check-layers check-headers $(CONFIG) ## layers, headers, clang-tidy, cppcheck, shellcheck
	@sh scripts/deps.sh gates
	@sh scripts/lint.sh $(CONFIG) $(JOBS)

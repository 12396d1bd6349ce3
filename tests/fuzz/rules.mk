# tests/fuzz: every <target>_fuzz.c here is a libFuzzer program and needs no line in this file.
#
#   tests/fuzz/<target>_fuzz.c      defines LLVMFuzzerTestOneInput, linked with libcore.a, libtest.a
#   tests/fuzz/corpus/<target>/     committed inputs: small files, one per thing worth keeping; an
#                                   input that once failed stays there for ever
#
#   make fuzz-check                 replays every corpus, then a fixed short run (part of make check)
#   make fuzz                       FUZZ_MINUTES (4) per target; what reaches new code is added to
#                                   its corpus, to be committed
#   make fuzz FUZZ_TARGETS=stream   one target only
#
# The third flavor, $(BUILD)/fuzz, is the core compiled once more with coverage instrumentation.
# An input that fails is kept as $(BUILD)/fuzz/failed/<target>-...; run the target with it as its
# argument to see it again.

FUZZ_ALL := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
FUZZ_TARGETS ?= $(FUZZ_ALL)
FUZZ_MINUTES ?= 4
FUZZ_RUNS := 20000
FUZZ_LEN := 4096

CC_fuzz := clang
FLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LINK_fuzz := -fsanitize=fuzzer,address,undefined
$(eval $(call flavor_rules,fuzz))

FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%_fuzz)
$(BUILD)/fuzz/%_fuzz: $(BUILD)/fuzz/obj/tests/fuzz/%_fuzz.o $(BUILD)/fuzz/libtest.a \
		$(BUILD)/fuzz/libcore.a
	$(call link_fuzz,$(LIBS_core))

# One input may take 5 s and one allocation 64 MiB: a decoder that reserves what a length claims
# fails here (security.md W9).
FUZZ_BOUNDS := -timeout=5 -malloc_limit_mb=64 -max_len=$(FUZZ_LEN) -print_final_stats=0
# What a short run finds goes to a directory that is emptied first, so that each run is the same.
fuzz_call = rm -rf $(BUILD)/fuzz/short/$(1) && mkdir -p $(BUILD)/fuzz/short/$(1) tests/fuzz/corpus/$(1) $(BUILD)/fuzz/failed $(BUILD)/fuzz/found/$(1) && \
	$(BUILD)/fuzz/$(1)_fuzz $(FUZZ_BOUNDS) -artifact_prefix=$(BUILD)/fuzz/failed/$(1)-

.PHONY: fuzz-check
fuzz-check: $(FUZZ_PROGRAMS) ## replay the corpora, then a short fixed run per fuzz target
	@$(RUN) $(foreach t,$(FUZZ_TARGETS),\
		'fuzz/$(t)-corpus=$(call fuzz_call,$(t)) -runs=0 tests/fuzz/corpus/$(t)' \
		'fuzz/$(t)-run=$(call fuzz_call,$(t)) -runs=$(FUZZ_RUNS) -seed=1 \
		$(BUILD)/fuzz/short/$(t) tests/fuzz/corpus/$(t)')

fuzz: $(FUZZ_PROGRAMS) ## fuzz every decoder for FUZZ_MINUTES (4) each
	@$(RUN) $(foreach t,$(FUZZ_TARGETS),\
		'fuzz/$(t):$(shell expr $(FUZZ_MINUTES) \* 60 + 120)=$(call fuzz_call,$(t)) \
		-max_total_time=$(shell expr $(FUZZ_MINUTES) \* 60) $(BUILD)/fuzz/found/$(t) \
		tests/fuzz/corpus/$(t) && $(BUILD)/fuzz/$(t)_fuzz -merge=1 tests/fuzz/corpus/$(t) \
		$(BUILD)/fuzz/found/$(t)')

CHECK_STEPS += fuzz-check
CHECK_BUILDS += $(FUZZ_PROGRAMS)
LIMIT_fuzz-check := 120
PROVIDES += fuzz

# Gossamer's one Makefile. `make help` lists the targets.
#
#   BUILD=dir    where everything built goes (build)         ROOMS="base wire ..."  rooms in libcore.a
#   CC=gcc       compiler of the release build               ASAN_CC=clang          of the other one
#   SAN=1|0      tests with sanitizers, or on the release build
#
# $(BUILD)/release/ is gcc -O2 with hardening; $(BUILD)/asan/ is clang -O1 with ASan and UBSan.
# Sources are found by wildcard, dependencies are written by the compiler.
#
# A directory under tests/ that needs more than this file gives has its own tests/<x>/rules.mk:
#   CHECK_STEPS += x            `make check` gains the step x, which runs `make x`
#   LIMIT_x := 40               seconds after which the step fails (600)
#   CHECK_BUILDS += file        what `make check` builds beforehand, in parallel
#   PROVIDES += x               when x is one of bench fuzz chaos soak mutants
# and the rule for x. A step ends with the line `N passed, N failed` (tests/run prints it), or its
# exit status counts as one test. `SKIP name: reason` at the start of a line is a named skip.
# Objects of any .c file: $(BUILD)/asan/obj/<path>.o and $(BUILD)/release/obj/<path>.o.

BUILD ?= build
SAN ?= 1
ASAN_CC ?= clang
PREFIX ?= /usr/local
VERSION := 0.1.0
JOBS ?= $(shell nproc)
ifeq ($(origin CC),default)
CC := gcc
endif

CORE_ROOMS := base wire seal edge swim kad place balance hint quorum sync crdt store node
ROOMS ?= $(CORE_ROOMS)
FLAVOR := $(if $(filter 0,$(SAN)),release,asan)

# ---------------------------------------------------------------- flags
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wformat=2 -Werror -Werror=format-security
COMMON := -std=c11 -D_GNU_SOURCE -DGOSSAMER_VERSION='"$(VERSION)"' -Iinclude -Iproto -MMD -MP -g
CC_release = $(CC)
CC_asan = $(ASAN_CC)
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_asan := -Wl,--as-needed -fsanitize=address,undefined
# The functions of base are small and everywhere, so gcc optimises the programs across files. The
# objects are ordinary ones as well: for nm, and for the links of tests, which are many.
LTO := $(if $(findstring gcc,$(notdir $(CC))),-flto -ffat-lto-objects)
FLAGS_release := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection=full -ftrivial-auto-var-init=zero -fPIE $(LTO)
LINK_release = -pie -Wl,--as-needed,-z,relro,-z,now,-z,noexecstack $(if $(LTO),-fno-lto)
LLHTTP := /usr/share/llhttp
LLHTTP_INCLUDE := /usr/share/include/llhttp
# Only edge may reach the parser's header, only tests may reach tests/lib; a unit test may reach
# the private headers of its own room, and so may the directories a large room is divided into.
extra_flags = $(if $(filter src/node/%,$(1)),-Isrc/node) $(if $(filter src/edge/% tests/%,$(1)),-isystem $(LLHTTP_INCLUDE)) \
	$(if $(filter tests/%,$(1)),-Itests/lib) \
	$(if $(filter tests/unit/%,$(1)),-Isrc/$(word 3,$(subst /, ,$(1)))) \
	$(if $(filter tests/store/%,$(1)),-Isrc/host)

LIBS_core := -lsodium -lxxhash -lmsgpackc -ljansson
LIBS_host := -lev -lrocksdb -lfyaml $(LIBS_core) -lpthread
LIBS_cli := -lcurl -lsmartcols -ljansson -lfyaml -lzstd -lsodium -lxxhash
LIBS_test := -lcmocka -lm

# ---------------------------------------------------------------- packages
DEPS_BUILD := gcc libc6-dev binutils make bash mawk procps curl libev-dev libsodium-dev \
	libmsgpack-dev librocksdb-dev node-llhttp libjansson-dev libfyaml-dev uthash-dev \
	libcurl4-openssl-dev libsmartcols-dev libxxhash-dev libzstd-dev
DEPS_TEST := clang llvm libclang-rt-14-dev clang-format libcmocka-dev python3 jq iproute2

# ---------------------------------------------------------------- files
core_sources = $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.c src/$(r)/*/*.c))
objects = $(patsubst %.c,$(BUILD)/$(1)/obj/%.o,$(2))
CORE_SOURCES := $(core_sources)
LLHTTP_SOURCES := $(if $(filter edge,$(ROOMS)),$(wildcard $(LLHTTP)/*.c))
HOST_SOURCES := $(wildcard src/host/*.c)
CLI_SOURCES := $(wildcard src/cli/*.c)
UNIT_ROOMS := $(ROOMS) $(if $(HOST_SOURCES),host) $(if $(CLI_SOURCES),cli)
test_programs = $(patsubst tests/%.c,$(BUILD)/$(FLAVOR)/test/%,$(wildcard $(1)))
LAWS := $(call test_programs,tests/laws/*_test.c)
SIM_SOURCES := $(wildcard tests/sim/*.c)
RUN := tests/run -l $(BUILD)/log
SELF := $(MAKE) --no-print-directory

.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all lib release-lib unit laws sim deps deps-build up down check tidy tidy-report bench \
	fuzz chaos soak mutants install clean help asan-bins FORCE

all: $(BUILD)/gossamerd $(BUILD)/gossamer ## the daemon and the command line tool (release build)

lib: $(BUILD)/asan/libcore.a ## libcore.a of $(ROOMS) with sanitizers
release-lib: $(BUILD)/release/libcore.a ## the same, release build
asan-bins: $(BUILD)/asan/gossamerd $(BUILD)/asan/gossamer ## both programs with sanitizers

# ---------------------------------------------------------------- compiling and linking, both flavors
# An archive depends on the list of its objects too, so that another ROOMS or a removed file counts;
# an object on the flags it was compiled with.
define flavor_rules
$(BUILD)/$(1)/obj/%.o: %.c $(BUILD)/$(1)/flags.list
	@mkdir -p $$(@D)
	@echo "  CC    $(1) $$<"
	@$$(CC_$(1)) $$(COMMON) $$(WARNINGS) $$(FLAGS_$(1)) $$(call extra_flags,$$<) -c $$< -o $$@

$(BUILD)/$(1)/obj/llhttp/%.o: $(LLHTTP)/%.c $(BUILD)/$(1)/flags.list
	@mkdir -p $$(@D)
	@echo "  CC    $(1) $$<"
	@$$(CC_$(1)) -std=gnu11 -w -g -MMD -MP -DLLHTTP_STRICT_MODE=1 -I$(LLHTTP_INCLUDE) \
		$$(FLAGS_$(1)) -c $$< -o $$@

LIBCORE_$(1) := $$(call objects,$(1),$$(CORE_SOURCES)) \
	$$(patsubst $(LLHTTP)/%.c,$(BUILD)/$(1)/obj/llhttp/%.o,$$(LLHTTP_SOURCES))
LIBHOST_$(1) := $$(call objects,$(1),$$(HOST_SOURCES))
LIBCLI_$(1) := $$(call objects,$(1),$$(CLI_SOURCES))
LIBTEST_$(1) := $$(call objects,$(1),$$(wildcard tests/lib/*.c))

$(BUILD)/$(1)/libcore.a: $$(LIBCORE_$(1)) $(BUILD)/$(1)/libcore.list
$(BUILD)/$(1)/libhost.a: $$(LIBHOST_$(1)) $(BUILD)/$(1)/libhost.list
$(BUILD)/$(1)/libcli.a: $$(LIBCLI_$(1)) $(BUILD)/$(1)/libcli.list
$(BUILD)/$(1)/libtest.a: $$(LIBTEST_$(1)) $(BUILD)/$(1)/libtest.list
$(BUILD)/$(1)/%.a:
	@echo "  AR    $$@"
	@rm -f $$@
	@ar rcD $$@ $$(filter %.o,$$^)
$(BUILD)/$(1)/flags.list: OBJECTS = $$(CC_$(1)) $$(COMMON) $$(WARNINGS) $$(FLAGS_$(1))
$(BUILD)/$(1)/libcore.list: OBJECTS = $$(LIBCORE_$(1))
$(BUILD)/$(1)/libhost.list: OBJECTS = $$(LIBHOST_$(1))
$(BUILD)/$(1)/libcli.list: OBJECTS = $$(LIBCLI_$(1))
$(BUILD)/$(1)/libtest.list: OBJECTS = $$(LIBTEST_$(1))
$(BUILD)/$(1)/%.list: FORCE
	@mkdir -p $$(@D)
	@echo '$$(OBJECTS)' | cmp -s - $$@ || echo '$$(OBJECTS)' >$$@

# $$(call link_$(1),libraries) links everything the rule names.
link_$(1) = @mkdir -p $$(@D) && echo "  LINK  $$@" && \
	$$(CC_$(1)) $$(LINK_$(1)) $$(filter %.o,$$^) $$(filter %.a,$$^) -o $$@ $$(1)

$(BUILD)/$(1)/gossamerd: $(BUILD)/$(1)/obj/src/gossamerd.o $(BUILD)/$(1)/libhost.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_host))
$(BUILD)/$(1)/gossamer: $(BUILD)/$(1)/obj/src/gossamer.o $(BUILD)/$(1)/libcli.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_cli))
$(BUILD)/$(1)/simtest: $$(call objects,$(1),$$(SIM_SOURCES)) $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_core))
$(BUILD)/$(1)/test/%: $(BUILD)/$(1)/obj/tests/%.o $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_test) $(LIBS_core))
$(BUILD)/$(1)/test/unit/host/%: $(BUILD)/$(1)/obj/tests/unit/host/%.o $(BUILD)/$(1)/libtest.a \
		$(BUILD)/$(1)/libhost.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_test) $(LIBS_host))
$(BUILD)/$(1)/test/unit/cli/%: $(BUILD)/$(1)/obj/tests/unit/cli/%.o $(BUILD)/$(1)/libtest.a \
		$(BUILD)/$(1)/libcli.a $(BUILD)/$(1)/libcore.a
	$$(call link_$(1),$(LIBS_test) $(LIBS_cli))
endef
$(foreach f,asan release,$(eval $(call flavor_rules,$(f))))
$(foreach p,gossamerd gossamer simtest,$(BUILD)/release/$(p)): \
	LINK_release += $(if $(LTO),-flto=auto $(FLAGS_release))

$(BUILD)/gossamerd $(BUILD)/gossamer: $(BUILD)/%: $(BUILD)/release/%
	@install -m 755 $< $@

# ---------------------------------------------------------------- tests
define room_rules
UNIT_$(1) := $$(call test_programs,tests/unit/$(1)/*_test.c)
.PHONY: unit-$(1)
unit-$(1): $$(UNIT_$(1))
	@$$(RUN) $$(UNIT_$(1))
endef
$(foreach r,$(CORE_ROOMS) host cli,$(eval $(call room_rules,$(r))))
UNIT := $(foreach r,$(UNIT_ROOMS),$(UNIT_$(r)))

unit: $(UNIT) ## every unit test; unit-<room> for one room
	@$(RUN) $(UNIT)

laws: $(LAWS) ## exhaustive small spaces
	@$(RUN) $(LAWS)

sim: $(if $(SIM_SOURCES),$(BUILD)/$(FLAVOR)/simtest) ## build the simulator (tests/sim/rules.mk runs it)

tidy: release-lib ## format, limits, include direction, purity
	@tests/tidy/self
	@python3 tests/tidy/tidy.py --build $(BUILD)

tidy-report: ## measured sizes of files and functions
	@python3 tests/tidy/tidy.py --report

CHECK_STEPS := tidy unit $(if $(LAWS),laws)
CHECK_BUILDS := all lib $(UNIT) $(LAWS) $(if $(SIM_SOURCES),$(BUILD)/asan/simtest $(BUILD)/release/simtest)
PROVIDES :=
LIMIT_tidy := 60
LIMIT_unit := 180
LIMIT_laws := 120
LIMIT_build := 900

include $(wildcard tests/*/rules.mk)

.PHONY: check-builds
check-builds: $(CHECK_BUILDS)

check: deps ## everything; the last line is `N passed, N failed`
	@$(RUN) -v 'build:$(LIMIT_build)=$(SELF) -j$(JOBS) check-builds' \
		$(foreach s,$(CHECK_STEPS),'$(s):$(or $(LIMIT_$(s)),600)=$(SELF) $(s)')

MISSING_TARGETS := $(filter-out $(PROVIDES),bench fuzz chaos soak mutants)
$(MISSING_TARGETS):
	@echo "make $@: not part of this tree yet (it would come from tests/*/rules.mk)"; false

# ---------------------------------------------------------------- running and installing
deps: ## install the Debian packages that are missing, for building and testing
	@.ci/deps $(DEPS_BUILD) $(DEPS_TEST)
deps-build:
	@.ci/deps $(DEPS_BUILD)

up: deps-build ## build and start five peers on this machine
	@$(SELF) -j$(JOBS) all
	@BUILD=$(BUILD) cluster-scripts/up 5

down: ## stop what `make up` started
	@BUILD=$(BUILD) cluster-scripts/down

install: all ## install both programs below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/gossamerd $(DESTDIR)$(PREFIX)/bin/gossamerd
	install -D -m 755 $(BUILD)/gossamer $(DESTDIR)$(PREFIX)/bin/gossamer

clean: ## remove $(BUILD)
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(filter-out %.d,$(MAKEFILE_LIST))

-include $(shell find -H $(BUILD) -name '*.d' 2>/dev/null)

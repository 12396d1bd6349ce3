# The simulator in `make check`, its tests of itself, and the planted bugs (docs/SIMULATOR.md).
#
#   SIM_SEEDS=1-300   SIM_ASAN_SEEDS=301-375   what sim-check runs
#   SOAK_HOURS=8      MUTANT_SECONDS=200       lengths of `make soak` and, per mutant, `make mutants`
#   FROM=12345        first seed of both, else a random one
SIM_SEEDS ?= 1-300
SIM_ASAN_SEEDS ?= 301-375
SOAK_HOURS ?= 8
MUTANT_SECONDS ?= 200

CHECK_STEPS += sim-check sim-meta sim-mutants
LIMIT_sim-check := 900
LIMIT_sim-meta := 60
LIMIT_sim-mutants := 300
PROVIDES += soak mutants
.PHONY: deletes replay

SIM_RELEASE := $(BUILD)/release/simtest
SIM_ASAN := $(BUILD)/asan/simtest
# Unit tests that mutants.def names as killers.
SIM_KILLERS := $(shell awk -F'|' '/^[a-z]/ && $$3 !~ / sim[ :]/ {gsub(/ /, "", $$3); print $$3}' \
	tests/sim/mutants.def 2>/dev/null | sort -u)
SIM_KILLER_OBJECTS := $(SIM_KILLERS:%=$(BUILD)/release/obj/tests/unit/%.o)
SIM_MUTANT_NEEDS := $(SIM_RELEASE) $(BUILD)/release/libtest.a $(SIM_KILLER_OBJECTS)
CHECK_BUILDS += $(SIM_KILLER_OBJECTS)

SIM_MUTANT_ENV = BUILD='$(BUILD)' CC='$(CC)$(if $(LTO), -fno-lto)' JOBS='$(JOBS)' \
	FLAGS='$(filter-out -MMD -MP -g,$(COMMON)) $(FLAGS_release) -isystem $(LLHTTP_INCLUDE) -Isrc/node' \
	LIBS='$(LIBS_core)' TEST_LIBS='$(LIBS_test) $(LIBS_core)'

.PHONY: sim-check sim-meta sim-mutants
sim-check: $(SIM_RELEASE) $(SIM_ASAN) ## the simulator over its fixed seeds, both builds
	@tests/sim/swarm.sh check $(BUILD) $(SIM_SEEDS) $(SIM_ASAN_SEEDS)

sim-meta: $(SIM_RELEASE) $(SIM_ASAN) ## tests of the simulator: canary, equal runs, rare paths
	@tests/sim/swarm.sh meta $(BUILD)

sim-mutants: $(SIM_MUTANT_NEEDS) ## every planted bug dies by its recorded killers
	@$(SIM_MUTANT_ENV) tests/sim/mutants.sh check

deletes: $(SIM_RELEASE) ## seeds of profile deletes until DELETES (10000000) rows were deleted
	@DELETES=$(DELETES) FROM=$(FROM) tests/sim/swarm.sh deletes $(BUILD)

replay: $(SIM_RELEASE) ## a million recorded packets again: in order, shuffled, after restarts, elsewhere
	@REPLAY_PACKETS=1000000 $(SIM_RELEASE) --profile replay --seed $(or $(FROM),1)

soak: $(SIM_RELEASE) $(SIM_ASAN) ## fresh simulator seeds for SOAK_HOURS
	@SOAK_HOURS=$(SOAK_HOURS) FROM=$(FROM) tests/sim/swarm.sh soak $(BUILD)

mutants: $(SIM_MUTANT_NEEDS) ## look for new seeds that kill the planted bugs
	@$(SIM_MUTANT_ENV) SEARCH_SECONDS=$(MUTANT_SECONDS) SEARCH_FROM=$(FROM) tests/sim/mutants.sh search

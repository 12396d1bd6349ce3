# The real store under test: RocksDB = memory, SIGKILL while committing, damaged files, power cuts.
#
#   CRASH_IMAGES=2000   disks of power cuts that are opened (200)   CRASH_SEED=5  which
STORE_TESTS := $(call test_programs,tests/store/*_test.c)
CHECK_STEPS += store
STORE_SHIM := $(BUILD)/crash_shim.so
CHECK_BUILDS += $(STORE_TESTS) $(STORE_SHIM)
LIMIT_store := 180

$(BUILD)/$(FLAVOR)/test/store/%: $(BUILD)/$(FLAVOR)/obj/tests/store/%.o $(BUILD)/$(FLAVOR)/libtest.a \
		$(BUILD)/$(FLAVOR)/libhost.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_host))

# Preloaded into a writer, so without sanitizers whatever the flavor.
$(STORE_SHIM): tests/store/crash_shim.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O1 -fPIC -shared $< -o $@ -ldl

.PHONY: store
store: $(STORE_TESTS) $(STORE_SHIM) ## the real store: conformance, crashes, damage
	@CRASH_SHIM=$(abspath $(STORE_SHIM)) $(RUN) $(STORE_TESTS)

# What a key costs and how long a start takes; by hand: tests/store/million.sh
$(BUILD)/release/million: $(BUILD)/release/obj/tests/store/million.o $(BUILD)/release/libhost.a $(BUILD)/release/libcore.a
	$(call link_release,$(LIBS_host))

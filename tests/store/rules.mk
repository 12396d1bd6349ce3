# The real store under test: RocksDB = memory, SIGKILL while committing, damaged files.
STORE_TESTS := $(call test_programs,tests/store/*_test.c)
CHECK_STEPS += store
CHECK_BUILDS += $(STORE_TESTS)
LIMIT_store := 90

$(BUILD)/$(FLAVOR)/test/store/%: $(BUILD)/$(FLAVOR)/obj/tests/store/%.o $(BUILD)/$(FLAVOR)/libtest.a \
		$(BUILD)/$(FLAVOR)/libhost.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_host))

.PHONY: store
store: $(STORE_TESTS) ## the real store: conformance, crashes, damage
	@$(RUN) $(STORE_TESTS)

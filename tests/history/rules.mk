# Checkers of histories (testing.md 6) and their own tests; tests/chaos records the histories.
# `$(BUILD)/asan/test/history/judge FILE` judges one that was kept.
HISTORY_LIB := $(call objects,$(FLAVOR),$(filter-out %_test.c %/judge.c,$(wildcard tests/history/*.c)))
HISTORY_TESTS := $(call test_programs,tests/history/*_test.c)
HISTORY_PROGRAMS := $(HISTORY_TESTS) $(BUILD)/$(FLAVOR)/test/history/judge
CHECK_STEPS += history
CHECK_BUILDS += $(HISTORY_PROGRAMS)
LIMIT_history := 30

$(BUILD)/$(FLAVOR)/test/history/%: $(BUILD)/$(FLAVOR)/obj/tests/history/%.o $(HISTORY_LIB) \
		$(BUILD)/$(FLAVOR)/libtest.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_core))

.PHONY: history
history: $(HISTORY_PROGRAMS) ## the checkers of histories, checked
	@$(RUN) $(HISTORY_TESTS)

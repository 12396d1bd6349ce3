# `make chaos`: five real daemons, clients that never stop and faults from a seed (CHAOS_MINUTES=30,
# CHAOS_SEED=n repeats one). Its own ports and directories; nothing of it runs in `make check`.
CHAOS := $(BUILD)/$(FLAVOR)/test/chaos/chaos
CHAOS_OBJECTS := $(call objects,$(FLAVOR),$(wildcard tests/chaos/*.c) tests/cluster/cluster.c \
	tests/cluster/client.c \
	$(filter-out %_test.c %/judge.c,$(wildcard tests/history/*.c)))
PROVIDES += chaos

$(BUILD)/$(FLAVOR)/obj/tests/chaos/%.o: private COMMON += -Itests/cluster -Itests/history

$(CHAOS): $(CHAOS_OBJECTS) $(BUILD)/$(FLAVOR)/libtest.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_core) -lpthread)

chaos: $(CHAOS) $(BUILD)/$(FLAVOR)/gossamerd ## kill, stop and cut real daemons under load, judge the histories
	@GOSSAMERD=$(or $(GOSSAMERD),$(BUILD)/$(FLAVOR)/gossamerd) $(CHAOS)

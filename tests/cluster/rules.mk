# Real daemons on this machine: killed, cut, grown, damaged. The sanitized daemon if it was built
# (`make check` builds it), else the release one; GOSSAMERD=path names another.
CLUSTER_TESTS := $(call test_programs,tests/cluster/*_test.c)
CLUSTER_LIB := $(call objects,$(FLAVOR),tests/cluster/cluster.c tests/cluster/client.c tests/cluster/capture.c)
CHECK_STEPS += cluster
CHECK_BUILDS += $(CLUSTER_TESTS) $(BUILD)/asan/gossamerd $(BUILD)/asan/gossamer
LIMIT_cluster := 180

$(BUILD)/$(FLAVOR)/test/cluster/%: $(BUILD)/$(FLAVOR)/obj/tests/cluster/%.o $(CLUSTER_LIB) \
		$(BUILD)/$(FLAVOR)/libtest.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_core))

.PHONY: cluster
cluster: $(CLUSTER_TESTS) ## real daemons: kill, restart, partition, grow, faults
	@BUILD=$(BUILD) $(RUN) $(CLUSTER_TESTS)

# Real daemons on this machine: killed, cut, grown, damaged. The sanitized daemon if it was built
# (`make check` builds it), else the release one; GOSSAMERD=path names another.
CLUSTER_TESTS := $(call test_programs,tests/cluster/*_test.c)
CLUSTER_LIB := $(call objects,$(FLAVOR),tests/cluster/cluster.c tests/cluster/client.c tests/cluster/capture.c)
CHECK_STEPS += cluster
CLUSTER_SHIM := $(BUILD)/eio_shim.so
CHECK_BUILDS += $(CLUSTER_TESTS) $(CLUSTER_SHIM) $(BUILD)/asan/gossamerd $(BUILD)/asan/gossamer
LIMIT_cluster := 400

$(BUILD)/$(FLAVOR)/test/cluster/%: $(BUILD)/$(FLAVOR)/obj/tests/cluster/%.o $(CLUSTER_LIB) \
		$(BUILD)/$(FLAVOR)/libtest.a $(BUILD)/$(FLAVOR)/libcore.a
	$(call link_$(FLAVOR),$(LIBS_test) $(LIBS_core))

# Preloaded into a daemon, so without sanitizers whatever the flavor.
$(CLUSTER_SHIM): tests/cluster/eio_shim.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O1 -fPIC -shared $< -o $@ -ldl

.PHONY: cluster
cluster: $(CLUSTER_TESTS) $(CLUSTER_SHIM) ## real daemons: kill, restart, partition, grow, faults
	@BUILD=$(BUILD) EIO_SHIM=$(abspath $(CLUSTER_SHIM)) $(RUN) $(CLUSTER_TESTS)

FLIPS ?= 2000
.PHONY: flips
flips: $(BUILD)/$(FLAVOR)/test/cluster/flips_test $(BUILD)/release/gossamerd ## bits flip in the files of a real peer
	@FLIPS=$(FLIPS) GOSSAMERD=$(or $(GOSSAMERD),$(BUILD)/release/gossamerd) $<

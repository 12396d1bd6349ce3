# `make bench`: ratios to the echo floor and to etcd on this machine (testing.md 9). Its own client,
# its own ports and directories; nothing of it runs in `make check`.
BENCH_PROGRAMS := $(BUILD)/bench/load $(BUILD)/bench/echo_floor
PROVIDES += bench bench-elastic bench-membership

$(BUILD)/bench/load: $(call objects,release,$(wildcard tests/bench/load*.c))
	$(call link_release,)
$(BUILD)/bench/echo_floor: $(call objects,release,tests/bench/echo_floor.c)
	$(call link_release,)

.PHONY: bench bench-elastic bench-membership
bench: $(BUILD)/gossamerd $(BENCH_PROGRAMS) ## local GET, quorum GET and PUT against floor and etcd
	@BUILD=$(BUILD) tests/bench/bench

bench-elastic: $(BUILD)/gossamerd ## what moving data costs clients: 3 peers to 6 to 3 under load
	@tests/bench/elastic.py $(BUILD)

bench-membership: $(BUILD)/gossamerd ## PEERS (50) real peers beside as many of serf: deaths, bytes, CPU
	@.ci/deps serf iproute2
	@tests/bench/membership.py $(BUILD)

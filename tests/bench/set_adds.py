#!/usr/bin/env python3
"""Adds to a set of ten members and to one of a million, side by side.

    tests/bench/set_adds.py PORT[,PORT...] [MEMBERS]     HTTP ports of running peers, 1000000

Fills the large set, a thousand members a request, then adds one member a request to each in turn
and prints the median and the 90th percentile of three rounds of 300.
"""
import http.client
import json
import sys
import time

ROUND = 300
peers = [http.client.HTTPConnection("127.0.0.1", int(p), timeout=30) for p in sys.argv[1].split(",")]
members = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000


def add(at, key, names):
    peer = peers[at % len(peers)]
    peer.request("POST", f"/v1/crdt/bench/{key}?timeout=20s", json.dumps({"set": {"add": names}}),
                 {"Content-Type": "application/json"})
    reply = peer.getresponse()
    reply.read()
    return reply.status == 204


assert add(0, "small", [f"m{i}" for i in range(10)])
begun, done = time.time(), 0
while done < members:
    count = min(1000, members - done)
    if add(done // 1000, "big", [f"member-{i:09}" for i in range(done, done + count)]):
        done += count
print(f"{members} members in {time.time() - begun:.0f} s")
for turn in range(3):
    for key in ("small", "big"):
        took = []
        for i in range(ROUND):
            at = time.perf_counter()
            assert add(i, key, [f"x-{i}"])
            took.append((time.perf_counter() - at) * 1e6)
        took.sort()
        print(f"{key:5}  median {took[ROUND // 2]:.0f} us  p90 {took[ROUND * 9 // 10]:.0f} us")

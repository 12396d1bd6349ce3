#!/usr/bin/env python3
"""What moving data costs clients: three peers become six and three again while they are asked.

    tests/bench/elastic.py [BUILD]       a build directory with gossamerd, default build

    KEYS=20000        keys of 100 bytes that are there before anything moves
    RATE=400          requests a second in all, half of them PUT, through the three peers that stay
    IDLE_SECONDS=20   measured at rest, before and after

Prints median and p99 at rest, growing and shrinking, and the ratio to rest; then how many rows were
taken from other owners against the fewest possible. Requests are sent at a fixed rate, and time
counts from when each was due, so that a stall is not hidden by those who wait behind it. Every
failed request, and every acknowledged write that is not there at the end, is an error: exit 1.
"""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
KEYS = int(os.environ.get("KEYS", 20000))
RATE = int(os.environ.get("RATE", 400))
IDLE = int(os.environ.get("IDLE_SECONDS", 20))
WORKERS, STAY, LAST = 8, 3, 6
VALUE = b"v" * 100

work = tempfile.mkdtemp(prefix="elastic.", dir=os.environ.get("BENCH_DIR", "."))
peers = []  # dicts: process, http, mesh, name
phase = None  # what the requests of now are counted for
took = {}  # phase -> list of (microseconds)
failed = []
acked = set()
lock = threading.Lock()
is_over = False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_peer():
    number = len(peers) + 1
    name, directory = f"peer-{number}", f"{work}/{number}"
    http_port, mesh = free_port(), free_port()
    os.mkdir(directory, 0o700)
    args = [f"{BUILD}/gossamerd", "--data", directory, "--name", name, "--http",
            f"127.0.0.1:{http_port}", "--mesh", f"127.0.0.1:{mesh}", "--set", f"node.host={name}",
            "--set", "mesh.profile=local", "--set", f"mesh.secret_file={work}/key"]
    if peers:
        args += ["--join", f"127.0.0.1:{peers[0]['mesh']}"]
    log = open(f"{work}/{number}.log", "w")
    peers.append({"process": subprocess.Popen(args, stdout=log, stderr=log), "http": http_port,
                  "mesh": mesh, "name": name})
    return peers[-1]


def ask(peer, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", peer["http"], timeout=10)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def metric(peer, name):
    for line in ask(peer, "GET", "/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return int(float(line.split()[-1]))
    return 0


def is_settled(alive):
    for peer in peers[:STAY]:
        try:
            status, body = ask(peer, "GET", "/v1/cluster")
        except OSError:
            return False
        summary = json.loads(body) if status == 200 else {}
        if summary.get("members", {}).get("active") != alive or summary["partitions"]["moving"]:
            return False
    return True


def settle(alive, seconds=300):
    end = time.time() + seconds
    while not is_settled(alive):
        if time.time() > end:
            sys.exit(f"elastic: {alive} owners were not reached within {seconds} s")
        time.sleep(0.2)


def worker(number):
    connections = [http.client.HTTPConnection("127.0.0.1", p["http"], timeout=10)
                   for p in peers[:STAY]]
    rng, due, at = random.Random(number), time.perf_counter() + number / RATE, number
    while not is_over:
        due += WORKERS / RATE
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        counted, at = phase, at + 1
        is_put = at % 2 == 0
        key = f"w{number}-{at}" if is_put else f"k{rng.randrange(KEYS)}"
        connection = connections[at % STAY]
        try:
            connection.request("PUT" if is_put else "GET", f"/v1/kv/bench/{key}",
                               VALUE if is_put else None)
            reply = connection.getresponse()
            reply.read()
            is_good = reply.status // 100 == 2
        except (OSError, http.client.HTTPException):
            connection.close()
            is_good = False
        with lock:
            if is_put and is_good:
                acked.add(key)
            if not is_good:
                failed.append(counted)
            if counted:
                took.setdefault(counted, []).append((time.perf_counter() - due) * 1e6)


def fill():
    def some(number):
        connection = http.client.HTTPConnection("127.0.0.1", peers[number % STAY]["http"], timeout=30)
        for i in range(number, KEYS, 16):
            connection.request("PUT", f"/v1/kv/bench/k{i}", VALUE)
            reply = connection.getresponse()
            reply.read()
            assert reply.status // 100 == 2, reply.status

    threads = [threading.Thread(target=some, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def grow():
    """One more peer; rows it took against those it has to have."""
    peer = start_peer()
    while True:
        try:
            ask(peer, "GET", "/livez")
            break
        except OSError:
            time.sleep(0.05)
    settle(len([p for p in peers if p["process"]]))
    return metric(peer, "gossamer_sync_keys_repaired_total"), metric(peer, "gossamer_keys")


def shrink():
    peer = [p for p in peers if p["process"]][-1]
    assert ask(peer, "POST", "/v1/cluster/leave", "")[0] == 202
    peer["process"].wait(300)
    peer["process"] = None
    settle(len([p for p in peers if p["process"]]))


def report(rows):
    rest = percentile(took["at rest"], 0.99)
    for name in ("at rest", "3 to 6", "6 to 3"):
        p99 = percentile(took[name], 0.99)
        print(f"{name:8} {len(took[name]):6} requests  median {percentile(took[name], 0.5):6.0f} us"
              f"  p99 {p99:7.0f} us  max {max(took[name]):7.0f} us  p99 is {p99 / rest:.2f} x rest")
    print(f"joiners took {sum(r[0] for r in rows)} rows and hold {sum(r[1] for r in rows)}")


def main():
    global phase, is_over
    subprocess.run([f"{BUILD}/gossamerd", "keygen", f"{work}/key"], check=True,
                   stdout=subprocess.DEVNULL)
    for _ in range(STAY):
        start_peer()
        time.sleep(0.3)
    settle(STAY)
    fill()
    time.sleep(3)
    threads = [threading.Thread(target=worker, args=(n,), daemon=True) for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    phase = "at rest"
    time.sleep(IDLE)
    phase = "3 to 6"
    rows = [grow() for _ in range(LAST - STAY)]
    phase = None
    time.sleep(5)
    phase = "6 to 3"
    for _ in range(LAST - STAY):
        shrink()
    phase = "at rest"
    time.sleep(IDLE)
    is_over = True
    for thread in threads:
        thread.join()
    lost = [key for key in acked if ask(peers[0], "GET", f"/v1/kv/bench/{key}")[0] != 200]
    report(rows)
    print(f"{len(failed)} requests failed, {len(lost)} of {len(acked)} acknowledged writes lost")
    return 1 if failed or lost else 0


code = 1
try:
    code = main()
finally:
    for one in peers:
        if one["process"]:
            one["process"].send_signal(signal.SIGTERM)
            one["process"].wait(30)
    if code == 0:
        shutil.rmtree(work)
    else:
        print(f"elastic: logs are in {work}", file=sys.stderr)
sys.exit(code)

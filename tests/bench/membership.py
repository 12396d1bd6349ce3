#!/usr/bin/env python3
"""Membership beside serf: the same things happen to both, one after the other, in one run.

    tests/bench/membership.py [BUILD]     a build directory with gossamerd, default build

    PEERS=50          processes of each side
    SIDES=serf-lan,gossamer-lan,gossamer-local    what is measured: serf or gossamer, and its profile
    IDLE_SECONDS=60   of quiet, in which bytes and CPU are counted and nobody may be declared dead
    TRIALS=3          peers killed (SIGKILL), and as many stopped (SIGSTOP)
    STORE=memory      engine of gossamerd

Each side runs in a network namespace of its own, all processes on its loopback device: what that
device sends is what all peers send, headers of IP included, and nothing else goes over it (clients
use a unix socket). Deaths are read from the logs as they are written. For each side it prints how
long all views took to be complete after the last start; bytes sent per peer and second, and CPU,
at rest; how long until the first, half of and all survivors declared a killed peer dead, and a
stopped one; how often a peer that was well was declared dead. The last line is JSON: all figures,
and serf's over ours. Needs root, iproute2 and serf.
"""
import http.client
import json
import os
import re
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
PEERS = int(os.environ.get("PEERS", 50))
IDLE = float(os.environ.get("IDLE_SECONDS", 60))
TRIALS = int(os.environ.get("TRIALS", 3))
SIDES = os.environ.get("SIDES", "serf-lan,gossamer-lan,gossamer-local").split(",")
STORE = os.environ.get("STORE", "memory")
SETTLE, LONGEST = 15, 180  # seconds: of quiet before anything is measured; for anything to happen
PORT = 20000
TICK = os.sysconf("SC_CLK_TCK")


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"membership: {what} took more than {seconds} s")
        time.sleep(0.02)


class Peer:
    def __init__(self, name, process):
        self.name, self.process = name, process
        self.joined = set()  # serf: names of members it has seen
        self.dead = {}       # id of a member -> when this peer declared it dead
        self.suspected = 0
        self.id = name


class Side:
    """The processes of one side, and a thread that reads what they log."""

    def __init__(self, profile, work):
        self.profile, self.work = profile, work
        self.space = f"membership-{os.getpid()}"
        self.peers, self.selector, self.is_over = [], selectors.DefaultSelector(), False
        subprocess.run(["ip", "netns", "add", self.space], check=True)
        subprocess.run(["ip", "-n", self.space, "link", "set", "lo", "up"], check=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def spawn(self, number):
        name = f"peer-{number}"
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.space] + self.command(number, name),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        peer = Peer(name, process)
        os.set_blocking(process.stdout.fileno(), False)
        self.peers.append(peer)
        self.selector.register(process.stdout, selectors.EVENT_READ, [peer, b""])
        return peer

    def read(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.2):
                peer, rest = key.data
                data = key.fileobj.read()
                if not data:
                    self.selector.unregister(key.fileobj)
                    continue
                lines = (rest + data).split(b"\n")
                key.data[1] = lines.pop()
                for line in lines:
                    self.heard(peer, line.decode(errors="replace"), time.monotonic())

    def sent(self):
        """Bytes that all peers have sent."""
        text = subprocess.run(["ip", "netns", "exec", self.space, "cat", "/proc/net/dev"],
                              check=True, capture_output=True, text=True).stdout
        return int(re.search(r"lo:\s*(.*)", text).group(1).split()[8])

    def cpu(self):
        """Seconds of CPU that all peers have used."""
        total = 0
        for peer in self.peers:
            with open(f"/proc/{peer.process.pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def close(self):
        for peer in self.peers:
            peer.process.kill()
            peer.process.wait()
        self.is_over = True
        self.reader.join()
        subprocess.run(["ip", "netns", "del", self.space], check=True)


class Serf(Side):
    def command(self, number, name):
        seed = [] if number == 0 else [f"-join=127.0.0.1:{PORT}"]
        return ["serf", "agent", f"-node={name}", f"-profile={self.profile}",
                f"-bind=127.0.0.1:{PORT + number}", f"-rpc-addr=127.0.0.1:{PORT + 1000 + number}",
                "-log-level=info"] + seed

    def heard(self, peer, line, when):
        event = re.search(r"serf: EventMember(Join|Failed): (\S+)", line)
        if event and event.group(1) == "Join":
            peer.joined.add(event.group(2))
        elif event:
            peer.dead.setdefault(event.group(2), when)
        peer.suspected += "Suspect" in line

    def is_complete(self):
        return all(len(peer.joined) == PEERS for peer in self.peers)

    def meet(self):
        pass


class Gossamer(Side):
    def command(self, number, name):
        key, directory = f"{self.work}/key", f"{self.work}/{number}"
        if not os.path.exists(key):
            subprocess.run([f"{BUILD}/gossamerd", "keygen", key], check=True,
                           stdout=subprocess.DEVNULL)
        os.mkdir(directory, 0o700)
        seed = [] if number == 0 else ["--join", f"127.0.0.1:{PORT}"]
        return [f"{BUILD}/gossamerd", "--data", directory, "--name", name, "--store", STORE,
                "--http", f"unix:{directory}/http", "--mesh", f"127.0.0.1:{PORT + number}",
                "--set", f"node.host={name}", "--set", f"mesh.profile={self.profile}",
                "--set", f"mesh.secret_file={key}"] + seed

    def heard(self, peer, line, when):
        event = re.search(r"member ([0-9a-f]{16}) is (dead|suspect)", line)
        if event and event.group(2) == "dead":
            peer.dead.setdefault(event.group(1), when)
        elif event:
            peer.suspected += 1

    def ask(self, peer, path):
        number = peer.name.split("-")[1]
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(f"{self.work}/{number}/http")
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError):
            return {}
        finally:
            connection.close()

    def is_complete(self):
        for peer in self.peers:
            if peer.joined:
                continue
            if self.ask(peer, "/v1/cluster").get("members", {}).get("alive") != PEERS:
                return False
            peer.joined.add(peer.name)
        return True

    def meet(self):
        """Waits until data rests where it belongs; learns who is who."""
        wait_until(lambda: all(
            c.get("members", {}).get("active") == PEERS and c["partitions"]["moving"] == 0
            for c in (self.ask(p, "/v1/cluster") for p in self.peers)), LONGEST, "settling")
        for peer in self.peers:
            peer.id = self.ask(peer, "/v1/self")["id"][:16]


def trial(side, survivors, victim, sign):
    """Seconds until each survivor declared the victim dead, ascending."""
    victim.process.send_signal(sign)
    start = time.monotonic()
    wait_until(lambda: all(victim.id in p.dead for p in survivors), LONGEST,
               f"the death of {victim.name}")
    times = sorted(p.dead[victim.id] - start for p in survivors)
    if sign == signal.SIGSTOP:
        victim.process.kill()
        time.sleep(3)
    return times


def summary(trials):
    return {"first": round(statistics.median(t[0] for t in trials), 2),
            "half": round(statistics.median(t[len(t) // 2] for t in trials), 2),
            "all": round(statistics.median(t[-1] for t in trials), 2),
            "worst": round(max(t[-1] for t in trials), 2)}


def measure(name):
    kind, profile = name.split("-")
    work = tempfile.mkdtemp(prefix="membership.", dir="/tmp")
    side = (Serf if kind == "serf" else Gossamer)(profile, work)
    try:
        side.spawn(0)
        time.sleep(1)
        for number in range(1, PEERS):
            side.spawn(number)
        start = time.monotonic()
        wait_until(side.is_complete, LONGEST, "complete views")
        row = {"side": name, "peers": PEERS, "complete_s": round(time.monotonic() - start, 2)}
        side.meet()
        time.sleep(SETTLE)
        sent, cpu, start = side.sent(), side.cpu(), time.monotonic()
        time.sleep(IDLE)
        took = time.monotonic() - start
        row["bytes"] = round((side.sent() - sent) / took / PEERS)
        row["cpu_percent"] = round((side.cpu() - cpu) / took / PEERS * 100, 3)
        row["false"] = sum(len(p.dead) for p in side.peers)
        trials, victims = {signal.SIGKILL: [], signal.SIGSTOP: []}, []
        for number in range(2 * TRIALS):
            sign = signal.SIGKILL if number % 2 == 0 else signal.SIGSTOP
            victims.append(side.peers[PEERS - 1 - number])
            survivors = [p for p in side.peers if p not in victims]
            trials[sign].append(trial(side, survivors, victims[-1], sign))
            time.sleep(2)
        ids = {v.id for v in victims}
        row["false"] += sum(len(set(p.dead) - ids) for p in side.peers if p not in victims)
        row["suspected"] = sum(p.suspected for p in side.peers)
        row["kill_s"], row["stop_s"] = (summary(trials[s]) for s in trials)
        return row
    finally:
        side.close()
        shutil.rmtree(work)


def show(rows):
    print(f"{PEERS} peers      complete   B/s per   CPU per   killed: dead at       stopped: dead at     false")
    print("                after s      peer    peer %   first   half    all   first   half    all    deaths")
    for row in rows:
        times = "".join(f"{row[k][f]:8.2f}" for k in ("kill_s", "stop_s")
                        for f in ("first", "half", "all"))
        print(f"{row['side']:15} {row['complete_s']:7.2f} {row['bytes']:9} {row['cpu_percent']:9.3f}"
              f"{times} {row['false']:9}")


def ratios(rows):
    """Serf's figure over ours, each side of ours against the first of serf's."""
    base = next((r for r in rows if r["side"].startswith("serf")), None)
    if not base:
        return {}
    return {row["side"]: {"killed": round(base["kill_s"]["all"] / row["kill_s"]["all"], 2),
                          "stopped": round(base["stop_s"]["all"] / row["stop_s"]["all"], 2),
                          "bytes": round(base["bytes"] / row["bytes"], 2),
                          "cpu": round(base["cpu_percent"] / max(row["cpu_percent"], 0.001), 2)}
            for row in rows if row["side"].startswith("gossamer")}


def main():
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.exit("membership: needs root and iproute2, for network namespaces")
    if any(s.startswith("serf") for s in SIDES) and not shutil.which("serf"):
        sys.exit("membership: needs serf: apt-get install serf")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `finally`
    rows = []
    for name in SIDES:
        print(f"{time.strftime('%T')} {name}", file=sys.stderr)
        rows.append(measure(name))
    show(rows)
    print(json.dumps({"rows": rows, "serf_over_ours": ratios(rows)}))


main()

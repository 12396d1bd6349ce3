#!/usr/bin/env bash
# tests/store/million.sh [KEYS]: a peer with KEYS (1,000,000) keys of 100 bytes: metadata per key on
# disk, and seconds from the start of the process to its first answer as a ready peer.
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
keys=${1:-1000000}
directory=$(mktemp -d /tmp/gossamer-million-XXXXXX)
port=$((20000 + RANDOM % 20000))
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$directory"' EXIT

start() {
    "$build/release/gossamerd" --set storage.dir="$directory" --set http.listen="127.0.0.1:$port" \
        --set mesh.listen="127.0.0.1:$((port + 1))" --set storage.compression=none \
        2>>"$directory.log" &
    pid=$!
    until curl -fsS -o /dev/null "http://127.0.0.1:$port/readyz" 2>/dev/null; do sleep 0.02; done
}

stop() {
    kill "$1" "$pid"
    wait "$pid" || true
    pid=
}

start
stop -TERM
"$build/release/million" "$directory" "$keys"
for how in -TERM -KILL; do
    begin=$(date +%s.%N)
    start
    end=$(date +%s.%N)
    echo "ready $(awk -v a="$begin" -v b="$end" 'BEGIN {printf "%.2f", b - a}') s after the start" \
        "($(curl -fsS "http://127.0.0.1:$port/metrics" | awk '$1 == "gossamer_keys" {print $2}') keys)"
    stop "$how"
done

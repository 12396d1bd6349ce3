#!/usr/bin/env bash
# tests/store/million.sh [KEYS]: a peer with KEYS (1,000,000) keys of 100 bytes: metadata per key on
# disk, and seconds from the start of the process to its first answer as a ready peer, and until all
# rows are counted: after a SIGKILL, a SIGTERM, a SIGKILL.
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

metric() { curl -fsS "http://127.0.0.1:$port/metrics" | awk -v name="$1" '$1 == name {print $2}'; }

start
stop -KILL # sums that were kept would not be those of the rows that come now
"$build/release/million" "$directory" "$keys"
before=KILL
for how in TERM KILL TERM; do
    begin=$(date +%s.%N)
    start
    ready=$(date +%s.%N)
    left=$(metric gossamer_partitions_uncounted)
    until [ "$(metric gossamer_partitions_uncounted)" = 0 ]; do sleep 0.05; done
    counted=$(date +%s.%N)
    echo "after SIG$before: $(awk -v a="$begin" -v b="$ready" -v c="$counted" -v n="$left" 'BEGIN {
        printf "ready in %.2f s with %d partitions to count, all counted in %.2f s", b - a, n, c - a}')" \
        "($(metric gossamer_keys) keys)"
    stop "-$how"
    before=$how
done

# common.sh: what the scripts of this directory share. Sourced, never run.
#
#   GOSSAMER_RUN        where peers live (run/ of the checkout)
#   GOSSAMER_PORT_BASE  peer i: HTTP at base + i, mesh at base + 1000 + i (17000)
#   BUILD               where gossamerd and gossamer are (build/)
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RUN=${GOSSAMER_RUN:-$ROOT/run}
[[ $RUN = /* ]] || RUN=$PWD/$RUN
PORT_BASE=${GOSSAMER_PORT_BASE:-17000}
BUILD=${BUILD:-build}
[[ $BUILD = /* ]] || BUILD=$ROOT/$BUILD
DAEMON=$BUILD/gossamerd
CLI=$BUILD/gossamer
PEERS_MAX=999 # ports of the mesh begin 1000 above those of HTTP
READY_S=${GOSSAMER_READY_S:-60}

say() { printf '%s\n' "$*" >&2; }
# fail WHAT [HOW TO MEND IT]
fail() {
    printf 'error: %s\n' "$1" >&2
    [[ $# -lt 2 ]] || printf 'hint: %s\n' "$2" >&2
    exit 1
}
usage_error() {
    printf 'error: %s\nhint: see %s --help\n' "$1" "${0##*/}" >&2
    exit 2
}
# help_if_asked "$@": the text is on standard input.
help_if_asked() {
    local text word
    text=$(cat)
    for word in "$@"; do
        [[ $word != -- ]] || break
        if [[ $word = -h || $word = --help ]]; then
            printf '%s\n' "$text"
            exit 0
        fi
    done
}
need_programs() {
    [[ -x $DAEMON && -x $CLI ]] || fail "no gossamerd or gossamer in $BUILD" "build them: make all"
}

is_number() { [[ $1 =~ ^[1-9][0-9]{0,2}$ ]]; }
peer_dir() { printf '%s/peer-%s' "$RUN" "$1"; }
http_port() { printf '%s' $((PORT_BASE + $1)); }
mesh_port() { printf '%s' $((PORT_BASE + 1000 + $1)); }
url() { printf 'http://127.0.0.1:%s' "$(http_port "$1")"; }

# The start time of a process: with its number it names one process for ever.
start_time() {
    local line
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    line=${line##*) }
    # shellcheck disable=SC2086
    set -- $line
    [[ $1 != Z ]] || return 1 # a zombie runs no more
    printf '%s' "${20}"
}
# peer_pid I: prints the process of a peer that we started and that still runs.
peer_pid() {
    local pid start
    [[ -r $(peer_dir "$1")/pid ]] || return 1
    read -r pid start <"$(peer_dir "$1")/pid" || return 1
    [[ -n $pid && $(start_time "$pid") = "$start" ]] || return 1
    printf '%s' "$pid"
}
is_up() { peer_pid "$1" >/dev/null; }
# all_peers, running_peers: numbers, ascending.
all_peers() {
    local dir
    for dir in "$RUN"/peer-*; do
        [[ -d $dir ]] || continue
        is_number "${dir##*/peer-}" && printf '%s\n' "${dir##*/peer-}"
    done | sort -n
}
running_peers() {
    local i
    for i in $(all_peers); do
        is_up "$i" && printf '%s\n' "$i"
    done
    return 0
}
need_peer() {
    is_number "$1" || usage_error "\"$1\" is no number of a peer"
    [[ -d $(peer_dir "$1") ]] || fail "there is no peer $1 in $RUN" "cluster-scripts/status lists them"
}

ask() { # ask I PATH: a short question, no talk
    curl -s --noproxy '*' --max-time 2 "$(url "$1")$2"
}
is_ready() { [[ $(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 2 "$(url "$1")/readyz") = 200 ]]; }
alive_seen() { # how many members peer I sees alive; 0 when it does not answer
    local body
    body=$(ask "$1" /v1/members) || body=
    [[ $body =~ \"alive\":\ *([0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}" || printf 0
}
placed_seen() { # how many peers hold data, as peer I sees it
    local body
    body=$(ask "$1" /v1/cluster) || body=
    [[ $body =~ \"active\":\ *([0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}" || printf 0
}

make_key() {
    mkdir -p "$RUN"
    if [[ ! -s $RUN/cluster.key ]]; then
        (umask 077 && "$DAEMON" keygen >"$RUN/cluster.key.new") ||
            fail "gossamerd keygen failed" "run $DAEMON keygen and look"
        mv "$RUN/cluster.key.new" "$RUN/cluster.key"
    fi
}

# Another running peer to join by: any but I.
seed_for() {
    local i
    for i in $(running_peers); do
        if [[ $i != "$1" ]]; then
            printf '127.0.0.1:%s' "$(mesh_port "$i")"
            return
        fi
    done
}

# start_peer I [daemon flags]: starts it and notes its process. The flags of its first start are
# kept, so that a restart is the same peer again.
start_peer() {
    local i=$1 dir seed pid tries
    local -a flags
    shift
    dir=$(peer_dir "$i")
    mkdir -p "$dir/data"
    if [[ $# -gt 0 || ! -e $dir/flags ]]; then
        : >"$dir/flags"
        [[ $# -eq 0 ]] || printf '%s\0' "$@" >"$dir/flags"
    fi
    mapfile -d '' -t flags <"$dir/flags"
    seed=$(seed_for "$i")
    [[ -n $seed || $i = 1 ]] || seed=127.0.0.1:$(mesh_port 1)
    [[ -z $seed ]] || flags+=(--join "$seed")
    setsid "$DAEMON" --name "peer-$i" --data "$dir/data" --http "127.0.0.1:$(http_port "$i")" \
        --mesh "127.0.0.1:$(mesh_port "$i")" --set mesh.profile=local \
        --set "node.host=peer-$i" --set "mesh.secret_file=$RUN/cluster.key" \
        ${flags[@]+"${flags[@]}"} </dev/null >>"$dir/log" 2>&1 &
    pid=$!
    for ((tries = 0; tries < 20; tries++)); do # until setsid has become the daemon
        [[ $(readlink "/proc/$pid/exe" 2>/dev/null) != "$(readlink -f "$DAEMON")" ]] || break
        sleep 0.02
    done
    printf '%s %s\n' "$pid" "$(start_time "$pid" || printf 0)" >"$dir/pid"
    disown "$pid" 2>/dev/null || true
}

show_log() { # the end of a log, so that the reason is on the screen
    say "--- last lines of $(peer_dir "$1")/log"
    tail -n 8 "$(peer_dir "$1")/log" >&2 || true
}

# wait_until WHAT TEST [ARGS]: asks every 0.1 s; false after READY_S seconds.
wait_until() {
    local what=$1 since=$SECONDS shown=
    shift
    while ! "$@"; do
        if ((SECONDS - since >= READY_S)); then
            [[ ! -t 2 ]] || printf '\n' >&2
            return 1
        fi
        if [[ -t 2 ]]; then
            printf '\r%s (%ss) %s ' "$what" $((SECONDS - since)) "${PROGRESS:-}" >&2
            shown=yes
        elif [[ -z $shown ]] || ((SECONDS - since >= shown + 10)); then
            say "$what ..."
            shown=$((SECONDS - since))
        fi
        sleep 0.1
    done
    [[ -z $shown || ! -t 2 ]] || printf '\n' >&2
}
is_gone() { ! is_up "$1"; }
is_ready_or_gone() { is_gone "$1" || is_ready "$1"; }

# stop_peer I: asks the process to stop, then insists. Nothing else is touched.
stop_peer() {
    local pid tries
    pid=$(peer_pid "$1") || {
        rm -f "$(peer_dir "$1")/pid"
        return 0
    }
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 100; tries++)); do
        is_up "$1" || break
        sleep 0.1
    done
    if is_up "$1"; then
        kill -KILL "$pid" 2>/dev/null || true
        while is_up "$1"; do sleep 0.05; done
    fi
    rm -f "$(peer_dir "$1")/pid"
}

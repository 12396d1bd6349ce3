#!/usr/bin/env bash
# tests/sim/swarm.sh check BUILD SEEDS ASAN_SEEDS   fixed seeds in both builds, seeds.txt, rare paths
# tests/sim/swarm.sh meta BUILD                     canary; equal seeds give equal traces
# tests/sim/swarm.sh deletes BUILD                 seeds of profile deletes up to DELETES rows
# tests/sim/swarm.sh soak BUILD                     fresh seeds for SOAK_HOURS, from FROM on
#
# Two processes at a time: the machine that runs `make check` is promised no more.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
here=$PWD
cd ../.. || exit 2

mode=$1
build=$2
release=$build/release/simtest
asan=$build/asan/simtest
log=$build/log/sim
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
mkdir -p "$log"
passed=0 failed=0
profiles="ttl spaces session move rows retry types gc churn forget rot mix hints replicas stop replay late keys sick" # that seeds do not draw by themselves

# Adds the last line of a log to the sum and repeats what failed. No last line: the program died.
count() { # name log
    local p f
    read -r p f < <(awk '/^[0-9]+ passed, [0-9]+ failed$/ {p = $1; f = $3; ok = 1}
        END {if (ok) print p, f; else print 0, 1}' "$2")
    passed=$((passed + p)) failed=$((failed + f))
    if [ "$f" -ne 0 ]; then
        echo "--- $1"
        grep -E '^FAIL|reproduce:|ERROR:|SUMMARY:|ensure|runtime error' "$2" | head -40 || tail -5 "$2"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

verdict() { # name status
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

# Runs SEEDS (A-B) of a program as two processes, and counts both.
halves() { # program name seeds
    local first=${3%-*} last=${3#*-} middle
    middle=$(((first + last) / 2))
    "$1" --reached --seeds "$first-$middle" >"$log/$2-1.log" 2>&1 &
    "$1" --reached --seeds "$((middle + 1))-$last" >"$log/$2-2.log" 2>&1 &
    wait
    count "$2 seeds $first-$middle" "$log/$2-1.log"
    count "$2 seeds $((middle + 1))-$last" "$log/$2-2.log"
}

# Every rare path that sometimes.txt names must have been walked by some seed.
sometimes() { # seeds
    local name count
    while read -r name _; do
        case $name in '' | '#'*) continue ;; esac
        count=$(awk -v n="$name" '$1 == "reached" && $2 == n {sum += $3} END {print sum + 0}' \
            "$log"/release-*.log "$log"/seed-*.log)
        verdict "no seed of $1 reaches $name" $((count == 0))
    done <"$here/sometimes.txt"
}

check() {
    local seed profile seconds=$SECONDS
    rm -f "$log"/*.log
    halves "$release" release "$3"
    echo "release: seeds $3 in $((SECONDS - seconds)) s"
    seconds=$SECONDS
    halves "$asan" asan "$4"
    echo "sanitizers: seeds $4 in $((SECONDS - seconds)) s"
    seconds=$SECONDS
    for profile in $profiles; do
        "$release" --reached --profile "$profile" --seeds 1-10 >"$log/release-$profile.log" 2>&1 &
        "$asan" --profile "$profile" --seeds 41-42 >"$log/asan-$profile.log" 2>&1 &
        wait
        count "profile $profile" "$log/release-$profile.log"
        count "profile $profile, sanitizers" "$log/asan-$profile.log"
    done
    echo "profiles $profiles in $((SECONDS - seconds)) s"
    "$release" --reached --profile deletes --seed 1 >"$log/release-deletes.log" 2>&1
    count "profile deletes" "$log/release-deletes.log"
    while read -r seed profile _; do
        case $seed in '' | '#'*) continue ;; esac
        [ "$profile" = any ] && profile= || profile="--profile $profile"
        # shellcheck disable=SC2086
        "$release" --reached --seed "$seed" $profile >"$log/seed-$seed.log" 2>&1
        count "seed $seed of seeds.txt" "$log/seed-$seed.log"
    done <"$here/seeds.txt"
    sometimes "$3"
    finish
}

hashes() { # program seeds...
    local program=$1 seed
    shift
    for seed in "$@"; do
        "$program" --seed "$seed" | grep -oE "^seed $seed .*(trace [0-9a-f]{16})"
    done
}

meta() {
    local seeds=(1 2 4 6 7 9 12 13) once again other
    "$release" --canary --seed 1 >"$log/canary.log" 2>&1
    verdict "the canary is not reported" $((!($? == 1)))
    grep -q '^FAIL .*CANARY' "$log/canary.log"
    verdict "the canary's report does not name it" $?
    grep -qx '0 passed, 1 failed' "$log/canary.log"
    verdict "the canary is not counted" $?
    hashes "$release" "${seeds[@]}" >"$log/trace-once" &
    hashes "$asan" "${seeds[@]}" >"$log/trace-asan" &
    wait
    hashes "$release" "${seeds[@]}" >"$log/trace-again"
    for seed in "${seeds[@]}"; do
        once=$(grep "^seed $seed " "$log/trace-once")
        again=$(grep "^seed $seed " "$log/trace-again")
        other=$(grep "^seed $seed " "$log/trace-asan")
        [ -n "$once" ] && [ "$once" = "$again" ]
        verdict "seed $seed runs differently the second time" $?
        [ -n "$once" ] && [ "$once" = "$other" ]
        verdict "seed $seed runs differently in the sanitizer build" $?
    done
    finish
}

# Seeds of profile deletes, one at a time, until enough rows were deleted.
deletes() {
    local seed=${FROM:-1} sum=0 wanted=${DELETES:-10000000} status rows
    while [ "$sum" -lt "$wanted" ]; do
        (ulimit -v 4000000 && "$release" --profile deletes --seed "$seed") >"$log/deletes.log" 2>&1
        status=$?
        count "deletes seed $seed" "$log/deletes.log"
        [ "$status" -eq 0 ] || cp "$log/deletes.log" "$log/deletes-$seed.log"
        rows=$(awk '$1 == "deletes" {print $2}' "$log/deletes.log")
        sum=$((sum + ${rows:-0})) seed=$((seed + 1))
        [ $((seed % 10)) -eq 0 ] && echo "$sum deletes in $SECONDS s"
    done
    echo "$sum deletes in $SECONDS s"
    finish
}

# One in eight batches runs with sanitizers. Stops at the end of the time, not at a failure.
soak() {
    local hours=${SOAK_HOURS:-8} seed=${FROM:-} batch=0 program
    local until=$((SECONDS + hours * 3600))
    [ -n "$seed" ] || seed=$(((RANDOM * 32768 + RANDOM) * 1000))
    echo "seeds from $seed on"
    while [ "$SECONDS" -lt "$until" ]; do
        program=$release
        [ $((batch % 8)) -eq 7 ] && program=$asan
        halves "$program" soak "$seed-$((seed + 99))" | head -20
        # `head` is a subshell: the sum is taken here.
        for half in 1 2; do
            read -r p f < <(awk '/^[0-9]+ passed, [0-9]+ failed$/ {p = $1; f = $3; ok = 1}
                END {if (ok) print p, f; else print 0, 1}' "$log/soak-$half.log")
            passed=$((passed + p)) failed=$((failed + f))
        done
        seed=$((seed + 100)) batch=$((batch + 1))
        [ $((batch % 10)) -eq 0 ] && echo "$passed seeds passed, $failed failed so far"
    done
    finish
}

"$mode" "$@"

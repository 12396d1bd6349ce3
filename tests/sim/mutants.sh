#!/usr/bin/env bash
# tests/sim/mutants.sh check [NAME...]    every mutant must be found by one of its recorded killers
# tests/sim/mutants.sh search [NAME...]   looks for killer seeds among random ones, prints them
#
# A mutant is a planted bug: mutants/NAME.patch changes a scratch copy of one file of the core. Its
# object is linked in front of libcore.a, so the archive's own member is never taken; the product
# has no seam for this. The simulator (or the unit test that mutants.def names) must then fail.
#
# A killer `sim:PROFILE` runs its seeds under that profile.
#
# From the environment: BUILD; CC and FLAGS as the release build has them; LIBS, TEST_LIBS;
# JOBS mutants at a time; for `search` SEARCH_SECONDS per mutant and SEARCH_FROM, the first seed.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

mode=${1:-check}
shift || true
def=tests/sim/mutants.def
build=${BUILD:-build}
scratch=$build/mutants
release=$build/release
jobs=${JOBS:-2}
seed_limit=60 # seconds one seed may take; a mutant that never ends is found, too

# Compiles one mutant and links the program its killers run in. Prints why if that fails.
build_mutant() { # name file killer
    local name=$1 file=$2 killer=$3 dir=$scratch/$1 copy objects libs
    rm -rf "$dir"
    mkdir -p "$dir/$(dirname "$file")"
    copy=$dir/$file
    cp "$file" "$copy"
    # The scratch copy alone is in $dir: a patch that touches another file finds nothing.
    if ! patch -s -f -p1 -d "$dir" <"tests/sim/mutants/$name.patch" >"$dir/patch.log" 2>&1; then
        echo "the patch does not apply any more: $(tr '\n' ' ' <"$dir/patch.log")"
        return 1
    fi
    # shellcheck disable=SC2086
    if ! $CC $FLAGS -iquote "$(dirname "$file")" -w -c "$copy" -o "$dir/mutant.o" 2>"$dir/cc.log"; then
        echo "does not compile: $(head -3 "$dir/cc.log" | tr '\n' ' ')"
        return 1
    fi
    if [ "${killer%%:*}" = sim ]; then
        objects=$(ls "$release"/obj/tests/sim/*.o)
        libs=$LIBS
    else
        objects=$release/obj/tests/unit/$killer.o
        libs=$TEST_LIBS
    fi
    # shellcheck disable=SC2086
    if ! $CC "$dir/mutant.o" $objects "$release/libtest.a" "$release/libcore.a" -pie -o "$dir/program" \
        $libs 2>"$dir/link.log"; then
        echo "does not link: $(head -3 "$dir/link.log" | tr '\n' ' ')"
        return 1
    fi
}

profile_of() { # killer
    [ "${1#sim:}" = "$1" ] || echo "--profile ${1#sim:}"
}

# True: this run noticed the bug. `code` is how the program ended.
code=0
run_kills() { # name killer seed
    local dir=$scratch/$1
    if [ "${2%%:*}" = sim ]; then
        # shellcheck disable=SC2046
        timeout "$seed_limit" "$dir/program" --seed "$3" $(profile_of "$2") >"$dir/run.log" 2>&1
    else
        timeout "$seed_limit" "$dir/program" >"$dir/run.log" 2>&1
    fi
    code=$?
    [ "$code" -ne 0 ]
}

# How the killer said it: the broken invariant, the failed test, or the way the process ended.
cause() { # name
    local dir=$scratch/$1 line
    line=$(grep -m1 -oE '(: [A-Z][A-Z0-9]*: .*)|(\[  FAILED  \] [a-zA-Z].*)|(broken invariant.*)' \
        "$dir/run.log" | head -1)
    echo "${line:-ended with status $code}" | sed 's/^: //' | cut -c1-70
}

check_one() { # name file killer seeds
    local name=$1 file=$2 killer=$3 seed tried=0 seeds=$4
    if ! build_mutant "$name" "$file" "$killer"; then
        echo "FAIL $name"
        return 1
    fi
    [ "${killer%%:*}" = sim ] || seeds=1
    for seed in $seeds; do
        tried=$((tried + 1))
        if run_kills "$name" "$killer" "$seed"; then
            [ "${killer%%:*}" = sim ] && seed="seed $seed" || seed=$killer
            printf 'ok   %-24s %s: %s\n' "$name" "$seed" "$(cause "$name")"
            return 0
        fi
    done
    echo "FAIL $name: survived $tried of its recorded killers ($killer)"
    return 1
}

# Tries seeds in order. A seed that fails on the unchanged program as well proves nothing.
search_one() { # name file killer
    local name=$1 file=$2 killer=$3 run=$3 seed found=() tried=0 until
    [ "${run%%:*}" = sim ] || run=sim
    build_mutant "$name" "$file" sim || { echo "FAIL $name"; return 1; }
    seed=${SEARCH_FROM:-$((RANDOM * 32768 + RANDOM))}
    until=$((SECONDS + ${SEARCH_SECONDS:-200}))
    while [ "${#found[@]}" -lt "${SEARCH_KILLERS:-3}" ] && [ "$SECONDS" -lt "$until" ]; do
        tried=$((tried + 1))
        # shellcheck disable=SC2046
        if run_kills "$name" "$run" "$seed" &&
            timeout "$seed_limit" "$release/simtest" --seed "$seed" $(profile_of "$run") \
                >/dev/null 2>&1; then
            found+=("$seed")
            last=$(run_kills "$name" "$run" "$seed"; cause "$name")
        fi
        seed=$((seed + 1))
    done
    if [ "${#found[@]}" -gt 0 ]; then
        echo "ok   $name: ${found[*]} (of $tried): $last"
    elif [ "$killer" = "$run" ]; then
        echo "FAIL $name: none of $tried seeds from ${SEARCH_FROM:-a random one} on kills it"
        return 1
    else
        echo "ok   $name: not by $tried seeds; its killer is $killer"
    fi
}

# Starts `jobs` mutants at a time and prints each verdict once it is there.
mkdir -p "$scratch"
rm -f "$scratch"/*.verdict
started=0
while IFS='|' read -r name file killer seeds _; do
    name=${name//[[:space:]]/} file=${file//[[:space:]]/} killer=${killer//[[:space:]]/}
    case $name in '' | '#'*) continue ;; esac
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    "${mode}_one" "$name" "$file" "$killer" "$seeds" </dev/null >"$scratch/$name.verdict" 2>&1 &
    started=$((started + 1))
done <"$def"
wait
if [ "$started" -eq 0 ]; then
    echo "no such mutant"
    exit 2
fi
grep -hE '^(ok|FAIL)' "$scratch"/*.verdict | sort
failed=$(cat "$scratch"/*.verdict | grep -c '^FAIL')
echo "$((started - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]

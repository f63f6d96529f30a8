#!/usr/bin/env bash
# Each fuzz target for a while: contrib/ci/fuzz.sh [seconds [target…]], 15 seconds and all by default.
#
# The targets are ordinary cargo-fuzz targets (`cargo +nightly fuzz run handshake` works as well). Here they
# are built without cargo-fuzz: coverage instrumentation is stable, only the address sanitizer is not, and
# parsers without `unsafe` gain little from that. What is looked for is panics, overflows, hangs and memory.
. "$(dirname "$0")/lib.sh"
need_packages g++=build-essential
need_rust
seconds=${1:-15}
shift || true
targets=("$@")
if ((${#targets[@]} == 0)); then
    for file in rfb/fuzz/fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi
host=$(rustc -vV | sed -n 's/^host: //p')
flags=(
    --cfg fuzzing -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
)
# --target keeps the instrumentation away from build scripts.
RUSTFLAGS="${flags[*]}" cargo build --release --quiet --manifest-path rfb/fuzz/Cargo.toml \
    --target-dir rfb/fuzz/target --target "$host" "${targets[@]/#/--bin=}" || fail "the targets do not build"
for target in "${targets[@]}"; do
    corpus=rfb/fuzz/corpus/$target crashes=rfb/fuzz/artifacts/$target log=rfb/fuzz/target/$target.log
    mkdir -p "$corpus" "$crashes"
    seeds=()
    [ -d "fixtures/fuzz/$target" ] && seeds=("fixtures/fuzz/$target")
    # -timeout is seconds for one input: a hang is a finding, and so is a gigabyte.
    if ! "rfb/fuzz/target/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
        -max_len=65536 -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus" ${seeds[@]+"${seeds[@]}"} >"$log" 2>&1; then
        tail -n 40 "$log"
        fail "$target found something; the input is in $crashes; replay it with rfb/fuzz/target/$host/release/$target FILE"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ "${runs:-0}" -gt 100 ] || { tail -n 20 "$log"; fail "$target made only ${runs:-no} runs"; }
    say "$target: $runs runs in $seconds s, nothing found"
done

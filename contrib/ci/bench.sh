#!/usr/bin/env bash
# The bench still measures: its tests, its criterion benches once each without timing, and one short run of everything.
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential cmake=cmake nasm=nasm
need_rust fmt clippy
# What rfbridge has built of the same is not built again.
place=${CARGO_TARGET_DIR:-target}
package=(--manifest-path contrib/bench/Cargo.toml)
say "cargo fmt --check"
cargo fmt "${package[@]}" --check
say "cargo clippy"
cargo clippy "${package[@]}" --target-dir "$place" --all-targets --quiet -- -D warnings
say "cargo test"
cargo test "${package[@]}" --target-dir "$place" --release --quiet
cargo bench "${package[@]}" --target-dir "$place" --quiet -- --test
contrib/bench/run.sh --workload typing --client tight-jpeg --repeats 1 --frames 15

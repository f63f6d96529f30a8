#!/usr/bin/env bash
# Formatting, clippy and rustdoc, warnings denied.
. "$(dirname "$0")/lib.sh"
need_rust fmt clippy
say "cargo fmt --check"
cargo fmt --all --check
rustfmt --edition 2024 --check rfb/fuzz/fuzz_targets/*.rs
say "cargo clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings
say "cargo doc"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

#!/usr/bin/env bash
# README's test command, which needs nothing but Rust and gcc.
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential
need_rust
cargo test --workspace

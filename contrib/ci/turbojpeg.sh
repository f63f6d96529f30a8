#!/usr/bin/env bash
# The tests of everything that reads or makes JPEGs, with libjpeg-turbo in place of pure Rust.
. "$(dirname "$0")/lib.sh"
need_packages cmake=cmake nasm=nasm gcc=gcc
need_rust
cargo test --workspace --features turbojpeg --lib --test jpeg --test encodings

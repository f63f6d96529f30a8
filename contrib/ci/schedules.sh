#!/usr/bin/env bash
# What threads share, in thousands of orders in which they may run: the tests named `schedules`, with the locks of a scheduler.
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential
need_rust
cargo test --quiet --features shuttle --lib schedules::

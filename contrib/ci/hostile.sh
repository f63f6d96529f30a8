#!/usr/bin/env bash
# Attacks, failures and use without end against the release build: contrib/ci/hostile.sh [case]. `cargo test` has a short form
# of the first two, so CI runs `soak` alone. In full, with a table for contrib/doc/SECURITY.md:
# RFBRIDGE_HOSTILE=10000 RFBRIDGE_SOAK=3600 contrib/ci/hostile.sh
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential
need_rust
export RFBRIDGE_HOSTILE=${RFBRIDGE_HOSTILE:-1000} RFBRIDGE_SOAK=${RFBRIDGE_SOAK:-60}
# One after the other, so that each is measured by itself; those that wait for deadlines of the server, too.
cargo test --release --locked --test hostile -- --include-ignored --test-threads 1 "$@"

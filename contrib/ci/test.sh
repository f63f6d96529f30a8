#!/usr/bin/env bash
# README's test command, which needs nothing but Rust and gcc; with keyboard layouts on the machine it tests those too.
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential /usr/share/X11/xkb/rules/evdev.lst=xkb-data \
    /usr/share/X11/locale/en_US.UTF-8/Compose=libx11-data
export RFBRIDGE_XKB_DATA=required
need_rust
cargo test --workspace

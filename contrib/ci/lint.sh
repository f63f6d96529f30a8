#!/usr/bin/env bash
# Formatting, clippy and rustdoc, warnings denied; the dependencies' licences and origins; the units' sandboxes.
. "$(dirname "$0")/lib.sh"
need_rust fmt clippy
say "cargo fmt --check"
cargo fmt --all --check
rustfmt --edition 2024 --check rfb/fuzz/fuzz_targets/*.rs
say "cargo clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings
say "cargo doc"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
say "cargo deny"
checks=(bans licenses sources)
if cargo_deny fetch db >"$CACHE/deny.log" 2>&1; then
    checks+=(advisories)
else
    say "note: the database of advisories cannot be fetched, so advisories are not checked"
fi
cargo_deny --log-level error check "${checks[@]}"
say "systemd-analyze security"
need_packages systemd-analyze=systemd
# Exposure in tenths: 2.5 is the most that is accepted. What is left is said in the units.
for unit in contrib/systemd/*.service; do
    systemd-analyze security --offline=true --no-pager --threshold=25 "$unit" >"$CACHE/security.log" ||
        { cat "$CACHE/security.log"; fail "$unit is more exposed than 2.5"; }
    tail -n 1 "$CACHE/security.log"
done

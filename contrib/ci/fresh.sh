#!/usr/bin/env bash
# README's two commands as a newcomer runs them: in a fresh clone of what is committed, with an empty cargo
# home and without libclang. Takes the time of two full builds, so it is run by hand before a release.
. "$(dirname "$0")/lib.sh"
need_rust
need_packages gcc=build-essential git=git
place=$(mktemp -d)
demo=
leave() {
    [ -z "$demo" ] || kill "$demo" 2>/dev/null || true
    rm -rf "$place"
}
trap leave EXIT

# Not libclang-cpp, which bindgen cannot use.
if compgen -G '/usr/lib/*/libclang[-.][s0-9]*' >/dev/null || compgen -G '/usr/lib/llvm-*/lib/libclang[-.][s0-9]*' >/dev/null; then
    say "note: libclang is installed here; this does not show that it is not needed"
fi
git clone --quiet . "$place/rfbridge"
cd "$place/rfbridge"
# rustup's proxies stay where they are; only what cargo downloads is new.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME=$place/cargo
unset CARGO_TARGET_DIR LIBCLANG_PATH

SECONDS=0
cargo run --release -- demo >"$place/out" 2>"$place/err" &
demo=$!
until grep -q '^listening on 127.0.0.1:5900$' "$place/out"; do
    kill -0 "$demo" 2>/dev/null || { tail -n 20 "$place/err"; fail "cargo run --release -- demo ended by itself"; }
    ((SECONDS < 1800)) || fail "the demo is not up after 30 min"
    sleep 1
done
exec 3<>/dev/tcp/127.0.0.1/5900
IFS= read -r -t 5 greeting <&3
exec 3>&-
[ "$greeting" = "RFB 003.008" ] || fail "port 5900 says \"$greeting\""
say "cargo run --release -- demo: serves after $SECONDS s"
cat "$place/out"
grep -h vncviewer "$place/out" "$place/err" || fail "the demo does not say what to connect with"
# cargo has become the program.
kill -TERM "$demo" || fail "the demo is gone"
wait "$demo" || fail "the demo ended with status $?, not 0, at SIGTERM"
demo=

SECONDS=0
if ! cargo test --workspace >"$place/tests" 2>&1; then
    tail -n 40 "$place/tests"
    fail "cargo test --workspace failed"
fi
grep '^test result' "$place/tests"
say "cargo test --workspace: passed after $SECONDS s"
leftovers=$(git status --porcelain --untracked-files=all)
[ -z "$leftovers" ] || fail "building left files behind: $leftovers"

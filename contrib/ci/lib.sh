# shellcheck shell=bash
# Shared by the steps of CI: sourced, not run. Sets the shell up and goes to the repository's root.

set -euo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export CARGO_TERM_COLOR=never
export DEBIAN_FRONTEND=noninteractive
# What is worth keeping from one run to the next and does not belong into the repository.
CACHE=${RFBRIDGE_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rfbridge-ci}
mkdir -p "$CACHE"

say() { printf '%s\n' "$*"; }

fail() {
    say "$(basename "$0"): $*" >&2
    exit 1
}

# retry TIMES COMMAND…: networks have hiccups.
retry() {
    local times=$1 try
    shift
    for ((try = 1; ; try++)); do
        "$@" && return 0
        ((try < times)) || return 1
        say "failed ($try of $times), trying again: $*"
        sleep $((try * 5))
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo --non-interactive --preserve-env=DEBIAN_FRONTEND "$@"
    else
        fail "$* needs root, and there is no sudo"
    fi
}

# is_here COMMAND|FILE: whether there is such a command, or, with a leading slash, such a file.
is_here() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# need_packages COMMAND|FILE=PACKAGE…: installs the Debian packages whose command or file is missing.
need_packages() {
    local pair missing=()
    for pair in "$@"; do
        is_here "${pair%%=*}" || missing+=("${pair#*=}")
    done
    ((${#missing[@]} == 0)) && return 0
    say "installing ${missing[*]}"
    command -v apt-get >/dev/null || fail "please install ${missing[*]}: this machine has no apt-get"
    retry 4 as_root apt-get update -qq || fail "apt-get update failed"
    retry 3 as_root apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "${missing[@]}" >"$CACHE/apt.log" 2>&1 ||
        { tail -n 20 "$CACHE/apt.log"; fail "apt-get install ${missing[*]} failed"; }
    for pair in "$@"; do
        is_here "${pair%%=*}" || fail "${pair#*=} is installed but ${pair%%=*} is still missing"
    done
}

# need_rust: cargo, and rustfmt and clippy beside it.
need_rust() {
    if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
    command -v cargo >/dev/null || fail "cargo is missing; install Rust's stable toolchain from https://rustup.rs"
    local part
    for part in "$@"; do
        cargo "$part" --version >/dev/null 2>&1 && continue
        command -v rustup >/dev/null || fail "cargo $part is missing, and there is no rustup to install it"
        retry 3 rustup component add "${part/fmt/rustfmt}" || fail "cargo $part could not be installed"
    done
}

# need_target ARCH: what it takes to build for this architecture, by Debian's name. Sets TARGET, Rust's name of it, empty if it is
# this machine's own, and TOOLS, what the names of its binutils begin with.
need_target() {
    TARGET='' TOOLS=''
    [ "$1" != "$(dpkg --print-architecture)" ] || return 0
    case $1 in
    amd64) TARGET=x86_64-unknown-linux-gnu TOOLS=x86_64-linux-gnu- ;;
    arm64) TARGET=aarch64-unknown-linux-gnu TOOLS=aarch64-linux-gnu- ;;
    armhf) TARGET=armv7-unknown-linux-gnueabihf TOOLS=arm-linux-gnueabihf- ;;
    *) fail "$1 is none of amd64, arm64 and armhf" ;;
    esac
    local compiler=gcc-${TOOLS%-} name=${TARGET^^}
    need_packages "${TOOLS}gcc=${compiler/_/-}" "/usr/${TOOLS%-}/include/stdio.h=libc6-dev-$1-cross"
    export "CARGO_TARGET_${name//-/_}_LINKER=${TOOLS}gcc"
    [ -d "$(rustc --print target-libdir --target "$TARGET")" ] || timeout 300 rustup target add "$TARGET" || debian_target "$1" ||
        fail "Rust's standard library for $TARGET is missing, and neither rustup nor Debian could install it"
}

# debian_target ARCH: a standard library of Debian's for this architecture, and the compiler that belongs to it.
debian_target() {
    say "rustup could not install it; taking Debian's"
    as_root dpkg --add-architecture "$1"
    if as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends rustc-web "libstd-rust-web-dev:$1" \
        >"$CACHE/apt.log" 2>&1; then
        export RUSTC=/usr/bin/rustc
    else
        as_root dpkg --remove-architecture "$1"
        return 1
    fi
}

# need_emulation ARCH: has the kernel run this architecture's programs by QEMU, unless it does already or they are its own.
need_emulation() {
    [ "$1" != "$(dpkg --print-architecture)" ] || return 0
    local cpu formats=/proc/sys/fs/binfmt_misc
    case $1 in
    amd64) cpu=x86_64 ;;
    arm64) cpu=aarch64 ;;
    armhf) cpu=arm ;;
    *) fail "$1 is none of amd64, arm64 and armhf" ;;
    esac
    need_packages "qemu-$cpu-static=qemu-user-static"
    [ -e $formats/register ] || as_root mount -t binfmt_misc binfmt_misc $formats || fail "binfmt_misc cannot be mounted"
    [ -e $formats/qemu-$cpu ] || as_root sh -c "tr -d '\n' </usr/lib/binfmt.d/qemu-$cpu.conf >$formats/register" ||
        fail "the kernel does not take QEMU for $1"
}

# cargo_deny ARGUMENT…: runs cargo-deny, which is built once.
cargo_deny() {
    local version=0.20.2
    local root=$CACHE/cargo-deny-$version
    if [ ! -x "$root/bin/cargo-deny" ]; then
        say "building cargo-deny $version"
        retry 3 cargo install --debug --quiet --locked --root "$root" cargo-deny@$version || fail "cargo-deny could not be built"
    fi
    "$root/bin/cargo-deny" "$@"
}

# python_tools: a virtual environment with contrib/ci/requirements.txt in it; sets PYTHON and VENV.
python_tools() {
    need_packages python3=python3
    local wanted
    wanted=$(cat contrib/ci/requirements.txt - <<<"$(command -v python3)" | sha256sum | cut -c1-16)
    VENV=$CACHE/python-$wanted
    PYTHON=$VENV/bin/python
    [ -f "$VENV/complete" ] && "$PYTHON" -c '' 2>/dev/null && return 0
    say "installing $(grep -v '^#' contrib/ci/requirements.txt | tr '\n' ' ')"
    rm -rf "$VENV"
    if ! python3 -m venv "$VENV" >/dev/null 2>&1; then
        # Debian's python3 leaves ensurepip out.
        as_root apt-get install -y -qq --no-install-recommends python3-venv >"$CACHE/apt.log" 2>&1 ||
            { retry 4 as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends python3-venv; } ||
            fail "python3-venv could not be installed"
        rm -rf "$VENV"
        python3 -m venv "$VENV" || fail "python3 -m venv failed"
    fi
    retry 3 "$PYTHON" -m pip install --quiet --disable-pip-version-check -r contrib/ci/requirements.txt ||
        fail "pip could not install contrib/ci/requirements.txt"
    touch "$VENV/complete"
}

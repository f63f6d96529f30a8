#!/usr/bin/env bash
# Builds rfbridge, the bench and the peers' programs, and measures: contrib/bench/run.sh [options]; --help lists them.
# Debian packages that are missing are installed. Tables go to standard output, progress to standard error.
. "$(dirname "$0")/../ci/lib.sh"
exec 3>&1 1>&2
need_packages gcc=build-essential cmake=cmake nasm=nasm
need_rust
place=${CARGO_TARGET_DIR:-target}
say "building the bench"
cargo build --release --quiet --manifest-path contrib/bench/Cargo.toml --target-dir "$place"

# wanted SERVER: whether the options leave this server in; none is needed to print the help.
wanted() {
    local all=" ${options[*]} "
    [[ $all != *" --help "* && $all != *" -h "* ]] || return 1
    [[ $all != *" --only"* || $all == *" --only $1 "* || $all == *" --only=$1 "* ]]
}
options=("$@")
if wanted rfbridge && [[ " ${options[*]} " != *" --bridge"* ]]; then
    say "building rfbridge"
    cargo build --release --quiet --locked --bin rfbridge
    options+=(--bridge "$place/release/rfbridge")
fi
mkdir -p "$place/bench/peers"
peer() {
    say "building the $1 peer"
    gcc -O3 -march=native -Wall -Wextra -Werror -o "$place/bench/peers/$1" "contrib/bench/peers/$1.c" -lturbojpeg "${@:2}"
}
libraries=/usr/lib/$(gcc -print-multiarch)
if wanted libvncserver; then
    need_packages /usr/include/turbojpeg.h=libturbojpeg0-dev /usr/include/rfb/rfb.h=libvncserver-dev
    peer libvncserver -lvncserver
fi
if wanted xvnc; then
    need_packages /usr/include/turbojpeg.h=libturbojpeg0-dev Xvnc=tigervnc-standalone-server \
        "$libraries/libXext.so=libxext-dev"
    peer xvnc -lX11 -lXext
fi
"$place/release/rfbridge-bench" --peers "$place/bench/peers" "${options[@]}" >&3

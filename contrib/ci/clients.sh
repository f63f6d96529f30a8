#!/usr/bin/env bash
# Real VNC clients against the release build: contrib/ci/clients.sh [case…]
# Cases are listed by --help; pictures and logs are left in target/clients.
. "$(dirname "$0")/lib.sh"
need_packages Xvfb=xvfb xdotool=xdotool gcc=build-essential vncsnapshot=vncsnapshot \
    xtigervncviewer=tigervnc-viewer xtightvncviewer=xtightvncviewer gvncviewer=gvncviewer \
    /usr/include/rfb/rfbclient.h=libvncserver-dev /usr/share/perl5/Net/VNC.pm=libnet-vnc-perl
python_tools
need_rust
cargo build --release --locked --bin rfbridge
"$PYTHON" tests/clients/run.py --bridge "${CARGO_TARGET_DIR:-target}/release/rfbridge" --vncdo "$VENV/bin/vncdo" "$@"

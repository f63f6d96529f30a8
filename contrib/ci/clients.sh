#!/usr/bin/env bash
# Real VNC clients against the release build: contrib/ci/clients.sh [case…]
# Cases are listed by --help; pictures and logs are left in target/clients.
. "$(dirname "$0")/lib.sh"
need_packages Xvfb=xvfb xdotool=xdotool gcc=build-essential vncsnapshot=vncsnapshot \
    xtigervncviewer=tigervnc-viewer xtightvncviewer=xtightvncviewer gvncviewer=gvncviewer \
    /usr/include/rfb/rfbclient.h=libvncserver-dev /usr/share/perl5/Net/VNC.pm=libnet-vnc-perl
need_packages dbus-daemon=dbus-daemon openbox=openbox remmina=remmina remote-viewer=virt-viewer krdc=krdc \
    gnome-connections=gnome-connections vinagre=vinagre ssvncviewer=ssvnc x2vnc=x2vnc \
    "/usr/lib/$(uname -m)-linux-gnu/remmina/plugins/remmina-plugin-vnc.so=remmina-plugin-vnc"
python_tools
need_rust
cargo build --release --locked --bin rfbridge
"$PYTHON" tests/clients/run.py --bridge "${CARGO_TARGET_DIR:-target}/release/rfbridge" --vncdo "$VENV/bin/vncdo" "$@"

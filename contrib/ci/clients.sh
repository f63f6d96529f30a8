#!/usr/bin/env bash
# Real VNC clients against the release build: contrib/ci/clients.sh [--table | case…]
# Cases are listed by --help; pictures and logs are left in target/clients, and the table of what was proven.
# --table puts that table into contrib/doc/clients.md.
. "$(dirname "$0")/lib.sh"
need_packages Xvfb=xvfb xdotool=xdotool gcc=build-essential vncsnapshot=vncsnapshot \
    xtigervncviewer=tigervnc-viewer xtightvncviewer=xtightvncviewer gvncviewer=gvncviewer \
    /usr/include/rfb/rfbclient.h=libvncserver-dev /usr/share/perl5/Net/VNC.pm=libnet-vnc-perl
libraries=/usr/lib/$(gcc -print-multiarch)
perl=$(perl -MConfig -e 'print $Config{vendorarch}')
need_packages node=nodejs npm=npm chromium=chromium chromedriver=chromium-driver \
    websockify=websockify /usr/share/novnc/vnc.html=novnc gst-launch-1.0=gstreamer1.0-tools \
    "$libraries/gstreamer-1.0/libgstvideoconvertscale.so=gstreamer1.0-plugins-base" \
    "$libraries/gstreamer-1.0/libgstpng.so=gstreamer1.0-plugins-good" \
    "$libraries/gstreamer-1.0/libgstrfbsrc.so=gstreamer1.0-plugins-bad"
need_packages dbus-daemon=dbus-daemon openbox=openbox xclip=xclip remmina=remmina remote-viewer=virt-viewer krdc=krdc \
    "$libraries/remmina/plugins/remmina-plugin-vnc.so=remmina-plugin-vnc" gnome-connections=gnome-connections \
    vinagre=vinagre ssvncviewer=ssvnc x2vnc=x2vnc "$libraries/libnss_wrapper.so=libnss-wrapper"
# What os-autoinst's VNC console is made of.
need_packages /usr/share/perl5/Mojolicious.pm=libmojolicious-perl "$perl/Crypt/DES.pm=libcrypt-des-perl" \
    /usr/share/perl5/Exception/Class.pm=libexception-class-perl "$perl/Cpanel/JSON/XS.pm=libcpanel-json-xs-perl" \
    /usr/share/perl5/IPC/System/Simple.pm=libipc-system-simple-perl "$perl/Time/Moment.pm=libtime-moment-perl" \
    "$libraries/libopencv_imgproc.so.406=libopencv-imgproc406" \
    "$libraries/libopencv_imgcodecs.so.406=libopencv-imgcodecs406"

# unpacked_os_autoinst: sets OS_AUTOINST. The package is not installed, because it brings QEMU and an OCR for
# every language along, which its VNC console does not use.
unpacked_os_autoinst() {
    OS_AUTOINST=$CACHE/os-autoinst
    [ -f "$OS_AUTOINST/control" ] && return 0
    say "unpacking os-autoinst"
    local place
    place=$(mktemp -d)
    retry 4 as_root apt-get update -qq || fail "apt-get update failed"
    (cd "$place" && retry 3 apt-get download -qq os-autoinst) >"$CACHE/apt.log" 2>&1 ||
        { tail -n 20 "$CACHE/apt.log"; fail "os-autoinst could not be downloaded"; }
    rm -rf "$OS_AUTOINST"
    dpkg-deb -x "$place"/os-autoinst_*.deb "$OS_AUTOINST"
    dpkg-deb -f "$place"/os-autoinst_*.deb >"$OS_AUTOINST/control"
    rm -r "$place"
}

# node_packages NAME@VERSION…: sets NODE_MODULES.
node_packages() {
    local place
    place=$CACHE/node-$(sha256sum <<<"$*" | cut -c1-16)
    NODE_MODULES=$place/node_modules
    [ -f "$place/complete" ] && return 0
    say "installing $*"
    rm -rf "$place"
    mkdir -p "$place"
    retry 3 npm install --prefix "$place" --no-save --no-audit --no-fund --loglevel=error "$@" ||
        fail "npm could not install $*"
    touch "$place/complete"
}

unpacked_os_autoinst
node_packages @novnc/novnc@1.7.0 rfb2@0.2.2 vnc-rfb-client@0.2.0
python_tools
need_rust
cargo build --release --locked --bin rfbridge
"$PYTHON" tests/clients/run.py --bridge "${CARGO_TARGET_DIR:-target}/release/rfbridge" \
    --node-modules "$NODE_MODULES" --os-autoinst "$OS_AUTOINST" "$@"

#!/usr/bin/env bash
# Makes target/package/rfbridge_VERSION_ARCH.deb of the release build: contrib/package/build.sh [ARCH]
# ARCH is amd64, arm64 or armhf; this machine's own if it is left out. The others are cross-built.
. "$(dirname "$0")/../ci/lib.sh"
need_packages dpkg-deb=dpkg strip=binutils gzip=gzip
need_rust
arch=${1:-$(dpkg --print-architecture)}
need_target "$arch"

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
build=${CARGO_TARGET_DIR:-target}
maintainer="The rfbridge developers <rfbridge@localhost>"
stage=$build/package/stage-$arch
deb=$build/package/rfbridge_${version}_$arch.deb

cargo build --release --locked ${TARGET:+--target "$TARGET"} --bin rfbridge
cargo run --quiet --locked --package rfbridge-pages -- "$build/package/pages"

rm -rf "$stage"
put() { install -D -m "$1" "$2" "$stage/$3"; }
put 755 "$build/$TARGET/release/rfbridge" usr/bin/rfbridge
"${TOOLS}strip" --strip-unneeded "$stage/usr/bin/rfbridge"
put 644 "$build/package/pages/rfbridge.toml" etc/rfbridge/rfbridge.toml
units=usr/lib/systemd/system
for unit in contrib/systemd/*.service contrib/systemd/*.socket; do
    put 644 "$unit" "$units/$(basename "$unit")"
done
# Several dongles on one board: rfbridge@NAME serves with /etc/rfbridge/NAME.toml.
sed -e 's/^Description=.*/& (%i)/' -e '/^#/d' -e 's|^ExecStart=.*|& --config /etc/rfbridge/%i.toml|' \
    -e 's|^ExecReload=.*|& --socket /run/rfbridge/%i/control.sock|' -e 's|/etc/rfbridge/password|/etc/rfbridge/%i.password|' \
    -e 's|^RuntimeDirectory=.*|RuntimeDirectory=rfbridge/%i|' contrib/systemd/rfbridge.service >"$stage/$units/rfbridge@.service"
put 644 contrib/systemd/rfbridge.sysusers.conf usr/lib/sysusers.d/rfbridge.conf
put 644 contrib/udev/70-rfbridge.rules usr/lib/udev/rules.d/70-rfbridge.rules
install -d "$stage/usr/lib/modules-load.d"
echo libcomposite >"$stage/usr/lib/modules-load.d/rfbridge.conf"
for page in "$build"/package/pages/man/*.1; do
    put 644 "$page" "usr/share/man/man1/$(basename "$page")"
done
put 644 "$build/package/pages/completions/rfbridge.bash" usr/share/bash-completion/completions/rfbridge
put 644 "$build/package/pages/completions/_rfbridge" usr/share/zsh/vendor-completions/_rfbridge
put 644 "$build/package/pages/completions/rfbridge.fish" usr/share/fish/vendor_completions.d/rfbridge.fish
doc=usr/share/doc/rfbridge
put 644 CHANGELOG.md $doc/CHANGELOG.md
cat >"$stage/$doc/changelog" <<END
rfbridge ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- $maintainer  $(date --rfc-email --date "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
END
put 644 README.md $doc/README.md
for text in contrib/doc/*.md; do
    put 644 "$text" "$doc/$(basename "$text")"
done
put 644 contrib/package/debian/copyright $doc/copyright
find "$stage/usr/share" \( -name '*.1' -o -name changelog -o -name '*.md' \) -exec gzip -9n {} +

# What it needs of the C library.
libc=$("${TOOLS}objdump" -T "$stage/usr/bin/rfbridge" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
install -d "$stage/DEBIAN"
for script in postinst prerm postrm; do
    install -m 755 contrib/package/debian/$script "$stage/DEBIAN/$script"
done
echo /etc/rfbridge/rfbridge.toml >"$stage/DEBIAN/conffiles"
cat >"$stage/DEBIAN/control" <<END
Package: rfbridge
Version: $version
Architecture: $arch
Maintainer: $maintainer
Section: net
Priority: optional
Installed-Size: $(du -k -s "$stage/usr" | cut -f 1)
Depends: libc6 (>= ${libc#GLIBC_}), libgcc-s1, passwd
Recommends: novnc, xkb-data, udev
Description: VNC server for a machine you cannot touch
 Sees a machine's screen through an HDMI capture dongle and is its keyboard and
 mouse through a USB gadget, so that any VNC viewer, VNC tool or browser reaches
 it from the firmware's first message on.
END
(cd "$stage" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$stage" "$deb" >/dev/null
say "$deb: $(stat -c %s "$deb") bytes, the program $(stat -c %s "$stage/usr/bin/rfbridge")"

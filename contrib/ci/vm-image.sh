#!/usr/bin/env bash
# Builds what tests/vm boots: Debian's kernel with the drivers that the bench needs, and a few tools beside it.
#
# Packages are fetched and unpacked into the cache folder; nothing is installed. What comes out is
# $RFBRIDGE_VM_IMAGE, by default vm-image in the cache folder:
#   kernel    to boot
#   root/     what the machine's initramfs holds before rfbridge and the tests are added
#   complete  which kernel it is; there only if all else is
. "$(dirname "$0")/lib.sh"
need_packages gcc=build-essential make=make apt-get=apt python3=python3

image=${RFBRIDGE_VM_IMAGE:-$CACHE/vm-image}
modules=(
    virtio_pci virtio_net
    # capture: a real dongle's driver, a loopback device and a device that is all driver
    uvcvideo v4l2loopback vivid
    # the gadget, a controller and the host's port that it is plugged into, and a port for the dongle
    libcomposite usb_f_hid dummy_hcd usbhid hid-generic evdev vhci-hcd
    # virtual media: the gadget's function, what reads it at the host and a file system on it; a function of somebody else's
    usb_f_mass_storage usb-storage sd_mod sr_mod vfat nls_cp437 nls_ascii nls_utf8 usb_f_acm
    # GPIO lines of a chip at USB
    hid-mcp2221
)
tools=(v4l-utils libv4l-0 libv4lconvert0 usbredirect libusbredirhost1 libusbredirparser1
    libusb-1.0-0 libjpeg62-turbo libudev1)

# depends_on PACKAGE PREFIX: what the package depends on that begins like this.
depends_on() {
    apt-cache depends "$1" | sed -n "s/^ *Depends: \($2[^ ]*\)$/\1/p" | head -n 1
}

packages_are_known() { apt-cache show linux-image-amd64 v4l2loopback-dkms >/dev/null 2>&1; }
packages_are_known || retry 4 as_root apt-get update -qq || fail "apt-get update failed"
kernel=$(depends_on linux-image-amd64 linux-image-)
release=${kernel#linux-image-}
[ -n "$release" ] || fail "apt knows no linux-image-amd64, whose kernel the bench boots"
wanted="$release $(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)"
if [ "$(cat "$image/complete" 2>/dev/null)" = "$wanted" ]; then
    say "the image with Linux $release is there: $image"
    exit 0
fi

say "building the image with Linux $release: $image"
rm -rf "$image"
mkdir -p "$image/root/bin" "$image/root/lib/modules" "$image/debs"
work=$image/work
mkdir -p "$work"

# unpack FOLDER PACKAGE…: fetches packages and unpacks them there.
unpack() {
    local folder=$1 package
    shift
    for package in "$@"; do
        (cd "$image/debs" && retry 3 apt-get download -qq "$package" 2>>"$image/log") ||
            { cat "$image/log"; fail "$package could not be fetched"; }
        dpkg-deb -x "$image/debs/${package}"_*.deb "$work/$folder"
    done
}

unpack kernel "linux-image-$release"
# The kernel as it is before it is packed to unpack itself: emulated, that takes seconds.
python3 - "$work/kernel/boot/vmlinuz-$release" "$image/kernel" <<'PYTHON'
import lzma, sys

packed = open(sys.argv[1], "rb").read()
start = packed.find(b"\xfd7zXZ\0")
kernel = lzma.LZMADecompressor().decompress(packed[start:]) if start >= 0 else packed
open(sys.argv[2], "wb").write(kernel if kernel[:4] == b"\x7fELF" else packed)
PYTHON

say "compiling v4l2loopback"
headers=linux-headers-$release common=linux-headers-${release%-amd64}-common
unpack headers "$headers" "$common" "$(depends_on "$headers" linux-kbuild-)" "$(depends_on "$headers" linux-compiler-)"
unpack loopback v4l2loopback-dkms
source=$work/headers/usr/src
sed -i "s#^include .*#include $source/$common/Makefile#" "$source/$headers/Makefile"
make -s -C "$source/$headers" M="$(echo "$work"/loopback/usr/src/v4l2loopback-*)" modules >>"$image/log" 2>&1 ||
    { tail -n 20 "$image/log"; fail "v4l2loopback does not compile"; }
all=$work/kernel/lib/modules/$release
install -D -m 644 "$work"/loopback/usr/src/v4l2loopback-*/v4l2loopback.ko "$all/extra/v4l2loopback.ko"

unpack busybox busybox-static
busybox=$(find "$work/busybox" -name busybox -type f -perm -100)
cp "$busybox" "$image/root/bin/busybox"
"$busybox" depmod -b "$work/kernel" "$release"
# Only the modules that are wanted, with what they depend on.
python3 - "$all" "$image/root/lib/modules/$release" "${modules[@]}" <<'PYTHON'
import pathlib, shutil, sys

source, target, wanted = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
depends = {}
for line in (source / "modules.dep").read_text().splitlines():
    path, _, others = line.partition(":")
    depends[path] = others.split()
by_name = {pathlib.Path(path).name.split(".ko")[0].replace("-", "_"): path for path in depends}
for name in wanted:
    path = by_name.get(name.replace("-", "_"))
    if path is None:
        sys.exit(f"this kernel has no module {name}")
    for file in [path, *depends[path]]:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / file, target / file)
PYTHON
cp "$all"/modules.{builtin,order} "$image/root/lib/modules/$release/"
"$busybox" depmod -b "$image/root" "$release"

unpack tools "${tools[@]}"
libraries=$work/tools/usr/lib/$(gcc -print-multiarch)
for tool in v4l2-ctl usbredirect; do
    cp "$work/tools/usr/bin/$tool" "$image/root/bin/"
    # The libraries that it needs, from where they are to where the loader looks for them.
    LD_LIBRARY_PATH=$libraries ldd "$image/root/bin/$tool" | grep -q 'not found' &&
        fail "$tool needs libraries that no package of the list holds"
    LD_LIBRARY_PATH=$libraries ldd "$image/root/bin/$tool" | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' |
        while read -r library; do
            place=$image/root/${library#"$work/tools"}
            mkdir -p "$(dirname "$place")"
            cp -L "$library" "$place"
        done
done

rm -rf "$work" "$image/debs"
echo "$wanted" >"$image/complete"
say "done: $(du -sh "$image/root" | cut -f1) beside a kernel of $(du -sh "$image/kernel" | cut -f1)"

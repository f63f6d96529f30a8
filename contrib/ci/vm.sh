#!/usr/bin/env bash
# rfbridge against the real kernel, in a virtual machine: contrib/ci/vm.sh [case]
# Logs and pictures are left in target/vm. RFBRIDGE_SOAK=1800 makes the soak last half an hour.
. "$(dirname "$0")/lib.sh"
need_packages qemu-system-x86_64=qemu-system-x86 /usr/share/OVMF/OVMF_CODE_4M.fd=ovmf \
    /usr/share/seabios/bios-256k.bin=seabios
export RFBRIDGE_VM_IMAGE=${RFBRIDGE_VM_IMAGE:-$CACHE/vm-image}
contrib/ci/vm-image.sh
need_rust
cargo test --release --locked --test vm -- --ignored "$@"

#!/usr/bin/env bash
# The package installs on a clean Debian, serves there as its own user, and leaves nothing when it is purged: contrib/ci/package.sh [ARCH]
# For another architecture than this machine's it is cross-built, and that Debian's programs run by QEMU.
. "$(dirname "$0")/lib.sh"
need_packages debootstrap=debootstrap curl=curl
arch=${1:-$(dpkg --print-architecture)}
contrib/package/build.sh "$arch"
deb=$(ls -t "${CARGO_TARGET_DIR:-target}"/package/rfbridge_*_"$arch".deb | head -n 1)
need_emulation "$arch"

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
base=$CACHE/debian-$suite-$arch
if [ ! -f "$base.complete" ]; then
    say "building a clean Debian $suite for $arch"
    as_root rm -rf "$base"
    retry 3 as_root debootstrap --arch "$arch" --variant=minbase "$suite" "$base" >"$CACHE/debootstrap.log" 2>&1 ||
        { tail -n 20 "$CACHE/debootstrap.log"; fail "no clean Debian could be made"; }
    touch "$base.complete"
fi
root=$(mktemp -d)
trap 'as_root rm -rf "$root"' EXIT
as_root cp -a "$base/." "$root"
inside() { as_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

# Everything but what dpkg, apt and userdel keep for themselves.
files() { (cd "$root" && as_root find . -xdev -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o \
    -path './etc/*-' -prune -o -print | sort); }
files >"$root.before"
inside getent passwd | sort >>"$root.before"

say "installing"
as_root cp "$deb" "$root/rfbridge.deb"
inside dpkg --install /rfbridge.deb
as_root rm "$root/rfbridge.deb"
inside rfbridge --version
inside test -s /usr/share/man/man1/rfbridge-serve.1.gz
[ "$(as_root stat -c '%a %U' "$root/etc/rfbridge/password")" = "600 root" ] || fail "the password can be read by others"

say "serving"
# As the unit does: its own user, the password as a credential, no device anywhere.
as_root install -d -o "$(inside id -u rfbridge)" -m 700 "$root/run/credentials"
as_root install -o "$(inside id -u rfbridge)" -m 400 "$root/etc/rfbridge/password" "$root/run/credentials/rfbridge-password"
as_root install -d -o "$(inside id -u rfbridge)" "$root/run/rfbridge"
as_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin CREDENTIALS_DIRECTORY=/run/credentials RUNTIME_DIRECTORY=/run/rfbridge \
    chroot --userspec=rfbridge:rfbridge "$root" rfbridge serve --listen 127.0.0.1:0 --web-listen 127.0.0.1:0 \
    >"$root.out" 2>"$root.log" &
server=$!
for ((try = 0; try < 100; try++)); do
    grep -q '^listening on' "$root.out" && break
    sleep 0.1
done
web=$(sed -n 's/^web page on //p' "$root.out")
[ -n "$web" ] || { cat "$root.log"; fail "it does not serve"; }
password=$(as_root cat "$root/etc/rfbridge/password")
curl -sSf "http://$web/" | grep -q '<title>rfbridge' || fail "there is no page"
state=$(curl -sS --user ":$password" "http://$web/healthz")
grep -q '"ready":false' <<<"$state" || fail "without a capture device it says $state"
curl -sSf --user ":$password" -o "$root.png" "http://$web/snapshot.png"
[ "$(head -c 4 "$root.png" | tail -c 3)" = PNG ] || fail "no slate is shown"
[ "$(curl -sS -o /dev/null -w '%{http_code}' "http://$web/snapshot.png")" = 401 ] || fail "it asks for no password"
as_root kill -TERM "$(pgrep -P $server -f 'rfbridge serve' || echo $server)"
wait $server || { cat "$root.log"; fail "it does not end"; }
as_root rm -rf "$root/run/credentials" "$root/run/rfbridge"

say "purging"
inside dpkg --purge rfbridge
files >"$root.after"
inside getent passwd | sort >>"$root.after"
diff "$root.before" "$root.after" || fail "the package leaves something behind"
rm -f "$root".before "$root".after "$root".out "$root".log "$root".png
say "installed, served, purged: $arch"

#!/usr/bin/env bash
# The fail2ban filter finds the failed logins, and only these, in what the real binary logs.
. "$(dirname "$0")/lib.sh"
need_packages fail2ban-regex=fail2ban python3=python3
need_rust
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printf 'swordfsh\n' >"$directory/password"
chmod 600 "$directory/password"
cargo build --quiet
say "failed logins"
python3 - "$directory" <<'END'
import re, signal, socket, subprocess, sys

directory = sys.argv[1]
with open(f"{directory}/log", "w") as log:
    server = subprocess.Popen(
        ["target/debug/rfbridge", "demo", "--listen", "127.0.0.1:0", "--control-socket", "none",
         "--password-file", f"{directory}/password"],
        stdout=subprocess.PIPE, stderr=log, text=True)
    port = int(re.search(r":(\d+)$", server.stdout.readline()).group(1))
    for host in 3 * ["127.0.0.1"] + ["127.0.0.5"]:
        peer = socket.create_connection(("127.0.0.1", port), source_address=(host, 0))
        peer.sendall(b"RFB 003.008\n\x02" + bytes(16))
        while peer.recv(1024):
            pass
    # Hanging up is no failure.
    socket.create_connection(("127.0.0.1", port)).close()
    server.send_signal(signal.SIGTERM)
    server.wait()
END
# Where it will be, among fail2ban's own, of which it includes one.
cp -r /etc/fail2ban "$directory/etc"
cp contrib/fail2ban/filter.d/rfbridge.conf "$directory/etc/filter.d/"
offenders() {
    fail2ban-regex --config "$directory/etc" --out ip "$1" rfbridge | sort | uniq -c | xargs
}
found=$(offenders "$directory/log")
[ "$found" = "3 127.0.0.1 1 127.0.0.5" ] || { cat "$directory/log"; fail "the filter found: $found"; }
# As systemd's journal has them: without a time of their own.
sed -E 's/^\S+ /Nov 25 23:56:13 kvm rfbridge[700]: /' "$directory/log" >"$directory/journal"
found=$(offenders "$directory/journal")
[ "$found" = "3 127.0.0.1 1 127.0.0.5" ] || { cat "$directory/journal"; fail "in the journal the filter found: $found"; }

//! What can be wrong with the board and the server.

use std::time::Duration;

use super::{Case, Error, Note, Warning};
use crate::machine::{CONFIG, ENCRYPTED};

pub const CASES: &[Case] = &[
    (
        "a page without noVNC",
        |fake| {
            fake.write(
                CONFIG,
                &format!("{ENCRYPTED}[web]\nlisten = \"127.0.0.1:5800\"\n"),
            )
        },
        "browser",
        Warning,
        "noVNC is not in /usr/share/novnc",
        "sudo apt install novnc",
    ),
    (
        "a command that is not there",
        |fake| {
            fake.write(
                CONFIG,
                &format!("{ENCRYPTED}[power]\nreset = \"command:/opt/pdu 3\"\n"),
            )
        },
        "power-actions",
        Warning,
        "not there: /opt/pdu",
        "mend [power]",
    ),
    (
        "a command that nobody may run",
        |fake| {
            fake.write("opt/pdu", "#!/bin/sh\n");
            fake.mode("opt/pdu", 0o644);
            fake.write(
                CONFIG,
                &format!("{ENCRYPTED}[power]\nreset = \"command:/opt/pdu 3\"\n"),
            );
        },
        "power-actions",
        Warning,
        "cannot be run by pi",
        "chmod 755 /opt/pdu",
    ),
    (
        "a GPIO chip that is not there",
        |fake| {
            fake.write(
                CONFIG,
                &format!("{ENCRYPTED}[power]\nbutton = \"gpio:gpiochip7/3\"\n"),
            )
        },
        "power-actions",
        Warning,
        "there is no /dev/gpiochip7",
        "gpiodetect",
    ),
    (
        "a GPIO chip of another group",
        |fake| {
            fake.write("dev/gpiochip0", "");
            fake.mode("dev/gpiochip0", 0o600);
            fake.write(
                CONFIG,
                &format!("{ENCRYPTED}[power]\nled = \"gpio:gpiochip0/3\"\n"),
            );
        },
        "power-actions",
        Warning,
        "may not open /dev/gpiochip0",
        "SupplementaryGroups=gpio",
    ),
    (
        "too little voltage",
        |fake| fake.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
        "power",
        Warning,
        "too little voltage right now",
        "5.1 V",
    ),
    (
        "too little voltage before",
        |fake| fake.write("dev/kmsg", "4,1,2,-;hwmon hwmon1: Undervoltage detected!\n"),
        "power",
        Warning,
        "1 times since it started",
        "5.1 V",
    ),
    (
        "throttled, on an older kernel",
        |fake| {
            fake.remove("sys/class/hwmon/hwmon1");
            fake.write(
                "sys/devices/platform/soc/soc:firmware/get_throttled",
                "50000\n",
            );
        },
        "power",
        Warning,
        "has too little voltage, is throttled",
        "5.1 V",
    ),
    (
        "no monitor of the voltage",
        |fake| fake.remove("sys/class/hwmon/hwmon1"),
        "power",
        Note,
        "does not tell of the voltage",
        "raspberrypi-hwmon",
    ),
    (
        "hot",
        |fake| fake.write("sys/class/thermal/thermal_zone0/temp", "82100\n"),
        "temperature",
        Warning,
        "82 °C",
        "fan",
    ),
    (
        "a typo in the configuration",
        |fake| fake.write(CONFIG, "lisen = 1\n"),
        "config",
        Error,
        "did you mean `listen`?",
        "mend /etc/rfbridge/rfbridge.toml",
    ),
    (
        "the port is somebody else's",
        |fake| {
            fake.remove("proc/700");
            fake.process(900, "Xvnc", &["Xvnc", ":0"], &["socket:[4711]"]);
        },
        "listen",
        Error,
        "0.0.0.0:5900 is in use by Xvnc (pid 900)",
        "choose another port",
    ),
    (
        "the port is another user's",
        |fake| fake.remove("proc/700"),
        "listen",
        Error,
        "another user's program",
        "end that program",
    ),
    (
        "rfbridge does not run",
        |fake| {
            fake.remove("proc/700");
            fake.write("proc/net/tcp", "");
        },
        "listen",
        Note,
        "rfbridge does not run",
        "sudo systemctl enable --now rfbridge",
    ),
    (
        "rfbridge listens elsewhere",
        |fake| fake.write("proc/net/tcp", ""),
        "listen",
        Note,
        "was started with another address",
        "its log",
    ),
    (
        "a port for root",
        |fake| {
            fake.write(CONFIG, "listen = \"0.0.0.0:590\"\n");
        },
        "listen",
        Error,
        "ports below 1024 are for root",
        "5900",
    ),
    (
        "no password",
        |fake| {
            fake.remove("etc/systemd");
            fake.remove("etc/rfbridge/password");
        },
        "password",
        Error,
        "refuses to listen on 0.0.0.0:5900",
        "install -D -m 600 /dev/stdin /etc/rfbridge/password",
    ),
    (
        "no password, for this machine alone",
        |fake| {
            fake.remove("etc/systemd");
            fake.write(CONFIG, "");
        },
        "password",
        Note,
        "only this machine itself can connect",
        "0.0.0.0:5900",
    ),
    (
        "the service's password is missing",
        |fake| fake.remove("etc/rfbridge/password"),
        "password",
        Error,
        "the service does not start: its password, /etc/rfbridge/password, is not there",
        "/dev/stdin /etc/rfbridge/password",
    ),
    (
        "the service's password is open",
        |fake| fake.mode("etc/rfbridge/password", 0o644),
        "password",
        Warning,
        "(mode 0644)",
        "sudo chmod 600 /etc/rfbridge/password",
    ),
    (
        "the service's password is empty",
        |fake| fake.write("etc/rfbridge/password", "\n"),
        "password",
        Error,
        "empty first line",
        "write the password there",
    ),
    (
        "a long password",
        |fake| fake.write("etc/rfbridge/password", "swordfish\n"),
        "password",
        Note,
        "first 8 bytes",
        "nothing",
    ),
    (
        "a password file that others can read",
        |fake| {
            fake.write(
                CONFIG,
                "listen = \"0.0.0.0:5900\"\npassword-file = \"/etc/secret\"\n",
            );
            fake.write("etc/secret", "swordfsh\n");
            fake.mode("etc/secret", 0o644);
        },
        "password",
        Error,
        "can be read by others (mode 0644)",
        "chmod 600",
    ),
    (
        "a users file with a line that is none",
        |fake| {
            fake.write(CONFIG, "[security]\nusers = \"/etc/rfbridge/users\"\n");
            fake.write("etc/rfbridge/users", "# ours\nalice\n");
            fake.mode("etc/rfbridge/users", 0o640);
        },
        "password",
        Error,
        "line 2",
        "rfbridge user add",
    ),
    (
        "a users file that everybody can read",
        |fake| {
            fake.write(CONFIG, "[security]\nusers = \"/etc/rfbridge/users\"\n");
            fake.write("etc/rfbridge/users", "");
            fake.mode("etc/rfbridge/users", 0o644);
        },
        "password",
        Error,
        "too open (mode 0644)",
        "chmod 640",
    ),
    (
        "a users file that is another's",
        |fake| {
            fake.write(CONFIG, "[security]\nusers = \"/etc/rfbridge/users\"\n");
            fake.write("etc/rfbridge/users", "");
            fake.mode("etc/rfbridge/users", 0o600);
        },
        "password",
        Error,
        "pi may not read",
        "chgrp pi /etc/rfbridge/users",
    ),
    (
        "nothing that encrypts",
        |fake| fake.write(CONFIG, "listen = \"0.0.0.0:5900\"\n"),
        "encryption",
        Note,
        "sees the screen and all that is typed",
        "sudo rfbridge cert",
    ),
    (
        "a certificate that is not there",
        |fake| fake.remove("etc/rfbridge/certificate.pem"),
        "encryption",
        Error,
        "rfbridge does not start: cannot read",
        "sudo rfbridge cert",
    ),
    (
        "a certificate that is none",
        |fake| fake.write("etc/rfbridge/certificate.pem", "swordfsh\n"),
        "encryption",
        Error,
        "holds no certificate in PEM form",
        "sudo rfbridge cert",
    ),
    (
        "a key that everybody can read",
        |fake| fake.mode("etc/rfbridge/key.pem", 0o644),
        "encryption",
        Error,
        "can be read by every user of this machine (mode 0644)",
        "chmod o=",
    ),
    (
        "a key that is another's",
        |fake| fake.mode("etc/rfbridge/key.pem", 0o600),
        "encryption",
        Error,
        "pi may not read /etc/rfbridge/key.pem",
        "chgrp pi /etc/rfbridge/key.pem",
    ),
    (
        "a certificate that has expired",
        |fake| {
            fake.clock.now = std::time::UNIX_EPOCH + Duration::from_secs(2_600_000_000);
        },
        "encryption",
        Warning,
        "has expired",
        "sudo rfbridge cert --force",
    ),
    (
        "a host key that is none",
        |fake| {
            let config = format!(
                "listen = \"0.0.0.0:5900\"\n{ENCRYPTED}host-key = \"/etc/rfbridge/key.pem\"\n"
            );
            fake.write(CONFIG, &config);
        },
        "encryption",
        Error,
        "holds no RSA key",
        "rfbridge cert --host-key",
    ),
    (
        "no layouts",
        |fake| fake.remove("usr/share/X11"),
        "xkb-data",
        Note,
        "US layout",
        "apt install xkb-data",
    ),
    (
        "a layout that is none",
        |fake| fake.write(CONFIG, "[keyboard]\nlayout = \"klingon\"\n"),
        "xkb-data",
        Error,
        "no keyboard layout `klingon`",
        "mend `layout`",
    ),
    (
        "a clock in the past",
        |fake| fake.clock.now = std::time::UNIX_EPOCH + Duration::from_secs(60),
        "clock",
        Warning,
        "1970-01-01",
        "set-ntp true",
    ),
    (
        "a clock of its own",
        |fake| fake.clock.is_synchronised = Some(false),
        "clock",
        Note,
        "not held by a time server",
        "set-ntp true",
    ),
];

use std::net::UdpSocket;

use super::*;
use crate::config::PowerSettings;

fn power(text: &str) -> Power {
    let settings: PowerSettings = toml::from_str(text).expect("settings");
    Power::new(config::Power::from(settings)).expect("something to do")
}

#[test]
fn nothing_set_up_is_nothing() {
    assert!(Power::new(config::Power::from(PowerSettings::default())).is_none());
}

#[tokio::test]
async fn a_magic_packet_is_six_times_ff_and_sixteen_times_the_address() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let to = socket.local_addr().expect("an address");
    let power = power(&format!("on = \"wol:00:11:22:33:44:55@{to}\""));
    assert_eq!(power.actions(), [Action::On]);
    power.perform(Action::On, "a test").await.expect("sent");
    let mut packet = [0; 200];
    let length = socket.recv(&mut packet).expect("a datagram");
    assert_eq!(length, 102);
    assert_eq!(packet[..6], [0xff; 6]);
    assert!(
        packet[6..102]
            .chunks(6)
            .all(|mac| mac == [0x00, 0x11, 0x22, 0x33, 0x44, 0x55])
    );
}

#[tokio::test]
async fn a_command_gets_its_words_and_the_action_and_no_shell() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("pdu");
    let seen = directory.path().join("seen");
    let text = format!(
        "#!/bin/sh\nprintf '%s|' \"$RFBRIDGE_POWER_ACTION\" \"$@\" > {}\n",
        seen.display()
    );
    std::fs::write(&script, text).expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("a mode");
    let power = power(&format!(
        "reset = \"command:{} off $HOME;3\"",
        script.display()
    ));
    power.perform(Action::Reset, "a test").await.expect("done");
    let seen = std::fs::read_to_string(seen).expect("what it saw");
    assert_eq!(seen, "reset|off|$HOME;3|");
}

#[tokio::test]
async fn what_fails_says_why() {
    let failing = power(
        "off = \"command:/bin/sh -c exit\"\non = \"command:/no/such/program\"\nreset = \"gpio:gpiochip99/1\"",
    );
    let error = |action| {
        let failing = failing.clone();
        async move {
            failing
                .perform(action, "a test")
                .await
                .expect_err("no")
                .to_string()
        }
    };
    assert!(
        error(Action::On)
            .await
            .contains("cannot run /no/such/program")
    );
    assert!(error(Action::Reset).await.contains("gpio:gpiochip99/1"));
    assert!(error(Action::Reboot).await.contains("not set up"));
    let failing = power("off = \"command:/bin/ls /no-such-directory\"");
    let error = failing
        .perform(Action::Off, "a test")
        .await
        .expect_err("no");
    let text = error.to_string();
    assert!(
        text.contains("/bin/ls failed") && text.contains("no-such-directory"),
        "{text}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_killed_with_all_that_it_started() {
    let endless = power("reset = \"command:/bin/sleep 600\"\ntimeout = 1");
    let error = endless
        .perform(Action::Reset, "a test")
        .await
        .expect_err("no");
    assert!(matches!(error, PowerError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn one_action_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let gate = directory.path().join("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status();
    assert!(made.is_ok_and(|status| status.success()));
    // It ends when somebody writes.
    let power = power(&format!("reset = \"command:/bin/cat {}\"", gate.display()));
    let first = tokio::spawn({
        let power = power.clone();
        async move { power.perform(Action::Reset, "one").await }
    });
    // Opening it for writing waits for who reads: then the first is going on.
    let gate = tokio::task::spawn_blocking(move || {
        std::fs::OpenOptions::new()
            .write(true)
            .open(gate)
            .expect("a gate")
    });
    let gate = gate.await.expect("open");
    let second = power.perform(Action::Reset, "another").await;
    assert!(matches!(second, Err(PowerError::Busy)), "{second:?}");
    drop(gate);
    first.await.expect("no panic").expect("done");
    power
        .perform(Action::Reboot, "late")
        .await
        .expect_err("not set up");
}

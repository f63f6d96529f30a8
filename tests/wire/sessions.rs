//! Several clients at one target, and `rfbridge ctl`, which looks after them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rfb::security::vnc_auth::Password;
use rfb::testing::client::{key, request};

use crate::input::{RELEASED, tap};
use crate::server::Server;
use crate::viewer::{Socket, Viewer};

const LEADER: u32 = 0xffe4;

/// Runs `rfbridge ctl` with these arguments; gives its exit code, standard output and standard error.
pub fn ctl(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let output = ctl_command(server, arguments).output();
    let output = output.expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

fn ctl_command(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rfbridge"));
    command
        .args(["ctl", "--socket"])
        .arg(server.dir.path().join("control.sock"))
        .args(arguments);
    command
}

/// What it printed, where it did what it was told.
fn done(server: &Server, arguments: &[&str]) -> String {
    let (code, output, errors) = ctl(server, arguments);
    assert_eq!((code, errors.as_str()), (0, ""), "{arguments:?}: {output}");
    output
}

fn hotkey(command: char) -> Vec<u8> {
    [tap(LEADER), tap(LEADER), tap(command.into())].concat()
}

/// Waits until the target's keyboard is in this state.
fn wait_for_report(server: &Server, report: &str) {
    server.wait_for(report, |server| {
        server
            .keyboard()
            .last()
            .is_some_and(|last| last == report)
            .then_some(())
    });
}

#[test]
fn one_controls_the_others_watch_and_whoever_takes_over_finds_no_key_down() {
    let server = Server::start(&["demo", "--sessions-control", "exclusive"]);
    let mut first = Viewer::connect(server.address);
    let mut second = Viewer::connect(server.address);
    first.send(&key(true, 'a'.into()));
    wait_for_report(&server, "0000040000000000");
    second.send(&tap('x'.into()));
    second.all_so_far();
    second.send(&hotkey('t'));
    second.send(&key(true, 'b'.into()));
    wait_for_report(&server, "0000050000000000");
    let reports = server.keyboard();
    let expected = ["0000040000000000", RELEASED, "0000050000000000"];
    assert_eq!(
        reports, expected,
        "no x, no t, and a is up before b is down"
    );
    first.send(&tap('y'.into()));
    first.all_so_far();
    let status = done(&server, &["status"]);
    assert!(status.contains("exclusive; client 2 has it"), "{status}");
    assert_eq!(done(&server, &["take", "1"]), "");
    wait_for_report(&server, RELEASED);
    first.send(&key(true, 'c'.into()));
    wait_for_report(&server, "0000060000000000");
    assert_eq!(done(&server, &["view-only", "1", "on"]), "");
    wait_for_report(&server, RELEASED);
    let (code, _, errors) = ctl(&server, &["take", "1"]);
    assert_eq!(
        (code, errors.as_str()),
        (1, "rfbridge: client 1: this client may only watch\n")
    );
    second.send(&key(true, 'd'.into()));
    wait_for_report(&server, "0000070000000000");
}

#[test]
fn clients_are_listed_and_sent_away() {
    let server = Server::demo();
    let table = done(&server, &["clients"]);
    assert_eq!(table.lines().count(), 1, "{table}");
    let mut first = Viewer::connect(server.address);
    let mut second = Viewer::connect(server.address);
    first.encodings(&[7]);
    first.request(false);
    first.next();
    second.all_so_far();
    let table = done(&server, &["clients"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!(rows[0][..4], ["ID", "ADDRESS", "USER", "ROLE"]);
    let address = first.socket.0.local_addr().expect("an address").to_string();
    assert_eq!(
        rows[1][..6],
        ["1", &address, "-", "admin", "yes", "Tight"],
        "{table}"
    );
    let json = done(&server, &["clients", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let sent = json["clients"][0]["bytes_sent"].as_u64();
    assert!(sent.is_some_and(|sent| sent > 1000), "{json}");
    assert_eq!(json["clients"][1]["idle_seconds"], serde_json::Value::Null);

    let (code, output, errors) = ctl(&server, &["kick", "1", "9", "--reason", "lunch"]);
    assert_eq!(code, 1);
    assert_eq!(output, "client 1 was sent away\n");
    assert_eq!(errors, "rfbridge: there is no client 9\n");
    first.socket.read_to_close();
    second.all_so_far();
    assert!(server.log().contains("sent away by an operator: lunch"));
    assert_eq!(
        done(&server, &["kick", "--all"]),
        "client 2 was sent away\n"
    );
    second.socket.read_to_close();
    // The bridge is open to others.
    Viewer::connect(server.address).all_so_far();
}

#[test]
fn one_client_at_a_time_where_that_is_the_policy() {
    let server = Server::start(&["demo", "--sessions-share", "never"]);
    let mut first = Viewer::connect(server.address);
    first.send(&key(true, 'a'.into()));
    wait_for_report(&server, "0000040000000000");
    let mut second = Viewer::connect(server.address);
    first.socket.read_to_close();
    wait_for_report(&server, RELEASED);
    second.all_so_far();
}

/// A file that only its owner may read.
fn secret(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("a file");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("a mode");
    path.to_str().expect("UTF-8").to_owned()
}

/// Logs in and gives SecurityResult, with the reason for a failure.
fn try_to_log_in(server: &Server, password: &[u8]) -> (u32, String) {
    let mut socket = Socket::connect(server.address);
    assert_eq!(socket.greet(), [2]);
    socket.send(&[2]);
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(password).respond(&challenge));
    let result = u32::from_be_bytes(socket.read(4).try_into().expect("4 bytes"));
    let reason = match result {
        0 => Vec::new(),
        _ => socket.read_to_close(),
    };
    (result, String::from_utf8_lossy(&reason).into_owned())
}

#[test]
fn who_may_only_watch_gets_no_control_and_gives_way_to_who_may_more() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let all = secret(dir.path(), "all", "all");
    let look = secret(dir.path(), "look", "look");
    let passwords = ["--password-file", &all, "--view-password-file", &look];
    let policies = ["--sessions-share", "never", "--sessions-control", "first"];
    let arguments = [&["demo"], &passwords[..], &policies].concat();
    let server = Server::start_in(dir, &arguments);
    let mut operator = Viewer::log_in(server.address, b"all");
    let (result, reason) = try_to_log_in(&server, b"look");
    let why = "127.0.0.1 is connected, and one client at a time is served.";
    assert!(result == 1 && reason.contains(why), "{reason}");
    operator.all_so_far();
    drop(operator);
    server.wait_for("the place to be free", |server| {
        (try_to_log_in(server, b"look").0 == 0).then_some(())
    });

    let mut watcher = Viewer::log_in(server.address, b"look");
    watcher.send(&hotkey('t'));
    watcher.send(&tap('a'.into()));
    watcher.all_so_far();
    assert_eq!(server.reports(), []);
    let json = done(&server, &["clients", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let client = &json["clients"][0];
    assert_eq!(
        (&client["role"], &client["view_only"]),
        (&"view".into(), &true.into())
    );
    let id = client["id"].to_string();
    for (command, why) in [
        (["take", &id].as_slice(), "this client may only watch"),
        (&["view-only", &id, "off"], "its role lets it only watch"),
    ] {
        let (code, _, errors) = ctl(&server, command);
        assert!(code == 1 && errors.contains(why), "{errors}");
    }
    let mut operator = Viewer::log_in(server.address, b"all");
    watcher.socket.read_to_close();
    operator.send(&key(true, 'a'.into()));
    wait_for_report(&server, "0000040000000000");
}

/// TigerVNC asks to be alone (shared flag 0) unless it is told not to.
#[test]
fn trap_45_nobody_is_sent_away_by_a_viewers_default() {
    for (policy, stays) in [("always", true), ("client", false)] {
        let server = Server::start(&["demo", "--sessions-share", policy]);
        let mut first = Viewer::connect(server.address);
        first.all_so_far();
        let mut alone = Socket::connect(server.address);
        alone.read(12);
        alone.send(b"RFB 003.008\n");
        alone.read(2);
        alone.send(&[1]);
        alone.read(4);
        alone.send(&[0]);
        alone.read(24);
        match stays {
            true => drop(first.all_so_far()),
            false => drop(first.socket.read_to_close()),
        }
    }
}

#[test]
fn events_are_lines_of_json_as_they_happen() {
    let server = Server::demo();
    let mut watching = ctl_command(&server, &["events"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("its output")).lines();
    // Reads on until one has this name and these words.
    let mut next = |name: &str, words: &str| {
        let wanted = format!("{{\"event\":\"{name}\"");
        let found = lines.find(|line| {
            let line = line.as_ref().expect("text");
            line.starts_with(&wanted) && line.contains(words)
        });
        found.expect("it comes").expect("text")
    };
    next("picture", r#""state":"live""#);
    let mut viewer = Viewer::connect(server.address);
    viewer.all_so_far();
    let address = viewer.socket.0.local_addr().expect("an address");
    next("connected", &format!(r#""client":1,"address":"{address}""#));
    next("login", r#""user":null,"role":"admin""#);
    // Caps Lock, which the simulated target answers by its LED.
    viewer.send(&tap(0xffe5));
    next("leds", r#""caps":true"#);
    drop(viewer);
    next("disconnected", "the client closed the connection");
    let _ = watching.kill();
    let _ = watching.wait();
}

#[test]
fn a_changed_policy_is_read_again_and_a_broken_file_changes_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("rfbridge.toml");
    let config = path.to_str().expect("UTF-8").to_owned();
    let write = |text: &str| {
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(text.as_bytes()).expect("room");
    };
    write("[sessions]\ncontrol = \"shared\"\n");
    let arguments = [
        "serve", "--config", &config, "--source", "pipe:-", "--sink", "null",
    ];
    let server = Server::start_in(dir, &arguments);
    let mut viewers = [
        Viewer::connect(server.address),
        Viewer::connect(server.address),
    ];
    for viewer in &mut viewers {
        viewer.all_so_far();
    }
    let controls = || {
        let json = done(&server, &["clients", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        [0, 1].map(|client| json["clients"][client]["controls"] == true)
    };
    assert_eq!(controls(), [true, true]);
    write("[sessions]\ncontrol = \"first\"\n");
    let reloaded = done(&server, &["reload"]);
    assert!(
        reloaded.lines().any(|line| line == "reloaded: sessions"),
        "{reloaded}"
    );
    assert_eq!(controls(), [true, false]);
    write("[sessions]\ncontrol = \"mine\"\n");
    let (code, _, errors) = ctl(&server, &["reload"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("sessions stays as it was") && errors.contains("mine"),
        "{errors}"
    );
    assert_eq!(controls(), [true, false]);
}

#[test]
fn a_silent_client_is_disconnected_after_the_idle_time() {
    let server = Server::start(&["demo", "--sessions-idle-timeout", "1"]);
    let mut idle = Viewer::connect(server.address);
    let area = idle.client.size().rect();
    idle.send(&request(false, area));
    idle.socket.read_to_close();
    server.wait_for("the reason", |server| {
        let reason = "no key and no movement for 1 s";
        server.log().contains(reason).then_some(())
    });
}

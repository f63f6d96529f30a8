//! The command line as scripts and operators meet it: exit codes, what is printed where, and what is refused.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use rfb::security::vnc_auth::Password;

/// A command that sees nothing of the machine's own settings.
fn rfbridge(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rfbridge"));
    command
        .args(arguments.split_whitespace())
        .env_remove("RUST_LOG")
        .env_remove("CREDENTIALS_DIRECTORY")
        // No place for a control socket, here or in /run.
        .env("RUNTIME_DIRECTORY", "/dev/null")
        .stdin(Stdio::null());
    command
}

/// Runs a command that ends by itself; gives its exit code, standard output and standard error.
fn run(arguments: &str) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = rfbridge(arguments).output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        status.code().expect("no signal"),
        text(stdout),
        text(stderr),
    )
}

fn file(directory: &Path, name: &str, mode: u32, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    path.to_str().expect("UTF-8").to_owned()
}

/// A server that runs until it is told to end.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let address = line.strip_prefix("listening on ");
        address
            .unwrap_or_else(|| panic!("an address, not {line:?}"))
            .parse()
            .expect("an address")
    }

    /// Ends it by a signal; gives the exit code and all that it logged.
    fn end(mut self, signal: i32) -> (Option<i32>, String) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a signal to a child that was not waited for yet.
        unsafe { libc::kill(pid, signal) };
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("its log");
        stderr.read_to_string(&mut log).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).expect("an option");
    stream
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("bytes");
    bytes
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    for arguments in [
        "",
        "watch",
        "demo --size big",
        "serve --source hdmi",
        "demo --listen 1",
        "demo --sessions-share yes",
        "ctl",
        "ctl kick",
        "ctl kick 1 --all",
        "ctl view-only 1",
        "ctl take one",
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments}: {stderr}");
        assert!(stderr.contains("--help"), "{stderr}");
    }
    for arguments in [
        "--help",
        "--version",
        "demo --help",
        "serve --help",
        "gadget --help",
        "doctor --help",
        "ctl --help",
        "ctl kick --help",
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments}");
        assert!(!stdout.is_empty());
    }
}

#[test]
fn what_cannot_start_ends_with_1_and_one_message() {
    let directory = tempfile::tempdir().expect("a directory");
    let open = file(directory.path(), "open", 0o644, "secret");
    let empty = file(directory.path(), "empty", 0o600, "");
    let typo = file(
        directory.path(),
        "typo.toml",
        0o644,
        "lisen = \"127.0.0.1:0\"",
    );
    let cases = [
        (
            "demo --listen 0.0.0.0:0".to_owned(),
            vec!["without a password", "--password-file"],
        ),
        (
            format!("demo --password-file {open}"),
            vec!["chmod 600", "0644"],
        ),
        (format!("demo --password-file {empty}"), vec!["empty"]),
        (
            format!("serve --config {typo}"),
            vec!["`lisen`", "`listen`"],
        ),
        (
            "serve --config /nowhere/rfbridge.toml".to_owned(),
            vec!["/nowhere/rfbridge.toml"],
        ),
        (
            "demo --listen 127.0.0.1:0 --record /nowhere/x".to_owned(),
            vec!["/nowhere/x", "--record"],
        ),
        (
            "demo --listen 192.0.2.1:0 --password-file /nowhere".to_owned(),
            vec!["/nowhere"],
        ),
        (
            "serve --listen 127.0.0.1:0 --keyboard-layout us,ru".to_owned(),
            vec!["us,ru", "--keyboard-layout"],
        ),
        ("demo --log rfbridge=loud".to_owned(), vec!["--log", "loud"]),
        (
            "demo --listen 127.0.0.1:0 --size 64x64".to_owned(),
            vec!["64x64", "640x400"],
        ),
    ];
    for (arguments, words) in cases {
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments}: {stderr}");
        let message = stderr.lines().last().unwrap_or_default();
        assert!(message.starts_with("rfbridge: "), "{stderr}");
        for word in words {
            assert!(
                message.contains(word),
                "{arguments}: no {word:?} in {stderr}"
            );
        }
    }
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address");
    let (code, stdout, stderr) = run(&format!("demo --listen {address}"));
    assert_eq!((code, stdout.as_str()), (1, ""));
    for word in [&address.to_string(), "in use", "--listen"] {
        assert!(stderr.contains(word), "no {word:?} in {stderr}");
    }
}

#[test]
fn the_printed_configuration_is_loaded_again_and_flags_win() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = file(
        directory.path(),
        "a.toml",
        0o644,
        "fps = 50\nname = \"box\"\nsink = \"null\"",
    );
    let (code, printed, _) = run(&format!("serve --config {first} --fps 25 --print-config"));
    assert_eq!(code, 0);
    for line in [
        "fps = 25",
        "name = \"box\"",
        "sink = \"null\"",
        "source = \"v4l\"",
    ] {
        assert!(
            printed.lines().any(|l| l == line),
            "no {line:?} in {printed}"
        );
    }
    let second = file(directory.path(), "b.toml", 0o644, &printed);
    let (code, again, _) = run(&format!("serve --config {second} --print-config"));
    assert_eq!((code, again), (0, printed));
}

/// Whatever this machine is: the exit status goes with what is told, in the form that is asked for.
#[test]
fn the_doctor_ends_with_1_if_something_is_broken_and_tells_what_in_json_and_in_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let broken = file(directory.path(), "broken.toml", 0o644, "lisen = 1");
    let (code, json, _) = run(&format!("doctor --no-capture --json --config {broken}"));
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(report["ok"], false);
    let mut findings = report["findings"].as_array().expect("a list").iter();
    let config = findings
        .find(|finding| finding["id"] == "config")
        .expect("it");
    let what = config["what"].as_str().expect("text");
    assert!(what.contains("did you mean `listen`?"), "{what}");

    // Neither keyboard nor picture of this machine is looked at.
    fs::write(directory.path().join("film"), "").expect("a file");
    let film = directory.path().join("film");
    let settings = format!(
        "sink = \"null\"\nsource = \"replay:{}\"\nlisten = \"127.0.0.1:0\"",
        film.display()
    );
    let whole = file(directory.path(), "whole.toml", 0o644, &settings);
    let (code, text, _) = run(&format!("doctor --config {whole}"));
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("configuration") && text.contains("no input is sent"),
        "{text}"
    );
    let (code, text, _) = run("doctor --json --loud");
    assert_eq!((code, text.as_str()), (2, ""));
}

#[test]
fn every_listener_is_told_and_the_demo_says_how_to_connect() {
    let listen = "demo --listen 127.0.0.1:0 --listen 127.0.0.2:0";
    let mut server = Running::start(rfbridge(listen));
    let (first, second) = (server.address(), server.address());
    assert_ne!(first.port(), 0);
    assert_eq!(second.ip().to_string(), "127.0.0.2");
    assert_eq!(
        server.line(),
        format!("connect with: vncviewer 127.0.0.1::{}", first.port())
    );
    for address in [first, second] {
        assert_eq!(read(&mut connect(address), 12), b"RFB 003.008\n");
    }
    let (code, log) = server.end(libc::SIGINT);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("no password"), "{log}");
}

#[test]
fn connections_are_logged_with_peer_and_reason() {
    let directory = tempfile::tempdir().expect("a directory");
    let password = file(directory.path(), "password", 0o600, "swordfish\n");
    let arguments = format!("demo --listen 127.0.0.1:0 --password-file {password}");
    let mut server = Running::start(rfbridge(&arguments));
    let address = server.address();
    let mut peers = Vec::new();
    for guess in [&b"guess"[..], b"swordfish"] {
        let mut stream = connect(address);
        peers.push(stream.local_addr().expect("an address").to_string());
        read(&mut stream, 12);
        stream.write_all(b"RFB 003.008\n\x02").expect("open");
        assert_eq!(read(&mut stream, 2), [1, 2]);
        let challenge = read(&mut stream, 16).try_into().expect("16 bytes");
        let response = Password::new(guess).respond(&challenge);
        stream.write_all(&response).expect("open");
        let is_wrong = u8::from(guess == b"guess");
        assert_eq!(read(&mut stream, 4), [0, 0, 0, is_wrong]);
        if is_wrong == 0 {
            stream.write_all(&[1]).expect("open");
            read(&mut stream, 24);
        }
    }
    let (code, log) = server.end(libc::SIGTERM);
    assert_eq!(code, Some(0), "{log}");
    let line = |peer: &str, words: &str| {
        let found = log.lines().any(|l| l.contains(peer) && l.contains(words));
        assert!(found, "no {words:?} of {peer} in {log}");
    };
    line(&peers[0], "connected");
    line(&peers[0], "Wrong password");
    line(&peers[0], "disconnected");
    line(&peers[1], "logged in");
    line(&peers[1], "ready");
    assert!(log.contains("first 8 bytes"), "{log}");
    assert!(
        !log.contains("swordfish") && !log.contains("guess"),
        "{log}"
    );
}

#[test]
fn a_systemd_credential_is_a_password() {
    let directory = tempfile::tempdir().expect("a directory");
    file(directory.path(), "rfbridge-password", 0o440, "swordfish");
    let mut command = rfbridge("demo --listen 127.0.0.1:0");
    command.env("CREDENTIALS_DIRECTORY", directory.path());
    let mut server = Running::start(command);
    let mut stream = connect(server.address());
    read(&mut stream, 12);
    stream.write_all(b"RFB 003.008\n").expect("open");
    assert_eq!(read(&mut stream, 2), [1, 2]);
}

#[test]
fn logs_are_as_loud_as_asked_for() {
    for (arguments, environment, is_silent) in [
        ("--log error", None, true),
        ("", Some("error"), true),
        ("--log info", Some("error"), false),
    ] {
        let mut command = rfbridge(&format!("demo --listen 127.0.0.1:0 {arguments}"));
        command.envs(environment.map(|filter| ("RUST_LOG", filter)));
        let mut server = Running::start(command);
        server.address();
        let (_, log) = server.end(libc::SIGTERM);
        assert_eq!(
            log.is_empty(),
            is_silent,
            "{arguments:?}, {environment:?}: {log}"
        );
    }
}

#[test]
fn ctl_says_where_it_looked_for_a_server_and_ends_with_3() {
    for command in ["status", "clients --json", "kick 1", "reload", "events"] {
        let (code, stdout, stderr) = run(&format!("ctl --socket /nowhere/s {command}"));
        assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
        let message = "no running rfbridge answers at /nowhere/s";
        assert!(
            stderr.contains(message) && stderr.contains("rfbridge serve"),
            "{stderr}"
        );
    }
}

/// A server puts its control socket where commands look for it, and takes it away again.
#[test]
fn the_control_socket_is_in_the_usual_place_or_nowhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("control.sock");
    let command = |arguments: &str| {
        let mut command = rfbridge(arguments);
        command.env("RUNTIME_DIRECTORY", directory.path());
        command
    };
    let mut server = Running::start(command("demo --listen 127.0.0.1:0"));
    server.address();
    let typed = command("type /dev/null")
        .status()
        .expect("the binary starts");
    assert_eq!(typed.code(), Some(0), "all of nothing is typed");

    let mut second = Running::start(command("demo --listen 127.0.0.1:0"));
    second.address();
    let (code, log) = second.end(libc::SIGTERM);
    assert_eq!(code, Some(0));
    assert!(log.contains("another rfbridge answers at"), "{log}");
    assert!(socket.exists(), "it is the first one's");
    let path = socket.display();
    let demo = format!("demo --listen 127.0.0.1:0 --control-socket {path}");
    let (code, _, errors) = run(&demo);
    assert_eq!(code, 1);
    assert!(errors.contains("another rfbridge answers at"), "{errors}");
    server.end(libc::SIGTERM);
    assert!(!socket.exists());

    let off = "demo --listen 127.0.0.1:0 --control-socket none";
    let mut server = Running::start(command(off));
    server.address();
    assert!(!socket.exists());
    let output = command("type /dev/null")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains(&format!("no running rfbridge answers at {path}")),
        "{errors}"
    );
    server.end(libc::SIGTERM);
}

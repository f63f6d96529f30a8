//! Texts that are typed: from a client's clipboard by a hotkey, from a file by `rfbridge type`.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};

use rfb::testing::client::{
    EXTENDED_CLIPBOARD, Message, cut_text, extended_clipboard, extended_key, provide_text,
};

use crate::input::{RELEASED, presses, tap};
use crate::server::Server;
use crate::viewer::Viewer;

const RIGHT_CTRL: u32 = 0xffe4;
const DESKTOP_NAME: i32 = -307;
const NOTIFY_TEXT: u32 = 1 << 27 | 1;
const F12: (u32, u8) = (0xffc9, 0x45);

/// The leader twice, then a key.
pub fn hotkey(keysym: u32) -> Vec<u8> {
    [tap(RIGHT_CTRL), tap(RIGHT_CTRL), tap(keysym)].concat()
}

/// How a text of letters, spaces and lines is pressed on a US keyboard.
fn strokes(text: &str) -> Vec<(u8, u8)> {
    let stroke = |c: char| match c {
        'a'..='z' => (0, c as u8 - b'a' + 4),
        'A'..='Z' => (2, c as u8 - b'A' + 4),
        ' ' => (0, 0x2c),
        '\n' => (0, 0x28),
        '\t' => (0, 0x2b),
        '!' => (2, 0x1e),
        other => panic!("{other:?} is not in these tests"),
    };
    text.chars().map(stroke).collect()
}

/// Waits until the target has got exactly this text and everything is released.
fn wait_for_text(server: &Server, text: &str) {
    let expected = strokes(text);
    server.wait_for("the text", |server| {
        let reports = server.keyboard();
        let is_over = presses(&reports).len() >= expected.len();
        (is_over && reports.last().is_some_and(|last| last == RELEASED)).then_some(())
    });
    assert_eq!(presses(&server.keyboard()), expected);
}

/// Waits until so many keys were pressed.
fn wait_for_keys(server: &Server, count: usize) {
    server.wait_for("some of the text", |server| {
        (presses(&server.keyboard()).len() >= count).then_some(())
    });
}

/// What a cancelled text's end was logged as: how many characters were typed.
fn cancelled_after(server: &Server) -> usize {
    server.wait_for("the end of the text", |server| {
        let log = server.log();
        let (_, rest) = log.split_once("text: cancelled after ")?;
        rest.split(' ').next()?.parse().ok()
    })
}

#[test]
fn complaint_5_a_clipboard_is_never_typed_by_itself() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.send(&cut_text(b"plain"));
    viewer.encodings(&[0, EXTENDED_CLIPBOARD]);
    viewer.send(&extended_clipboard(NOTIFY_TEXT, &[]));
    viewer.send(&provide_text("unasked"));
    viewer.send(&cut_text(b"again"));
    viewer.send(&tap(F12.0));
    wait_for_keys(&server, 1);
    assert_eq!(presses(&server.keyboard()), [(0, F12.1)]);
    let heard = viewer.all_so_far();
    let [Message::Clipboard { flags, .. }] = &heard[..] else {
        panic!("what is understood and no question, not {heard:?}");
    };
    assert_eq!(flags >> 24, 0x1f);
    assert!(!server.log().contains("plain"));
}

#[test]
fn a_hotkey_types_the_clipboard_that_a_viewer_sent() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    let text = "Hello World!\r\n\tsecond line";
    viewer.send(&cut_text(text.as_bytes()));
    viewer.send(&hotkey('v'.into()));
    wait_for_text(&server, &text.replace('\r', ""));
    assert!(!server.log().contains("Hello"), "a text is not logged");
}

#[test]
fn a_hotkey_by_scancodes_fetches_and_types_the_clipboard_that_a_viewer_announced() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, EXTENDED_CLIPBOARD]);
    assert!(matches!(viewer.next(), Message::Clipboard { .. }));
    viewer.send(&extended_clipboard(NOTIFY_TEXT, &[]));
    let tap = |code| [extended_key(true, 0, code), extended_key(false, 0, code)].concat();
    for round in ["Once", "Twice"] {
        viewer.send(&[tap(0x9d), tap(0x9d), tap(0x2f)].concat());
        let request = Message::Clipboard {
            flags: 1 << 25 | 1,
            data: Vec::new(),
        };
        assert_eq!(viewer.next(), request);
        viewer.send(&provide_text(&format!("{round}\n")));
        wait_for_text(
            &server,
            if round == "Once" {
                "Once\n"
            } else {
                "Once\nTwice\n"
            },
        );
        server.wait_for("the end", |server| {
            let ends = server.log().matches("text: typed").count();
            (ends == if round == "Once" { 1 } else { 2 }).then_some(())
        });
    }
}

#[test]
fn what_cannot_be_typed_is_said_in_the_title_and_nothing_is_typed() {
    let server = Server::start(&["demo", "--name", "box"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, DESKTOP_NAME]);
    viewer.request(false);
    assert!(matches!(viewer.next(), Message::Update(_)));
    viewer.send(&cut_text(b"caf\xe9"));
    viewer.send(&hotkey('v'.into()));
    let title = loop {
        viewer.request(true);
        let message = viewer.next();
        let named = |r: &&rfb::testing::client::Rectangle| r.encoding == DESKTOP_NAME;
        if let Some(rectangle) = message.rectangles().iter().find(named) {
            break String::from_utf8(rectangle.pseudo[4..].to_vec()).expect("UTF-8");
        }
    };
    let expected = "box - not typed: the layout cannot type é (U+00E9) at 1:4";
    assert_eq!(title, expected);
    viewer.send(&tap(F12.0));
    wait_for_keys(&server, 1);
    assert_eq!(presses(&server.keyboard()), [(0, F12.1)]);
    assert!(!server.log().contains('é'), "of a text nothing is logged");
}

#[test]
fn a_hotkey_ends_a_text_midway_and_everything_is_released() {
    let server = Server::start(&["demo", "--keyboard-type-delay", "1"]);
    let mut viewer = Viewer::connect(server.address);
    let text = "Abcdefghij ".repeat(2000);
    viewer.send(&cut_text(text.as_bytes()));
    viewer.send(&hotkey('v'.into()));
    wait_for_keys(&server, 20);
    viewer.send(&hotkey('c'.into()));
    let typed = cancelled_after(&server);
    assert!((20..text.len()).contains(&typed));
    wait_for_text(&server, &text[..typed]);
}

#[test]
fn a_client_that_leaves_takes_its_text_with_it() {
    let server = Server::start(&["demo", "--keyboard-type-delay", "1"]);
    let mut viewer = Viewer::connect(server.address);
    let text = "abcdefghij ".repeat(2000);
    viewer.send(&cut_text(text.as_bytes()));
    viewer.send(&hotkey('v'.into()));
    wait_for_keys(&server, 5);
    drop(viewer);
    let typed = cancelled_after(&server);
    wait_for_text(&server, &text[..typed]);
}

#[test]
fn who_may_only_watch_has_no_hotkeys() {
    let server = Server::start(&["demo", "--view-only"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.send(&cut_text(b"hello"));
    viewer.send(&hotkey('v'.into()));
    viewer.all_so_far();
    assert_eq!(server.reports(), []);
    assert!(!server.log().contains("typ"), "{}", server.log());
}

#[test]
fn without_a_leader_there_are_no_hotkeys() {
    let server = Server::start(&["demo", "--hotkey-leader", "none"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.send(&cut_text(b"hello"));
    viewer.send(&hotkey('v'.into()));
    wait_for_text(&server, "v");
}

/// `rfbridge type` with these arguments, asking `server`.
fn type_command(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rfbridge"));
    command
        .arg("type")
        .args(arguments)
        .arg("--socket")
        .arg(server.dir.path().join("control.sock"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts it with this on its standard input.
fn start(mut command: Command, input: &[u8]) -> Child {
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("its input");
    // One that fails does not read it.
    let _ = stdin.write_all(input);
    child
}

/// Its exit code, standard output and standard error.
fn end(child: Child) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        status.code().expect("no signal"),
        text(stdout),
        text(stderr),
    )
}

#[test]
fn a_file_is_typed_with_progress() {
    let server = Server::demo();
    let text = "The quick brown fox jumps over\nthe lazy dog\n".repeat(3);
    let file = server.dir.path().join("text");
    std::fs::write(&file, &text).expect("a file");
    let command = type_command(&server, &[file.to_str().expect("UTF-8"), "--delay", "0"]);
    let (code, output, errors) = end(start(command, b""));
    assert_eq!((code, output.as_str()), (0, ""), "{errors}");
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(
        lines.last(),
        Some(&"typed 132 of 132 characters"),
        "{errors}"
    );
    wait_for_text(&server, &text);

    let command = type_command(&server, &["-", "--skip"]);
    assert_eq!(end(start(command, "né!".as_bytes())).0, 0);
    wait_for_text(&server, &(text + "n!"));
}

#[test]
fn what_cannot_be_typed_is_listed_before_the_first_key() {
    let server = Server::demo();
    let text = "na\u{ef}ve\ncaf\u{e9} \u{e9}";
    let dry_run = type_command(&server, &["-", "--dry-run"]);
    let (code, output, errors) = end(start(dry_run, text.as_bytes()));
    let expected = "ï (U+00EF) at 1:3\né (U+00E9) 2 times, first at 2:4\n";
    assert_eq!((code, output.as_str()), (1, expected), "{errors}");
    assert!(
        errors.contains("9 characters can be typed, 2 different ones cannot"),
        "{errors}"
    );
    let (code, output, errors) = end(start(type_command(&server, &["-"]), text.as_bytes()));
    assert_eq!((code, output.as_str()), (1, ""));
    assert!(
        errors.contains("first at 2:4") && errors.contains("--skip"),
        "{errors}"
    );
    let dry_run = type_command(&server, &["-", "--dry-run"]);
    assert_eq!(end(start(dry_run, b"fine")).0, 0);
    assert_eq!(server.reports(), []);
}

#[test]
fn a_second_text_is_refused_and_ctrl_c_cancels_the_first() {
    let server = Server::demo();
    let text = "Abcdefghij ".repeat(1000);
    let first = start(
        type_command(&server, &["-", "--delay", "2"]),
        text.as_bytes(),
    );
    wait_for_keys(&server, 10);
    let (code, _, errors) = end(start(type_command(&server, &["-"]), b"second"));
    assert_eq!(code, 1);
    assert!(errors.contains("another text is being typed"), "{errors}");
    let pid = i32::try_from(first.id()).expect("a process id");
    // SAFETY: a signal to a child of ours that was not waited for yet.
    unsafe { libc::kill(pid, libc::SIGINT) };
    let (code, _, errors) = end(first);
    assert_eq!(code, 130, "{errors}");
    let typed = cancelled_after(&server);
    let told = format!("cancelled after {typed} of {} characters", text.len());
    assert!(errors.contains(&told), "{errors}");
    assert_eq!(server.keyboard().last().map(String::as_str), Some(RELEASED));
    assert_eq!(presses(&server.keyboard()), strokes(&text[..typed]));
}

#[test]
fn a_text_that_is_none_and_a_server_that_is_none_are_explained() {
    let mut server = Server::demo();
    let (code, _, errors) = end(start(type_command(&server, &["-"]), b"fine\xffnot"));
    assert_eq!(code, 1);
    assert!(errors.contains("not UTF-8: byte 4"), "{errors}");
    let long = vec![b'x'; (1 << 20) + 1];
    let (code, _, errors) = end(start(type_command(&server, &["-"]), &long));
    assert_eq!(code, 1);
    assert!(errors.contains("1048576 bytes"), "{errors}");
    let (code, _, errors) = end(start(type_command(&server, &["/nowhere/text"]), b""));
    assert_eq!(code, 1);
    assert!(errors.contains("cannot read /nowhere/text"), "{errors}");

    assert!(server.terminate().success());
    let socket = server.dir.path().join("control.sock");
    assert!(!socket.exists(), "it is removed at the end");
    let (code, _, errors) = end(start(type_command(&server, &["-"]), b"hello"));
    assert_eq!(code, 1);
    let places = format!("no running rfbridge answers at {}", socket.display());
    assert!(
        errors.contains(&places) && errors.contains("rfbridge serve"),
        "{errors}"
    );
}

#[test]
fn the_status_is_told_over_the_socket() {
    let server = Server::demo();
    let _viewer = Viewer::connect(server.address);
    let socket = server.dir.path().join("control.sock");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("a socket");
    stream
        .write_all(b"{\"command\":\"status\"}\n")
        .expect("an open socket");
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("an open socket");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(status["clients"], 1);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["pointer"], "absolute");
    assert!(status["typing"].is_null());
}

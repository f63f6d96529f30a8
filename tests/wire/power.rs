//! The target's power: by xvp, over HTTP and by the control socket; who may, and what is done.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rfb::testing::client::{Message, xvp};

use crate::server::{self, Server};
use crate::sessions::ctl;
use crate::viewer::{
    Viewer,
    web::{ask, basic},
};

const XVP: i32 = -309;
const DESKTOP_NAME: i32 = -307;

/// A switch that writes down what it is told; what fails says so.
fn switch(dir: &Path) -> String {
    let script = dir.join("switch");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n[ \"$1\" != fail ] || {{ echo \"the fuse is gone\" >&2; exit 1; }}\n",
        dir.join("switched").display()
    );
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    format!("command:{}", script.display())
}

fn switched(server: &Server) -> String {
    std::fs::read_to_string(server.dir.path().join("switched")).unwrap_or_default()
}

/// With `off`, which works, and `reset`, which fails.
fn start(more: &[&str]) -> Server {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let switch = switch(dir.path());
    let off = format!("--power-off={switch} off outlet-3");
    let reset = format!("--power-reset={switch} fail");
    let arguments = ["demo", &off, &reset, "--web-listen", "127.0.0.1:0"];
    Server::start_in(dir, &[&arguments[..], more].concat())
}

/// What comes up to the next desktop name that has something behind it.
fn answer(viewer: &mut Viewer) -> (Vec<Message>, String) {
    let mut before = Vec::new();
    loop {
        viewer.request(true);
        let message = viewer.next();
        let text = match &message {
            Message::Update(rects) => rects.iter().find(|rect| rect.encoding == DESKTOP_NAME),
            _ => None,
        };
        let text = text.map(|rect| String::from_utf8_lossy(&rect.pseudo).into_owned());
        match text {
            Some(text) if text.contains("power") => return (before, text),
            _ => before.push(message),
        }
    }
}

#[test]
fn check_56_what_is_asked_for_is_done_or_fails_with_the_reason() {
    let server = start(&[]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, XVP, DESKTOP_NAME]);
    assert_eq!(viewer.next(), Message::Xvp(1));
    viewer.send(&xvp(2));
    let (_, text) = answer(&mut viewer);
    assert!(text.ends_with("power: off done"), "{text}");
    assert_eq!(switched(&server), "off outlet-3\n");
    // A reboot that cannot be asked for is a reset, and this one fails.
    viewer.send(&xvp(3));
    let (before, text) = answer(&mut viewer);
    assert!(before.contains(&Message::Xvp(0)), "{before:?}");
    assert!(
        text.contains("not done") && text.contains("the fuse is gone"),
        "{text}"
    );
    let log = server.log();
    assert!(
        log.contains("audit: power action=off by=\"127.0.0.1:"),
        "{log}"
    );
    assert!(log.contains("power not done action=reset"), "{log}");
}

#[test]
fn who_may_not_is_offered_nothing_and_who_has_no_control_is_refused() {
    let server = start(&["--view-only"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, XVP]);
    viewer.send(&xvp(2));
    assert_eq!(viewer.next(), Message::Xvp(0), "no offer before");
    assert_eq!(ask(server.web(), "POST /power/off", &[], &[]).status, 403);

    let server = start(&["--sessions-control", "first"]);
    let _first = Viewer::connect(server.address);
    let mut second = Viewer::connect(server.address);
    second.encodings(&[0, XVP]);
    assert_eq!(second.next(), Message::Xvp(1));
    second.send(&xvp(2));
    assert_eq!(second.next(), Message::Xvp(0));
    assert_eq!(switched(&server), "");
}

#[test]
fn the_same_is_done_over_http_for_the_role_that_may() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let users = dir.path().join("users");
    server::user(&users, &["add", "alice", "--role", "admin"], "swordfish");
    server::user(&users, &["add", "bob", "--role", "control"], "octopus!!");
    let [certificate, key] = server::certificate(dir.path());
    let named = format!("--security-users={}", users.display());
    let off = format!("--power-off={} off", switch(dir.path()));
    let arguments = [
        "demo",
        &named,
        &certificate,
        &key,
        &off,
        "--web-listen",
        "127.0.0.1:0",
    ];
    let server = Server::start_in(dir, &arguments);
    let post =
        |path: &str, who: &str| ask(server.web(), &format!("POST {path}"), &[&basic(who)], &[]);
    assert_eq!(post("/power/off", "bob:octopus!!").status, 403);
    assert_eq!(switched(&server), "");
    assert_eq!(post("/power/off", "alice:swordfish").text(), "off: done\n");
    assert_eq!(switched(&server), "off\n");
    assert_eq!(post("/power/reset", "alice:swordfish").status, 404);
    assert_eq!(post("/power/explode", "alice:swordfish").status, 404);
    let get = ask(
        server.web(),
        "GET /power/off",
        &[&basic("alice:swordfish")],
        &[],
    );
    assert_eq!(get.status, 405);
    let foreign = [
        basic("alice:swordfish"),
        "Origin: http://evil.example".to_owned(),
    ];
    let foreign = foreign.each_ref().map(String::as_str);
    assert_eq!(
        ask(server.web(), "POST /power/off", &foreign, &[]).status,
        403
    );
    assert_eq!(switched(&server), "off\n");
    assert!(
        server.log().contains("by=\"alice at 127.0.0.1:"),
        "{}",
        server.log()
    );
}

#[test]
fn an_operator_switches_it_from_the_board() {
    let server = start(&[]);
    assert_eq!(
        ctl(&server, &["power", "off"]),
        (0, String::new(), String::new())
    );
    assert_eq!(switched(&server), "off outlet-3\n");
    let (code, _, errors) = ctl(&server, &["power", "reset"]);
    assert_eq!(code, 1);
    assert!(errors.contains("the fuse is gone"), "{errors}");
    let (_, status, _) = ctl(&server, &["status"]);
    assert!(
        status.contains("power      unknown (off, reset)"),
        "{status}"
    );
    let bare = Server::demo();
    let (code, _, errors) = ctl(&bare, &["power", "off"]);
    assert_eq!(code, 1);
    assert!(errors.contains("[power]"), "{errors}");
}

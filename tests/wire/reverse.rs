//! Viewers that listen: the server calls them, and they are clients like all others then.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::input::{RELEASED, tap};
use crate::server::Server;
use crate::viewer::{Socket, Viewer};

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

/// Who called, through the handshake of a server without a password.
fn answered(listener: &TcpListener) -> Viewer {
    let (stream, _) = listener.accept().expect("a call");
    let mut socket = Socket::over(stream);
    assert_eq!(socket.greet(), [1]);
    socket.send(&[1]);
    assert_eq!(socket.read(4), [0; 4]);
    Viewer::init(socket)
}

fn connect(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rfbridge"));
    command
        .args(["connect", "--socket"])
        .arg(server.dir.path().join("control.sock"))
        .args(arguments);
    command
}

#[test]
fn a_viewer_that_is_called_types_like_any_other() {
    let server = Server::demo();
    let (listener, address) = listener();
    let output = connect(&server, &[&address])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text, format!("connected to {address}\n"));
    let mut viewer = answered(&listener);
    viewer.send(&tap('z'.into()));
    server.wait_for("z", |server| {
        let end = ["00001d0000000000", RELEASED].map(str::to_owned);
        server.keyboard().ends_with(&end).then_some(())
    });
}

#[test]
fn a_viewer_that_does_not_listen_yet_is_called_again() {
    let server = Server::demo();
    let (listener, address) = listener();
    drop(listener);
    let once = connect(&server, &[&address, "--once"]).output();
    let once = once.expect("the binary runs");
    let errors = String::from_utf8(once.stderr).expect("UTF-8");
    assert_eq!(once.status.code(), Some(1));
    assert!(
        errors.contains("is not reached") && errors.contains("-listen"),
        "{errors}"
    );
    let mut calling = connect(&server, &[&address])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut complaint = [0; 9];
    let errors = calling.stderr.as_mut().expect("its errors");
    std::io::Read::read_exact(errors, &mut complaint).expect("a complaint");
    let listener = TcpListener::bind(&address).expect("the same port");
    answered(&listener);
    assert!(calling.wait().expect("it ends").success());
}

#[test]
fn a_viewer_of_the_configuration_is_called_again_when_it_comes_back() {
    let (listener, address) = listener();
    let server = Server::start(&["demo", "--connect", &address]);
    drop(answered(&listener));
    drop(answered(&listener));
    drop(server);
}

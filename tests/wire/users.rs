//! Users: who gets in by a name, what their roles let them do, and a users file that changes under them.

use std::{fs, path::PathBuf};

use rfb::security::SecurityType;
use tokio_rustls::rustls::version::TLS13;

use crate::input::{RELEASED, tap};
use crate::server::{self, Server};
use crate::sessions::ctl;
use crate::viewer::{
    Socket, Viewer, rsa_aes,
    tls::{self, Tls, chosen, over_tls, plain},
};

/// A server that lets in users only, by X509Plain and RA2.
struct House {
    server: Server,
    users: PathBuf,
}

impl House {
    /// With these users: names, roles and passwords.
    fn of(users: &[[&str; 3]]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("users");
        let add = |[name, role, password]: &[&str; 3]| {
            let arguments = ["add", name, "--role", role];
            server::user(&file, &arguments, password);
        };
        users.iter().for_each(add);
        let [certificate, key] = server::certificate(dir.path());
        let host_key = server::host_key(dir.path());
        let named = format!("--security-users={}", file.display());
        let types = "--security-types=X509Plain,RA2";
        let arguments = ["demo", &named, &certificate, &key, &host_key, types];
        Self {
            server: Server::start_in(dir, &arguments),
            users: file,
        }
    }

    fn user(&self, arguments: &[&str], password: &str) {
        server::user(&self.users, arguments, password);
    }

    /// Gives this name and password; the result comes next.
    fn by_tls(&self, name: &str, password: &str) -> Socket<Tls> {
        let socket = chosen(Socket::connect(self.server.address), 262);
        let mut socket = over_tls(socket, &tls::client(self.server.certificate(), &TLS13));
        socket.send(&plain(name.as_bytes(), password.as_bytes()));
        socket
    }

    fn by_rsa_aes(&self, name: &str, password: &str) -> Socket<rsa_aes::Sealed> {
        let socket = Socket::connect(self.server.address);
        rsa_aes::log_in(socket, SecurityType::Ra2, name, password)
    }

    fn enter(&self, name: &str, password: &str) -> Viewer<Tls> {
        let mut socket = self.by_tls(name, password);
        assert_eq!(socket.read(4), [0; 4], "{name}: {}", self.server.log());
        Viewer::init(socket)
    }

    /// Waits until this was logged once more than `times`.
    fn wait_for_log(&self, words: &str, times: usize) {
        self.server.wait_for(words, |server| {
            (server.log().matches(words).count() > times).then_some(())
        });
    }

    /// The keyboard's reports when this client's `z` has come and gone.
    fn reports_after(&self, last: &mut Viewer<Tls>) -> Vec<String> {
        last.send(&tap('z'.into()));
        self.server.wait_for("the last key", |server| {
            let mut reports = server.keyboard();
            let end = [Z, RELEASED].map(str::to_owned);
            if !reports.ends_with(&end) {
                return None;
            }
            reports.truncate(reports.len() - end.len());
            Some(reports)
        })
    }
}

const A: &str = "0000040000000000";
const Z: &str = "00001d0000000000";

#[test]
fn the_role_says_whether_keys_and_clicks_reach_the_target() {
    let house = House::of(&[
        ["alice", "control", "swordfish"],
        ["bob", "view", "octopus!!"],
        ["carol", "admin", "jellyfish"],
    ]);
    let mut bob = house.enter("bob", "octopus!!");
    bob.send(&tap('x'.into()));
    bob.send(&[5, 1, 0, 9, 0, 9, 5, 0, 0, 9, 0, 9]);
    bob.all_so_far();
    let mut socket = house.by_rsa_aes("bob", "octopus!!");
    assert_eq!(socket.read(4), [0; 4]);
    let mut bob_again = Viewer::init(socket);
    bob_again.send(&tap('y'.into()));
    bob_again.all_so_far();

    let mut alice = house.enter("alice", "swordfish");
    alice.send(&tap('a'.into()));
    let mut carol = house.enter("carol", "jellyfish");
    alice.all_so_far();
    assert_eq!(house.reports_after(&mut carol), [A, RELEASED]);
    let pointer = |(function, _): &(String, String)| function != "keyboard";
    assert!(!house.server.reports().iter().any(pointer), "no click");
    let log = house.server.log();
    for login in [
        r#"security="X509Plain" role=view user="bob""#,
        r#"security="RA2" role=view user="bob""#,
        r#"security="X509Plain" role=control user="alice""#,
        r#"security="X509Plain" role=admin user="carol""#,
    ] {
        assert!(log.contains(login), "{login}: {log}");
    }
}

/// Who asks learns nothing about which names there are.
#[test]
fn a_wrong_password_and_an_unknown_name_are_told_the_same() {
    let house = House::of(&[["alice", "control", "swordfish"]]);
    let refusals = [
        house.by_tls("alice", "swordfis").read_to_close(),
        house.by_tls("mallory", "swordfish").read_to_close(),
        house.by_rsa_aes("alice", "Swordfish").read_to_close(),
        house.by_rsa_aes("", "swordfish").read_to_close(),
    ];
    let reason = b"Wrong user name or password.";
    let expected = [&[0, 0, 0, 1, 0, 0, 0, 28][..], reason].concat();
    for refusal in refusals {
        assert_eq!(refusal, expected, "{}", String::from_utf8_lossy(&refusal));
    }
    house.enter("alice", "swordfish");
}

/// Somebody who was sent away has no key down, and no way in but the new one.
#[test]
fn who_is_changed_or_removed_is_disconnected_and_the_next_login_counts_by_the_new_file() {
    let house = House::of(&[
        ["alice", "control", "swordfish"],
        ["bob", "control", "octopus!!"],
        ["carol", "control", "tunafish!"],
        ["dave", "admin", "goldfish!"],
    ]);
    let mut alice = house.enter("alice", "swordfish");
    let mut bob = house.enter("bob", "octopus!!");
    let mut carol = house.enter("carol", "tunafish!");
    let mut dave = house.enter("dave", "goldfish!");
    // Held down.
    carol.send(&tap('a'.into())[..8]);
    house
        .server
        .wait_for("her key", |server| (server.keyboard() == [A]).then_some(()));
    house.user(&["passwd", "alice"], "jellyfish");
    house.user(&["remove", "bob"], "");
    house.user(&["role", "carol", "view"], "");
    for viewer in [&mut alice, &mut bob, &mut carol] {
        viewer.socket.read_to_close();
    }
    house.server.wait_for("her key to be up", |server| {
        (server.keyboard() == [A, RELEASED]).then_some(())
    });
    let why = r#"reason="the user has another password or role now, or was removed""#;
    house.wait_for_log(why, 2);

    for (name, password) in [("alice", "swordfish"), ("bob", "octopus!!")] {
        let result = house.by_tls(name, password).read(4);
        assert_eq!(result, [0, 0, 0, 1], "{name}");
    }
    house.enter("alice", "jellyfish");
    let mut carol = house.enter("carol", "tunafish!");
    carol.send(&tap('x'.into()));
    carol.all_so_far();
    let reports = house.reports_after(&mut dave);
    assert_eq!(reports, [A, RELEASED], "no x");
}

#[test]
fn a_broken_users_file_keeps_the_users_that_it_had() {
    let house = House::of(&[["alice", "control", "swordfish"]]);
    let mut alice = house.enter("alice", "swordfish");
    let good = fs::read_to_string(&house.users).expect("the users");
    // As a whole, so that nobody reads half of it.
    let beside = house.users.with_extension("new");
    server::write_secret(&beside, format!("{good}bob\n"));
    fs::rename(&beside, &house.users).expect("a file");
    house.wait_for_log("; the users are as they were before", 0);
    house.enter("alice", "swordfish");
    let result = house.by_tls("bob", "").read(4);
    assert_eq!(result, [0, 0, 0, 1]);
    let (code, _, errors) = ctl(&house.server, &["reload"]);
    assert!(
        code == 1 && errors.contains("users stays as it was") && errors.contains("line 2"),
        "{errors}"
    );

    fs::remove_file(&house.users).expect("a file");
    house.wait_for_log("; the users are as they were before", 1);
    house.enter("alice", "swordfish");
    alice.all_so_far();

    // Mended, at once if that is asked for.
    house.user(&["add", "bob"], "octopus!!");
    assert_eq!(ctl(&house.server, &["reload"]).0, 0);
    house.enter("bob", "octopus!!");
    let result = house.by_tls("alice", "swordfish").read(4);
    assert_eq!(result, [0, 0, 0, 1], "the new file has no alice");
}

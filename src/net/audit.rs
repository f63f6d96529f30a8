//! The audit log: who came, who got in as whom, who did not, who went and why. Never keys, texts or passwords.
//!
//! Its lines have the target `audit`, so `--log audit=info` shows nothing else. Programs read them (one is in
//! `contrib/fail2ban`): the words before the fields, the fields' names and their order stay as they are. What a peer chose, such as a
//! user's name, is quoted, escaped and cut, and comes behind its address.

use std::{fmt, net::SocketAddr, time::Duration};

use rfb::security::{Login, SecurityType};

use super::Identity;
use crate::hid::ClientId;

/// Characters of what a peer chose that are written down.
const LONGEST: usize = 64;

/// What a client tries to get in by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempt {
    security: &'static str,
    user: Option<String>,
}

impl Attempt {
    pub(super) fn new(security: Option<SecurityType>, login: &Login) -> Self {
        Self {
            security: security.map_or("", SecurityType::name),
            user: name_in(login),
        }
    }

    /// By the Basic authentication of HTTP (RFC 7617).
    pub(super) fn basic(login: &Login) -> Self {
        Self {
            security: "Basic",
            user: name_in(login),
        }
    }
}

fn name_in(login: &Login) -> Option<String> {
    match login {
        Login::Password { user, .. } => user.clone(),
        Login::Anonymous | Login::VncAuth { .. } => None,
    }
}

pub(super) fn connected(client: ClientId, peer: SocketAddr) {
    tracing::info!(target: "audit", client = client.0, peer = %plain(peer), "connected");
}

/// Somebody got in, without a password where there is none.
pub(super) fn logged_in(who: &Identity, attempt: &Attempt) {
    tracing::info!(
        target: "audit",
        client = who.client.0,
        peer = %plain(who.peer),
        security = attempt.security,
        role = %who.role,
        user = who.user.as_deref().map(chosen),
        "logged in"
    );
}

/// A wrong password, or a user that there is not.
pub(super) fn login_failed(
    client: ClientId,
    peer: SocketAddr,
    attempt: &Attempt,
    why: &dyn fmt::Display,
) {
    tracing::warn!(
        target: "audit",
        client = client.0,
        peer = %plain(peer),
        security = attempt.security,
        reason = chosen(&why.to_string()),
        user = attempt.user.as_deref().map(chosen),
        "login failed"
    );
}

pub(super) fn disconnected(
    client: ClientId,
    peer: SocketAddr,
    lasted: Duration,
    why: &dyn fmt::Display,
) {
    tracing::info!(
        target: "audit",
        client = client.0,
        peer = %plain(peer),
        seconds = lasted.as_secs(),
        reason = chosen(&why.to_string()),
        "disconnected"
    );
}

/// Of those who are in, only `holder` types and points from now on; nobody does, if there is none.
pub(super) fn control(holder: Option<&Identity>) {
    match holder {
        Some(who) => tracing::info!(
            target: "audit",
            client = who.client.0,
            peer = %plain(who.peer),
            user = who.user.as_deref().map(chosen),
            "has control"
        ),
        None => tracing::info!(target: "audit", "nobody has control"),
    }
}

/// An operator lets a client only watch, or no longer so.
pub(super) fn view_only(who: &Identity, view_only: bool) {
    tracing::info!(
        target: "audit",
        client = who.client.0,
        peer = %plain(who.peer),
        view_only,
        user = who.user.as_deref().map(chosen),
        "view-only"
    );
}

/// An operator sends a client away.
pub(super) fn kicked(who: &Identity, reason: Option<&str>) {
    tracing::info!(
        target: "audit",
        client = who.client.0,
        peer = %plain(who.peer),
        reason = reason.map(chosen),
        user = who.user.as_deref().map(chosen),
        "kicked"
    );
}

/// Without a scope, and IPv4 as such: as firewalls know it.
fn plain(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

/// What somebody else wrote, so that it stays one word of one line. It is quoted where it is logged.
fn chosen(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use rfb::security::secret::Secret;

    use super::*;
    use crate::access::{Denied, Role};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(what: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = crate::logging::plain(move || writer.clone());
        tracing::subscriber::with_default(log, what);
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    fn attempt(user: &str) -> Attempt {
        let login = Login::Password {
            user: Some(user.to_owned()),
            password: Secret::new(b"swordfish".to_vec()),
        };
        Attempt::new(Some(SecurityType::X509Plain), &login)
    }

    const PEER: ([u8; 4], u16) = ([192, 0, 2, 7], 40_000);

    #[test]
    fn each_event_is_a_line_of_stable_words() {
        let client = ClientId(3);
        let who = Identity {
            client,
            peer: PEER.into(),
            user: Some("alice".into()),
            role: Role::Control,
        };
        let text = logged(|| {
            connected(client, PEER.into());
            logged_in(&who, &attempt("alice"));
            logged_in(
                &Identity {
                    user: None,
                    ..who.clone()
                },
                &Attempt::new(Some(SecurityType::None), &Login::Anonymous),
            );
            login_failed(client, PEER.into(), &attempt("bob"), &Denied::WrongPassword);
            control(Some(&who));
            control(None);
            view_only(&who, true);
            kicked(&who, Some("a\nbench"));
            disconnected(
                client,
                PEER.into(),
                Duration::from_millis(2_900),
                &"it went",
            );
        });
        assert_eq!(
            text,
            " INFO audit: connected client=3 peer=192.0.2.7:40000\n \
             INFO audit: logged in client=3 peer=192.0.2.7:40000 security=\"X509Plain\" role=control user=\"alice\"\n \
             INFO audit: logged in client=3 peer=192.0.2.7:40000 security=\"None\" role=control\n \
             WARN audit: login failed client=3 peer=192.0.2.7:40000 security=\"X509Plain\" reason=\"Wrong password.\" user=\"bob\"\n \
             INFO audit: has control client=3 peer=192.0.2.7:40000 user=\"alice\"\n \
             INFO audit: nobody has control\n \
             INFO audit: view-only client=3 peer=192.0.2.7:40000 view_only=true user=\"alice\"\n \
             INFO audit: kicked client=3 peer=192.0.2.7:40000 reason=\"a\\nbench\" user=\"alice\"\n \
             INFO audit: disconnected client=3 peer=192.0.2.7:40000 seconds=2 reason=\"it went\"\n"
        );
    }

    /// Nobody writes lines about others.
    #[test]
    fn what_a_peer_chose_stays_in_its_quotes() {
        let name = "x\n WARN audit: login failed client=1 peer=192.0.2.99:1 \u{1b}[2J\" \u{202e}";
        let text = logged(|| {
            login_failed(
                ClientId(1),
                PEER.into(),
                &attempt(name),
                &Denied::WrongPassword,
            );
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with(" WARN audit: login failed client=1 peer=192.0.2.7:40000 "));
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        let long = "a".repeat(1000);
        let text = logged(|| {
            login_failed(
                ClientId(1),
                PEER.into(),
                &attempt(&long),
                &Denied::WrongPassword,
            );
        });
        assert!(text.len() < 250, "{text}");
    }

    #[test]
    fn addresses_are_as_firewalls_know_them() {
        let text = |peer: &str| logged(|| connected(ClientId(1), peer.parse().expect("one")));
        assert!(text("[::ffff:192.0.2.7]:1").contains("peer=192.0.2.7:1\n"));
        assert!(text("[fe80::1%3]:1").contains("peer=[fe80::1]:1\n"));
    }
}

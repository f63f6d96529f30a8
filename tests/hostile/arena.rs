//! A guarded rfbridge, its screen, and the good client in front of it.

use std::{fs, sync::LazyLock, time::Duration};

use rfb::security::vnc_auth::Password;

use crate::{
    good::GoodClient,
    screen::Screen,
    server::{self, Server},
    viewer::{Socket, Viewer},
};

pub const PASSWORD: &[u8] = b"letmein!";
/// What is offered: neither X509None nor None.
const TYPES: &str = "X509Vnc,X509Plain,RA2,RA2ne,RA2_256,RA2ne_256,VncAuth";

/// The host key of all servers: it takes a while to make one.
static HOST_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a temporary directory");
    server::host_key(dir.path());
    fs::read(dir.path().join(server::HOST_KEY)).expect("a key")
});

/// What the server uses.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub rss_kib: u64,
    /// The most that it ever was.
    pub peak_kib: u64,
    pub files: usize,
    pub threads: usize,
}

impl Usage {
    pub fn of(server: &Server) -> Self {
        let proc = format!("/proc/{}", server.pid());
        let status = fs::read_to_string(format!("{proc}/status")).expect("it runs");
        let number = |name: &str| {
            let rest = status.lines().find_map(|line| line.strip_prefix(name));
            let value = rest.and_then(|rest| rest.split_whitespace().next());
            value
                .and_then(|value| value.parse().ok())
                .expect("a number")
        };
        Self {
            rss_kib: number("VmRSS:"),
            peak_kib: number("VmHWM:"),
            files: fs::read_dir(format!("{proc}/fd")).expect("it runs").count(),
            threads: usize::try_from(number("Threads:")).expect("not that many"),
        }
    }
}

pub struct Arena {
    /// Ends before its server.
    pub good: GoodClient,
    pub server: Server,
}

impl Arena {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With more flags.
    pub fn with(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let screen = Screen::new(dir.path());
        let server = guarded(dir, &screen, flags);
        let viewer = log_in(Socket::connect(server.address));
        Self {
            good: GoodClient::watch(screen, viewer),
            server,
        }
    }

    /// What the server uses once no more files are open than `before`: when everybody else is gone.
    pub fn at_rest(&self, before: Option<Usage>) -> Usage {
        self.server.wait_for("descriptors to be closed", |server| {
            let now = Usage::of(server);
            before
                .is_none_or(|before| now.files <= before.files)
                .then_some(now)
        })
    }

    /// The good client's worst latency since this was asked last, at least one picture, and how many they were.
    pub fn worst(&self) -> (Duration, usize) {
        let latencies = self.good.latencies();
        (
            latencies.iter().max().copied().unwrap_or_default(),
            latencies.len(),
        )
    }
}

/// A server with a password, a certificate and a host key, whose reports go nowhere but into its record.
pub fn guarded(dir: tempfile::TempDir, screen: &Screen, flags: &[&str]) -> Server {
    let password = std::str::from_utf8(PASSWORD).expect("UTF-8");
    let [flag, password] = server::password(dir.path(), password);
    let [certificate, key] = server::certificate(dir.path());
    let host_key = dir.path().join(server::HOST_KEY);
    server::write_secret(&host_key, &*HOST_KEY);
    let (host_key, source) = (host_key.display().to_string(), screen.source());
    let mut arguments = vec![
        "serve",
        "--source",
        &source,
        "--sink",
        "null",
        &flag,
        &password,
        &certificate,
        &key,
        "--security-host-key",
        &host_key,
        "--security-types",
        TYPES,
        "--web-listen",
        "127.0.0.1:0",
    ];
    arguments.extend(flags);
    Server::start_in(dir, &arguments)
}

/// Logs in with VncAuth, whatever else is offered.
pub fn log_in(mut socket: Socket) -> Viewer {
    let offered = socket.greet();
    assert!(offered.contains(&2), "{offered:?}");
    socket.send(&[2]);
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(PASSWORD).respond(&challenge));
    assert_eq!(socket.read(4), [0; 4], "the password is accepted");
    Viewer::init(socket)
}

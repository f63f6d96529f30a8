//! TCP listeners.

use std::{io, net::SocketAddr, os::fd::OwnedFd, time::Duration};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A peer that vanished without a word is noticed after this time and three more probes.
const KEEPALIVE: Duration = Duration::from_secs(30);
const PROBE: Duration = Duration::from_secs(10);
/// Bytes that the kernel may hold unsent: a frame that waits there can no longer be replaced by a newer one.
const UNSENT: u32 = 32 * 1024;
/// Time for others to give back file descriptors or memory.
const PAUSE: Duration = Duration::from_millis(500);

/// Trouble that lasts is logged no more often than this.
const QUIET: Duration = Duration::from_secs(60);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", remedy(*address, error, flag))]
pub struct ListenError {
    pub address: SocketAddr,
    /// What chooses another.
    pub flag: &'static str,
    pub error: io::Error,
}

fn remedy(address: SocketAddr, error: &io::Error, flag: &str) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is in use by another process (see it with: ss -ltnp 'sport = :{port}'); \
             stop that one or choose another port with {flag} ADDR:PORT"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine has no such address; choose one of its own with {flag} ADDR:PORT (see them with: ip address)"
            )
        }
        io::ErrorKind::PermissionDenied => format!(
            "port {port} may only be used with CAP_NET_BIND_SERVICE; choose one from 1024 on with {flag} ADDR:PORT"
        ),
        _ => format!("{error}; choose another with {flag} ADDR:PORT"),
    }
}

/// A bound socket; clients that connect wait in its queue.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`, which was chosen with `flag`; port 0 takes a free one. Must be called inside a tokio runtime.
    pub fn bind(address: SocketAddr, flag: &'static str) -> Result<Self, ListenError> {
        let (socket, address) = open(address).map_err(|error| ListenError {
            address,
            flag,
            error,
        })?;
        Ok(Self { socket, address })
    }

    /// A socket that is bound and listens already. Must be called inside a tokio runtime.
    pub fn adopt(socket: OwnedFd) -> io::Result<Self> {
        let socket = std::net::TcpListener::from(socket);
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The address with the port that is really used.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands over every connection until `stop`.
    pub async fn accept(
        self,
        stop: CancellationToken,
        mut take: impl FnMut(TcpStream, SocketAddr),
    ) {
        let mut warned: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    prepare(&stream);
                    take(stream, peer);
                }
                Err(error) if is_about_the_peer(&error) => {}
                Err(error) => {
                    if warned.is_none_or(|at| at.elapsed() >= QUIET) {
                        warned = Some(Instant::now());
                        tracing::warn!(
                            listener = %self.address,
                            %error,
                            "cannot accept connections for now; trying again"
                        );
                    }
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            }
        }
    }
}

fn open(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // So that 0.0.0.0 and [::] can be listened on side by side.
        socket.set_only_v6(true)?;
    }
    // Connections of the process before this one may still be closing.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    let socket = TcpListener::from_std(socket.into())?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Errors that accept(2) passes on from a connection that is gone already.
fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::Interrupted | Kind::TimedOut
    )
}

/// Sets what every connection should have. A socket that refuses works all the same, only less well.
pub(super) fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(PROBE)
        .with_retries(3);
    let results = [
        stream.set_nodelay(true),
        socket.set_tcp_keepalive(&keepalive),
        socket.set_tcp_notsent_lowat(UNSENT),
    ];
    for error in results.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a socket option was not taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn port_zero_gives_a_real_one_and_a_used_one_is_explained() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), "--listen").expect("a free port");
        let address = listener.address();
        assert_ne!(address.port(), 0);
        let error = Listener::bind(address, "--listen")
            .expect_err("in use")
            .to_string();
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(error.contains("--listen"), "{error}");
    }

    #[tokio::test]
    async fn a_foreign_address_is_explained() {
        let error = Listener::bind(([192, 0, 2, 1], 0).into(), "--listen").expect_err("not ours");
        assert!(error.to_string().contains("no such address"), "{error}");
    }
}

//! The other end of the control socket: for commands such as `rfbridge type`.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use serde::de::DeserializeOwned;
use tokio::{
    io::AsyncWriteExt as _,
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{
    lines::{LineError, Lines},
    plain,
    protocol::Request,
};

/// Longest answer.
const LINE: usize = 1 << 20;

/// A connection to a running server.
#[derive(Debug)]
pub struct Client {
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// Why no server was reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "no running rfbridge answers at {0}; start one with `rfbridge serve`, or name its socket with --socket PATH"
    )]
    NoServer(String),
    #[error(
        "the control socket {} may not be used by this user; run this as root, as the user that rfbridge runs as, or as a member of the socket's group",
        .0.display()
    )]
    NotAllowed(PathBuf),
}

impl Client {
    /// Connects to the first of these sockets at which somebody answers.
    pub async fn connect(places: &[PathBuf]) -> Result<Self, ConnectError> {
        let mut tried = Vec::new();
        let mut denied = None;
        for place in places {
            match UnixStream::connect(place).await {
                Ok(stream) => {
                    let (reader, writer) = stream.into_split();
                    let lines = Lines::new(reader, LINE);
                    return Ok(Self { lines, writer });
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    denied.get_or_insert(place);
                }
                Err(error) => tried.push(format!("{} ({})", place.display(), plain(&error))),
            }
        }
        Err(match denied {
            Some(place) => ConnectError::NotAllowed(place.clone()),
            None => ConnectError::NoServer(tried.join(" or ")),
        })
    }

    pub async fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.writer.write_all(&line).await
    }

    /// The next line of an answer; `None` if the server ended the connection. Cancel-safe.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        match self.lines.next().await {
            Ok(None) => Ok(None),
            Ok(Some(line)) => Ok(Some(serde_json::from_slice(&line)?)),
            Err(LineError::Io(error)) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
            Err(LineError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

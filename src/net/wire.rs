//! The stream under a session, which can become an encrypted one while the session goes on.

use std::io;

use rfb::security::Upgrade;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_rustls::rustls::ServerConnection;

use super::sealed::Sealed;
use crate::identity::{TLS_BUFFER, Tls};

/// What a session can run over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// A stream whose two directions are used side by side.
pub(super) struct Wire {
    pub(super) reader: ReadHalf<Box<dyn Stream>>,
    pub(super) writer: WriteHalf<Box<dyn Stream>>,
}

/// Why a stream did not become what the client had chosen.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpgradeError {
    #[error("no TLS session with the client: {0}")]
    Tls(io::Error),
    #[error("TLS was offered without a certificate")]
    NoCertificate,
}

impl Wire {
    pub(super) fn new(stream: impl Stream) -> Self {
        Self::over(Box::new(stream))
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader, writer }
    }

    /// Makes the stream what the client chose. What was written must have been flushed. After an error, or dropped
    /// before it is ready, the connection is gone.
    pub(super) async fn upgrade(
        &mut self,
        upgrade: Upgrade,
        tls: Option<&Tls>,
    ) -> Result<(), UpgradeError> {
        let Self { reader, writer } = std::mem::replace(self, Self::new(tokio::io::empty()));
        let stream = reader.unsplit(writer);
        *self = match upgrade {
            Upgrade::Tls => {
                let acceptor = tls.ok_or(UpgradeError::NoCertificate)?.acceptor();
                let limited = |session: &mut ServerConnection| {
                    session.set_buffer_limit(Some(TLS_BUFFER));
                };
                let accepted = acceptor.accept_with(stream, limited).await;
                Self::new(accepted.map_err(UpgradeError::Tls)?)
            }
            Upgrade::RsaAes {
                sealer,
                opener,
                received,
            } => Self::new(Sealed::new(stream, sealer, opener, received)),
        };
        Ok(())
    }
}

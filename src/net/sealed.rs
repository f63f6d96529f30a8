//! A stream whose bytes travel in the encrypted messages of RSA-AES.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rfb::{
    security::rsa_aes::{MOST, Opener, Sealer},
    wire::Reader,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at once: the largest message that there can be fits.
const ROOM: usize = 2 + u16::MAX as usize + 16;

/// Encrypts what is written and decrypts what is read.
pub(super) struct Sealed<S> {
    stream: S,
    sealer: Sealer,
    opener: Opener,
    /// Encrypted and not written yet: one message at most.
    outgoing: Vec<u8>,
    written: usize,
    /// Received and not a whole message yet.
    incoming: Vec<u8>,
    /// Decrypted and not read yet.
    plain: Vec<u8>,
    read: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sealed<S> {
    /// `received` came over the stream already.
    pub(super) fn new(stream: S, sealer: Sealer, opener: Opener, received: Vec<u8>) -> Self {
        Self {
            stream,
            sealer,
            opener,
            outgoing: Vec::new(),
            written: 0,
            incoming: received,
            plain: Vec::new(),
            read: 0,
        }
    }

    /// Writes what is encrypted.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.outgoing.get(self.written..) {
            let n = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n;
        }
        self.outgoing.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Decrypts a message if there is a whole one.
    fn open(&mut self) -> io::Result<bool> {
        let mut reader = Reader::new(&self.incoming);
        let Ok(opened) = self.opener.open(&mut reader) else {
            return Ok(false);
        };
        self.plain = opened.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.read = 0;
        let consumed = reader.consumed();
        self.incoming.drain(..consumed);
        Ok(true)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Sealed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if let Some(rest @ [_, ..]) = this.plain.get(this.read..) {
                let n = rest.len().min(to.remaining());
                to.put_slice(rest.get(..n).unwrap_or_default());
                this.read += n;
                return Poll::Ready(Ok(()));
            }
            // A message may be empty.
            if this.open()? {
                continue;
            }
            let mut bytes = [0; 4096];
            let most = (ROOM - this.incoming.len()).min(bytes.len());
            let mut buffer = ReadBuf::new(bytes.get_mut(..most).unwrap_or_default());
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return match this.incoming.is_empty() {
                    true => Poll::Ready(Ok(())),
                    false => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                };
            }
            this.incoming.extend_from_slice(buffer.filled());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Sealed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_drain(context))?;
        let part = bytes.get(..bytes.len().min(MOST)).unwrap_or_default();
        this.sealer.seal(part, &mut this.outgoing);
        // It is taken; how much of it leaves at once is for the next call and for flush.
        match this.poll_drain(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(part.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use rfb::security::{rsa_aes::Strength, secret::Secret};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn keys(strength: Strength) -> [(Sealer, Opener); 2] {
        let [one, other] = [1, 2].map(|byte| Secret::new(vec![byte; strength.bytes()]));
        [strength.keys(&one, &other), strength.keys(&other, &one)]
    }

    #[tokio::test]
    async fn what_is_written_is_read_however_narrow_the_stream_is() {
        let sent: Vec<u8> = (0..50_000u32).map(|n| (n * 7) as u8).collect();
        for strength in [Strength::Aes128, Strength::Aes256] {
            for width in [1, 7, 4096] {
                let (near, far) = duplex(width);
                let [(sealer, opener), (far_sealer, far_opener)] = keys(strength);
                let mut near = Sealed::new(near, sealer, opener, Vec::new());
                let mut early = Vec::new();
                let mut far_sealer = far_sealer;
                far_sealer.seal(b"early", &mut early);
                near.incoming = early;
                let mut far = Sealed::new(far, far_sealer, far_opener, Vec::new());
                let write = async {
                    near.write_all(&sent).await.expect("a reader");
                    near.shutdown().await.expect("a reader");
                };
                let mut received = Vec::new();
                let (_, read) = tokio::join!(write, far.read_to_end(&mut received));
                read.expect("a whole stream");
                assert_eq!(received, sent);
                let mut early = [0; 5];
                near.read_exact(&mut early).await.expect("it was there");
                assert_eq!(early, *b"early");
            }
        }
    }

    #[tokio::test]
    async fn a_changed_byte_or_a_message_again_ends_the_stream() {
        let [(mut sealer, _), (far_sealer, far_opener)] = keys(Strength::Aes128);
        let mut message = Vec::new();
        sealer.seal(b"key", &mut message);
        let twice = [message.clone(), message.clone()].concat();
        let mut changed = message.clone();
        changed[3] ^= 1;
        for (bytes, whole) in [(twice, true), (changed, false)] {
            let (far, _near) = duplex(64);
            let mut far = Sealed::new(far, far_sealer.clone(), far_opener.clone(), bytes);
            let mut read = [0; 3];
            if whole {
                far.read_exact(&mut read).await.expect("the first");
            }
            let error = far.read(&mut read).await.expect_err("not the peer's");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}

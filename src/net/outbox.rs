//! Bytes on their way to one client.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// What is not written yet, in the order in which it has to be.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<(Kind, Bytes)>,
    /// Control bytes in the queue.
    control: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Control,
    Update,
}

impl Outbox {
    /// A client that lets so many answers lie is not read from any more.
    const CONTROL_LIMIT: usize = 64 * 1024;
    /// Most pieces that are handed to the system in one call.
    const AT_ONCE: usize = 16;

    /// Handshake messages, fence echoes and the like.
    pub(super) fn push_control(&mut self, bytes: Bytes) {
        self.control += bytes.len();
        self.push(Kind::Control, bytes);
    }

    /// A picture, in pieces. The caller sees to it that there is one at most.
    pub(super) fn push_update(&mut self, pieces: Vec<Bytes>) {
        for bytes in pieces {
            self.push(Kind::Update, bytes);
        }
    }

    fn push(&mut self, kind: Kind, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back((kind, bytes));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether reading has to wait until the client has taken its answers. Updates do not count:
    /// keys must not wait behind a picture on a slow line.
    pub(super) fn is_full(&self) -> bool {
        self.control >= Self::CONTROL_LIMIT
    }

    /// Writes what comes next, as much of it as `writer` takes at once. What was written must be told to
    /// [`Outbox::written`]. Cancel-safe: dropped before it is ready, nothing was written.
    pub(super) async fn write_to(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); Self::AT_ONCE];
        let mut count = 0;
        for (slice, (_, bytes)) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        writer
            .write_vectored(slices.get(..count).unwrap_or_default())
            .await
    }

    /// Takes note that the first `n` bytes were written.
    pub(super) fn written(&mut self, mut n: usize) {
        while let Some((kind, bytes)) = self.queue.front_mut() {
            let part = n.min(bytes.len());
            if *kind == Kind::Control {
                self.control -= part;
            }
            bytes.advance(part);
            n -= part;
            if !bytes.is_empty() {
                return;
            }
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use super::*;

    /// Takes no more than so many bytes at once.
    struct Narrow(usize, Vec<u8>);

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let part = bytes.len().min(self.0);
            self.1.extend_from_slice(&bytes[..part]);
            Poll::Ready(Ok(part))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all = slices.iter().flat_map(|slice| slice.iter().copied());
            let before = self.1.len();
            let most = self.0;
            self.1.extend(all.take(most));
            Poll::Ready(Ok(self.1.len() - before))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn order_is_kept_however_much_is_taken_at_once() {
        for width in 1..8 {
            let mut outbox = Outbox::default();
            outbox.push_control(Bytes::from_static(b"ab"));
            outbox.push_control(Bytes::new());
            outbox.push_update(vec![Bytes::from_static(b"cd"), Bytes::from_static(b"e")]);
            outbox.push_control(Bytes::from_static(b"f"));
            let mut narrow = Narrow(width, Vec::new());
            while !outbox.is_empty() {
                let n = outbox.write_to(&mut narrow).await.expect("room");
                outbox.written(n);
            }
            assert_eq!(narrow.1, b"abcdef");
            assert_eq!(outbox.control, 0);
        }
    }

    #[test]
    fn only_control_bytes_stop_the_reader() {
        let mut outbox = Outbox::default();
        outbox.push_update(vec![vec![0; 8 << 20].into()]);
        assert!(!outbox.is_full());
        outbox.push_control(vec![0; 64 * 1024].into());
        assert!(outbox.is_full());
        outbox.written(8 << 20);
        assert!(outbox.is_full());
        outbox.written(1);
        assert!(!outbox.is_full());
    }
}

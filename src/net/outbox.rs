//! Bytes on their way to one client.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::io::AsyncWrite;

/// What is not written yet, in the order in which it has to be.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<(Kind, Bytes)>,
    /// Control bytes in the queue.
    control: usize,
    /// The writer may hold some of what it took; TLS does.
    unflushed: bool,
}

/// What a writer took, to be told to [`Outbox::written`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    bytes: usize,
    /// Nothing of it lies in the writer.
    flushed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Control,
    Update,
}

impl Taken {
    /// How many bytes it took.
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }
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

    /// Whether everything has left for the client.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Whether reading has to wait until the client has taken its answers. Updates do not count:
    /// keys must not wait behind a picture on a slow line.
    pub(super) fn is_full(&self) -> bool {
        self.control >= Self::CONTROL_LIMIT
    }

    /// Writes what comes next, as much of it as `writer` takes at once. What it took must be told to
    /// [`Outbox::written`]. Cancel-safe: dropped before it is ready, nothing was written.
    pub(super) async fn write_to(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<Taken> {
        poll_fn(|context| self.poll_write(Pin::new(&mut *writer), context)).await
    }

    fn poll_write(
        &self,
        mut writer: Pin<&mut impl AsyncWrite>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Taken>> {
        if self.queue.is_empty() {
            ready!(writer.poll_flush(context))?;
            let flushed = true;
            return Poll::Ready(Ok(Taken { bytes: 0, flushed }));
        }
        let mut slices = [IoSlice::new(&[]); Self::AT_ONCE];
        let mut count = 0;
        for (slice, (_, bytes)) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        let slices = slices.get(..count).unwrap_or_default();
        let bytes = ready!(writer.as_mut().poll_write_vectored(context, slices))?;
        if bytes == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let flushed = match writer.poll_flush(context) {
            Poll::Ready(result) => result.map(|()| true)?,
            Poll::Pending => false,
        };
        Poll::Ready(Ok(Taken { bytes, flushed }))
    }

    /// Takes note of what was written.
    pub(super) fn written(&mut self, taken: Taken) {
        self.unflushed = !taken.flushed;
        let mut n = taken.bytes;
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
                let taken = outbox.write_to(&mut narrow).await.expect("room");
                outbox.written(taken);
            }
            assert_eq!(narrow.1, b"abcdef");
            assert_eq!(outbox.control, 0);
        }
    }

    /// As TLS does: what is written lies there until it is flushed.
    #[tokio::test]
    async fn nothing_is_left_in_a_writer_that_holds_back() {
        let mut outbox = Outbox::default();
        outbox.push_control(Bytes::from_static(b"abc"));
        let (near, mut far) = tokio::io::duplex(1);
        let mut near = tokio::io::BufWriter::new(near);
        let taken = outbox.write_to(&mut near).await.expect("room");
        outbox.written(taken);
        assert!(!outbox.is_empty(), "all was taken and one byte is through");
        let rest = async {
            while !outbox.is_empty() {
                let taken = outbox.write_to(&mut near).await.expect("room");
                outbox.written(taken);
            }
        };
        let mut read = [0; 3];
        let (_, arrived) = tokio::join!(
            rest,
            tokio::io::AsyncReadExt::read_exact(&mut far, &mut read)
        );
        arrived.expect("three bytes");
        assert_eq!(read, *b"abc");
    }

    #[test]
    fn only_control_bytes_stop_the_reader() {
        let mut outbox = Outbox::default();
        outbox.push_update(vec![vec![0; 8 << 20].into()]);
        assert!(!outbox.is_full());
        outbox.push_control(vec![0; 64 * 1024].into());
        assert!(outbox.is_full());
        outbox.written(Taken {
            bytes: 8 << 20,
            flushed: true,
        });
        assert!(outbox.is_full());
        outbox.written(Taken {
            bytes: 1,
            flushed: true,
        });
        assert!(!outbox.is_full());
    }
}

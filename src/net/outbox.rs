//! Bytes on their way to one client.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};

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

    /// Handshake messages, fence echoes and the like.
    pub(super) fn push_control(&mut self, bytes: Bytes) {
        self.control += bytes.len();
        self.push(Kind::Control, bytes);
    }

    /// A picture. The caller sees to it that there is one at most.
    pub(super) fn push_update(&mut self, bytes: Bytes) {
        self.push(Kind::Update, bytes);
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

    /// What to write next; empty if there is nothing.
    pub(super) fn next(&self) -> &[u8] {
        self.queue.front().map_or(&[], |(_, bytes)| bytes)
    }

    /// Takes note that `n` bytes of [`Outbox::next`] were written.
    pub(super) fn written(&mut self, n: usize) {
        let Some((kind, bytes)) = self.queue.front_mut() else {
            return;
        };
        let n = n.min(bytes.len());
        if *kind == Kind::Control {
            self.control -= n;
        }
        bytes.advance(n);
        if bytes.is_empty() {
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_over_partial_writes() {
        let mut outbox = Outbox::default();
        outbox.push_control(Bytes::from_static(b"ab"));
        outbox.push_control(Bytes::new());
        outbox.push_update(Bytes::from_static(b"cde"));
        outbox.push_control(Bytes::from_static(b"f"));
        let mut seen = Vec::new();
        while !outbox.is_empty() {
            seen.push(outbox.next()[0]);
            outbox.written(1);
        }
        assert_eq!(seen, b"abcdef");
        assert_eq!(outbox.next(), b"");
        assert!(!outbox.is_full());
    }

    #[test]
    fn only_control_bytes_stop_the_reader() {
        let mut outbox = Outbox::default();
        outbox.push_update(vec![0; 8 << 20].into());
        assert!(!outbox.is_full());
        outbox.push_control(vec![0; 64 * 1024].into());
        assert!(outbox.is_full());
        outbox.written(8 << 20);
        assert!(outbox.is_full());
        outbox.written(1);
        assert!(!outbox.is_full());
    }
}

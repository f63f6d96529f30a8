//! One slot between the source thread and the video thread: the newest picture wins.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rfb::geom::Size;

use super::SourceError;
use crate::video::{Captured, Colour, Layout};

/// A captured picture that owns its bytes.
pub(super) struct Picture {
    layout: Layout,
    size: Size,
    stride: usize,
    colour: Colour,
    bytes: Vec<u8>,
}

impl Picture {
    pub(super) fn captured(&self) -> Captured<'_> {
        Captured {
            layout: self.layout,
            size: self.size,
            stride: self.stride,
            colour: self.colour,
            bytes: &self.bytes,
        }
    }

    fn equals(&self, captured: &Captured<'_>) -> bool {
        (self.layout, self.size, self.stride, self.colour)
            == (
                captured.layout,
                captured.size,
                captured.stride,
                captured.colour,
            )
            && self.bytes == captured.bytes
    }
}

/// What the video thread takes.
pub(super) enum Post {
    Picture {
        picture: Arc<Picture>,
        /// Whether it is known to equal the picture taken before it.
        repeated: bool,
    },
    Trouble(SourceError),
}

#[derive(Default)]
pub(super) struct Mailbox {
    slot: Mutex<Slot>,
    filled: Condvar,
}

#[derive(Default)]
struct Slot {
    picture: Option<(Arc<Picture>, bool)>,
    trouble: Option<SourceError>,
    closed: bool,
}

impl Mailbox {
    /// The next thing to show, or `None` once the mailbox is closed. A picture that came before a
    /// trouble is taken before it.
    pub(super) fn take(&self) -> Option<Post> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if slot.closed {
                return None;
            }
            if let Some((picture, repeated)) = slot.picture.take() {
                return Some(Post::Picture { picture, repeated });
            }
            if let Some(trouble) = slot.trouble.take() {
                return Some(Post::Trouble(trouble));
            }
            slot = self
                .filled
                .wait(slot)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.change(|slot| slot.closed = true);
    }

    pub(super) fn put_trouble(&self, trouble: SourceError) {
        self.change(|slot| slot.trouble = Some(trouble));
    }

    fn change(&self, change: impl FnOnce(&mut Slot)) {
        change(&mut self.slot.lock().unwrap_or_else(PoisonError::into_inner));
        self.filled.notify_one();
    }
}

/// The source thread's end. It keeps the buffers, so that none is made for each picture.
pub(super) struct Sender {
    mailbox: Arc<Mailbox>,
    last: Option<Arc<Picture>>,
    spare: Vec<Arc<Picture>>,
}

/// One is waiting, one is being decoded.
const SPARES: usize = 2;

impl Sender {
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self {
            mailbox,
            last: None,
            spare: Vec::new(),
        }
    }

    /// Replaces the picture that waits, if any, and any trouble before it.
    pub(super) fn put(&mut self, captured: &Captured<'_>) {
        if let Some(last) = self.last.as_ref().filter(|last| last.equals(captured)) {
            self.mailbox.change(|slot| {
                slot.trouble = None;
                slot.picture.get_or_insert_with(|| (Arc::clone(last), true));
            });
            return;
        }
        let mut picture = self.buffer();
        picture.extend_from_slice(captured.bytes);
        let picture = Arc::new(Picture {
            layout: captured.layout,
            size: captured.size,
            stride: captured.stride,
            colour: captured.colour,
            bytes: picture,
        });
        let old = self.last.replace(Arc::clone(&picture));
        if self.spare.len() < SPARES {
            self.spare.extend(old);
        }
        self.mailbox.change(|slot| {
            slot.trouble = None;
            slot.picture = Some((picture, false));
        });
    }

    pub(super) fn put_trouble(&self, trouble: SourceError) {
        self.mailbox.put_trouble(trouble);
    }

    /// An empty buffer; that of a picture that nobody looks at any more, if there is one.
    fn buffer(&mut self) -> Vec<u8> {
        let free = self
            .spare
            .iter()
            .position(|spare| Arc::strong_count(spare) == 1);
        let mut bytes = free
            .and_then(|index| Arc::into_inner(self.spare.swap_remove(index)))
            .map_or_else(Vec::new, |picture| picture.bytes);
        bytes.clear();
        bytes
    }
}

//! One slot between the source thread and the video thread: the newest picture wins.

use std::{
    mem,
    sync::{Arc, PoisonError},
};

use bytes::Bytes;
use rfb::geom::Size;

use super::{Lent, SourceError, pool::Pool};
use crate::{
    sync::{Condvar, Mutex},
    video::{BadPicture, Captured, Colour, Layout, tolerance},
};

/// A captured picture that can be kept: its bytes are shared, never copied.
#[derive(Clone)]
pub(super) struct Picture {
    layout: Layout,
    size: Size,
    stride: usize,
    colour: Colour,
    bytes: Bytes,
}

impl Picture {
    fn new(captured: &Captured<'_>, bytes: Bytes) -> Self {
        Self {
            layout: captured.layout,
            size: captured.size,
            stride: captured.stride,
            colour: captured.colour,
            bytes,
        }
    }

    pub(super) fn captured(&self) -> Captured<'_> {
        Captured {
            layout: self.layout,
            size: self.size,
            stride: self.stride,
            colour: self.colour,
            bytes: &self.bytes,
        }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether `other` shows the same: equal bytes, or samples that differ by no more than
    /// `tolerance`. The bytes of a JPEG are no samples.
    fn is_shown_by(&self, other: &Captured<'_>, tolerance: u8) -> bool {
        let same_shape = (self.layout, self.size, self.stride, self.colour)
            == (other.layout, other.size, other.stride, other.colour);
        if !same_shape {
            return false;
        }
        match self.layout {
            Layout::Mjpeg => tolerance::equal(&self.bytes, other.bytes),
            _ => tolerance::within(tolerance, &self.bytes, other.bytes),
        }
    }
}

/// What the video thread takes.
pub(super) enum Post {
    Picture {
        picture: Picture,
        /// Whether it is known to equal the picture taken before it.
        repeated: bool,
    },
    /// So many of the pictures taken before have turned out to be damaged, the last for this reason.
    Damaged {
        reason: BadPicture,
        pictures: u64,
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
    picture: Option<(Picture, bool)>,
    trouble: Option<SourceError>,
    damaged: Option<(BadPicture, u64)>,
    /// Whether the last picture put is on show, so that nobody need be woken for the same again.
    is_settled: bool,
    /// How many such there were since something was taken last.
    repeats: u64,
    closed: bool,
}

impl Mailbox {
    /// The next thing to show, and how often what was shown before came again meanwhile; `None`
    /// once the mailbox is closed. A picture that came before a trouble is taken before it.
    ///
    /// `is_shown` tells whether what was taken last is a picture and was good. Until something else is put, the
    /// same picture is then only counted.
    pub(super) fn take(&self, is_shown: bool) -> Option<(Post, u64)> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if slot.closed {
                return None;
            }
            if let Some(post) = slot.take(is_shown) {
                return Some((post, mem::take(&mut slot.repeats)));
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
        self.change(|slot| {
            slot.trouble = Some(trouble);
            slot.is_settled = false;
        });
    }

    /// A picture that was taken has turned out to be damaged.
    pub(super) fn put_damaged(&self, reason: &BadPicture) {
        self.change(|slot| {
            let before = slot.damaged.take().map_or(0, |(_, pictures)| pictures);
            slot.damaged = Some((reason.clone(), before + 1));
            slot.is_settled = false;
        });
    }

    fn put(&self, picture: Picture) {
        self.change(|slot| {
            slot.trouble = None;
            slot.is_settled = false;
            slot.picture = Some((picture, false));
        });
    }

    /// `last` is the picture put last.
    fn put_again(&self, last: &Picture) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_settled {
            slot.repeats += 1;
            return;
        }
        slot.trouble = None;
        slot.picture.get_or_insert_with(|| (last.clone(), true));
        drop(slot);
        self.filled.notify_one();
    }

    fn change(&self, change: impl FnOnce(&mut Slot)) {
        change(&mut self.slot.lock().unwrap_or_else(PoisonError::into_inner));
        self.filled.notify_one();
    }
}

impl Slot {
    /// With nothing in the slot, what was taken last is what was put last: if it is shown, all is
    /// settled.
    fn take(&mut self, is_shown: bool) -> Option<Post> {
        if let Some((reason, pictures)) = self.damaged.take() {
            self.is_settled = false;
            return Some(Post::Damaged { reason, pictures });
        }
        let picture = self.picture.take();
        let post = picture
            .map(|(picture, repeated)| Post::Picture { picture, repeated })
            .or_else(|| self.trouble.take().map(Post::Trouble));
        self.is_settled = is_shown && post.is_none();
        post
    }
}

/// The source thread's end.
pub(super) struct Sender {
    mailbox: Arc<Mailbox>,
    /// By how much a sample may differ from the last picture put and count as equal.
    tolerance: u8,
    last: Option<Picture>,
    /// For the bytes of sources that do not share theirs.
    pool: Pool,
}

impl Sender {
    pub(super) fn new(mailbox: Arc<Mailbox>, tolerance: u8) -> Self {
        Self {
            mailbox,
            tolerance,
            last: None,
            pool: Pool::default(),
        }
    }

    /// Replaces the picture that waits, if any, and any trouble before it. The same picture again
    /// is compared, not copied, and wakes nobody while it is on show.
    pub(super) fn put(&mut self, lent: Lent<'_>) {
        let Lent { captured, shared } = lent;
        if let Some(last) = &self.last
            && last.is_shown_by(&captured, self.tolerance)
        {
            self.mailbox.put_again(last);
            return;
        }
        // Before a buffer is looked for: the last one's may be the one.
        self.last = None;
        let bytes = shared.unwrap_or_else(|| {
            let mut buffer = self.pool.buffer();
            buffer.clear();
            buffer.extend_from_slice(captured.bytes);
            self.pool.share(buffer)
        });
        let picture = Picture::new(&captured, bytes);
        self.last = Some(picture.clone());
        self.mailbox.put(picture);
    }

    pub(super) fn put_trouble(&self, trouble: SourceError) {
        self.mailbox.put_trouble(trouble);
    }
}

#[cfg(all(test, feature = "shuttle"))]
mod schedules;
#[cfg(test)]
mod tests;

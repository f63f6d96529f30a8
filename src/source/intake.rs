//! Bytes of a stream become whole pictures, read to where they stay.

use std::{mem, ops::Range};

use bytes::Bytes;

use super::{jpeg_stream::JpegStream, pool::Pool, raw_frame::RawFrame};

/// What a JPEG stream is read into at first: as much as a pipe holds at most. It grows with the
/// pictures.
const FIRST_ROOM: usize = 1024 * 1024;
/// Less than this is not worth a read.
const LEAST_ROOM: usize = 64 * 1024;

/// Collects a stream. No byte is copied but those of a picture that has begun while the one before
/// it is handed out. The same picture again is found out by one comparison, and its bytes are
/// dropped for the old ones.
pub(super) struct Intake {
    framing: Framing,
    pool: Pool,
    /// All of it can be read into; the first `filled` bytes have been.
    buffer: Vec<u8>,
    filled: usize,
    /// Where in `buffer` a picture is that is whole and newer than `last`.
    newest: Option<Range<usize>>,
    /// What was handed out last.
    last: Option<Bytes>,
}

/// How to tell where pictures end.
enum Framing {
    Jpeg(JpegStream),
    /// All have the same length.
    Raw {
        length: usize,
        filled: usize,
    },
}

impl Intake {
    pub(super) fn of_jpegs() -> Self {
        Self::new(Framing::Jpeg(JpegStream::default()))
    }

    pub(super) fn of_frames(frame: RawFrame) -> Self {
        Self::new(Framing::Raw {
            length: frame.length().max(1),
            filled: 0,
        })
    }

    fn new(framing: Framing) -> Self {
        Self {
            framing,
            pool: Pool::default(),
            buffer: Vec::new(),
            filled: 0,
            newest: None,
            last: None,
        }
    }

    /// The fewest bytes in which a whole picture could lie.
    pub(super) fn least(&self) -> usize {
        match self.framing {
            Framing::Jpeg(_) => 1,
            Framing::Raw { length, .. } => length,
        }
    }

    /// Where to read to. Never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.newest.is_none() && self.framing.pending() == 0 {
            self.filled = 0;
        }
        // Not into the next frame: it would have to be moved when this one is handed out.
        let (least, most) = match self.framing {
            Framing::Jpeg(_) => (LEAST_ROOM, usize::MAX),
            Framing::Raw { length, filled } => (length - filled, length - filled),
        };
        if self.buffer.len() - self.filled < least {
            self.make_room(least);
        }
        let end = self.filled.saturating_add(most).min(self.buffer.len());
        &mut self.buffer[self.filled..end]
    }

    /// Leaves out what nobody wants any more; if that is not enough, takes more memory.
    fn make_room(&mut self, least: usize) {
        let begun = self.filled - self.framing.pending();
        let start = self.newest.as_ref().map_or(begun, |newest| newest.start);
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        if let Some(newest) = &mut self.newest {
            *newest = newest.start - start..newest.end - start;
        }
        let need = self.filled + least;
        if self.buffer.is_empty() {
            // Fresh pages, untouched.
            self.buffer = vec![0; need.max(self.framing.first_room())];
        } else if self.buffer.len() < need {
            self.buffer.resize(need.max(self.buffer.len() * 2), 0);
        }
    }

    /// Takes the first `count` bytes of the room, which have been read. Whether a picture became
    /// whole with them.
    pub(super) fn took(&mut self, count: usize) -> bool {
        let end = (self.filled + count).min(self.buffer.len());
        let mut is_new = self.took_last_again(end);
        while self.filled < end {
            let (taken, picture) = self.framing.feed(&self.buffer[self.filled..end]);
            self.filled += taken;
            if let Some(length) = picture {
                self.newest = Some(self.filled - length..self.filled);
                is_new = true;
            }
        }
        is_new
    }

    /// What begins like the last picture ends like it: so far there is nothing to look for in it.
    fn took_last_again(&mut self, end: usize) -> bool {
        let (Some(last), None, 0) = (&self.last, &self.newest, self.framing.pending()) else {
            return false;
        };
        let is_same = self.buffer[self.filled..end].starts_with(last);
        if is_same {
            self.filled += last.len();
        }
        is_same
    }

    /// The newest picture, if there has been one.
    pub(super) fn picture(&mut self) -> Option<&Bytes> {
        if let Some(newest) = self.newest.take()
            && self
                .last
                .as_ref()
                .is_none_or(|last| *last != self.buffer[newest.clone()])
        {
            self.last = Some(self.hand_out(newest));
        }
        self.last.as_ref()
    }

    fn hand_out(&mut self, newest: Range<usize>) -> Bytes {
        let begun = self.filled - self.framing.pending()..self.filled;
        let mut next = self.pool.buffer();
        if next.len() < begun.len() {
            next = vec![0; begun.len().max(self.framing.first_room())];
        }
        next[..begun.len()].copy_from_slice(&self.buffer[begun.clone()]);
        self.filled = begun.len();
        let full = mem::replace(&mut self.buffer, next);
        self.pool.share(full).slice(newest)
    }
}

impl Framing {
    /// As [`JpegStream::feed`].
    fn feed(&mut self, bytes: &[u8]) -> (usize, Option<usize>) {
        match self {
            Framing::Jpeg(stream) => stream.feed(bytes),
            Framing::Raw { length, filled } => {
                let taken = bytes.len().min(*length - *filled);
                *filled += taken;
                let is_whole = *filled == *length;
                if is_whole {
                    *filled = 0;
                }
                (taken, is_whole.then_some(*length))
            }
        }
    }

    /// As [`JpegStream::pending`].
    fn pending(&self) -> usize {
        match self {
            Framing::Jpeg(stream) => stream.pending(),
            Framing::Raw { filled, .. } => *filled,
        }
    }

    fn first_room(&self) -> usize {
        match self {
            Framing::Jpeg(_) => FIRST_ROOM,
            Framing::Raw { length, .. } => *length,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rfb::geom::Size;

    use super::*;
    use crate::video::Layout;

    /// A JPEG as far as a stream is concerned.
    fn jpeg(fill: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xda, 0, 2];
        bytes.resize(length - 2, fill);
        bytes.extend([0xff, 0xd9]);
        bytes
    }

    /// Reads `bytes`, at most `most` at a time; the pictures handed out when `looks` says so, and
    /// at the end.
    fn pictures(intake: &mut Intake, mut bytes: &[u8], most: usize, looks: bool) -> Vec<Bytes> {
        let mut pictures = Vec::new();
        let mut is_new = false;
        while !bytes.is_empty() {
            let room = intake.room();
            let count = room.len().min(most).min(bytes.len());
            assert!(count > 0);
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            is_new |= intake.took(count);
            if is_new && (looks || bytes.is_empty()) {
                pictures.extend(intake.picture().cloned());
                is_new = false;
            }
        }
        pictures
    }

    #[test]
    fn jpegs_come_out_whole_however_they_are_cut() {
        let sent = [
            jpeg(1, 20),
            jpeg(2, 3_000_000),
            jpeg(3, 70_000),
            jpeg(4, 8),
            jpeg(5, 5_000_000),
        ];
        let stream = [sent[0].as_slice(), b"garbage", &sent[1..].concat()].concat();
        for most in [7_001, 65_536, 100_000] {
            let mut intake = Intake::of_jpegs();
            let got = pictures(&mut intake, &stream, most, true);
            // Of those that end in one read only the last is wanted.
            assert!(
                got.iter().all(|got| sent.iter().any(|sent| got == sent)),
                "{most}"
            );
            assert_eq!(got.last().unwrap(), &sent[4]);
        }
        let mut intake = Intake::of_jpegs();
        assert!(pictures(&mut intake, &stream, 7, true) == sent);
    }

    #[test]
    fn the_newest_one_is_handed_out_and_the_next_one_goes_on() {
        let (old, new, next) = (jpeg(1, 900_000), jpeg(2, 800_000), jpeg(3, 700_000));
        let mut intake = Intake::of_jpegs();
        let stream = [old.as_slice(), &new, &next[..600_000]].concat();
        assert!(pictures(&mut intake, &stream, usize::MAX, false) == [new.clone()]);
        assert_eq!(intake.picture(), Some(&Bytes::from(new)));
        assert!(pictures(&mut intake, &next[600_000..], usize::MAX, false) == [next]);
    }

    #[test]
    fn the_same_picture_again_is_the_old_bytes() {
        let (one, other) = (jpeg(1, 2_000_000), jpeg(2, 20_000));
        let stream = [&one[..], &one, b"garbage", &one, &one, &other, &other, &one].concat();
        for most in [70_000, 2_000_000, 2_000_100] {
            let mut intake = Intake::of_jpegs();
            let mut got = pictures(&mut intake, &stream, most, true);
            assert!(got.iter().all(|got| *got == one || *got == other), "{most}");
            got.dedup_by_key(|picture| picture.as_ptr());
            assert!(got == [one.clone(), other.clone(), one.clone()], "{most}");
        }
        // Buffers: what was handed out, and what is read into.
        let mut intake = Intake::of_jpegs();
        let first = pictures(&mut intake, &one, usize::MAX, true);
        // Now it has grown to what it needs.
        assert_eq!(pictures(&mut intake, &one, usize::MAX, true), first);
        let reads_to = intake.room().as_ptr();
        assert_eq!(pictures(&mut intake, &one, usize::MAX, true), first);
        assert_eq!(intake.room().as_ptr(), reads_to);
    }

    #[test]
    fn the_last_picture_again_behind_one_that_nobody_saw_is_the_newest() {
        let (one, other) = (jpeg(1, 100), jpeg(2, 100));
        let mut intake = Intake::of_jpegs();
        assert!(pictures(&mut intake, &one, 100, true) == [one.clone()]);
        let stream = [&other[..], &one].concat();
        assert!(pictures(&mut intake, &stream, 100, false) == [one]);
    }

    #[test]
    fn the_last_picture_as_the_thumbnail_of_the_next_one_is_only_that() {
        let thumbnail = jpeg(1, 100);
        let mut intake = Intake::of_jpegs();
        assert!(pictures(&mut intake, &thumbnail, 100, true) == [thumbnail.clone()]);
        let start = [0xff, 0xd8, 0xff, 0xe1, 0, 102];
        assert!(pictures(&mut intake, &start, 100, true).is_empty());
        let rest = [&thumbnail[..], &jpeg(2, 500)[2..]].concat();
        let whole = [&start[..], &rest].concat();
        assert!(pictures(&mut intake, &rest, 1000, true) == [whole]);
    }

    #[test]
    fn garbage_takes_no_memory() {
        let mut intake = Intake::of_jpegs();
        for _ in 0..100 {
            assert!(pictures(&mut intake, &[7; 100_000], usize::MAX, false).is_empty());
        }
        assert_eq!(intake.buffer.len(), FIRST_ROOM);
    }

    #[test]
    fn frames_are_cut_by_their_length_and_stay_where_they_were_read_to() {
        let frame = RawFrame {
            layout: Layout::Yuyv,
            size: Size::new(16, 16),
        };
        let mut intake = Intake::of_frames(frame);
        let stream: Vec<u8> = (0..512 * 30_usize).map(|i| (i / 512) as u8).collect();
        let mut addresses = HashSet::new();
        let mut last = Bytes::new();
        for (number, frame) in stream.chunks(512).enumerate() {
            for part in frame.chunks(200) {
                intake.room()[..part.len()].copy_from_slice(part);
                let is_whole = intake.took(part.len());
                assert_eq!(is_whole, intake.filled == 512);
            }
            // As the mailbox does: the last one is held until the next one is there.
            last = intake.picture().expect("a whole frame").clone();
            assert_eq!(last, [number as u8; 512].as_slice());
            addresses.insert(last.as_ptr());
        }
        drop(last);
        assert_eq!(addresses.len(), 3);
    }
}

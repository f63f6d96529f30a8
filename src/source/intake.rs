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
/// it is handed out.
pub(super) struct Intake {
    framing: Framing,
    pool: Pool,
    /// All of it can be read into; the first `filled` bytes have been.
    buffer: Vec<u8>,
    filled: usize,
    /// Where in `buffer` the newest whole picture is.
    newest: Option<Range<usize>>,
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
        let mut is_new = false;
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

    /// Hands out the newest whole picture, once.
    pub(super) fn picture(&mut self) -> Option<Bytes> {
        let newest = self.newest.take()?;
        let begun = self.filled - self.framing.pending()..self.filled;
        let mut next = self.pool.buffer();
        if next.len() < begun.len() {
            next = vec![0; begun.len().max(self.framing.first_room())];
        }
        next[..begun.len()].copy_from_slice(&self.buffer[begun.clone()]);
        self.filled = begun.len();
        let full = mem::replace(&mut self.buffer, next);
        Some(self.pool.share(full).slice(newest))
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

    /// Reads `bytes`, at most `most` at a time; the picture that is the newest after each read is
    /// handed out if `hand_out` says so.
    fn pictures(
        intake: &mut Intake,
        mut bytes: &[u8],
        most: usize,
        mut hand_out: impl FnMut() -> bool,
    ) -> Vec<Bytes> {
        let mut pictures = Vec::new();
        while !bytes.is_empty() {
            let room = intake.room();
            let count = room.len().min(most).min(bytes.len());
            assert!(count > 0);
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            intake.took(count);
            if hand_out() {
                pictures.extend(intake.picture());
            }
        }
        pictures.extend(intake.picture());
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
            let got = pictures(&mut intake, &stream, most, || true);
            // Of those that end in one read only the last is wanted.
            assert!(
                got.iter().all(|got| sent.iter().any(|sent| got == sent)),
                "{most}"
            );
            assert_eq!(got.last().unwrap(), &sent[4]);
        }
        let mut intake = Intake::of_jpegs();
        assert!(pictures(&mut intake, &stream, 7, || true) == sent);
    }

    #[test]
    fn the_newest_one_is_handed_out_and_the_next_one_goes_on() {
        let (old, new, next) = (jpeg(1, 900_000), jpeg(2, 800_000), jpeg(3, 700_000));
        let mut intake = Intake::of_jpegs();
        let stream = [old.as_slice(), &new, &next[..600_000]].concat();
        assert!(pictures(&mut intake, &stream, usize::MAX, || false) == [new]);
        assert!(intake.picture().is_none());
        assert!(pictures(&mut intake, &next[600_000..], usize::MAX, || false) == [next]);
    }

    #[test]
    fn garbage_takes_no_memory() {
        let mut intake = Intake::of_jpegs();
        for _ in 0..100 {
            assert!(pictures(&mut intake, &[7; 100_000], usize::MAX, || false).is_empty());
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
            last = intake.picture().expect("a whole frame");
            assert_eq!(last, [number as u8; 512].as_slice());
            addresses.insert(last.as_ptr());
        }
        drop(last);
        assert_eq!(addresses.len(), 3);
    }
}

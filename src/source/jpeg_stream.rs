//! Cuts a stream of concatenated JPEGs into pictures.

use super::MAX_PICTURE;

/// Fed any number of bytes at a time, it finds each picture from SOI to EOI. It keeps no bytes:
/// whoever feeds it keeps the last [`JpegStream::pending`] ones.
///
/// It goes from marker to marker as ITU-T T.81 B.1.1 has them, so what looks like an EOI inside a
/// thumbnail does not end a picture. After bytes that make no sense it looks for the next SOI.
#[derive(Debug, Default)]
pub struct JpegStream {
    state: State,
    /// Bytes of the picture so far.
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Looking for SOI; whether the last byte was 0xff.
    Seek(bool),
    /// A marker's 0xff must come.
    Marker,
    /// A marker's code must come; in a scan, 0 and restarts may.
    Code {
        in_scan: bool,
    },
    Length {
        code: u8,
    },
    LowLength {
        code: u8,
        high: u8,
    },
    Segment {
        code: u8,
        left: usize,
    },
    Scan,
}

impl Default for State {
    fn default() -> Self {
        State::Seek(false)
    }
}

impl JpegStream {
    /// Takes `bytes` up to the end of the first picture in them, or all. Returns how many were
    /// taken and, if a picture ended there, its length: it is the last so many bytes ever taken.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<usize>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.length >= MAX_PICTURE {
                self.restart(byte);
            }
            let rest = &bytes[at..];
            let run = match self.state {
                State::Segment { left, .. } => left.min(rest.len()),
                State::Scan => scan_data(rest),
                _ => 0,
            }
            .min(MAX_PICTURE - self.length.min(MAX_PICTURE));
            if run > 0 {
                self.length += run;
                if let State::Segment { code, left } = self.state {
                    self.state = in_segment(code, left - run);
                }
                at += run;
                continue;
            }
            at += 1;
            if self.step(byte) {
                self.state = State::Seek(false);
                return (at, Some(std::mem::take(&mut self.length)));
            }
        }
        (at, None)
    }

    /// How many of the bytes taken last belong, or may belong, to a picture that has not ended.
    pub fn pending(&self) -> usize {
        match self.state {
            State::Seek(after_ff) => usize::from(after_ff),
            _ => self.length,
        }
    }

    /// One byte outside of runs; whether it ended a picture.
    fn step(&mut self, byte: u8) -> bool {
        if let State::Seek(after_ff) = self.state {
            if after_ff && byte == 0xd8 {
                self.begin();
            } else {
                self.state = State::Seek(byte == 0xff);
            }
            return false;
        }
        self.length += 1;
        match (self.state, byte) {
            (State::Marker, 0xff) => self.state = State::Code { in_scan: false },
            (State::Scan, _) => self.state = State::Code { in_scan: true },
            (State::Code { .. }, 0xff) => {}
            (State::Code { .. }, 0xd8) => self.begin(),
            (State::Code { in_scan: true }, 0xd9) => return true,
            (State::Code { in_scan: true }, 0x00 | 0xd0..=0xd7) => self.state = State::Scan,
            (State::Code { .. }, 0x02..=0xcf | 0xda..=0xfe) => {
                self.state = State::Length { code: byte };
            }
            (State::Length { code }, high) => self.state = State::LowLength { code, high },
            (State::LowLength { code, high }, low) => {
                match usize::from(u16::from_be_bytes([high, low])).checked_sub(2) {
                    Some(left) => self.state = in_segment(code, left),
                    None => self.restart(byte),
                }
            }
            _ => self.restart(byte),
        }
        false
    }

    fn begin(&mut self) {
        self.length = 2;
        self.state = State::Marker;
    }

    fn restart(&mut self, byte: u8) {
        self.length = 0;
        self.state = State::Seek(byte == 0xff);
    }
}

/// How many bytes of a scan come before the first that needs a look: one that ends it, or the last
/// of `bytes` if what it means is still to come.
fn scan_data(bytes: &[u8]) -> usize {
    memchr::memchr_iter(0xff, bytes)
        .find(|&at| !matches!(bytes.get(at + 1), Some(0x00 | 0xd0..=0xd7)))
        .unwrap_or(bytes.len())
}

fn in_segment(code: u8, left: usize) -> State {
    match (code, left) {
        (0xda, 0) => State::Scan,
        (_, 0) => State::Marker,
        _ => State::Segment { code, left },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with a thumbnail (SOI and EOI inside) in its APP1 segment, fill bytes before a
    /// marker, a stuffed 0xff and a restart in its scan.
    fn jpeg(data: &[u8]) -> Vec<u8> {
        let thumbnail = [0xff, 0xd8, 1, 2, 0xff, 0xd9];
        let mut out = vec![0xff, 0xd8, 0xff, 0xe1, 0, 8];
        out.extend(thumbnail);
        out.extend([0xff, 0xff, 0xff, 0xda, 0, 4, 9, 9]);
        for &byte in data {
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
        out.extend([0xff, 0xd0, 7, 0xff, 0xd9]);
        out
    }

    fn split(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<Vec<u8>> {
        let (mut stream, mut kept, mut pictures) = (JpegStream::default(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = piece.as_ref();
            while !rest.is_empty() {
                let (taken, picture) = stream.feed(rest);
                kept.extend_from_slice(&rest[..taken]);
                rest = &rest[taken..];
                if let Some(length) = picture {
                    pictures.push(kept[kept.len() - length..].to_vec());
                }
                kept.drain(..kept.len() - stream.pending());
            }
        }
        pictures
    }

    #[test]
    fn a_picture_too_long_is_left_out_and_the_next_one_found() {
        let long = jpeg(&vec![1; MAX_PICTURE]);
        let good = jpeg(b"good");
        assert_eq!(split([long, good.clone()]), [good]);
    }

    #[test]
    fn a_picture_cut_short_does_not_take_the_next_with_it() {
        let (cut, good) = (jpeg(b"abcdef"), jpeg(b"good"));
        assert_eq!(split([&cut[..24], &good]), std::slice::from_ref(&good));
    }

    proptest! {
        #[test]
        fn pictures_come_out_as_they_went_in_however_they_are_cut(
            pictures in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5),
            // Garbage without 0xff starts no picture.
            garbage in prop::collection::vec(prop::collection::vec(0_u8..0xff, 0..9), 5),
            size in 1_usize..30,
        ) {
            let pictures: Vec<_> = pictures.iter().map(|data| jpeg(data)).collect();
            let mut bytes = Vec::new();
            for (picture, garbage) in pictures.iter().zip(&garbage) {
                bytes.extend_from_slice(garbage);
                bytes.extend_from_slice(picture);
            }
            prop_assert_eq!(&split([&bytes]), &pictures);
            prop_assert_eq!(&split(bytes.chunks(size)), &pictures);
            prop_assert_eq!(&split(bytes.chunks(1)), &pictures);
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            for picture in split([&bytes]) {
                prop_assert!(picture.starts_with(&[0xff, 0xd8]) && picture.ends_with(&[0xff, 0xd9]));
            }
        }
    }
}

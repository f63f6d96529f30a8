//! What a client saw, found out after the run: its updates are decoded, and the barcode tells which picture
//! each one shows.

use std::time::Instant;

use rfb::{
    geom::{Rect, Size},
    pixel::PixelFormat,
    testing::{Decoder, Progress},
    wire::{Read, Reader, Short},
};
use turbojpeg::Decompressor;

use crate::{
    Failure, barcode,
    client::Recording,
    lengths::{self, compact},
    picture::{self, Quality, References},
};

/// An update as its client saw it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// When its last byte was there.
    pub at: Instant,
    /// The number of the picture that it shows; `None` if there is no barcode.
    pub id: Option<u32>,
    /// For the first update that shows a picture: how near it comes to the source's.
    pub quality: Option<Quality>,
}

/// Everything that a client saw.
pub struct Seen {
    pub updates: Vec<Shown>,
    /// Rectangles that no decoder can make sense of, such as palettes with fewer colours than are used.
    pub invalid: usize,
}

/// Decodes a recording. With `references`, pictures that appear from `since` on are compared with the source's.
pub fn replay(
    recording: &Recording,
    since: Instant,
    mut references: Option<&mut References<'_>>,
) -> Result<Seen, Failure> {
    let mut screen = Screen::new(recording.size)?;
    let mut reader = Reader::new(&recording.bytes);
    let mut shown: Vec<Shown> = Vec::with_capacity(recording.ends.len());
    for &(_, at) in &recording.ends {
        while !screen
            .message(&mut reader)
            .map_err(|Short| "a recording ends too early")??
        {}
        let pixels = screen.decoder.rgb();
        let id = barcode::read(pixels, screen.decoder.size().width.into());
        let is_new = shown.last().is_none_or(|last| last.id != id) && at >= since;
        let quality = match (&mut references, id) {
            (Some(references), Some(id)) if is_new => references.compare(id, pixels)?,
            _ => None,
        };
        shown.push(Shown { at, id, quality });
    }
    Ok(Seen {
        updates: shown,
        invalid: screen.invalid,
    })
}

struct Screen {
    decoder: Decoder,
    jpeg: Decompressor,
    invalid: usize,
}

impl Screen {
    fn new(size: Size) -> Result<Self, Failure> {
        Ok(Self {
            decoder: Decoder::new(size, PixelFormat::BGRX),
            jpeg: picture::plain_decompressor()?,
            invalid: 0,
        })
    }

    /// Takes one message; says whether it was an update.
    fn message(&mut self, reader: &mut Reader<'_>) -> Read<Result<bool, Failure>> {
        match reader.u8()? {
            0 => {
                reader.skip(1)?;
                for _ in 0..reader.u16()? {
                    match self.rectangle(reader)? {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(failure) => return Ok(Err(failure)),
                    }
                }
                return Ok(Ok(true));
            }
            1 => {
                reader.skip(3)?;
                let colours = usize::from(reader.u16()?);
                reader.skip(6 * colours)?;
            }
            3 => {
                reader.skip(3)?;
                let length = reader.u32()? as usize;
                reader.skip(length)?;
            }
            248 => {
                reader.skip(7)?;
                let length = usize::from(reader.u8()?);
                reader.skip(length)?;
            }
            // Bell and EndOfContinuousUpdates. Others would have stopped the client.
            _ => {}
        }
        Ok(Ok(false))
    }

    /// Draws one rectangle; false for LastRect.
    fn rectangle(&mut self, reader: &mut Reader<'_>) -> Read<Result<bool, Failure>> {
        let rect = Rect::new(reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
        match reader.i32()? {
            -224 => return Ok(Ok(false)),
            -223 => {
                if rect.size() != self.decoder.size() {
                    self.decoder.resize(rect.size());
                }
            }
            7 if reader.clone().u8()? >> 4 == 9 => {
                reader.skip(1)?;
                let length = compact(reader)?;
                let jpeg = reader.take(length)?;
                if let Err(failure) = self.jpeg(rect, jpeg) {
                    return Ok(Err(failure));
                }
            }
            encoding => match self.decoder.decode_rect(encoding, rect, reader.rest()) {
                Ok(Progress::Done(length)) => reader.skip(length)?,
                Ok(Progress::NeedMore) => return Err(Short),
                Err(_) => {
                    // What the client had stays; its length is known all the same.
                    self.invalid += 1;
                    match lengths::payload(encoding, rect.size(), reader)? {
                        Ok(length) => reader.skip(length)?,
                        Err(fault) => return Ok(Err(fault.into())),
                    }
                }
            },
        }
        Ok(Ok(true))
    }

    /// JPEGs are decoded here, because the strict decoder's library smooths chroma across the edges of
    /// rectangles, which makes a piece of a picture differ from that piece of the whole.
    fn jpeg(&mut self, rect: Rect, jpeg: &[u8]) -> Result<(), Failure> {
        let bgrx = picture::decompress(&mut self.jpeg, jpeg, rect.size())?;
        let raw = 0;
        self.decoder.decode_rect(raw, rect, &bgrx)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    const SIDE: u16 = 64;

    fn rectangle(rect: Rect, encoding: i32, payload: &[u8]) -> Vec<u8> {
        let numbers = [rect.x, rect.y, rect.width, rect.height];
        let mut out: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
        out.extend(encoding.to_be_bytes());
        out.extend(payload);
        out
    }

    fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
        let mut out = vec![0, 0, 0, rectangles.len() as u8];
        out.extend(rectangles.concat());
        out
    }

    /// The barcode of a number, as a Raw rectangle.
    fn raw(number: u32) -> Vec<u8> {
        let mut rgb = vec![0; Size::new(SIDE, SIDE).area() * 3];
        barcode::draw(number, SIDE.into(), &mut rgb);
        let grey = |c: &[u8]| [c[0], c[0], c[0], 0];
        let pixels: Vec<u8> = rgb.chunks(3).flat_map(grey).collect();
        rectangle(Size::new(SIDE, SIDE).rect(), 0, &pixels)
    }

    fn recording(updates: &[Vec<u8>]) -> Recording {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for update in updates {
            bytes.extend(update);
            ends.push((bytes.len(), Instant::now()));
        }
        let size = Size::new(SIDE, SIDE);
        Recording { size, bytes, ends }
    }

    fn ids(seen: &Seen) -> Vec<Option<u32>> {
        seen.updates.iter().map(|update| update.id).collect()
    }

    #[test]
    fn each_update_shows_the_picture_that_its_barcode_names() {
        let bell = vec![2];
        let nothing = update(&[rectangle(Rect::EMPTY, -224, &[])]);
        let updates = [
            update(&[raw(5)]),
            [bell, nothing].concat(),
            update(&[raw(6)]),
        ];
        let seen = replay(&recording(&updates), Instant::now(), None).expect("a whole recording");
        assert_eq!(ids(&seen), [Some(5), Some(5), Some(6)]);
        assert_eq!(seen.invalid, 0);
    }

    #[test]
    fn a_rectangle_without_sense_is_counted_and_passed_over() {
        // Index 1 of a Tight palette of three colours would be fine, index 7 is none of them.
        let palette = [&[0x40, 1, 2][..], &[9; 9], &[7; 4]].concat();
        let broken = rectangle(Rect::new(0, 0, 2, 2), 7, &palette);
        let updates = [update(&[raw(5)]), update(&[broken, raw(6)])];
        let seen = replay(&recording(&updates), Instant::now(), None).expect("a whole recording");
        assert_eq!((ids(&seen), seen.invalid), (vec![Some(5), Some(6)], 1));
    }

    #[test]
    fn a_picture_is_exact_and_a_wrong_picture_is_not() {
        let workload = generate::motion().expect("a workload");
        let payload = |jpeg: &[u8]| {
            let length = jpeg.len();
            let compact = [
                length & 0x7f | 0x80,
                length >> 7 & 0x7f | 0x80,
                length >> 14,
            ];
            [&[0x90][..], &compact.map(|byte| byte as u8), jpeg].concat()
        };
        let whole = workload.size.rect();
        let jpegs = [0, 1].map(|picture| payload(&workload.pictures[picture]));
        let show = |jpeg: &[u8]| update(&[rectangle(whole, 7, jpeg)]);
        let mut recording = recording(&[show(&jpegs[0]), show(&jpegs[1])]);
        recording.size = workload.size;
        let since = recording.ends[0].1;
        let mut references = References::new(&workload);
        let seen = replay(&recording, since, Some(&mut references)).expect("a whole recording");
        assert_eq!(ids(&seen), [Some(1), Some(2)]);
        assert!(
            seen.updates
                .iter()
                .all(|u| u.quality == Some(Quality::Exact))
        );

        let mut swapped = workload.clone();
        swapped.pictures.swap(0, 1);
        let mut references = References::new(&swapped);
        let seen = replay(&recording, since, Some(&mut references)).expect("a whole recording");
        let far = |update: &Shown| matches!(update.quality, Some(Quality::Psnr(db)) if db < 40.0);
        assert!(seen.updates.iter().all(far));
    }
}

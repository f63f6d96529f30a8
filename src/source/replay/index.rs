//! Which picture each frame of a file of pictures shows.

use rfb::geom::Size;

use super::super::{MAX_PICTURE, jpeg_stream::JpegStream, raw_frame::RawFrame};
use crate::{
    config,
    video::{Layout, checked_size},
};

/// Most frames and pictures of a recording.
const MAX_FRAMES: usize = 1_000_000;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) fps: Option<u32>,
    /// The shape of raw pictures; `None` for JPEGs.
    pub(super) raw: Option<RawFrame>,
    /// Offset and length of each picture in the file.
    pub(super) pictures: Vec<(u64, usize)>,
    /// The number of the picture that each frame shows. Never empty.
    pub(super) frames: Vec<usize>,
}

impl Index {
    /// Reads an `.idx` file, described in `fixtures/README.md`, for a recording of `length` bytes.
    pub(super) fn parse(text: &str, length: u64) -> Result<Index, String> {
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let ["rfbfeed1", layout, width, height, fps, frames, pictures] = head[..] else {
            return Err(
                "its first line is not `rfbfeed1 mjpeg WIDTH HEIGHT FPS FRAMES PICTURES`"
                    .to_owned(),
            );
        };
        let raw = match layout.parse::<config::Format>().map(Layout::from) {
            Ok(Layout::Mjpeg) => None,
            Ok(layout) => Some(RawFrame {
                layout,
                size: size(width, height)?,
            }),
            Err(why) => return Err(format!("{layout:?} is {why}")),
        };
        let fps: u32 = number(fps)?;
        let (frame_count, picture_count) = (count(frames)?, count(pictures)?);

        let mut pictures = Vec::new();
        for line in lines.by_ref().take(picture_count) {
            let mut words = line.split(' ');
            let offset: u64 = number(words.next().unwrap_or_default())?;
            let size: usize = number(words.next().unwrap_or_default())?;
            let inside = offset
                .checked_add(size as u64)
                .is_some_and(|end| end <= length);
            let fits = match raw {
                Some(frame) => size == frame.length(),
                None => (1..=MAX_PICTURE).contains(&size),
            };
            if !fits || !inside {
                return Err(format!(
                    "a picture ({line:?}) is too short or too long, or not inside the file"
                ));
            }
            pictures.push((offset, size));
        }
        let mut frames = Vec::new();
        for line in lines.take(frame_count) {
            let picture: usize = number(line)?;
            if picture >= pictures.len() {
                return Err(format!(
                    "a frame shows picture {picture}, which is not there"
                ));
            }
            frames.push(picture);
        }
        if (frames.len(), pictures.len()) != (frame_count, picture_count) {
            return Err("lines are missing at its end".to_owned());
        }
        Ok(Index {
            fps: Some(fps).filter(|fps| *fps > 0),
            raw,
            pictures,
            frames,
        })
    }

    /// Takes each picture once, in the order of the file. `read` gives the file's bytes piece by
    /// piece, nothing at its end.
    pub(super) fn of_stream<E>(
        mut read: impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Index, E> {
        let (mut stream, mut piece) = (JpegStream::default(), Vec::new());
        let mut pictures = Vec::new();
        let mut offset = 0;
        loop {
            read(&mut piece)?;
            if piece.is_empty() || pictures.len() >= MAX_FRAMES {
                break;
            }
            let mut at = 0;
            while at < piece.len() {
                let (taken, picture) = stream.feed(&piece[at..]);
                at += taken;
                offset += taken as u64;
                if let Some(length) = picture {
                    pictures.push((offset - length as u64, length));
                }
            }
        }
        Ok(Index {
            fps: None,
            raw: None,
            frames: (0..pictures.len()).collect(),
            pictures,
        })
    }
}

fn size(width: &str, height: &str) -> Result<Size, String> {
    checked_size(number(width)?, number(height)?).map_err(|why| why.to_string())
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse()
        .map_err(|_| format!("{word:?} is not a number"))
}

fn count(word: &str) -> Result<usize, String> {
    number(word).and_then(|count| match count {
        1..=MAX_FRAMES => Ok(count),
        _ => Err(format!(
            "it has {count} frames or pictures; 1 to {MAX_FRAMES} can be played"
        )),
    })
}

//! Which picture each frame of a `.mjpeg` file shows.

use super::super::{MAX_PICTURE, jpeg_stream::JpegStream};

/// Most frames and pictures of a recording.
const MAX_FRAMES: usize = 1_000_000;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) fps: Option<u32>,
    /// Offset and length of each picture in the file.
    pub(super) pictures: Vec<(u64, usize)>,
    /// The number of the picture that each frame shows. Never empty.
    pub(super) frames: Vec<usize>,
}

impl Index {
    /// Reads an `.idx` file, described in `fixtures/README.md`, for a `.mjpeg` of `length` bytes.
    pub(super) fn parse(text: &str, length: u64) -> Result<Index, String> {
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let ["rfbfeed1", "mjpeg", _, _, fps, frames, pictures] = head[..] else {
            return Err(
                "its first line is not `rfbfeed1 mjpeg WIDTH HEIGHT FPS FRAMES PICTURES`"
                    .to_owned(),
            );
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
            if size == 0 || size > MAX_PICTURE || !inside {
                return Err(format!(
                    "a picture ({line:?}) is not inside the .mjpeg file"
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
            pictures,
            frames,
        })
    }

    /// Takes each picture once, in the order of the file. `read` gives the file's bytes piece by
    /// piece, nothing at its end.
    pub(super) fn of_stream<E>(
        mut read: impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Index, E> {
        let (mut stream, mut picture, mut piece) = (JpegStream::default(), Vec::new(), Vec::new());
        let mut pictures = Vec::new();
        let mut offset = 0;
        loop {
            read(&mut piece)?;
            if piece.is_empty() || pictures.len() >= MAX_FRAMES {
                break;
            }
            let mut at = 0;
            while at < piece.len() {
                let (taken, whole) = stream.feed(&piece[at..], &mut picture);
                at += taken;
                offset += taken as u64;
                if whole {
                    pictures.push((offset - picture.len() as u64, picture.len()));
                }
            }
        }
        Ok(Index {
            fps: None,
            frames: (0..pictures.len()).collect(),
            pictures,
        })
    }
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

//! The pictures of a recording, read one at a time.

use std::{
    fs::File,
    io::{self, BufReader},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rfb::geom::Size;

use super::{
    super::{MAX_PICTURE, pool::Pool, raw_frame::RawFrame},
    Lent, SourceError,
    index::Index,
};
use crate::video::{Captured, Colour, Layout, checked_size};

/// An opened recording. Only one picture is in memory.
pub(super) struct Pictures {
    place: PathBuf,
    kind: Kind,
    /// Which picture is loaded.
    loaded: Option<usize>,
    /// Its shape, unless it is a JPEG.
    raw: Option<RawFrame>,
    bytes: Bytes,
    pool: Pool,
}

enum Kind {
    File { file: File, index: Index },
    Directory(Vec<PathBuf>),
}

impl Pictures {
    pub(super) fn open(place: &Path) -> Result<Pictures, SourceError> {
        let kind = if place.is_dir() {
            directory(place)
        } else {
            file(place)
        };
        let pictures = Pictures {
            place: place.to_owned(),
            kind: kind.map_err(|why| lost(place, &why))?,
            loaded: None,
            raw: None,
            bytes: Bytes::new(),
            pool: Pool::default(),
        };
        if pictures.frames() == 0 {
            return Err(lost(place, "there is no JPEG or PNG picture in it"));
        }
        Ok(pictures)
    }

    pub(super) fn frames(&self) -> usize {
        match &self.kind {
            Kind::File { index, .. } => index.frames.len(),
            Kind::Directory(paths) => paths.len(),
        }
    }

    /// As the recording says.
    pub(super) fn fps(&self) -> Option<u32> {
        match &self.kind {
            Kind::File { index, .. } => index.fps,
            Kind::Directory(_) => None,
        }
    }

    /// Lends a frame's picture. A frame that shows the same one as that before it is not read again.
    pub(super) fn load(&mut self, frame: usize) -> Result<Lent<'_>, SourceError> {
        let picture = match &self.kind {
            Kind::File { index, .. } => index.frames[frame],
            Kind::Directory(_) => frame,
        };
        if self.loaded != Some(picture) {
            self.loaded = None;
            let mut buffer = self.pool.buffer();
            self.raw = self.read(picture, &mut buffer)?;
            self.bytes = self.pool.share(buffer);
            self.loaded = Some(picture);
        }
        Ok(Lent {
            captured: match self.raw {
                Some(frame) => frame.captured(&self.bytes),
                None => Captured {
                    layout: Layout::Mjpeg,
                    size: Size::default(),
                    stride: 0,
                    colour: Colour::default(),
                    bytes: &self.bytes,
                },
            },
            shared: Some(self.bytes.clone()),
        })
    }

    /// Makes a picture the whole content of `buffer`; its shape, unless it is a JPEG.
    fn read(&self, picture: usize, buffer: &mut Vec<u8>) -> Result<Option<RawFrame>, SourceError> {
        match &self.kind {
            Kind::File { file, index } => {
                let (offset, length) = index.pictures[picture];
                buffer.resize(length, 0);
                file.read_exact_at(buffer, offset)
                    .map_err(|error| lost(&self.place, &error.to_string()))?;
                Ok(index.raw)
            }
            Kind::Directory(paths) if has_extension(&paths[picture], &["png"]) => {
                let size =
                    png(&paths[picture], buffer).map_err(|why| lost(&paths[picture], &why))?;
                Ok(Some(RawFrame {
                    layout: Layout::Bgrx,
                    size,
                }))
            }
            Kind::Directory(paths) => {
                *buffer = whole_file(&paths[picture], MAX_PICTURE as u64)
                    .map_err(|why| lost(&paths[picture], &why))?;
                Ok(None)
            }
        }
    }
}

fn lost(place: &Path, why: &str) -> SourceError {
    SourceError::Lost(format!("{} cannot be played: {why}", place.display()))
}

fn directory(place: &Path) -> Result<Kind, String> {
    let mut paths = Vec::new();
    for entry in place.read_dir().map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if has_extension(&path, &["jpg", "jpeg", "png"]) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(Kind::Directory(paths))
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    path.extension()
        .is_some_and(|have| known.iter().any(|known| have.eq_ignore_ascii_case(known)))
}

/// Most bytes of an `.idx` file.
const MAX_INDEX: u64 = 32 * 1024 * 1024;

/// A file of JPEGs, or of what the index beside it says.
fn file(place: &Path) -> Result<Kind, String> {
    let text = |error: io::Error| error.to_string();
    let file = File::open(place).map_err(text)?;
    let length = file.metadata().map_err(text)?.len();
    let mut beside = place.as_os_str().to_owned();
    beside.push(".idx");
    let beside = PathBuf::from(beside);
    let index = if beside.exists() {
        whole_file(&beside, MAX_INDEX)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no text".to_owned()))
            .and_then(|text| Index::parse(&text, length))
            .map_err(|why| format!("{}: {why}", beside.display()))?
    } else {
        let mut offset = 0;
        Index::of_stream(|piece| {
            piece.resize(64 * 1024, 0);
            let count = file.read_at(piece, offset)?;
            piece.truncate(count);
            offset += count as u64;
            Ok(())
        })
        .map_err(text)?
    };
    Ok(Kind::File { file, index })
}

fn whole_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let length = path.metadata().map_err(|error| error.to_string())?.len();
    if length > most {
        return Err(format!("{length} bytes are more than {most}"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Decodes a PNG to blue, green, red, unused.
fn png(path: &Path, bgrx: &mut Vec<u8>) -> Result<Size, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let text = |error: png::DecodingError| error.to_string();
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(text)?;
    let (width, height) = reader.info().size();
    let size = checked_size(width, height).map_err(|error| error.to_string())?;
    let (colours, _) = reader.output_color_type();
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("it is too large")?];
    reader.next_frame(&mut pixels).map_err(text)?;
    let pixels = &pixels[..];
    bgrx.clear();
    bgrx.reserve(size.area() * 4);
    for pixel in pixels.chunks_exact(colours.samples()) {
        bgrx.extend(match *pixel {
            [red, green, blue] | [red, green, blue, _] => [blue, green, red, 0],
            [grey, ..] => [grey, grey, grey, 0],
            [] => [0; 4],
        });
    }
    if bgrx.len() != size.area() * 4 {
        return Err("its pixels are of an unknown kind".to_owned());
    }
    Ok(size)
}

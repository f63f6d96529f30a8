//! The pieces of an update, each encoded by itself, on any thread.

use std::sync::OnceLock;

use bytes::Bytes;

use super::seams::is_of_one_class;
use super::trim::{part_of, trimmed};
use super::update::Manner;
use crate::encoding::{self, Encoding, JpegQuality, Parameters, Picture, Subsampling};
use crate::frame::{Compressed, Damaged, Frame, Pixel};
use crate::geom::Rect;
use crate::msg::server;

/// Up to so many bytes a part of a JPEG is tried without loss too: it may well be smaller than the tables alone.
const SMALL_JPEG: usize = 3_000;
/// The same where all is of one colour, light and dark: that is text, which is smaller without loss. Beyond, decoding
/// costs more than the bytes are worth.
const SMALL_TEXT: usize = 8_000;
/// The same on a slow line.
const SMALL_WHERE_BYTES_ARE_DEAR: usize = 64 * 1024;

/// Where pixels are needed; those of a JPEG are made once for all pieces.
#[derive(Debug)]
pub(super) struct Area {
    rect: Rect,
    pixels: OnceLock<Result<Vec<Pixel>, Damaged>>,
}

impl Area {
    pub(super) fn new(rect: Rect) -> Self {
        Self {
            rect,
            pixels: OnceLock::new(),
        }
    }

    /// An area whose pixels are there already.
    pub(super) fn with(rect: Rect, pixels: Vec<Pixel>) -> Self {
        Self {
            rect,
            pixels: Ok(pixels).into(),
        }
    }
}

/// What is encoded at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// The source's JPEG as it is.
    Whole(Encoding),
    /// A part of it, or the same pixels without loss if that is smaller.
    Spliced { rect: Rect, carrier: Encoding },
    /// Pixels of an area as a JPEG of lower quality than the client would take.
    Compressed {
        area: usize,
        rect: Rect,
        carrier: Encoding,
        quality: u8,
    },
    /// Pixels of an area.
    Pixels {
        area: usize,
        rect: Rect,
        first_of_stream: bool,
        lossless: bool,
    },
}

/// One encoded piece.
#[derive(Debug, Default)]
pub struct Part {
    pub(super) bytes: Vec<u8>,
    /// What follows `bytes`: a JPEG that need not be copied.
    pub(super) jpeg: Bytes,
    pub(super) rects: u16,
    pub(super) lossy: bool,
    pub(super) damaged: Option<Damaged>,
}

/// What pieces are encoded from.
pub(super) struct Encoder<'a> {
    pub(super) frame: &'a Frame,
    /// What the client shows, if that is a frame.
    pub(super) before: Option<&'a Frame>,
    pub(super) areas: &'a [Area],
    pub(super) manner: &'a Manner,
}

impl Encoder<'_> {
    pub(super) fn encode(&self, piece: Piece) -> Part {
        let mut part = Part::default();
        let result = match piece {
            Piece::Whole(carrier) => self.encode_whole(carrier, &mut part),
            Piece::Spliced { rect, carrier } => self.encode_spliced(rect, carrier, &mut part),
            Piece::Compressed {
                area,
                rect,
                carrier,
                quality,
            } => self.encode_compressed(&self.areas[area], rect, carrier, quality, &mut part),
            Piece::Pixels {
                area,
                rect,
                first_of_stream,
                lossless,
            } => self.encode_pixels(
                &self.areas[area],
                rect,
                first_of_stream,
                lossless,
                &mut part,
            ),
        };
        part.damaged = result.err();
        part
    }

    fn encode_whole(&self, carrier: Encoding, part: &mut Part) -> Result<(), Damaged> {
        let jpeg = self
            .frame
            .compressed()
            .map(Compressed::whole)
            .ok_or_else(gone)?;
        put_jpeg(self.frame.size().rect(), carrier, jpeg.clone(), part);
        Ok(())
    }

    fn encode_spliced(
        &self,
        rect: Rect,
        carrier: Encoding,
        part: &mut Part,
    ) -> Result<(), Damaged> {
        let jpeg = self.frame.compressed().ok_or_else(gone)?;
        let mut spliced = Vec::new();
        jpeg.splice(rect, &mut spliced)?;
        let small = match self.manner.budget {
            Some(_) => SMALL_WHERE_BYTES_ARE_DEAR,
            None if is_of_one_class(self.frame, jpeg, rect) => SMALL_TEXT,
            None => SMALL_JPEG,
        };
        if spliced.len() <= small && self.manner.encoding != Encoding::Jpeg {
            let (changed, pixels) = trimmed(self.before, self.frame, rect)?;
            let mut small = Part::default();
            for piece in encoding::split(self.manner.encoding, changed) {
                self.put_pixels(changed, &pixels, piece, false, true, &mut small);
            }
            if small.bytes.len() < spliced.len() {
                *part = small;
                return Ok(());
            }
        }
        if !encoding::jpeg_fits(spliced.len()) {
            return Err(Damaged(
                "a part of it is larger than clients take".to_owned(),
            ));
        }
        put_jpeg(rect, carrier, spliced.into(), part);
        Ok(())
    }

    fn encode_compressed(
        &self,
        area: &Area,
        rect: Rect,
        carrier: Encoding,
        quality: u8,
        part: &mut Part,
    ) -> Result<(), Damaged> {
        let pixels = part_of(area.rect, self.pixels_of(area)?, rect);
        let picture = Picture {
            size: rect.size(),
            pixels: &pixels,
        };
        let wanted = self.manner.parameters.jpeg.map_or(100, |jpeg| jpeg.quality);
        let jpeg = JpegQuality {
            quality: quality.min(wanted),
            subsampling: Subsampling::S420,
        };
        let parameters = Parameters {
            jpeg: Some(jpeg),
            ..self.manner.parameters
        };
        let mut bytes = Vec::new();
        encoding::encode(Encoding::Jpeg, &picture, &parameters, false, &mut bytes);
        put_jpeg(rect, carrier, bytes.into(), part);
        part.lossy = true;
        Ok(())
    }

    fn pixels_of<'a>(&self, area: &'a Area) -> Result<&'a [Pixel], Damaged> {
        let pixels = area.pixels.get_or_init(|| self.frame.pixels(area.rect));
        pixels.as_deref().map_err(Damaged::clone)
    }

    fn encode_pixels(
        &self,
        area: &Area,
        rect: Rect,
        first_of_stream: bool,
        lossless: bool,
        part: &mut Part,
    ) -> Result<(), Damaged> {
        let pixels = self.pixels_of(area)?;
        self.put_pixels(area.rect, pixels, rect, first_of_stream, lossless, part);
        Ok(())
    }

    /// Appends the rectangle `rect` of an area's pixels.
    fn put_pixels(
        &self,
        area: Rect,
        pixels: &[Pixel],
        rect: Rect,
        first_of_stream: bool,
        lossless: bool,
        part: &mut Part,
    ) {
        let encoding = self.manner.encoding;
        let parameters = Parameters {
            jpeg: self.manner.parameters.jpeg.filter(|_| !lossless),
            ..self.manner.parameters
        };
        let cut;
        let pixels = if rect == area {
            pixels
        } else {
            cut = part_of(area, pixels, rect);
            &cut
        };
        let picture = Picture {
            size: rect.size(),
            pixels,
        };
        server::rectangle(&mut part.bytes, rect, encoding.number().0);
        let start = part.bytes.len();
        encoding::encode(
            encoding,
            &picture,
            &parameters,
            first_of_stream,
            &mut part.bytes,
        );
        part.lossy |= encoding::is_lossy(encoding, &part.bytes[start..]);
        part.rects += 1;
    }
}

fn gone() -> Damaged {
    Damaged("it is no JPEG".to_owned())
}

fn put_jpeg(rect: Rect, carrier: Encoding, jpeg: Bytes, part: &mut Part) {
    server::rectangle(&mut part.bytes, rect, carrier.number().0);
    if carrier != Encoding::Jpeg {
        encoding::tight_jpeg_head(jpeg.len(), &mut part.bytes);
    }
    part.jpeg = jpeg;
    part.rects += 1;
}

/// Bytes one after the other: small pieces in one buffer, large ones as they are.
#[derive(Default)]
pub(super) struct Joined {
    done: Vec<Bytes>,
    last: Vec<u8>,
}

impl Joined {
    /// From here on it costs less to send two pieces than to copy one.
    const LARGE: usize = 16 * 1024;

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if self.last.is_empty() {
            self.last = bytes;
        } else if bytes.len() < Self::LARGE {
            self.last.extend_from_slice(&bytes);
        } else {
            self.push_shared(bytes.into());
        }
    }

    pub(super) fn push_shared(&mut self, bytes: Bytes) {
        if bytes.len() < Self::LARGE {
            self.last.extend_from_slice(&bytes);
            return;
        }
        if !self.last.is_empty() {
            self.done.push(std::mem::take(&mut self.last).into());
        }
        self.done.push(bytes);
    }

    pub(super) fn finish(mut self) -> Vec<Bytes> {
        if !self.last.is_empty() {
            self.done.push(self.last.into());
        }
        self.done
    }
}

//! What an update consists of: which rectangles, each in which form.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::boxes::merge;
use super::motion::alike_at_ends;
use super::update::{Encoded, Terms};
use super::view::{Asked, Lacks, Means, View};
use super::wants::ZlibStream;
use crate::encoding::{self, Encoding, JpegQuality, Parameters, Picture, Subsampling};
use crate::frame::{Compressed, Damaged, Frame, Pixel, edge_class, tile_count};
use crate::geom::{Point, Rect, Size};
use crate::msg::server;

/// TigerVNC closes the connection at a wider Tight rectangle.
const WIDEST_JPEG: u16 = 2048;

/// What a JPEG costs beside its coded data: rectangle header and tables.
const JPEG_OVERHEAD: usize = 600;
/// What a rectangle costs beside its coded data otherwise: header, palette, the start of a zlib stream.
const LOSSLESS_OVERHEAD: usize = 60;
/// The same in pixels of a picture of which only the pixels are known.
const PIXEL_OVERHEAD: usize = 384;
/// Up to so many bytes a part of a JPEG is tried without loss too: it may well be smaller than the tables alone.
const SMALL_JPEG: usize = 3000;
/// Pixels for each byte of a JPEG as a rule.
const PIXELS_PER_BYTE: usize = 4;
/// Rows of a JPEG that is made here.
const BAND: u16 = 256;
/// The share of the whole JPEG from which on the whole is sent, in eighths.
const WHOLE_FROM: usize = 6;
/// More rectangles than this become one around them all: an update can count 65535, and each may be cut further.
const MOST_RECTS: usize = 8192;
/// How many MCUs a spliced part is made wider to end where no seam can be seen.
const CALM_REACH: u32 = 3;

/// An update about to be encoded, piece by piece, in any order, on any thread.
#[derive(Debug)]
pub struct Plan {
    frame: Frame,
    view: View,
    terms: Terms,
    areas: Vec<Area>,
    pieces: Vec<Piece>,
    copy: Option<(Rect, Point)>,
    damaged: Option<Damaged>,
}

/// Where pixels are needed; those of a JPEG are made once for all pieces.
#[derive(Debug)]
struct Area {
    rect: Rect,
    pixels: OnceLock<Result<Vec<Pixel>, Damaged>>,
}

#[derive(Clone, Copy, Debug)]
enum Piece {
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
    bytes: Vec<u8>,
    rects: u16,
    lossy: bool,
    damaged: Option<Damaged>,
}

impl Plan {
    pub(super) fn new(terms: Terms) -> Self {
        let mut plan = Self {
            frame: terms.frame.clone(),
            view: (*terms.view).clone(),
            terms,
            areas: Vec::new(),
            pieces: Vec::new(),
            copy: None,
            damaged: None,
        };
        if let Err(damaged) = plan.fill() {
            plan.damaged = Some(damaged);
            plan.pieces.clear();
            plan.copy = None;
        }
        plan
    }

    /// How many pieces there are to encode.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is nothing to encode. There may be something to send all the same.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether it is worth to encode the pieces on several cores.
    pub fn is_large(&self) -> bool {
        const WORTH: usize = 128 * 128;
        let pixels = |piece: &Piece| match piece {
            Piece::Pixels { rect, .. } | Piece::Compressed { rect, .. } => rect.area(),
            Piece::Whole(_) | Piece::Spliced { .. } => 0,
        };
        self.pieces.len() > 1 && self.pieces.iter().map(pixels).sum::<usize>() > WORTH
    }

    fn fill(&mut self) -> Result<(), Damaged> {
        let frame = self.view.fit(&self.terms.frame)?;
        self.frame = frame.clone();
        let asked = self.terms.asked;
        let whole = self.whole(&frame);
        let alike = self.is_alike(&frame);
        if let Some(carrier) = whole
            && self.terms.manner.budget.is_none()
            && self.view.exact().is_some()
            && self.view.motion.goes_unseen(alike)
        {
            self.send_whole(carrier);
            self.view.motion.went_unseen();
            return Ok(());
        }
        let lacks = self.view.advance(&frame, asked, self.means())?;
        self.arrange(&frame, lacks, whole, alike)
    }

    fn means(&self) -> Means {
        Means {
            copies: self.terms.manner.copies,
            bleed: match self.terms.manner.carrier {
                // Parts that are decoded by themselves have edges of their own anyway.
                Some(_) => Size::default(),
                None => self
                    .frame
                    .compressed()
                    .map_or(Size::default(), |jpeg| jpeg.bleed()),
            },
            refine: match self.terms.refine {
                Some(_) => self.refinable(),
                None => 0,
            },
            now: self.terms.now,
        }
    }

    /// How many tiles may be sent again for being shown with loss.
    fn refinable(&self) -> usize {
        /// What a tile of pixels without loss takes at most, more or less.
        const DEAR: usize = 8 * 1024;
        let Some(budget) = self.terms.manner.budget else {
            return usize::MAX;
        };
        let tiles = tile_count(self.frame.size());
        let each = match self.frame.compressed() {
            Some(jpeg) if self.terms.manner.carrier.is_some() => jpeg.whole().len() / tiles.max(1),
            _ => DEAR,
        };
        (budget.bytes / each.max(1)).max(1)
    }

    /// How the source's JPEG can be sent whole, if it can and all of the picture was asked for.
    fn whole(&self, frame: &Frame) -> Option<Encoding> {
        let carrier = self.terms.manner.carrier?;
        let jpeg = frame.compressed()?.whole();
        let Asked { full, changed } = self.terms.asked;
        let fits = frame.size().width <= WIDEST_JPEG && encoding::jpeg_fits(jpeg.len());
        (fits && full.union(changed).contains(frame.size().rect())).then_some(carrier)
    }

    fn is_alike(&self, frame: &Frame) -> bool {
        let old = self.view.exact().and_then(Frame::compressed);
        match (old, frame.compressed()) {
            (Some(old), Some(new)) => alike_at_ends(old.whole(), new.whole()),
            _ => true,
        }
    }

    fn send_whole(&mut self, carrier: Encoding) {
        self.pieces.push(Piece::Whole(carrier));
        self.view.replace(&self.frame);
    }

    /// Chooses rectangles and forms for what is lacking.
    fn arrange(
        &mut self,
        frame: &Frame,
        lacks: Lacks,
        whole: Option<Encoding>,
        alike: bool,
    ) -> Result<(), Damaged> {
        let Lacks {
            copy,
            full,
            boxes,
            rested,
        } = lacks;
        let manner = self.terms.manner;
        let jpeg = frame.compressed();
        let carried = jpeg.zip(manner.carrier);
        let mut rects = match jpeg {
            Some(jpeg) if carried.is_some() => {
                merge(&boxes, |rect| weight(jpeg, rect) + JPEG_OVERHEAD)
            }
            // How much there is to see in a part of a JPEG tells what it costs in any form.
            Some(jpeg) => merge(&boxes, |rect| {
                weight(jpeg, rect) * 3 / 2 + LOSSLESS_OVERHEAD
            }),
            None => merge(&boxes, |rect| rect.area() + PIXEL_OVERHEAD),
        };
        rects.extend((!full.is_empty()).then_some(full));
        if rects.len() > MOST_RECTS {
            let all = rects.iter().fold(Rect::EMPTY, |all, rect| all.union(*rect));
            rects = vec![all];
        }
        if let Some((jpeg, carrier)) = carried {
            let most = match manner.budget {
                Some(_) => jpeg.whole().len(),
                None => jpeg.whole().len() * WHOLE_FROM / 8,
            };
            let bytes: usize = rects.iter().map(|r| weight(jpeg, *r) + JPEG_OVERHEAD).sum();
            if let Some(budget) = manner.budget.filter(|budget| bytes > budget.bytes) {
                rects
                    .iter()
                    .for_each(|rect| self.compress(*rect, carrier, budget.quality));
                self.refine(frame, rested);
                self.copy = copy;
                return Ok(());
            }
            self.view.motion.seen(bytes > most, alike);
            if let Some(whole) = whole.filter(|_| bytes > most) {
                self.send_whole(whole);
                return Ok(());
            }
            for rect in rects {
                match aligned(frame, jpeg, rect) {
                    Some(rect) => self.splice(frame, jpeg, rect, carrier),
                    None => self.pixels(rect, false),
                }
            }
        } else if let Some((budget, carrier)) = manner.budget.zip(manner.carrier)
            && rects.iter().map(|rect| rect.area()).sum::<usize>() / PIXELS_PER_BYTE > budget.bytes
        {
            rects
                .iter()
                .for_each(|rect| self.compress(*rect, carrier, budget.quality));
        } else {
            for rect in rects {
                self.pixels(bled(frame, rect), false);
            }
        }
        self.refine(frame, rested);
        self.copy = copy;
        Ok(())
    }

    /// Adds what was sent with loss and has rested.
    fn refine(&mut self, frame: &Frame, rested: Vec<Vec<Rect>>) {
        let jpeg = frame.compressed();
        for rect in merge(&rested, |rect| rect.area() + PIXEL_OVERHEAD) {
            match jpeg.zip(self.terms.manner.carrier) {
                Some((jpeg, carrier)) => {
                    self.splice(frame, jpeg, widened(frame, jpeg, rect), carrier)
                }
                None => self.pixels(rect, true),
            }
        }
    }

    /// Adds pixels that become a JPEG of this quality, in bands so that all cores have work.
    fn compress(&mut self, rect: Rect, carrier: Encoding, quality: u8) {
        let area = self.area(rect);
        let across = on_steps(rect.x, rect.right(), WIDEST_JPEG);
        for (left, right) in across {
            for (top, bottom) in on_steps(rect.y, rect.bottom(), BAND) {
                let rect = Rect::from_edges(left, top, right, bottom);
                self.pieces.push(Piece::Compressed {
                    area,
                    rect,
                    carrier,
                    quality,
                });
            }
        }
    }

    fn area(&mut self, rect: Rect) -> usize {
        self.areas.push(Area {
            rect,
            pixels: OnceLock::new(),
        });
        self.areas.len() - 1
    }

    /// Adds a part of the source's JPEG, widened to where no seam shows and cut to what clients take.
    fn splice(&mut self, frame: &Frame, jpeg: &dyn Compressed, rect: Rect, carrier: Encoding) {
        let rect = calmed(frame, jpeg, rect).unwrap_or(rect);
        let mut left = u32::from(rect.x);
        while left < rect.right() {
            let right = (left + u32::from(WIDEST_JPEG)).min(rect.right());
            let rect = Rect::from_edges(left, rect.y.into(), right, rect.bottom());
            self.pieces.push(Piece::Spliced { rect, carrier });
            left = right;
        }
    }

    /// Adds pixels.
    fn pixels(&mut self, rect: Rect, lossless: bool) {
        let encoding = self.terms.manner.encoding;
        let area = self.area(rect);
        let begins = self.terms.manner.begins_stream && ZlibStream::of(encoding).is_some();
        for rect in encoding::split(encoding, rect) {
            let first_of_stream = begins
                && !self
                    .pieces
                    .iter()
                    .any(|p| matches!(p, Piece::Pixels { .. }));
            self.pieces.push(Piece::Pixels {
                area,
                rect,
                first_of_stream,
                lossless,
            });
        }
    }

    /// Encodes one piece.
    pub fn encode(&self, index: usize) -> Part {
        let mut part = Part::default();
        let result = match self.pieces[index] {
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
        part.bytes.reserve(jpeg.len() + 32);
        put_jpeg(self.frame.size().rect(), carrier, jpeg, part);
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
        if spliced.len() <= SMALL_JPEG && self.terms.manner.encoding != Encoding::Jpeg {
            let pixels = self.frame.pixels(rect)?;
            let mut small = Part::default();
            for piece in encoding::split(self.terms.manner.encoding, rect) {
                self.put_pixels(rect, &pixels, piece, false, true, &mut small);
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
        put_jpeg(rect, carrier, &spliced, part);
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
        let wanted = self
            .terms
            .manner
            .parameters
            .jpeg
            .map_or(100, |jpeg| jpeg.quality);
        let jpeg = JpegQuality {
            quality: quality.min(wanted),
            subsampling: Subsampling::S420,
        };
        let parameters = Parameters {
            jpeg: Some(jpeg),
            ..self.terms.manner.parameters
        };
        let mut bytes = Vec::new();
        encoding::encode(Encoding::Jpeg, &picture, &parameters, false, &mut bytes);
        put_jpeg(rect, carrier, &bytes, part);
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
        let encoding = self.terms.manner.encoding;
        let parameters = Parameters {
            jpeg: self.terms.manner.parameters.jpeg.filter(|_| !lossless),
            ..self.terms.manner.parameters
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

    /// Encodes all pieces here and now.
    pub fn encode_all(self) -> Encoded {
        let parts = (0..self.len()).map(|index| self.encode(index)).collect();
        self.complete(parts)
    }

    /// Puts the encoded pieces together, in their order.
    pub fn complete(mut self, parts: Vec<Part>) -> Encoded {
        let damaged = self
            .damaged
            .take()
            .or_else(|| parts.iter().find_map(|part| part.damaged.clone()));
        if damaged.is_some() {
            return Encoded {
                view: self.terms.view,
                bytes: Vec::new(),
                rects: 0,
                compressed: 0,
                stream: None,
                damaged,
            };
        }
        let mut joined = Joined::default();
        let mut rects = 0u16;
        if let Some((to, from)) = self.copy {
            let mut bytes = Vec::with_capacity(16);
            server::copy_rect(&mut bytes, to, from);
            joined.push(bytes);
            rects += 1;
        }
        let mut compressed = 0;
        for (piece, part) in self.pieces.iter().zip(parts) {
            rects = rects.saturating_add(part.rects);
            if let Piece::Compressed { .. } = piece {
                compressed += part.bytes.len();
            }
            joined.push(part.bytes);
            if part.lossy
                && let Piece::Pixels { rect, .. } | Piece::Compressed { rect, .. } = piece
            {
                self.view.note_loss(&self.frame, *rect, self.terms.now);
            }
        }
        let stream = self.pieces.iter().find_map(|piece| match piece {
            Piece::Pixels { .. } => ZlibStream::of(self.terms.manner.encoding),
            _ => None,
        });
        Encoded {
            view: Arc::new(self.view),
            bytes: joined.finish(),
            rects,
            compressed,
            stream,
            damaged: None,
        }
    }
}

/// Bytes one after the other: small pieces in one buffer, large ones as they are.
#[derive(Default)]
struct Joined {
    done: Vec<Bytes>,
    last: Vec<u8>,
}

impl Joined {
    /// From here on it costs less to send two pieces than to copy one.
    const LARGE: usize = 32 * 1024;

    fn push(&mut self, bytes: Vec<u8>) {
        if self.last.is_empty() {
            self.last = bytes;
        } else if bytes.len() < Self::LARGE && self.last.len() < Self::LARGE {
            self.last.extend_from_slice(&bytes);
        } else {
            let full = std::mem::replace(&mut self.last, bytes);
            self.done.push(full.into());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        if !self.last.is_empty() {
            self.done.push(self.last.into());
        }
        self.done
    }
}

fn gone() -> Damaged {
    Damaged("it is no JPEG".to_owned())
}

/// Coded bytes of a rectangle; a damaged picture is found out by who needs it whole.
fn weight(jpeg: &dyn Compressed, rect: Rect) -> usize {
    jpeg.weight(rect).unwrap_or(0)
}

fn put_jpeg(rect: Rect, carrier: Encoding, jpeg: &[u8], part: &mut Part) {
    server::rectangle(&mut part.bytes, rect, carrier.number().0);
    if carrier == Encoding::Jpeg {
        encoding::jpeg_payload(jpeg, &mut part.bytes);
    } else {
        encoding::tight_jpeg_payload(jpeg, &mut part.bytes);
    }
    part.rects += 1;
}

/// The pixels of `rect` out of those of `area`, which contains it.
fn part_of(area: Rect, pixels: &[Pixel], rect: Rect) -> Vec<Pixel> {
    let stride = usize::from(area.width);
    let left = usize::from(rect.x - area.x);
    let width = usize::from(rect.width);
    let mut out = Vec::with_capacity(rect.area());
    for y in rect.y - area.y..rect.y - area.y + rect.height {
        let start = usize::from(y) * stride + left;
        out.extend_from_slice(&pixels[start..start + width]);
    }
    out
}

/// A range cut where multiples of `step` from its beginning lie.
fn on_steps(from: u16, to: u32, step: u16) -> impl Iterator<Item = (u32, u32)> {
    let step = u32::from(step);
    (u32::from(from)..to)
        .step_by(step as usize)
        .map(move |start| (start, (start + step).min(to)))
}

/// The rectangle, if its bounds are bounds of MCUs.
fn aligned(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Option<Rect> {
    let (mcu, size) = (jpeg.mcu(), frame.size());
    let fits =
        |at: u32, side: u16, end: u16| at.is_multiple_of(side.into()) || at == u32::from(end);
    (fits(rect.x.into(), mcu.width, size.width)
        && fits(rect.y.into(), mcu.height, size.height)
        && fits(rect.right(), mcu.width, size.width)
        && fits(rect.bottom(), mcu.height, size.height))
    .then_some(rect)
}

/// The smallest rectangle of whole MCUs around this one.
fn widened(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Rect {
    let (width, height) = (u32::from(jpeg.mcu().width), u32::from(jpeg.mcu().height));
    Rect::from_edges(
        u32::from(rect.x) / width * width,
        u32::from(rect.y) / height * height,
        rect.right().next_multiple_of(width),
        rect.bottom().next_multiple_of(height),
    )
    .intersection(frame.size().rect())
}

/// A rectangle of a JPEG with the pixels around it that look different because it changed.
fn bled(frame: &Frame, rect: Rect) -> Rect {
    let Some(jpeg) = frame.compressed() else {
        return rect;
    };
    let bleed = jpeg.bleed();
    let (x, y) = (u32::from(bleed.width), u32::from(bleed.height));
    Rect::from_edges(
        u32::from(rect.x).saturating_sub(x),
        u32::from(rect.y).saturating_sub(y),
        rect.right() + x,
        rect.bottom() + y,
    )
    .intersection(frame.size().rect())
}

/// The rectangle, made wider on each side by as few MCUs as it takes to end where decoding it alone looks the same as
/// decoding it with its neighbours; `None` if that is not near.
fn calmed(frame: &Frame, jpeg: &dyn Compressed, rect: Rect) -> Option<Rect> {
    let bleed = jpeg.bleed();
    if bleed.width == 0 {
        return None;
    }
    let mcu = u32::from(jpeg.mcu().width);
    let width = u32::from(frame.size().width);
    let calm = |x: u32| x == 0 || x >= width || is_calm(frame, jpeg, x, rect);
    let left = (0..=CALM_REACH)
        .map(|step| u32::from(rect.x).saturating_sub(step * mcu))
        .find(|x| calm(*x));
    let right = (0..=CALM_REACH)
        .map(|step| (rect.right() + step * mcu).min(width))
        .find(|x| calm(*x));
    let (left, right) = (left.unwrap_or(rect.x.into()), right.unwrap_or(rect.right()));
    Some(Rect::from_edges(left, rect.y.into(), right, rect.bottom()))
}

/// Whether no seam can be seen at column `x` along the height of `rect`.
fn is_calm(frame: &Frame, jpeg: &dyn Compressed, x: u32, rect: Rect) -> bool {
    let step = usize::from(jpeg.mcu().height);
    (rect.y..rect.y + rect.height).step_by(step).all(|y| {
        let inside = u16::try_from(x)
            .ok()
            .and_then(|x| frame.id_at(Point::new(x, y)));
        let outside = u16::try_from(x.wrapping_sub(1))
            .ok()
            .and_then(|x| frame.id_at(Point::new(x, y)));
        match (inside, outside) {
            (Some(a), Some(b)) => edge_class(a) != 0 && edge_class(a) == edge_class(b),
            _ => false,
        }
    })
}

//! What an update consists of: which rectangles, each in which form.

use std::sync::Arc;

use super::boxes::merge;
use super::motion::alike_at_ends;
use super::piece::{Area, Encoder, Joined, Part, Piece};
use super::seams::{aligned, bled, calmed, widened};
use super::trim::{is_small, trimmed};
use super::update::{Encoded, Terms};
use super::view::{Asked, Lacks, Means, View};
use super::wants::ZlibStream;
use crate::encoding::{self, Encoding};
use crate::frame::{Compressed, Damaged, Frame, tile_count};
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
/// Pixels for each byte of a JPEG as a rule.
const PIXELS_PER_BYTE: usize = 4;
/// Rows of a JPEG that is made here.
const BAND: u16 = 256;
/// The share of the whole JPEG from which on the whole is sent, in eighths.
const WHOLE_FROM: usize = 6;
/// More rectangles than this become one around them all: an update can count 65535, and each may be cut further.
const MOST_RECTS: usize = 8192;

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
                None => self.frame.bleed(),
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
        self.copy = copy;
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
                return Ok(());
            }
            self.view.motion.seen(bytes > most, alike);
            if let Some(whole) = whole.filter(|_| bytes > most) {
                self.copy = None;
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
                self.trimmed_pixels(bled(frame, rect))?;
            }
        }
        self.refine(frame, rested);
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
        self.areas.push(Area::new(rect));
        self.areas.len() - 1
    }

    /// Adds a part of the source's JPEG, widened to where no seam shows and cut to what clients take.
    fn splice(&mut self, frame: &Frame, jpeg: &dyn Compressed, rect: Rect, carrier: Encoding) {
        let rect = calmed(&self.terms.view, frame, jpeg, rect);
        let mut left = u32::from(rect.x);
        while left < rect.right() {
            let right = (left + u32::from(WIDEST_JPEG)).min(rect.right());
            let rect = Rect::from_edges(left, rect.y.into(), right, rect.bottom());
            self.pieces.push(Piece::Spliced { rect, carrier });
            left = right;
        }
    }

    /// Adds pixels of a JPEG; of a small part only those that look different now.
    fn trimmed_pixels(&mut self, rect: Rect) -> Result<(), Damaged> {
        if !is_small(rect) || self.frame.compressed().is_none() {
            self.pixels(rect, false);
            return Ok(());
        }
        let (rect, pixels) = trimmed(self.before(), &self.frame, rect)?;
        if !rect.is_empty() {
            self.areas.push(Area::with(rect, pixels));
            self.pieces_of(self.areas.len() - 1, rect, false);
        }
        Ok(())
    }

    /// The frame that the client shows, if it is one and nothing was moved in it.
    fn before(&self) -> Option<&Frame> {
        self.terms.view.exact().filter(|_| self.copy.is_none())
    }

    /// Adds pixels.
    fn pixels(&mut self, rect: Rect, lossless: bool) {
        let area = self.area(rect);
        self.pieces_of(area, rect, lossless);
    }

    /// Adds the pieces that an area's pixels are encoded in.
    fn pieces_of(&mut self, area: usize, rect: Rect, lossless: bool) {
        let encoding = self.terms.manner.encoding;
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
        let encoder = Encoder {
            frame: &self.frame,
            before: self.before(),
            areas: &self.areas,
            manner: &self.terms.manner,
        };
        encoder.encode(self.pieces[index])
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
        // Who takes nothing but JPEG can be sent nothing better than at the quality asked for.
        let has_better = self.terms.manner.encoding != Encoding::Jpeg;
        let (mut compressed, mut lossy) = (0, Vec::new());
        for (piece, part) in self.pieces.iter().zip(parts) {
            rects = rects.saturating_add(part.rects);
            match piece {
                Piece::Compressed { rect, .. } => {
                    compressed += part.bytes.len() + part.jpeg.len();
                    lossy.push(*rect);
                }
                Piece::Pixels { rect, .. } if part.lossy && has_better => lossy.push(*rect),
                _ => {}
            }
            joined.push(part.bytes);
            joined.push_shared(part.jpeg);
        }
        self.view.note_loss(&self.frame, &lossy, self.terms.now);
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

/// Coded bytes of a rectangle; a damaged picture is found out by who needs it whole.
fn weight(jpeg: &dyn Compressed, rect: Rect) -> usize {
    jpeg.weight(rect).unwrap_or(0)
}

/// A range cut where multiples of `step` from its beginning lie.
fn on_steps(from: u16, to: u32, step: u16) -> impl Iterator<Item = (u32, u32)> {
    let step = u32::from(step);
    (u32::from(from)..to)
        .step_by(step as usize)
        .map(move |start| (start, (start + step).min(to)))
}

//! One FramebufferUpdate: planned on the connection, encoded anywhere, taken back by the connection.

use super::announce::PseudoRects;
use super::view::View;
use super::wants::ZlibStream;
use crate::encoding::{self, Encoding, Parameters, Picture};
use crate::frame::Frame;
use crate::geom::Rect;
use crate::msg::server;
use crate::pixel::convert::colour_map;

/// TigerVNC closes the connection at a wider Tight rectangle.
const WIDEST_JPEG: u16 = 2048;

/// Everything that one update is made of. Holds tiles, not the connection.
#[derive(Debug)]
pub struct UpdateJob {
    pub(super) view: View,
    pub(super) frame: Frame,
    /// To be sent whether it changed or not.
    pub(super) full: Rect,
    /// To be sent where it changed.
    pub(super) changed: Rect,
    pub(super) encoding: Encoding,
    pub(super) parameters: Parameters,
    /// The encoding that carries the source's own JPEG, if this client takes it.
    pub(super) pass_through: Option<Encoding>,
    /// The first use of the connection's zlib stream.
    pub(super) begins_stream: bool,
    pub(super) needs_colour_map: bool,
    pub(super) pseudo: PseudoRects,
}

/// An update ready to be sent.
#[derive(Debug)]
pub struct EncodedUpdate {
    pub(super) view: View,
    pub(super) bytes: Vec<u8>,
    pub(super) rects: Vec<Rect>,
    pub(super) parameters: Parameters,
    pub(super) pseudo: PseudoRects,
    /// The connection's zlib stream, if this update has a part of it.
    pub(super) stream: Option<ZlibStream>,
    pub(super) sent_colour_map: bool,
}

impl UpdateJob {
    /// Finds what changed and encodes it. Slow (up to tens of milliseconds), pure, and free to run on
    /// any thread.
    pub fn encode(mut self) -> EncodedUpdate {
        let frame = self.view.fit(&self.frame);
        let rects = self.view.advance(&frame, self.full, self.changed);
        let mut update = EncodedUpdate {
            view: self.view,
            bytes: Vec::new(),
            rects,
            parameters: self.parameters,
            pseudo: self.pseudo,
            stream: None,
            sent_colour_map: false,
        };
        if update.rects.is_empty() && update.pseudo.is_empty() {
            return update;
        }
        if self.needs_colour_map && !update.rects.is_empty() {
            server::set_colour_map_entries(&mut update.bytes, &colour_map());
            update.sent_colour_map = true;
        }
        let start = update.bytes.len();
        server::framebuffer_update(&mut update.bytes, 0);
        let asked = self.full.union(self.changed);
        let mut count = update.encode_jpeg(self.pass_through, &frame, asked);
        if count == 0 {
            count = update.encode_rects(self.encoding, &frame, self.begins_stream);
        }
        update.bytes.extend_from_slice(&update.pseudo.bytes);
        count += update.pseudo.count;
        update.bytes[start + 2..start + 4].copy_from_slice(&count.to_be_bytes());
        update
    }
}

impl EncodedUpdate {
    /// Whether there is nothing to send after all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Sends the source's own JPEG untouched where most of the picture has to be sent anyway. Gives
    /// the number of rectangles: one or none.
    fn encode_jpeg(&mut self, encoding: Option<Encoding>, frame: &Frame, asked: Rect) -> u16 {
        let whole = frame.size().rect();
        let most = self.rects.iter().map(|r| r.area()).sum::<usize>() * 2 > whole.area();
        let (Some(encoding), Some(jpeg)) = (encoding, frame.jpeg()) else {
            return 0;
        };
        let fits = whole.width <= WIDEST_JPEG && encoding::jpeg_fits(jpeg.len());
        if !most || !fits || !asked.contains(whole) {
            return 0;
        }
        server::rectangle(&mut self.bytes, whole, encoding.number().0);
        if encoding == Encoding::Jpeg {
            encoding::jpeg_payload(jpeg, &mut self.bytes);
        } else {
            encoding::tight_jpeg_payload(jpeg, &mut self.bytes);
        }
        1
    }

    fn encode_rects(&mut self, encoding: Encoding, frame: &Frame, begins_stream: bool) -> u16 {
        let mut pieces: Vec<Rect> = self
            .rects
            .iter()
            .flat_map(|rect| encoding::split(encoding, *rect))
            .collect();
        if pieces.len() + usize::from(self.pseudo.count) > usize::from(u16::MAX) {
            // More than an update can count: one rectangle around them all, cut as it must be.
            let all = self
                .rects
                .iter()
                .fold(Rect::EMPTY, |all, rect| all.union(*rect));
            pieces = encoding::split(encoding, all);
        }
        for rect in &pieces {
            let pixels = frame.pixels(*rect);
            let picture = Picture {
                size: rect.size(),
                pixels: &pixels,
            };
            let first = begins_stream && self.stream.is_none();
            server::rectangle(&mut self.bytes, *rect, encoding.number().0);
            encoding::encode(encoding, &picture, &self.parameters, first, &mut self.bytes);
            self.stream = ZlibStream::of(encoding);
        }
        u16::try_from(pieces.len()).unwrap_or(u16::MAX)
    }
}

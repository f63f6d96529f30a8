//! From one captured picture to the next frame.

use bytes::Bytes;
use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
};

use super::{
    BadPicture, Captured, Colour, Layout,
    jpeg::{self, JpegDecoder},
    raw::Raw,
};

/// Turns captured pictures into frames, one after the other.
///
/// A picture whose bytes equal those of the last good one costs one comparison and nothing else.
pub struct Converter {
    decoder: Box<dyn JpegDecoder>,
    last: Option<Last>,
    /// Where pictures are decoded to; as large as the largest so far.
    bgrx: Vec<u8>,
    seq: FrameSeq,
    counters: Counters,
}

/// The last picture that could be used.
struct Last {
    shape: Shape,
    bytes: Vec<u8>,
    frame: Frame,
}

/// What else must be equal for equal bytes to be an equal picture.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    layout: Layout,
    size: Size,
    stride: usize,
    colour: Colour,
}

/// How many pictures there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All that came in.
    pub captured: u64,
    /// Equal bytes.
    pub identical: u64,
    /// Other bytes, but the same pixels.
    pub unchanged: u64,
    /// Those that became a new frame.
    pub changed: u64,
    pub dropped: Dropped,
}

/// How many pictures could not be used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    pub no_start: u64,
    pub truncated: u64,
    pub corrupt: u64,
    pub unsupported: u64,
    pub size: u64,
    pub short: u64,
}

impl Dropped {
    pub fn total(&self) -> u64 {
        let Self {
            no_start,
            truncated,
            corrupt,
            unsupported,
            size,
            short,
        } = self;
        no_start + truncated + corrupt + unsupported + size + short
    }

    fn count(&mut self, reason: &BadPicture) {
        *match reason {
            BadPicture::NoStart => &mut self.no_start,
            BadPicture::Truncated => &mut self.truncated,
            BadPicture::Corrupt(_) => &mut self.corrupt,
            BadPicture::Unsupported(_) => &mut self.unsupported,
            BadPicture::Size { .. } => &mut self.size,
            BadPicture::Short { .. } => &mut self.short,
        } += 1;
    }
}

impl Default for Converter {
    fn default() -> Self {
        Self::new()
    }
}

impl Converter {
    /// With the JPEG decoder of this build.
    pub fn new() -> Self {
        Self::with_decoder(jpeg::decoder())
    }

    pub fn with_decoder(decoder: Box<dyn JpegDecoder>) -> Self {
        Self {
            decoder,
            last: None,
            bgrx: Vec::new(),
            seq: FrameSeq::default(),
            counters: Counters::default(),
        }
    }

    /// The next frame, or `None` if the picture is that of the last one.
    ///
    /// After an error the last good frame is still the newest.
    pub fn convert(&mut self, captured: &Captured<'_>) -> Result<Option<Frame>, BadPicture> {
        self.counters.captured += 1;
        let shape = Shape {
            layout: captured.layout,
            size: captured.size,
            stride: captured.stride,
            colour: captured.colour,
        };
        if let Some(last) = &self.last
            && last.shape == shape
            && last.bytes == captured.bytes
        {
            self.counters.identical += 1;
            return Ok(None);
        }
        let frame = self.decode(captured).inspect_err(|reason| {
            self.counters.dropped.count(reason);
        })?;
        let mut bytes = self.last.take().map_or_else(Vec::new, |last| last.bytes);
        bytes.clear();
        bytes.extend_from_slice(captured.bytes);
        let (frame, is_new) = frame;
        self.last = Some(Last {
            shape,
            bytes,
            frame: frame.clone(),
        });
        if !is_new {
            self.counters.unchanged += 1;
            return Ok(None);
        }
        self.counters.changed += 1;
        self.seq = frame.seq();
        Ok(Some(frame))
    }

    /// Counts pictures that are known, without looking at them, to equal the last good one.
    pub fn count_identical(&mut self, pictures: u64) {
        self.counters.captured += pictures;
        self.counters.identical += pictures;
    }

    /// The newest frame, if there has been one.
    pub fn frame(&self) -> Option<&Frame> {
        self.last.as_ref().map(|last| &last.frame)
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The picture's frame, and whether it differs from the last one (which is returned if not).
    fn decode(&mut self, captured: &Captured<'_>) -> Result<(Frame, bool), BadPicture> {
        if captured.layout == Layout::Mjpeg {
            let jpeg = jpeg::sanitise(captured.bytes)?;
            let stride = self.make_room(jpeg.size);
            self.decoder.decode(&jpeg, &mut self.bgrx)?;
            let bytes = jpeg.is_for_clients().then(|| jpeg.bytes.clone());
            return Ok(self.cut(jpeg.size, &self.bgrx, stride, bytes));
        }
        let raw = Raw::new(captured)?;
        if captured.layout == Layout::Bgrx {
            return Ok(self.cut(raw.size, raw.bytes, raw.stride, None));
        }
        let stride = self.make_room(raw.size);
        raw.convert(&mut self.bgrx)?;
        Ok(self.cut(raw.size, &self.bgrx, stride, None))
    }

    /// Makes [`Self::bgrx`] fit a picture; returns the bytes of a row.
    fn make_room(&mut self, size: Size) -> usize {
        self.bgrx.resize(size.area() * 4, 0);
        usize::from(size.width) * 4
    }

    fn cut(&self, size: Size, bgrx: &[u8], stride: usize, jpeg: Option<Bytes>) -> (Frame, bool) {
        let last = self.frame();
        let next = FrameSeq(self.seq.0 + 1);
        let frame = Frame::from_bgrx(next, size, bgrx, stride, jpeg, last);
        match last {
            Some(last) if frame.same_picture(last) => (last.clone(), false),
            _ => (frame, true),
        }
    }
}

#[cfg(test)]
mod tests;

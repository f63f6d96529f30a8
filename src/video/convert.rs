//! From one captured picture to the next frame.

use std::sync::Arc;

use bytes::Bytes;
use rfb::frame::{Frame, FrameSeq, Picture};

use super::{
    BadPicture, Captured, Layout,
    jpeg::{
        self, JpegDecoder,
        picture::{DamageReport, JpegPicture, Stream},
    },
    raw_picture::{self, RawPicture, Shape},
};

/// Turns captured pictures into frames, one after the other.
///
/// A picture whose bytes equal those of the last good one costs one comparison and nothing else. Of any other only
/// the header is read; what a frame shows is found out when its tiles are asked for.
pub struct Converter {
    jpegs: Arc<Stream>,
    raws: Arc<raw_picture::Shown>,
    last: Option<Last>,
    seq: FrameSeq,
    counters: Counters,
}

/// The last picture that could be used.
struct Last {
    shape: Shape,
    bytes: Bytes,
    frame: Frame,
}

/// What is the same for all pictures of a source.
pub struct Manner {
    /// The JPEG decoder that is used first; others are made when several are needed at a time.
    pub decoder: Box<dyn JpegDecoder>,
    /// By how much a sample of a raw picture or a level of a JPEG may differ and count as equal.
    pub tolerance: u8,
    /// Told when a frame that was given out turns out to be damaged.
    pub on_damage: DamageReport,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            decoder: jpeg::decoder(),
            tolerance: 0,
            on_damage: Arc::new(|_| ()),
        }
    }
}

/// How many pictures there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All that came in.
    pub captured: u64,
    /// Equal bytes.
    pub identical: u64,
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

impl Counters {
    /// Each under its name.
    pub fn by_result(&self) -> [(&'static str, u64); 8] {
        let dropped = self.dropped;
        [
            ("changed", self.changed),
            ("identical", self.identical),
            ("no-start", dropped.no_start),
            ("truncated", dropped.truncated),
            ("corrupt", dropped.corrupt),
            ("unsupported", dropped.unsupported),
            ("wrong-size", dropped.size),
            ("short", dropped.short),
        ]
    }
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

    fn count(&mut self, reason: &BadPicture, pictures: u64) {
        *match reason {
            BadPicture::NoStart => &mut self.no_start,
            BadPicture::Truncated => &mut self.truncated,
            BadPicture::Corrupt(_) => &mut self.corrupt,
            BadPicture::Unsupported(_) => &mut self.unsupported,
            BadPicture::Size { .. } => &mut self.size,
            BadPicture::Short { .. } => &mut self.short,
        } += pictures;
    }
}

impl Default for Converter {
    fn default() -> Self {
        Self::new()
    }
}

impl Converter {
    pub fn new() -> Self {
        Self::with(Manner::default())
    }

    pub fn with(manner: Manner) -> Self {
        Self {
            jpegs: Arc::new(Stream::new(
                manner.decoder,
                manner.tolerance,
                manner.on_damage,
            )),
            raws: Arc::new(raw_picture::Shown::new(manner.tolerance)),
            last: None,
            seq: FrameSeq::default(),
            counters: Counters::default(),
        }
    }

    /// The next frame, or `None` if the picture is that of the last one.
    ///
    /// After an error the last good frame is still the newest.
    pub fn convert(&mut self, captured: &Captured<'_>) -> Result<Option<Frame>, BadPicture> {
        self.convert_shared(captured, &Bytes::copy_from_slice(captured.bytes))
    }

    /// The same for a picture whose `bytes` can be kept; they must be those of `captured`.
    pub fn convert_shared(
        &mut self,
        captured: &Captured<'_>,
        bytes: &Bytes,
    ) -> Result<Option<Frame>, BadPicture> {
        self.counters.captured += 1;
        let shape = Shape::from(captured);
        if let Some(last) = &self.last
            && last.shape == shape
            && last.bytes == bytes
        {
            self.counters.identical += 1;
            return Ok(None);
        }
        let picture = self
            .picture(captured, bytes)
            .inspect_err(|reason| self.counters.dropped.count(reason, 1))?;
        self.counters.changed += 1;
        self.seq = FrameSeq(self.seq.0 + 1);
        let frame = Frame::new(self.seq, picture);
        self.last = Some(Last {
            shape,
            bytes: bytes.clone(),
            frame: frame.clone(),
        });
        Ok(Some(frame))
    }

    fn picture(
        &self,
        captured: &Captured<'_>,
        bytes: &Bytes,
    ) -> Result<Arc<dyn Picture>, BadPicture> {
        if captured.layout == Layout::Mjpeg {
            let jpeg = jpeg::sanitise_shared(bytes)?;
            return Ok(Arc::new(JpegPicture::new(jpeg, Arc::clone(&self.jpegs))));
        }
        let raw = RawPicture::new(captured, bytes.clone(), Arc::clone(&self.raws))?;
        Ok(Arc::new(raw))
    }

    /// Takes note that so many of the frames given out were damaged, for this reason: the last one does not count, and
    /// the same bytes are not taken for a known picture.
    pub fn count_damaged(&mut self, reason: &BadPicture, pictures: u64) {
        self.counters.dropped.count(reason, pictures);
        self.last = None;
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
}

#[cfg(test)]
mod tests;

//! What a client said in SetEncodings, and what follows from it.

use crate::encoding::{Encoding, EncodingType, JpegQuality, Parameters, Subsampling};
use crate::msg::pseudo;
use crate::pixel::PixelFormat;

/// zlib level where the client names none: on console pictures both faster and smaller than level 1
/// of the classic zlib.
const DEFAULT_LEVEL: u8 = 2;
/// Highest zlib level used. Beyond it a frame takes several times longer for a few percent.
const HIGHEST_LEVEL: u8 = 6;

/// A client's latest SetEncodings. Each replaces the one before as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    /// Encodings that the server can produce, in the client's order.
    encodings: Vec<Encoding>,
    level: Option<u8>,
    quality: Option<u8>,
    fine_quality: Option<u8>,
    subsampling: Option<Subsampling>,
    pub(super) copy_rect: bool,
    pub(super) desktop_size: bool,
    pub(super) extended_desktop_size: bool,
    pub(super) desktop_name: bool,
    pub(super) pointer_motion: bool,
    pub(super) extended_keys: bool,
    pub(super) extended_buttons: bool,
    pub(super) led_state: bool,
    pub(super) vmware_led_state: bool,
    pub(super) xvp: bool,
    pub(super) fence: bool,
    pub(super) continuous_updates: bool,
    pub(super) extended_clipboard: bool,
}

/// The two encodings that keep one zlib stream for the whole connection. libvncclient has a single
/// inflater for both, so a connection uses one of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZlibStream {
    Zlib,
    Zrle,
}

impl ZlibStream {
    pub(super) fn of(encoding: Encoding) -> Option<Self> {
        match encoding {
            Encoding::Zlib => Some(Self::Zlib),
            Encoding::Zrle => Some(Self::Zrle),
            _ => None,
        }
    }
}

impl Wants {
    pub(super) fn new(list: &[i32]) -> Self {
        let mut wants = Self::default();
        for &number in list {
            wants.add(number);
        }
        wants
    }

    fn add(&mut self, number: i32) {
        // How far into the range a level is; the ranges hold fewer than 256 numbers.
        let step = |range: std::ops::RangeInclusive<i32>| u8::try_from(number - range.start()).ok();
        match number {
            n if n == EncodingType::COPY_RECT.0 => self.copy_rect = true,
            pseudo::DESKTOP_SIZE => self.desktop_size = true,
            pseudo::EXTENDED_DESKTOP_SIZE => self.extended_desktop_size = true,
            pseudo::DESKTOP_NAME => self.desktop_name = true,
            pseudo::POINTER_MOTION_CHANGE => self.pointer_motion = true,
            pseudo::EXTENDED_KEY_EVENT => self.extended_keys = true,
            pseudo::EXTENDED_MOUSE_BUTTONS => self.extended_buttons = true,
            pseudo::LED_STATE => self.led_state = true,
            pseudo::VMWARE_LED_STATE => self.vmware_led_state = true,
            pseudo::XVP => self.xvp = true,
            pseudo::FENCE => self.fence = true,
            pseudo::CONTINUOUS_UPDATES => self.continuous_updates = true,
            pseudo::EXTENDED_CLIPBOARD => self.extended_clipboard = true,
            n if pseudo::QUALITY.contains(&n) => self.quality = step(pseudo::QUALITY),
            n if pseudo::COMPRESSION.contains(&n) => self.level = step(pseudo::COMPRESSION),
            n if pseudo::FINE_QUALITY.contains(&n) => {
                self.fine_quality = step(pseudo::FINE_QUALITY)
            }
            n if pseudo::SUBSAMPLING.contains(&n) => {
                self.subsampling = Some(match n - pseudo::SUBSAMPLING.start() {
                    0 => Subsampling::S444,
                    2 => Subsampling::S422,
                    3 => Subsampling::Grey,
                    _ => Subsampling::S420,
                });
            }
            // LastRect needs no trace: the number of rectangles is always known beforehand.
            n => self
                .encodings
                .extend(Encoding::from_number(EncodingType(n))),
        }
    }

    /// Whether the client can follow a change of the framebuffer's size.
    pub(super) fn can_resize(&self) -> bool {
        self.desktop_size || self.extended_desktop_size
    }

    /// What changes the bytes of a rectangle.
    pub(super) fn parameters(&self, format: PixelFormat) -> Parameters {
        Parameters {
            format,
            jpeg: self.jpeg(format),
            level: self.level.unwrap_or(DEFAULT_LEVEL).clamp(1, HIGHEST_LEVEL),
        }
    }

    /// The JPEG quality to use: only where the client sent a quality level (gtk-vnc without it cannot
    /// take JPEG), and never at 8 bits.
    fn jpeg(&self, format: PixelFormat) -> Option<JpegQuality> {
        if format.bits_per_pixel == 8 {
            return None;
        }
        let level = self.quality.map(JpegQuality::from_level);
        let fine = self.fine_quality.map(JpegQuality::from_fine);
        let mut jpeg = fine.or(level)?;
        if let Some(subsampling) = self.subsampling {
            jpeg.subsampling = subsampling;
        }
        Some(jpeg)
    }

    /// The first encoding of the client's list that can serve this pixel format; Raw if there is none,
    /// since every client must take that.
    pub(super) fn choose(&self, format: PixelFormat, stream: Option<ZlibStream>) -> Encoding {
        let parameters = self.parameters(format);
        let fits = |encoding: &&Encoding| {
            let shares_stream = ZlibStream::of(**encoding)
                .is_none_or(|wanted| stream.is_none_or(|begun| begun == wanted));
            encoding.suits(&parameters) && shares_stream
        };
        self.encodings
            .iter()
            .find(fits)
            .copied()
            .unwrap_or(Encoding::Raw)
    }

    /// How JPEGs that the source made are sent, if this client takes them: inside Tight, or as they are in
    /// encoding 21. A client that would rather have an encoding without loss gets that.
    pub(super) fn carrier(
        &self,
        format: PixelFormat,
        stream: Option<ZlibStream>,
    ) -> Option<Encoding> {
        if format.bits_per_pixel != 32 || self.jpeg(format).is_none() {
            return None;
        }
        let carries =
            |e: &Encoding| matches!(e, Encoding::Tight | Encoding::TightPng | Encoding::Jpeg);
        Some(self.choose(format, stream)).filter(carries)
    }
}

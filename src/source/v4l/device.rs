//! What is asked of a capture device before it streams.
//!
//! Device, sizes, rates and buffers go through the `v4l` crate. Capabilities, formats and S_FMT are
//! asked directly with its structures: the crate panics on answers that it does not know, and
//! leaves out the colour matrix.

use std::{ffi::c_void, io, mem, path::Path, sync::Arc};

use rfb::geom::Size;
use v4l::{
    FourCC,
    device::Handle,
    frameinterval::FrameIntervalEnum,
    framesize::{FrameSizeEnum, Stepwise},
    io::mmap::Stream,
    v4l_sys,
    v4l2::{self, vidioc},
    video::{Capture as _, capture::Parameters},
};

use super::{CAPTURE, mode::Mode};
use crate::{
    source::Wishes,
    video::{Colour, Layout, Matrix, Range},
};

const V4L2_CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
const V4L2_CAP_STREAMING: u32 = 0x0400_0000;
const V4L2_CAP_DEVICE_CAPS: u32 = 0x8000_0000;
/// Most formats that are asked for; a driver that never ends its list does not keep us.
const MAX_FORMATS: u32 = 64;

/// The layouts by V4L2's four letters.
const FOURCCS: [(&[u8; 4], Layout); 9] = [
    (b"MJPG", Layout::Mjpeg),
    (b"JPEG", Layout::Mjpeg),
    (b"YUYV", Layout::Yuyv),
    (b"UYVY", Layout::Uyvy),
    (b"NV12", Layout::Nv12),
    (b"RGB3", Layout::Rgb24),
    (b"BGR3", Layout::Bgr24),
    (b"XR24", Layout::Bgrx),
    (b"BGR4", Layout::Bgrx),
];

pub(super) struct Device {
    device: v4l::Device,
}

/// What the driver set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) layout: Layout,
    pub(super) size: Size,
    pub(super) stride: usize,
    pub(super) colour: Colour,
    pub(super) fps: Option<u32>,
}

impl Device {
    pub(super) fn open(path: &Path) -> io::Result<Device> {
        // The crate panics on a path that C cannot say.
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(io::Error::other("its name holds a zero byte"));
        }
        v4l::Device::with_path(path).map(|device| Device { device })
    }

    /// Whether it streams pictures of one plane.
    pub(super) fn is_capture(&self) -> io::Result<bool> {
        // SAFETY: all bytes zero is a valid v4l2_capability.
        let mut answer: v4l_sys::v4l2_capability = unsafe { mem::zeroed() };
        // SAFETY: VIDIOC_QUERYCAP takes a v4l2_capability.
        unsafe { self.ask(vidioc::VIDIOC_QUERYCAP, &mut answer)? };
        let capabilities = if answer.capabilities & V4L2_CAP_DEVICE_CAPS != 0 {
            answer.device_caps
        } else {
            answer.capabilities
        };
        let needed = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        Ok(capabilities & needed == needed)
    }

    /// Every mode whose format is known. Where the driver gives a range, its largest size and
    /// highest rate are taken, and those wished for.
    pub(super) fn modes(&self, wishes: Wishes) -> io::Result<Vec<Mode>> {
        let mut modes = Vec::new();
        for fourcc in self.fourccs()? {
            let Some(layout) = layout(fourcc) else {
                continue;
            };
            for size in self.sizes(fourcc, wishes) {
                for interval in self.intervals(fourcc, size, wishes) {
                    modes.push(Mode {
                        layout,
                        size,
                        interval,
                    });
                }
            }
        }
        Ok(modes)
    }

    /// Sets a mode and returns what the driver made of it.
    pub(super) fn set_mode(&self, mode: Mode) -> io::Result<Format> {
        let fourcc = self
            .fourccs()?
            .into_iter()
            .find(|fourcc| layout(*fourcc) == Some(mode.layout))
            .ok_or_else(|| io::Error::other("its formats changed"))?;
        // SAFETY: all bytes zero is a valid v4l2_format; its union holds numbers only.
        let mut format: v4l_sys::v4l2_format = unsafe { mem::zeroed() };
        format.type_ = CAPTURE as u32;
        format.fmt.pix = v4l_sys::v4l2_pix_format {
            width: mode.size.width.into(),
            height: mode.size.height.into(),
            pixelformat: fourcc.into(),
            // SAFETY: all bytes zero is a valid v4l2_pix_format.
            ..unsafe { mem::zeroed() }
        };
        // SAFETY: VIDIOC_S_FMT takes a v4l2_format.
        unsafe { self.ask(vidioc::VIDIOC_S_FMT, &mut format)? };
        // SAFETY: for this type of buffer the union holds a v4l2_pix_format.
        let pix = unsafe { format.fmt.pix };
        let set = FourCC::from(pix.pixelformat);
        let layout = layout(set)
            .ok_or_else(|| io::Error::other(format!("the driver insists on the format {set:?}")))?;
        let side = |length: u32| u16::try_from(length).map_err(io::Error::other);
        let size = Size::new(side(pix.width)?, side(pix.height)?);
        Ok(Format {
            layout,
            size,
            stride: stride(layout, pix.bytesperline, size),
            colour: colour(layout, &pix),
            fps: self.set_interval(mode.interval),
        })
    }

    pub(super) fn handle(&self) -> Arc<Handle> {
        self.device.handle()
    }

    /// Maps buffers for streaming.
    pub(super) fn stream(&self, buffers: u32) -> io::Result<Stream<'static>> {
        Stream::with_buffers(&self.device, CAPTURE, buffers)
    }

    fn fourccs(&self) -> io::Result<Vec<FourCC>> {
        let mut fourccs = Vec::new();
        for index in 0..MAX_FORMATS {
            let mut answer = v4l_sys::v4l2_fmtdesc {
                index,
                type_: CAPTURE as u32,
                // SAFETY: all bytes zero is a valid v4l2_fmtdesc.
                ..unsafe { mem::zeroed() }
            };
            // SAFETY: VIDIOC_ENUM_FMT takes a v4l2_fmtdesc.
            match unsafe { self.ask(vidioc::VIDIOC_ENUM_FMT, &mut answer) } {
                Ok(()) => fourccs.push(FourCC::from(answer.pixelformat)),
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(fourccs)
    }

    /// A driver that cannot list its sizes, or allows larger ones than can be shown, takes the one
    /// wished for, or keeps the one it has: that of the signal in the case of an HDMI receiver.
    fn sizes(&self, fourcc: FourCC, wishes: Wishes) -> Vec<Size> {
        let listed = self.device.enum_framesizes(fourcc).unwrap_or_default();
        let mut sizes = Vec::new();
        for entry in listed {
            match entry.size {
                FrameSizeEnum::Discrete(size) => sizes.extend(checked(size.width, size.height)),
                FrameSizeEnum::Stepwise(range) => {
                    sizes.extend(checked(range.max_width, range.max_height));
                    sizes.extend(wishes.size.filter(|size| is_within(&range, *size)));
                }
            }
        }
        if sizes.is_empty() {
            let size = wishes.size.or_else(|| self.size_now());
            sizes.push(size.unwrap_or(Size::new(1920, 1080)));
        }
        sizes
    }

    fn size_now(&self) -> Option<Size> {
        // SAFETY: all bytes zero is a valid v4l2_format; its union holds numbers only.
        let mut format: v4l_sys::v4l2_format = unsafe { mem::zeroed() };
        format.type_ = CAPTURE as u32;
        // SAFETY: VIDIOC_G_FMT takes a v4l2_format.
        unsafe { self.ask(vidioc::VIDIOC_G_FMT, &mut format) }.ok()?;
        // SAFETY: for this type of buffer the union holds a v4l2_pix_format.
        let pix = unsafe { format.fmt.pix };
        checked(pix.width, pix.height)
    }

    fn intervals(&self, fourcc: FourCC, size: Size, wishes: Wishes) -> Vec<Option<(u32, u32)>> {
        let (width, height) = (size.width.into(), size.height.into());
        let listed = self
            .device
            .enum_frameintervals(fourcc, width, height)
            .unwrap_or_default();
        let mut intervals = Vec::new();
        for entry in listed {
            match entry.interval {
                FrameIntervalEnum::Discrete(interval) => {
                    intervals.push(Some((interval.numerator, interval.denominator)));
                }
                FrameIntervalEnum::Stepwise(range) => {
                    intervals.push(Some((range.min.numerator, range.min.denominator)));
                    intervals.extend(wishes.fps.map(|fps| Some((1, fps))));
                }
            }
        }
        if intervals.is_empty() {
            intervals.push(None);
        }
        intervals
    }

    /// Frames a second as the driver took them, if it does know.
    fn set_interval(&self, interval: Option<(u32, u32)>) -> Option<u32> {
        let (numerator, denominator) = interval?;
        let wish = Parameters::new(v4l::Fraction::new(numerator, denominator));
        let set = self.device.set_params(&wish).ok()?.interval;
        let half = set.numerator / 2;
        set.denominator
            .saturating_add(half)
            .checked_div(set.numerator)
    }

    /// # Safety
    /// `T` must be the structure that `request` takes.
    unsafe fn ask<T>(&self, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
        let argument: *mut c_void = (&raw mut *argument).cast();
        // SAFETY: the descriptor is open while `self.device` lives; the argument is valid for the
        // time of the call, and of the request's type as the caller promises.
        unsafe { v4l2::ioctl(self.device.handle().fd(), request, argument) }
    }
}

fn layout(fourcc: FourCC) -> Option<Layout> {
    FOURCCS
        .iter()
        .find(|(letters, _)| **letters == fourcc.repr)
        .map(|(_, layout)| *layout)
}

fn checked(width: u32, height: u32) -> Option<Size> {
    crate::video::checked_size(width, height).ok()
}

fn is_within(range: &Stepwise, size: Size) -> bool {
    let fits = |length: u16, min: u32, max: u32, step: u32| {
        let length = u32::from(length);
        (min..=max).contains(&length) && (length - min).is_multiple_of(step.max(1))
    };
    fits(
        size.width,
        range.min_width,
        range.max_width,
        range.step_width,
    ) && fits(
        size.height,
        range.min_height,
        range.max_height,
        range.step_height,
    )
}

/// Some drivers leave the bytes per line at 0.
fn stride(layout: Layout, bytes_per_line: u32, size: Size) -> usize {
    let width = usize::from(size.width);
    let least = match layout {
        Layout::Mjpeg => return 0,
        Layout::Yuyv | Layout::Uyvy => width * 2,
        Layout::Nv12 => width,
        Layout::Rgb24 | Layout::Bgr24 => width * 3,
        Layout::Bgrx => width * 4,
    };
    least.max(usize::try_from(bytes_per_line).unwrap_or(0))
}

/// What the driver says of colours, or follows from the colour space it names; its defaults are
/// those of `V4L2_MAP_YCBCR_ENC_DEFAULT` and `V4L2_MAP_QUANTIZATION_DEFAULT`.
fn colour(layout: Layout, pix: &v4l_sys::v4l2_pix_format) -> Colour {
    // SAFETY: both members of the union are the same number.
    let encoding = unsafe { pix.__bindgen_anon_1.ycbcr_enc };
    let matrix = match (encoding, pix.colorspace) {
        // V4L2_YCBCR_ENC_709, V4L2_YCBCR_ENC_XV709; by default V4L2_COLORSPACE_REC709, _DCI_P3.
        (2 | 4, _) | (0, 3 | 12) => Matrix::Bt709,
        // V4L2_YCBCR_ENC_BT2020, _BT2020_CONST_LUM; by default V4L2_COLORSPACE_BT2020.
        (6 | 7, _) | (0, 10) => Matrix::Bt2020,
        _ => Matrix::Bt601,
    };
    let is_rgb = matches!(layout, Layout::Rgb24 | Layout::Bgr24 | Layout::Bgrx);
    let range = match (pix.quantization, pix.colorspace) {
        // V4L2_QUANTIZATION_FULL_RANGE; by default V4L2_COLORSPACE_JPEG, and all RGB.
        (1, _) | (0, 7) => Range::Full,
        (0, _) if is_rgb => Range::Full,
        _ => Range::Limited,
    };
    Colour { matrix, range }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_from_what_the_driver_says_and_from_the_colour_space() {
        let colour = |layout, colorspace, ycbcr_enc, quantization| {
            // SAFETY: all bytes zero is a valid v4l2_pix_format.
            let mut pix: v4l_sys::v4l2_pix_format = unsafe { mem::zeroed() };
            pix.colorspace = colorspace;
            pix.__bindgen_anon_1.ycbcr_enc = ycbcr_enc;
            pix.quantization = quantization;
            let Colour { matrix, range } = colour(layout, &pix);
            (matrix, range)
        };
        // V4L2_COLORSPACE_SRGB, _REC709, _BT2020 and _JPEG with everything else left out.
        let yuyv = Layout::Yuyv;
        assert_eq!(colour(yuyv, 8, 0, 0), (Matrix::Bt601, Range::Limited));
        assert_eq!(colour(yuyv, 3, 0, 0), (Matrix::Bt709, Range::Limited));
        assert_eq!(colour(yuyv, 10, 0, 0), (Matrix::Bt2020, Range::Limited));
        assert_eq!(colour(yuyv, 7, 0, 0), (Matrix::Bt601, Range::Full));
        // V4L2_YCBCR_ENC_709 and V4L2_QUANTIZATION_FULL_RANGE said outright.
        assert_eq!(colour(yuyv, 8, 2, 1), (Matrix::Bt709, Range::Full));
        // RGB has all its levels unless V4L2_QUANTIZATION_LIM_RANGE says otherwise.
        assert_eq!(colour(Layout::Rgb24, 8, 0, 0).1, Range::Full);
        assert_eq!(colour(Layout::Rgb24, 8, 0, 2).1, Range::Limited);
    }
}

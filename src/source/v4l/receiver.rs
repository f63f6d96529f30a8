//! HDMI receivers that tell about their signal: bridges to CSI and capture cards, unlike USB dongles.
//!
//! Such a device captures with the timings that it was told, so these are read off the signal at each opening; and it
//! has an event for a signal that changes or goes away, while pictures (of nothing) may go on coming. The kernel's
//! documentation calls this the Digital Video Timings API. The `v4l` crate has no part of it but the structures.

use std::{
    ffi::c_void,
    io,
    mem::{self, size_of},
    path::{Path, PathBuf},
    sync::Arc,
};

use rfb::geom::Size;
use v4l::{
    device::Handle,
    v4l_sys::{v4l2_dv_timings, v4l2_event, v4l2_event_subscription},
    v4l2::{self, vidioc::_IOC_TYPE},
};

use crate::source::SourceError;

const V4L2_EVENT_SOURCE_CHANGE: u32 = 5;
const READ: u32 = 2;
const WRITE: u32 = 1;
const VIDIOC_S_DV_TIMINGS: _IOC_TYPE = request::<v4l2_dv_timings>(READ | WRITE, 87);
const VIDIOC_DQEVENT: _IOC_TYPE = request::<v4l2_event>(READ, 89);
const VIDIOC_SUBSCRIBE_EVENT: _IOC_TYPE = request::<v4l2_event_subscription>(WRITE, 90);
const VIDIOC_QUERY_DV_TIMINGS: _IOC_TYPE = request::<v4l2_dv_timings>(READ, 99);

/// The number of an ioctl that takes a `T` (asm-generic/ioctl.h).
const fn request<T>(direction: u32, number: u32) -> _IOC_TYPE {
    (direction << 30 | (size_of::<T>() as u32) << 16 | (b'V' as u32) << 8 | number) as _IOC_TYPE
}

/// The signal of a receiver, whose timings have been set.
pub(super) struct Receiver {
    path: PathBuf,
    handle: Arc<Handle>,
    set: Timings,
    is_without_signal: bool,
}

impl Receiver {
    /// Sets the device to its signal; `None` if it is one that knows nothing of signals.
    pub(super) fn tune(path: &Path, handle: Arc<Handle>) -> Result<Option<Self>, SourceError> {
        let timings = match query(path, &handle) {
            Some(timings) => timings?,
            None => return Ok(None),
        };
        let mut wanted = timings.0;
        // SAFETY: VIDIOC_S_DV_TIMINGS takes a v4l2_dv_timings.
        unsafe { ask(&handle, VIDIOC_S_DV_TIMINGS, &mut wanted) }.map_err(|error| {
            let size = timings.size();
            SourceError::Lost(format!(
                "{} cannot be set to its signal of {size}: {error}",
                path.display()
            ))
        })?;
        let mut subscription = v4l2_event_subscription {
            type_: V4L2_EVENT_SOURCE_CHANGE,
            // SAFETY: all bytes zero is a valid v4l2_event_subscription.
            ..unsafe { mem::zeroed() }
        };
        // SAFETY: VIDIOC_SUBSCRIBE_EVENT takes a v4l2_event_subscription.
        if let Err(error) = unsafe { ask(&handle, VIDIOC_SUBSCRIBE_EVENT, &mut subscription) } {
            tracing::warn!(source = %path.display(), "a signal that changes will not be noticed: {error}");
        }
        Ok(Some(Self {
            path: path.to_owned(),
            handle,
            set: timings,
            is_without_signal: false,
        }))
    }

    /// The size of the target's screen mode.
    pub(super) fn size(&self) -> Option<Size> {
        let size = self.set.size();
        crate::video::checked_size(size.width.into(), size.height.into()).ok()
    }

    /// An error if the signal is no more what the device was set to: [`SourceError::NoSignal`] while there is none,
    /// [`SourceError::Lost`] when the device has to be opened anew for another one.
    pub(super) fn check(&mut self) -> Result<(), SourceError> {
        if !self.take_events() && !self.is_without_signal {
            return Ok(());
        }
        match query(&self.path, &self.handle) {
            Some(Err(none)) => {
                self.is_without_signal = true;
                Err(none)
            }
            Some(Ok(timings)) if timings == self.set && !self.is_without_signal => Ok(()),
            // What was set before an outage need not have survived it.
            Some(Ok(timings)) => Err(SourceError::Lost(format!(
                "the target's screen mode is {} now",
                timings.size()
            ))),
            None => Ok(()),
        }
    }

    /// Whether the device has told of a change since it was asked last.
    fn take_events(&self) -> bool {
        let mut any = false;
        loop {
            // SAFETY: all bytes zero is a valid v4l2_event; its union holds numbers only.
            let mut event: v4l2_event = unsafe { mem::zeroed() };
            // SAFETY: VIDIOC_DQEVENT takes a v4l2_event. The device is open with O_NONBLOCK.
            if unsafe { ask(&self.handle, VIDIOC_DQEVENT, &mut event) }.is_err() {
                return any;
            }
            any |= event.type_ == V4L2_EVENT_SOURCE_CHANGE;
        }
    }
}

/// What the receiver sees; `None` if it is none.
fn query(path: &Path, handle: &Handle) -> Option<Result<Timings, SourceError>> {
    // SAFETY: all bytes zero is a valid v4l2_dv_timings; its union holds numbers only.
    let mut timings: v4l2_dv_timings = unsafe { mem::zeroed() };
    // SAFETY: VIDIOC_QUERY_DV_TIMINGS takes a v4l2_dv_timings.
    match unsafe { ask(handle, VIDIOC_QUERY_DV_TIMINGS, &mut timings) } {
        Ok(()) => Some(Ok(Timings(timings))),
        Err(error) => no_signal(path, &error).map(|why| Err(SourceError::NoSignal(why))),
    }
}

/// Why a receiver sees nothing that it could capture, and what to do.
fn no_signal(path: &Path, error: &io::Error) -> Option<String> {
    let name = path.display();
    match error.raw_os_error()? {
        libc::ENOLINK => Some(format!(
            "nothing comes into {name}: is the target on, and its HDMI cable in?"
        )),
        libc::ENOLCK => Some(format!(
            "the signal into {name} is not stable: try another HDMI cable, or a smaller screen mode on the target"
        )),
        libc::ERANGE => Some(format!(
            "{name} cannot capture the target's screen mode: choose another on the target, such as 1920x1080 at 60 Hz"
        )),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Timings(v4l2_dv_timings);

impl Timings {
    fn size(&self) -> Size {
        // SAFETY: this structure has this one kind of timings, `V4L2_DV_BT_656_1120`.
        let timings = unsafe { self.0.__bindgen_anon_1.bt };
        let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
        Size::new(side(timings.width), side(timings.height))
    }

    /// What makes one screen mode differ from another.
    fn mode(&self) -> [u64; 4] {
        // SAFETY: as above.
        let timings = unsafe { self.0.__bindgen_anon_1.bt };
        [
            timings.width.into(),
            timings.height.into(),
            timings.interlaced.into(),
            timings.pixelclock,
        ]
    }
}

impl PartialEq for Timings {
    fn eq(&self, other: &Self) -> bool {
        self.mode() == other.mode()
    }
}

/// # Safety
/// `T` must be the structure that `request` takes.
unsafe fn ask<T>(handle: &Handle, request: _IOC_TYPE, argument: &mut T) -> io::Result<()> {
    let argument: *mut c_void = (&raw mut *argument).cast();
    // SAFETY: the handle's descriptor is open while it lives; the argument is valid for the time of the call, and of the
    // request's type as the caller promises.
    unsafe { v4l2::ioctl(handle.fd(), request, argument) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_without_a_signal_says_what_to_do() {
        let why = |code| {
            no_signal(
                Path::new("/dev/video0"),
                &io::Error::from_raw_os_error(code),
            )
        };
        assert!(why(libc::ENOLINK).unwrap().contains("is the target on"));
        assert!(why(libc::ENOLCK).unwrap().contains("not stable"));
        assert!(why(libc::ERANGE).unwrap().contains("cannot capture"));
        // No receiver at all, an input that has no timings, and any other fault.
        for code in [libc::ENOTTY, libc::ENODATA, libc::EINVAL, libc::EIO] {
            assert_eq!(why(code), None);
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn requests_have_the_kernel_s_numbers() {
        assert_eq!(VIDIOC_S_DV_TIMINGS, 0xc084_5657);
        assert_eq!(VIDIOC_DQEVENT, 0x8088_5659);
        assert_eq!(VIDIOC_SUBSCRIBE_EVENT, 0x4020_565a);
        assert_eq!(VIDIOC_QUERY_DV_TIMINGS, 0x8084_5663);
    }
}

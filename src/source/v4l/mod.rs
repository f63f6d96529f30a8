//! A V4L2 capture device: an HDMI dongle.
//!
//! The only folder that knows the `v4l` crate. What that crate turns into a panic (a driver's name
//! that is no UTF-8, a colour space that it does not know) is asked of the kernel directly in
//! [`device`]; what remains of it the supervisor catches.

mod describe;
mod device;
mod find;
mod mode;
mod receiver;

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tracing::{debug, info, warn};
use v4l::{
    buffer::{Flags, Type},
    io::{
        mmap::Stream,
        traits::{CaptureStream, Stream as _},
    },
};

use super::{Lent, Opener, Source, SourceError, Stop, Wishes};
use crate::video::Captured;
pub use describe::{Description, describe};
use device::{Device, Format};
use receiver::Receiver;

/// How long there may be no frame before the device is opened anew, unless its rate is lower.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the first frame may take: some dongles first look for the signal, and would never be
/// done if they were closed meanwhile.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);
/// How often to look whether to stop.
const SLICE: Duration = Duration::from_millis(100);
/// One is lent, one is being filled, two wait.
const BUFFERS: u32 = 4;
/// A driver may make more buffers than asked for, but no more than this (`VIDEO_MAX_FRAME`).
const MAX_BUFFERS: usize = 32;

/// Opens a capture device.
pub(super) struct Camera {
    /// `None`: the first one there is.
    path: Option<PathBuf>,
    wishes: Wishes,
    stop: Stop,
    /// What was chosen last, so that it is logged once.
    logged: Option<String>,
}

impl Camera {
    pub(super) fn new(path: Option<PathBuf>, wishes: Wishes) -> Self {
        Self {
            path,
            wishes,
            stop: Stop::default(),
            logged: None,
        }
    }
}

impl Opener for Camera {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => find::first(self.wishes)?,
        };
        let path = path.as_path();
        let failed = |doing: &str| {
            let doing = doing.to_owned();
            move |error: io::Error| SourceError::Lost(reason(path, &doing, &error))
        };
        let device = Device::open(path).map_err(failed("opened"))?;
        if !device.is_capture().map_err(failed("used"))? {
            return Err(SourceError::Lost(format!(
                "{} is not a capture device; a dongle often has two nodes, choose the other one ({})",
                path.display(),
                find::list()
            )));
        }
        let receiver = Receiver::tune(path, device.handle())?;
        let mut wishes = self.wishes;
        wishes.size = wishes.size.or(receiver.as_ref().and_then(Receiver::size));
        let offers = device.modes(wishes).map_err(failed("used"))?;
        let mode = mode::choose(&offers, wishes).map_err(|why| {
            SourceError::Lost(format!("{} cannot be used: {why}", path.display()))
        })?;
        let format = device.set_mode(mode).map_err(failed("set up"))?;
        let description = format!(
            "{} {}{}",
            format.layout,
            format.size,
            format
                .fps
                .map_or_else(String::new, |fps| format!(" at {fps} frames a second")),
        );
        if self.logged.as_ref() != Some(&description) {
            info!(source = %path.display(), "captures {description}");
            self.logged = Some(description);
        }
        let stream = device.stream(BUFFERS).map_err(failed("set up"))?;
        let mut capture = Capture {
            path: path.to_owned(),
            stop: self.stop.clone(),
            format,
            receiver,
            stream: Some(stream),
            is_lent: false,
            has_delivered: false,
            flawed: 0,
        };
        capture.start().map_err(failed("started"))?;
        Ok(Box::new(capture))
    }

    fn name(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "the capture device".to_owned(),
        }
    }

    fn stop_with(&mut self, stop: Stop) {
        self.stop = stop;
    }
}

/// A device that streams.
struct Capture {
    path: PathBuf,
    stop: Stop,
    format: Format,
    /// What tells about the signal, if the device can.
    receiver: Option<Receiver>,
    /// `None` only while it is being dropped.
    stream: Option<Stream<'static>>,
    /// Whether a buffer is out that the crate's `next` can give back, as it does first of all.
    is_lent: bool,
    has_delivered: bool,
    /// How many pictures the driver itself called damaged, or that were empty.
    flawed: u64,
}

/// Where a dequeued picture lies.
struct Full {
    start: *const u8,
    length: usize,
}

impl Source for Capture {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        let lent = self.newest()?;
        self.has_delivered = true;
        // SAFETY: `start` points to a buffer that the driver mapped and that is at least `length`
        // bytes long (`dequeue` has cut it out of the slice over that mapping). It stays mapped as
        // long as the stream, which this borrow of `self` keeps, and the driver does not write to
        // it before it is queued again, which takes `&mut self`.
        let bytes = unsafe { std::slice::from_raw_parts(lent.start, lent.length) };
        Ok(Captured {
            layout: self.format.layout,
            size: self.format.size,
            stride: self.format.stride,
            colour: self.format.colour,
            bytes,
        }
        .into())
    }
}

impl Capture {
    /// Queues all buffers and starts streaming.
    ///
    /// The crate's own start waits for the first picture without an end to it; and once it has
    /// timed out it queues a buffer twice. So nothing is dequeued before `poll` says it is there.
    fn start(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        for index in 0..MAX_BUFFERS {
            match CaptureStream::queue(stream, index) {
                Ok(()) => {}
                // The driver made fewer buffers than the most there may be.
                Err(error) if index > 0 && error.raw_os_error() == Some(libc::EINVAL) => break,
                Err(error) => return Err(error),
            }
        }
        stream.start()
    }

    /// Waits for a good picture and then takes the newest one there is.
    fn newest(&mut self) -> Result<Full, SourceError> {
        let deadline = Instant::now() + patience(self.format.fps, self.has_delivered);
        let mut newest = None;
        let mut taken = 0;
        let flawed_before = self.flawed;
        loop {
            if self.stop.is_set() {
                return Err(SourceError::Ended("it was stopped".to_owned()));
            }
            if let Some(receiver) = &mut self.receiver {
                receiver.check()?;
            }
            let wait = if newest.is_some() {
                Duration::ZERO
            } else {
                SLICE
            };
            let is_enough = newest.is_some() && taken >= MAX_BUFFERS;
            if !is_enough && self.ready(wait)? {
                // A picture with an error behind a good one takes the good one's buffer away.
                newest = self.dequeue()?;
                taken += usize::from(newest.is_some());
            } else if let Some(lent) = newest {
                return Ok(lent);
            }
            if newest.is_some() {
                continue;
            }
            if Instant::now() >= deadline {
                let flawed = self.flawed - flawed_before;
                return Err(SourceError::Lost(nothing_came(&self.path, flawed)));
            }
        }
    }

    fn ready(&self, wait: Duration) -> Result<bool, SourceError> {
        let Some(stream) = &self.stream else {
            return Ok(false);
        };
        let wait = wait.as_millis().try_into().unwrap_or(i32::MAX);
        match stream.handle().poll(libc::POLLIN, wait) {
            // An unplugged device is "ready" too; dequeuing then says what happened.
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Gives the lent buffer back and takes the next full one; `None` if its picture is no good.
    fn dequeue(&mut self) -> Result<Option<Full>, SourceError> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        if !self.is_lent {
            // This one will be given back. The first picture after a start is the least to be
            // trusted anyway.
            return match stream.dequeue() {
                Ok(_) => {
                    self.is_lent = true;
                    Ok(None)
                }
                Err(error) if is_passing(&error) => Ok(None),
                Err(error) => Err(self.failed(&error)),
            };
        }
        match CaptureStream::next(stream) {
            Ok((buffer, meta)) => {
                let used = usize::try_from(meta.bytesused).unwrap_or(usize::MAX);
                let is_good = !meta.flags.contains(Flags::ERROR) && used > 0;
                self.flawed += u64::from(!is_good);
                Ok(buffer.get(..used).filter(|_| is_good).map(|bytes| Full {
                    start: bytes.as_ptr(),
                    length: bytes.len(),
                }))
            }
            Err(error) if is_passing(&error) => {
                // The lent buffer was given back, but none came for it.
                self.is_lent = false;
                Ok(None)
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &io::Error) -> SourceError {
        SourceError::Lost(reason(&self.path, "read", error))
    }
}

/// Why to open the device anew, after waiting in vain while `flawed` damaged pictures came.
fn nothing_came(path: &Path, flawed: u64) -> String {
    let name = path.display();
    match flawed {
        0 => {
            format!("{name} sends no picture: is the target on, and its HDMI cable in the dongle?")
        }
        _ => format!(
            "{name} sends only damaged pictures: try another USB cable or port, or a smaller --size"
        ),
    }
}

/// How long to wait for a frame of a stream of `fps` frames a second, if that is known.
fn patience(fps: Option<u32>, has_delivered: bool) -> Duration {
    let least = if has_delivered {
        PATIENCE
    } else {
        FIRST_PATIENCE
    };
    let frame = fps.map_or(Duration::ZERO, |fps| Duration::from_secs(1) / fps.max(1));
    // One that comes late, or with an error, is not the end.
    least.max(frame * 5 / 2)
}

/// Whether there just was nothing to take.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::TimedOut
    )
}

impl Drop for Capture {
    fn drop(&mut self) {
        if self.flawed > 0 {
            debug!(source = %self.path.display(), "{} damaged pictures were dropped", self.flawed);
        }
        let Some(mut stream) = self.stream.take() else {
            return;
        };
        // The crate's own drop panics, and a second time while unwinding, if streaming cannot be
        // stopped for any reason but ENODEV.
        match stream.stop() {
            Err(error) if error.raw_os_error() != Some(libc::ENODEV) => {
                warn!(
                    source = %self.path.display(),
                    "streaming cannot be stopped: {error}; the device stays open, plug it in anew"
                );
                std::mem::forget(stream);
            }
            _ => drop(stream),
        }
    }
}

/// What is wrong in plain words, and what to do.
fn reason(path: &Path, doing: &str, error: &io::Error) -> String {
    let name = path.display();
    match error.raw_os_error() {
        Some(libc::ENOENT) => format!(
            "{name} is not there: plug the dongle in, or choose another with --source v4l:/dev/videoN ({})",
            find::list()
        ),
        Some(libc::EACCES | libc::EPERM) => format!(
            "{name} may not be opened by this user: add it to the group video, or run as one that is in it"
        ),
        Some(libc::EBUSY) => format!(
            "{name} is in use by another program, such as a browser, ffmpeg or ustreamer: end that \
             (`fuser -v {name}` tells which)"
        ),
        Some(libc::ENODEV | libc::ENXIO | libc::ESHUTDOWN) => {
            format!("{name} was unplugged: plug the dongle in again")
        }
        Some(libc::ENOTTY | libc::EINVAL) if doing == "used" => format!(
            "{name} is not a video device: choose another with --source v4l:/dev/videoN ({})",
            find::list()
        ),
        Some(libc::EIO | libc::EPROTO | libc::EPIPE) => format!(
            "{name} cannot be {doing}, there is a fault on the USB bus ({error}): try another cable, \
             port or a hub with its own power"
        ),
        _ => format!("{name} cannot be {doing}: {error}"),
    }
}

/// The buffer type of a dongle's pictures.
const CAPTURE: Type = Type::VideoCapture;

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(path: &Path) -> String {
        let mut camera = Camera::new(Some(path.to_owned()), Wishes::default());
        match camera.open() {
            Err(SourceError::Lost(why)) => why,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("{} was opened", path.display()),
        }
    }

    #[test]
    fn a_missing_device_is_told_with_what_to_do() {
        let why = lost(Path::new("/dev/video-that-is-not-there"));
        assert!(why.starts_with("/dev/video-that-is-not-there is not there: plug the dongle in"));
        assert!(why.contains("--source v4l:/dev/videoN"), "{why}");
    }

    #[test]
    fn what_is_no_video_device_is_told() {
        let why = lost(Path::new("/dev/null"));
        assert!(why.starts_with("/dev/null is not a video device"), "{why}");
        let odd = lost(Path::new("/dev/vid\0eo"));
        assert!(odd.contains("cannot be opened"), "{odd}");
    }

    #[test]
    fn slow_modes_and_the_first_frame_are_waited_for() {
        let seconds = |fps, has_delivered| patience(fps, has_delivered).as_secs_f32();
        assert_eq!(seconds(Some(30), true), 1.0);
        assert_eq!(seconds(None, true), 1.0);
        assert_eq!(seconds(Some(1), true), 2.5);
        assert_eq!(seconds(Some(0), true), 2.5);
        assert_eq!(seconds(Some(30), false), 3.0);
    }

    #[test]
    fn faults_of_a_device_are_told_in_plain_words() {
        let why = |code| {
            reason(
                Path::new("/dev/video0"),
                "read",
                &io::Error::from_raw_os_error(code),
            )
        };
        assert!(why(libc::EBUSY).contains("in use by another program"));
        assert!(why(libc::EACCES).contains("group video"));
        assert!(why(libc::ENODEV).contains("was unplugged"));
        assert!(why(libc::EPROTO).contains("USB bus"));
        let silent = |flawed| nothing_came(Path::new("/dev/video0"), flawed);
        assert!(silent(0).contains("sends no picture"));
        assert!(silent(30).contains("only damaged pictures"));
    }
}

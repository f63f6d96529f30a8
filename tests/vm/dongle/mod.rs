//! A USB HDMI capture dongle made of software, for the kernel's own `uvcvideo` to drive.
//!
//! A [`Dongle`] is what you would hold in your hand: it has a screen at its HDMI end, a state, and faults to
//! order. Its USB end goes into a machine by [`Dongle::plug_in`], which speaks the transfer phase of USB/IP over a
//! TCP connection: in that machine somebody has accepted the connection and handed it to the kernel's virtual
//! host controller, by writing `PORT SOCKET DEVICE SPEED` to `/sys/devices/platform/vhci_hcd.0/attach` (`SPEED` 3 is
//! high speed). From there on all is as with a dongle of plastic: the kernel enumerates it, makes `/dev/videoN`,
//! negotiates a mode and streams.
//!
//!     screen   what is shown → the bytes of a frame in the mode's format
//!     video    at its time, each frame → payloads, with the faults that were ordered
//!     uvc      what each control request means; the mode that was negotiated
//!     descriptors   what the dongle says of itself
//!     usbip    transfers, and the answers to them, on the wire
//!
//! Two threads serve a cable: one reads what the host asks and answers what it can at once, one fills the
//! transfers that wait for video. What is to be known of the dongle lies under one lock with one condition, which
//! tells of every change of it: see [`Dongle::wait_until`].
//!
//!     let dongle = Dongle::new();
//!     dongle.show(Screen::Picture(picture));
//!     let plugged = dongle.plug_in(stream);
//!     dongle.wait_until(DEADLINE, |status| status.frames_sent > 0)?;
//!     dongle.fault(Fault::Truncate(3));

mod descriptors;
mod screen;
mod usbip;
mod uvc;
mod video;

use std::{
    fmt,
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rfb::geom::Size;

pub use screen::{Picture, Screen};
use usbip::Link;
pub use usbip::LinkError;

/// A dongle; clones are the same one. It keeps its screen, its faults and its counts when it is unplugged.
#[derive(Clone, Default)]
pub struct Dongle {
    shared: Arc<Shared>,
}

/// What goes wrong. A number is of frames to come: it replaces one ordered before, 0 calls it off. Several may
/// meet in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not a byte comes any more, until [`Dongle::thaw`].
    Freeze,
    /// The second half of the frame is missing.
    Truncate(u32),
    /// Noise instead of the frame, as long as that is; the same in each run.
    Garbage(u32),
    /// The dongle itself calls the frame damaged, which is all that is wrong with it.
    Error(u32),
    /// The frame is left out.
    Drop(u32),
    /// The frame's beginning is missing, up to 16 KiB.
    LoseFirstPayload(u32),
}

/// How the dongle is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the cable is in.
    pub plugged: bool,
    /// The mode of the stream, if the host has started one.
    pub streaming: Option<Mode>,
    /// Frames that the host took to the end, spoilt ones among them.
    pub frames_sent: u64,
    /// Frames that a fault was done to, those left out among them.
    pub frames_spoilt: u64,
    /// Frames that were skipped, because their time passed while the host took an earlier one.
    pub late: u64,
}

/// What the host has negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub format: Format,
    pub size: Size,
    /// Frames a second.
    pub fps: u32,
}

impl Mode {
    /// From one frame to the next.
    fn interval(self) -> Duration {
        Duration::from_nanos(u64::from(descriptors::interval(self.fps)) * 100)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mode { format, size, fps } = self;
        write!(f, "{format} {size}@{fps}")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mjpeg,
    Yuyv,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Mjpeg => "MJPEG",
            Format::Yuyv => "YUYV",
        })
    }
}

/// A dongle did not come to be as was waited for.
#[derive(Debug, thiserror::Error)]
#[error("after {} s the dongle is still {last:?}", .waited.as_secs_f32())]
pub struct TimedOut {
    pub waited: Duration,
    pub last: Status,
}

impl Dongle {
    /// Shows black until told otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the cable in: `stream` leads to a host that submits transfers. It is served by threads of its own until
    /// either end closes it. A cable that was in is pulled first.
    #[must_use = "the cable is pulled when this is dropped"]
    pub fn plug_in(&self, stream: TcpStream) -> Plugged {
        self.unplug();
        let socket = Arc::new(stream);
        let mut state = self.shared.lock();
        state.plugs += 1;
        let plug = state.plugs;
        state.cable = Some(Cable {
            plug,
            socket: Arc::clone(&socket),
            is_pulled: false,
        });
        state.status.plugged = true;
        drop(state);
        self.shared.changed.notify_all();

        let shared = Arc::clone(&self.shared);
        let serve = move || serve(&shared, plug, socket);
        let thread = thread::Builder::new()
            .name("dongle".to_owned())
            .spawn(serve)
            .expect("a thread can be started");
        Plugged {
            dongle: self.clone(),
            plug,
            thread: Some(thread),
        }
    }

    /// Pulls the cable, whatever is under way on it. Returns when the dongle knows.
    pub fn unplug(&self) {
        let latest = self.shared.lock().plugs;
        self.shared.pull(latest);
    }

    /// From the next frame on.
    ///
    /// Panics if there is not one JPEG in [`Screen::Jpegs`].
    pub fn show(&self, screen: Screen) {
        if let Screen::Jpegs(jpegs) = &screen {
            assert!(!jpegs.is_empty(), "there is something to show");
        }
        self.shared.change(|state| {
            state.screen = screen;
            state.shows += 1;
        });
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.change(|state| {
            let faults = &mut state.faults;
            match fault {
                Fault::Freeze => faults.frozen = true,
                Fault::Truncate(frames) => faults.truncate = frames,
                Fault::Garbage(frames) => faults.garbage = frames,
                Fault::Error(frames) => faults.error = frames,
                Fault::Drop(frames) => faults.drop = frames,
                Fault::LoseFirstPayload(frames) => faults.lose_first = frames,
            }
        });
    }

    /// Ends [`Fault::Freeze`].
    pub fn thaw(&self) {
        self.shared.change(|state| state.faults.frozen = false);
    }

    pub fn status(&self) -> Status {
        self.shared.lock().status
    }

    /// Waits until the status is as `wanted`, and gives it.
    pub fn wait_until(
        &self,
        deadline: Duration,
        wanted: impl Fn(&Status) -> bool,
    ) -> Result<Status, TimedOut> {
        let end = Instant::now() + deadline;
        let mut state = self.shared.lock();
        loop {
            if wanted(&state.status) {
                return Ok(state.status);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TimedOut {
                    waited: deadline,
                    last: state.status,
                });
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A dongle that is in a host. Dropping it pulls the cable.
pub struct Plugged {
    dongle: Dongle,
    plug: u64,
    thread: Option<JoinHandle<Result<(), LinkError>>>,
}

impl Plugged {
    /// Waits until the cable is out: pulled, or let go by the host. An error if that was because of what the host
    /// sent or the connection had.
    pub fn wait(mut self) -> Result<(), LinkError> {
        let thread = self.thread.take().expect("only this and drop take it");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.dongle.shared.pull(self.plug);
        // How the link ended was for `wait` to tell; a panic was printed.
        let _ = thread.join();
    }
}

/// Serves one cable until it is out.
fn serve(shared: &Shared, plug: u64, socket: Arc<TcpStream>) -> Result<(), LinkError> {
    let link = Link::new(socket);
    thread::scope(|scope| {
        thread::Builder::new()
            .name("dongle-video".to_owned())
            .spawn_scoped(scope, || video::play(shared, plug, &link))
            .expect("a thread can be started");
        let mut camera = uvc::Camera::new(|mode| {
            let stream = link.reset();
            shared.change(|state| {
                state.status.streaming = mode;
                state.stream = stream;
            });
        });
        let ended = link.serve(|setup, data| camera.control(setup, data));
        link.close();
        let mut was_pulled = false;
        shared.change(|state| {
            was_pulled = state.cable.take().is_some_and(|cable| cable.is_pulled);
            state.status.plugged = false;
            state.status.streaming = None;
        });
        // Amid a message, or while the host sends, that is an error of the connection.
        if was_pulled { Ok(()) } else { ended }
    })
}

/// What is known of the dongle, and a bell for its changes.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    screen: Screen,
    /// How often something was shown; the player starts over by it.
    shows: u64,
    faults: Faults,
    status: Status,
    /// The number that the link gave the latest stream.
    stream: u64,
    cable: Option<Cable>,
    /// How often a cable was put in.
    plugs: u64,
}

/// The cable that is in.
struct Cable {
    plug: u64,
    socket: Arc<TcpStream>,
    /// At this end.
    is_pulled: bool,
}

/// What was ordered and is not done yet.
#[derive(Default)]
struct Faults {
    frozen: bool,
    truncate: u32,
    garbage: u32,
    error: u32,
    drop: u32,
    lose_first: u32,
    /// How many frames were noise so far.
    noises: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            screen: Screen::Picture(Picture::plain(Size::new(16, 9), [0, 0, 0])),
            shows: 0,
            faults: Faults::default(),
            status: Status::default(),
            stream: 0,
            cable: None,
            plugs: 0,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Closes the connection of this cable and waits until it is out, if it is still in.
    fn pull(&self, plug: u64) {
        let mut state = self.lock();
        while let Some(cable) = state.cable.as_mut().filter(|cable| cable.plug == plug) {
            cable.is_pulled = true;
            // It fails if the host was faster.
            let _ = cable.socket.shutdown(Shutdown::Both);
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

//! rfbridge in the machine, and a client of it out here.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rfb::{
    frame::FrameSeq,
    geom::Size,
    testing::client::{Message, extended_key, pointer},
};
use rfbridge::video::{Signal, slate};

use crate::{
    machine::{DEADLINE, LOOK, Machine, RFB},
    picture::Picture,
    protocol::Usage,
    viewer::Viewer,
};

/// Beyond loopback rfbridge insists on one.
const PASSWORD: &[u8] = b"bench-42";

/// The pseudo-encoding of the target's lock LEDs.
const LED_STATE: i32 = -261;

/// The pseudo-encoding of a pointer that moves or is moved to places.
pub const POINTER_MOTION_CHANGE: i32 = -257;

/// A running rfbridge.
pub struct Bridge<'m> {
    pub machine: &'m Machine,
    pub process: u32,
}

impl<'m> Bridge<'m> {
    /// Starts `rfbridge serve` on the capture device in this format and size, without a sink.
    pub fn capture(machine: &'m Machine, format: &str, size: Size) -> Bridge<'m> {
        let device = ["--source", "v4l:/dev/video0", "--sink", "null"];
        let size = size.to_string();
        let mode = ["--format", format, "--size", &size];
        Self::serve(machine, &[device, mode].concat())
    }

    /// Starts `rfbridge serve` with these arguments; it listens when this returns.
    pub fn serve(machine: &'m Machine, arguments: &[&str]) -> Bridge<'m> {
        let password = String::from_utf8_lossy(PASSWORD);
        machine.run(&format!(
            "umask 077; mkdir -p /etc/rfbridge; echo {password} > /etc/rfbridge/password"
        ));
        let listen = format!("0.0.0.0:{RFB}");
        let mut program = vec!["/bin/rfbridge", "serve", "--listen", &listen];
        program.extend(["--password-file", "/etc/rfbridge/password"]);
        program.extend(arguments);
        let process = machine.start(&program, "rfbridge");
        let bridge = Bridge { machine, process };
        bridge.waits_for("it listens", |bridge| bridge.log().contains("listening on"));
        bridge
    }

    /// What it printed and logged so far.
    pub fn log(&self) -> String {
        self.machine.read_text("/log/rfbridge")
    }

    /// Waits until something is so of it.
    pub fn waits_for(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !so(self) {
            assert!(
                began.elapsed() < DEADLINE,
                "{what}: not so; its log: {}",
                self.log()
            );
            let usage = self.machine.usage(self.process);
            assert!(
                matches!(usage, Usage::Running { .. }),
                "{what}: it ended, {usage:?}; its log: {}",
                self.log()
            );
            thread::sleep(LOOK);
        }
    }

    /// A client that takes lossless pictures and follows changes of mode.
    pub fn client(&self) -> Client {
        // ZRLE, ExtendedDesktopSize, extended keys, extended buttons.
        self.client_of(&[16, -308, -258, -316, LED_STATE])
    }

    /// A client that takes these encodings.
    pub fn client_of(&self, encodings: &[i32]) -> Client {
        let address = self.machine.address(RFB);
        let mut viewer = Viewer::log_in(address, PASSWORD);
        viewer.has_patience(DEADLINE);
        viewer.encodings(encodings);
        viewer.request(false);
        let folder = self.machine.folder.clone();
        Client {
            viewer,
            leds: None,
            pointer_modes: Vec::new(),
            awaited: String::new(),
            folder,
        }
    }

    /// Ends it as an operator does; it must end well.
    pub fn terminate(self) {
        self.machine.signal(self.process, libc::SIGTERM);
        let began = Instant::now();
        loop {
            match self.machine.usage(self.process) {
                Usage::Ended(status) => {
                    assert_eq!(status, Some(0), "it ended; its log: {}", self.log());
                    return;
                }
                Usage::Running { .. } => {
                    assert!(
                        began.elapsed() < DEADLINE,
                        "it does not end: {}",
                        self.log()
                    );
                    thread::sleep(LOOK);
                }
            }
        }
    }
}

impl Drop for Bridge<'_> {
    /// What it said is what one wants to know when a case fails.
    fn drop(&mut self) {
        let path = self.machine.folder.join("rfbridge.log");
        let _ = std::fs::write(&path, self.log());
        if thread::panicking() {
            println!("rfbridge's log is in {}", path.display());
        }
    }
}

/// A client that always has one request open.
pub struct Client {
    viewer: Viewer,
    /// The target's lock LEDs as told last: Scroll 1, Num 2, Caps 4.
    leds: Option<u8>,
    /// What it was told of the pointer, each time: absolute or not.
    pub pointer_modes: Vec<bool>,
    /// What it waits for, for the report of a case that fails.
    awaited: String,
    folder: PathBuf,
}

impl Drop for Client {
    fn drop(&mut self) {
        if thread::panicking() {
            let path = self.folder.join("last-shown.png");
            self.screen().save(&path);
            println!(
                "a client waited for {}; what it showed last is in {}",
                self.awaited,
                path.display()
            );
        }
    }
}

impl Client {
    /// What it shows now.
    pub fn screen(&self) -> Picture {
        let size = self.viewer.client.size();
        let pixels = self.viewer.client.decoder.rgb();
        Picture::new(size, pixels.to_vec())
    }

    pub fn size(&self) -> Size {
        self.viewer.client.size()
    }

    /// How many JPEGs came.
    pub fn jpegs(&self) -> usize {
        self.viewer.client.decoder.seen.jpegs.len()
    }

    /// The length of the JPEG that came last.
    pub fn last_jpeg(&self) -> Option<usize> {
        let jpegs = &self.viewer.client.decoder.seen.jpegs;
        jpegs.last().map(|header| header.length)
    }

    /// Takes updates until something is so of what it shows; gives what `so` gave, and how long that took.
    pub fn until<T>(
        &mut self,
        what: &str,
        mut so: impl FnMut(&Picture) -> Option<T>,
    ) -> (T, Duration) {
        what.clone_into(&mut self.awaited);
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if let Some(result) = so(&screen) {
                return (result, began.elapsed());
            }
            assert!(began.elapsed() < DEADLINE, "{what}: not shown");
            self.update();
        }
    }

    /// Takes one update and asks for the next.
    pub fn update(&mut self) -> Message {
        let message = self.viewer.next();
        if let Message::Update(rectangles) = &message {
            let leds = rectangles
                .iter()
                .find(|rectangle| rectangle.encoding == LED_STATE);
            self.leds = leds.map(|leds| leds.pseudo[0]).or(self.leds);
            let modes = rectangles
                .iter()
                .filter(|rectangle| rectangle.encoding == POINTER_MOTION_CHANGE);
            self.pointer_modes
                .extend(modes.map(|rectangle| rectangle.rect.x == 1));
            self.viewer.request(true);
        }
        message
    }

    /// Takes updates until the target's LEDs are these.
    pub fn until_leds(&mut self, leds: u8) {
        self.awaited = format!("LEDs {leds}");
        while self.leds != Some(leds) {
            self.update();
        }
    }

    /// Takes updates until it was told so often whether the pointer is absolute.
    pub fn until_pointer_modes(&mut self, count: usize) {
        self.awaited = format!("{count} times the pointer's mode");
        while self.pointer_modes.len() < count {
            self.update();
        }
    }

    /// Asks for the whole screen and waits for it.
    pub fn repaint(&mut self) {
        "the whole screen".clone_into(&mut self.awaited);
        let whole = self.size().rect();
        self.viewer.request(false);
        let is_whole = |message: &Message| {
            matches!(message, Message::Update(rectangles)
                if rectangles.iter().map(|one| one.rect.size().area()).sum::<usize>() >= whole.size().area())
        };
        while !is_whole(&self.update()) {}
    }

    /// Takes updates until the slate for a signal is shown; `signal` makes it from the time when it began.
    #[allow(clippy::disallowed_methods, reason = "slates name a time of day")]
    pub fn until_slate(&mut self, what: &str, signal: impl Fn(SystemTime) -> Signal) -> Duration {
        let began = SystemTime::now();
        let is_slate = |screen: &Picture| {
            let now = SystemTime::now();
            // Slates name the second in which it began; the machine's clock is ours, to a second or so.
            (0..)
                .map(|back| now + Duration::from_secs(2) - Duration::from_secs(back))
                .take_while(|since| *since + Duration::from_secs(5) > began - DEADLINE)
                .any(|since| {
                    let frame = slate::for_signal(&signal(since), screen.size, FrameSeq(0));
                    Picture::of_frame(&frame) == *screen
                })
                .then_some(())
        };
        self.until(what, is_slate).1
    }

    pub fn key(&mut self, down: bool, scancode: u32) {
        self.viewer.send(&extended_key(down, 0, scancode));
    }

    pub fn pointer(&mut self, buttons: u8, x: u16, y: u16) {
        self.viewer.send(&pointer(buttons, x, y));
    }

    /// A movement, as clients send it that were told that the pointer is not absolute.
    pub fn moves(&mut self, buttons: u8, dx: i16, dy: i16) {
        let offset = |distance| 0x7fff_u16.wrapping_add_signed(distance);
        self.pointer(buttons, offset(dx), offset(dy));
    }

    /// Back (1) and forward (2), as the ExtendedMouseButtons extension sends them.
    pub fn side_buttons(&mut self, buttons: u8, x: u16, y: u16) {
        let mut message = pointer(0x80, x, y);
        message.push(buttons);
        self.viewer.send(&message);
    }
}

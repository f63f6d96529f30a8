//! Reads the lock LEDs that the target sets, on a small thread of its own.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::{
        fd::AsRawFd,
        unix::{fs::OpenOptionsExt, net::UnixStream},
    },
    path::Path,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;

use super::{Function, identity::Identity, locate::Locator, udc::UdcStates};
use crate::hid::Leds;

/// How often the cable is looked at, and a node that cannot be read opened again.
const LOOK: Duration = Duration::from_millis(500);

/// The reading thread; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct LedReader {
    /// Closing it is the sign to stop.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl LedReader {
    pub(super) fn spawn(
        locator: Locator,
        udc: UdcStates,
        leds: watch::Sender<Option<Leds>>,
    ) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let thread = thread::Builder::new()
            .name("hid-leds".into())
            .spawn(move || read_until(&stopped, locator, udc, &leds))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for LedReader {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has nothing to tell that was not printed.
            let _ = thread.join();
        }
    }
}

fn read_until(
    stopped: &UnixStream,
    mut locator: Locator,
    mut udc: UdcStates,
    leds: &watch::Sender<Option<Leds>>,
) {
    let mut node: Option<(File, Identity)> = None;
    loop {
        let path = locator
            .find(Function::Keyboard)
            .ok()
            .map(|found| found.path);
        udc.look_at(locator.controller());
        // An open node that the name no longer means is that of a gadget taken down, and silent for ever.
        let named = path.as_deref().and_then(Identity::named);
        if node.as_ref().is_some_and(|(_, open)| Some(*open) != named) {
            node = None;
            publish(leds, None);
        }
        node = node.or_else(|| open(path.as_deref()?));
        let file = node.as_ref().map(|(file, _)| file);
        let Some(readable) = wait(stopped, file) else {
            return;
        };
        if readable && let Some((file, _)) = &mut node {
            match read(file) {
                Ok(news) => publish(leds, Some(Leds::from_report(news))),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => {
                    node = None;
                    publish(leds, None);
                    // Not at once again: a node may stay readable and broken.
                    if wait(stopped, None).is_none() {
                        return;
                    }
                }
            }
        } else if udc.not_configured().is_some() {
            publish(leds, None);
            node = None;
        }
    }
}

/// The newest output report's LED byte; the end of the file is an error.
fn read(file: &mut File) -> io::Result<u8> {
    let mut report = [0; 64];
    match file.read(&mut report)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(report[0]),
    }
}

fn publish(leds: &watch::Sender<Option<Leds>>, news: Option<Leds>) {
    leds.send_if_modified(|leds| std::mem::replace(leds, news) != news);
}

fn open(path: &Path) -> Option<(File, Identity)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .ok()?;
    let identity = Identity::of(&file).ok()?;
    Some((file, identity))
}

/// Waits for something to read, for at most [`LOOK`]; `None` to stop.
fn wait(stopped: &UnixStream, node: Option<&File>) -> Option<bool> {
    let watched = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // A negative descriptor is not looked at.
    let mut fds = [
        watched(stopped.as_raw_fd()),
        watched(node.map_or(-1, AsRawFd::as_raw_fd)),
    ];
    // SAFETY: `fds` is an array of two initialised pollfd that lives through the call, and both files stay
    // open meanwhile.
    unsafe { libc::poll(fds.as_mut_ptr(), 2, LOOK.as_millis() as libc::c_int) };
    if fds[0].revents != 0 {
        return None;
    }
    Some(fds[1].revents != 0)
}

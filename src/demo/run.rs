//! The target behind the edges of the bridge: as a source of pictures and a sink for reports.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{DemoError, DemoOptions, Descriptors, Target};
use crate::{
    hid::{
        Leds,
        sink::{Function, Offer, Sink},
    },
    source::{Lent, Opener, Source, SourceError},
    video::{Captured, Colour, Layout, canvas::Canvas},
};

/// A still screen is delivered again after this time, as a dongle would; well under the second
/// after which a silent source counts as lost.
const STILL: Duration = Duration::from_millis(400);

/// Switches the target on. Both halves share it; `leds` hears of every change of the lock keys,
/// and at once of the state after power-on, as a host sends it when it finds a keyboard.
pub fn start(
    options: DemoOptions,
    descriptors: &Descriptors,
    leds: watch::Sender<Option<Leds>>,
) -> Result<(DemoOpener, DemoSink), DemoError> {
    if !(1..=240).contains(&options.fps) {
        return Err(DemoError::Fps(options.fps));
    }
    let mut target = Target::new(options.size, descriptors)?;
    target.set_key_repeat(options.key_repeat);
    let shared = Arc::new(Shared {
        target: Mutex::new(target),
        changed: Condvar::new(),
        started: Instant::now(),
        leds,
    });
    shared.publish_leds(&shared.lock());
    let opener = DemoOpener {
        shared: Arc::clone(&shared),
        interval: Duration::from_secs(1) / options.fps,
    };
    Ok((
        opener,
        DemoSink {
            shared,
            polls: None,
        },
    ))
}

struct Shared {
    target: Mutex<Target>,
    changed: Condvar,
    started: Instant,
    leds: watch::Sender<Option<Leds>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The target at this moment.
    fn now(&self) -> MutexGuard<'_, Target> {
        let mut target = self.lock();
        target.tick(self.started.elapsed());
        target
    }

    fn deliver(&self, function: Function, report: &[u8]) {
        let mut target = self.now();
        target.report(function, report);
        self.publish_leds(&target);
        self.changed.notify_all();
    }

    fn publish_leds(&self, target: &Target) {
        let now = Some(Leds::from_report(target.leds()));
        self.leds.send_if_modified(|leds| {
            let changed = *leds != now;
            *leds = now;
            changed
        });
    }
}

/// The target's screen.
pub struct DemoOpener {
    shared: Arc<Shared>,
    interval: Duration,
}

impl DemoOpener {
    /// Looks at the target as it is now.
    pub fn with_target<T>(&self, look: impl FnOnce(&Target) -> T) -> T {
        look(&self.shared.now())
    }
}

impl Opener for DemoOpener {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError> {
        let size = self.shared.lock().size();
        Ok(Box::new(DemoSource {
            shared: Arc::clone(&self.shared),
            interval: self.interval,
            canvas: Canvas::new(size),
            drawn: None,
        }))
    }

    fn name(&self) -> String {
        "the demo target".to_owned()
    }
}

struct DemoSource {
    shared: Arc<Shared>,
    interval: Duration,
    canvas: Canvas,
    /// The revision on the canvas, and when it was last delivered.
    drawn: Option<(u64, Instant)>,
}

impl Source for DemoSource {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        let mut target = self.shared.now();
        if let Some((revision, delivered)) = self.drawn {
            let earliest = delivered + self.interval;
            let latest = earliest.max(delivered + STILL);
            loop {
                let now = Instant::now();
                let changed = target.revision() != revision;
                if now >= latest || (changed && now >= earliest) {
                    break;
                }
                let event = self.shared.started + target.next_event();
                let wake = if changed {
                    earliest
                } else {
                    event.clamp(earliest, latest)
                };
                let waited = self
                    .shared
                    .changed
                    .wait_timeout(target, wake.saturating_duration_since(now));
                (target, _) = waited.unwrap_or_else(PoisonError::into_inner);
                target.tick(self.shared.started.elapsed());
            }
        }
        let taken = Instant::now();
        let revision = target.revision();
        if self.drawn.is_none_or(|(drawn, _)| drawn != revision) {
            target.draw(&mut self.canvas);
        }
        drop(target);
        self.drawn = Some((revision, taken));
        Ok(Captured {
            layout: Layout::Bgrx,
            size: self.canvas.size(),
            stride: self.canvas.stride(),
            colour: Colour::default(),
            bytes: self.canvas.bytes(),
        }
        .into())
    }
}

/// The target's USB port. It fetches every report at once, unless polls are made by hand.
pub struct DemoSink {
    shared: Arc<Shared>,
    polls: Option<Polls>,
}

impl DemoSink {
    /// From now on a report waits, as in the kernel, until the host polls its function; while one
    /// waits, the function is busy.
    pub fn polled_by_hand(&mut self) -> Polls {
        let polls = self.polls.get_or_insert_with(|| Polls {
            shared: Arc::clone(&self.shared),
            waiting: Arc::default(),
        });
        polls.clone()
    }
}

impl Sink for DemoSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        match &self.polls {
            None => self.shared.deliver(function, report),
            Some(polls) => {
                let mut waiting = polls.waiting();
                if waiting.contains_key(&function) {
                    return Offer::Busy;
                }
                waiting.insert(function, report.to_vec());
            }
        }
        Offer::Taken
    }
}

/// A host that polls when it is told to.
#[derive(Clone)]
pub struct Polls {
    shared: Arc<Shared>,
    waiting: Arc<Mutex<BTreeMap<Function, Vec<u8>>>>,
}

impl Polls {
    /// Polls every function once; says how many reports that fetched.
    pub fn poll(&self) -> usize {
        let waiting = std::mem::take(&mut *self.waiting());
        for (function, report) in &waiting {
            self.shared.deliver(*function, report);
        }
        waiting.len()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Function, Vec<u8>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{hid_host::tests as descriptors, target::tests::DESCRIPTORS};

    fn started() -> (DemoOpener, DemoSink, watch::Receiver<Option<Leds>>) {
        let (sender, leds) = watch::channel(None);
        let options = DemoOptions {
            key_repeat: false,
            ..DemoOptions::default()
        };
        let (opener, sink) = start(options, &DESCRIPTORS, sender).unwrap();
        (opener, sink, leds)
    }

    fn keyboard(key: u8) -> [u8; 8] {
        [0, 0, key, 0, 0, 0, 0, 0]
    }

    #[test]
    fn the_screen_comes_as_bgrx_and_shows_what_was_typed() {
        let (mut opener, mut sink, _) = started();
        let mut source = opener.open().unwrap();
        let first = {
            let captured = source.next().unwrap().captured;
            assert_eq!(captured.layout, Layout::Bgrx);
            assert_eq!(
                captured.bytes.len(),
                captured.stride * usize::from(captured.size.height)
            );
            captured.bytes.to_vec()
        };
        assert_eq!(
            sink.offer(Function::Keyboard, &keyboard(0x0b)),
            Offer::Taken
        );
        assert!(source.next().unwrap().captured.bytes != first);
        assert_eq!(opener.with_target(|target| target.text().to_owned()), "h");
        assert_eq!(opener.name(), "the demo target");
    }

    #[test]
    fn a_still_screen_is_delivered_again_and_a_moving_one_always_differs() {
        let (mut opener, mut sink, _) = started();
        let mut source = opener.open().unwrap();
        let mut next = || source.next().unwrap().captured.bytes.to_vec();
        let clock = 32 * 1280 * 4;
        assert!(next()[clock..] == next()[clock..]);
        // Left of the first page is the one in motion.
        sink.offer(Function::Keyboard, &keyboard(0x50));
        let (first, second, third) = (next(), next(), next());
        assert!(first[clock..] != second[clock..] && second[clock..] != third[clock..]);
    }

    #[test]
    fn lock_keys_are_published() {
        let (_opener, mut sink, leds) = started();
        let num = Leds {
            num: true,
            ..Leds::default()
        };
        assert_eq!(*leds.borrow(), Some(num));
        sink.offer(Function::Keyboard, &keyboard(0x39));
        assert_eq!(*leds.borrow(), Some(Leds { caps: true, ..num }));
    }

    #[test]
    fn polled_by_hand_each_function_takes_one_report_a_poll() {
        let (opener, mut sink, _) = started();
        let polls = sink.polled_by_hand();
        assert_eq!(
            sink.offer(Function::Keyboard, &keyboard(0x04)),
            Offer::Taken
        );
        assert_eq!(sink.offer(Function::Keyboard, &keyboard(0)), Offer::Busy);
        assert_eq!(sink.offer(Function::Relative, &[0; 5]), Offer::Taken);
        let text = || opener.with_target(|target| target.text().to_owned());
        assert_eq!(text(), "");
        assert_eq!((polls.poll(), polls.poll()), (2, 0));
        assert_eq!(text(), "a");
        assert_eq!(sink.offer(Function::Keyboard, &keyboard(0)), Offer::Taken);
    }

    #[test]
    fn impossible_options_are_refused_with_the_reason() {
        let attempt = |size, fps, descriptors: &Descriptors| {
            let options = DemoOptions {
                size,
                fps,
                key_repeat: true,
            };
            let started = start(options, descriptors, watch::Sender::new(None));
            started.err().map(|error| error.to_string())
        };
        use rfb::geom::Size;
        let usual = Size::new(1280, 720);
        assert_eq!(attempt(usual, 30, &DESCRIPTORS), None);
        for size in [
            Size::new(0, 0),
            Size::new(639, 400),
            Size::new(65535, 65535),
        ] {
            assert!(attempt(size, 30, &DESCRIPTORS).unwrap().contains("640x400"));
        }
        assert!(
            attempt(usual, 0, &DESCRIPTORS)
                .unwrap()
                .contains("1 to 240")
        );
        let cut = Descriptors {
            keyboard: &descriptors::KEYBOARD[..20],
            ..DESCRIPTORS
        };
        assert!(attempt(usual, 30, &cut).unwrap().contains("Keyboard"));
    }
}

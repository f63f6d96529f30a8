//! A scripted source under a clock that stands still unless the test moves it.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender as Channel, channel},
    },
};

use rfb::geom::Size;

use super::*;
use crate::{
    metrics::Metrics,
    source::Lent,
    video::{Captured, Colour, Layout},
};

const SIZE: Size = Size::new(16, 16);

/// What a scripted source does next.
enum Step {
    Picture(u8),
    /// Bytes that are too few.
    BadPicture,
    NoSignal,
    Lost(&'static str),
    Ended,
    Panic,
    OpenFails(&'static str),
    OpenEnded,
}

/// Takes a step whenever the test gives one; ends with the test.
struct Script {
    steps: Arc<Mutex<Receiver<Step>>>,
    /// A step that `open` has seen but that is for `next`.
    ahead: Arc<Mutex<VecDeque<Step>>>,
    stop: Stop,
    bytes: Vec<u8>,
}

impl Script {
    fn step(&self) -> Step {
        if let Some(step) = self.ahead.lock().unwrap().pop_front() {
            return step;
        }
        self.steps.lock().unwrap().recv().unwrap_or_else(|_| {
            self.stop.wait_for_ever();
            Step::Ended
        })
    }
}

impl Opener for Script {
    fn open(&mut self) -> Result<Box<dyn Source>, SourceError> {
        match self.step() {
            Step::OpenFails(why) => Err(SourceError::Lost(why.to_owned())),
            Step::OpenEnded => Err(SourceError::Ended("nothing more".to_owned())),
            step => {
                self.ahead.lock().unwrap().push_back(step);
                Ok(Box::new(Script {
                    steps: Arc::clone(&self.steps),
                    ahead: Arc::clone(&self.ahead),
                    stop: self.stop.clone(),
                    bytes: Vec::new(),
                }))
            }
        }
    }

    fn name(&self) -> String {
        "the script".to_owned()
    }

    fn stop_with(&mut self, stop: Stop) {
        self.stop = stop;
    }
}

impl Source for Script {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        self.bytes = match self.step() {
            Step::Picture(grey) => vec![grey; SIZE.area() * 4],
            Step::BadPicture => vec![0; 5],
            Step::NoSignal => return Err(SourceError::NoSignal("no cable".to_owned())),
            Step::Lost(why) => return Err(SourceError::Lost(why.to_owned())),
            Step::Ended => return Err(SourceError::Ended("the end".to_owned())),
            Step::Panic => panic!("as a library might"),
            Step::OpenFails(_) | Step::OpenEnded => unreachable!("steps for `open`"),
        };
        Ok(Captured {
            layout: Layout::Bgrx,
            size: SIZE,
            stride: usize::from(SIZE.width) * 4,
            colour: Colour::default(),
            bytes: &self.bytes,
        }
        .into())
    }
}

/// Waits take no time; each moves the clock and is told to the test, which must take it.
struct FakeClock {
    time: Mutex<Duration>,
    waits: Channel<Duration>,
    /// Says when [`Clock::elapsed`] was asked, which a bad picture does.
    asked: Channel<()>,
}

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + *self.time.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        let time = *self.time.lock().unwrap();
        let _ = self.asked.send(());
        time
    }

    fn wait(&self, time: Duration, _: &Stop) {
        *self.time.lock().unwrap() += time;
        let _ = self.waits.send(time);
    }
}

struct Bench {
    steps: Channel<Step>,
    waits: Receiver<Duration>,
    asked: Receiver<()>,
    clock: Arc<FakeClock>,
    signal: watch::Receiver<Signal>,
    threads: SourceThreads,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let (steps, script) = channel();
        let (sender, waits) = channel();
        let (asking, asked) = channel();
        let clock = Arc::new(FakeClock {
            time: Mutex::new(Duration::from_secs(1000)),
            waits: sender,
            asked: asking,
        });
        let (sender, mut signal) = watch::channel(Signal::Starting);
        let script = Script {
            steps: Arc::new(Mutex::new(script)),
            ahead: Arc::default(),
            stop: Stop::default(),
            bytes: Vec::new(),
        };
        let threads = spawn_with(
            Box::new(script),
            sender,
            0,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Metrics::default(),
        )
        .unwrap();
        assert!(matches!(*signal.borrow_and_update(), Signal::Starting));
        Self {
            steps,
            waits,
            asked,
            clock,
            signal,
            threads,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }

    fn give(&self, step: Step) {
        self.steps.send(step).unwrap();
    }

    /// The next signal published.
    fn signal(&mut self) -> Signal {
        self.runtime.block_on(self.signal.changed()).unwrap();
        self.signal.borrow_and_update().clone()
    }

    /// The grey of the picture that is published next.
    fn live(&mut self) -> u32 {
        match self.signal() {
            Signal::Live(frame) => {
                frame.pixels(rfb::geom::Rect::new(0, 0, 1, 1)).unwrap()[0] & 0xff
            }
            other => panic!("{other:?}"),
        }
    }

    /// Seconds since when, and why, of the loss that is published next.
    fn lost(&mut self) -> (u64, String) {
        match self.signal() {
            Signal::Lost { since, why } => (seconds(since), why),
            other => panic!("{other:?}"),
        }
    }

    fn no_signal(&mut self) -> (u64, String) {
        match self.signal() {
            Signal::NoSignal { since, why } => (seconds(since), why),
            other => panic!("{other:?}"),
        }
    }

    fn wait(&self) -> u128 {
        self.waits.recv().unwrap().as_millis()
    }

    fn pass(&self, seconds: u64) {
        *self.clock.time.lock().unwrap() += Duration::from_secs(seconds);
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[test]
fn it_is_opened_again_for_ever_with_a_growing_wait() {
    let mut bench = Bench::new();
    bench.give(Step::OpenFails("not there"));
    assert_eq!(bench.lost(), (1000, "not there".to_owned()));
    assert_eq!(bench.wait(), 100);
    for expected in [200, 400, 500, 500, 500] {
        bench.give(Step::OpenFails("not there"));
        assert_eq!(bench.wait(), expected);
    }
    bench.give(Step::Picture(5));
    assert_eq!(bench.live(), 5);
    // A picture makes the wait short again.
    bench.give(Step::Lost("unplugged"));
    assert_eq!(bench.lost().1, "unplugged");
    assert_eq!(bench.wait(), 100);
}

#[test]
fn since_is_when_it_was_first_lost_whatever_else_goes_wrong() {
    let mut bench = Bench::new();
    bench.give(Step::Picture(1));
    assert_eq!(bench.live(), 1);
    bench.pass(100);
    bench.give(Step::Lost("unplugged"));
    assert_eq!(bench.lost(), (1100, "unplugged".to_owned()));
    bench.pass(50);
    bench.give(Step::OpenFails("not there"));
    assert_eq!(bench.lost(), (1100, "not there".to_owned()));
    bench.give(Step::NoSignal);
    assert_eq!(bench.no_signal(), (1100, "no cable".to_owned()));
    // The same picture as before the loss must be shown again.
    bench.give(Step::Picture(1));
    assert_eq!(bench.live(), 1);
    bench.pass(10);
    bench.give(Step::Ended);
    assert!(bench.lost().0 >= 1160);
}

#[test]
fn the_same_picture_or_trouble_again_notifies_nobody() {
    let mut bench = Bench::new();
    bench.give(Step::NoSignal);
    assert_eq!(bench.no_signal().1, "no cable");
    bench.give(Step::NoSignal);
    bench.give(Step::NoSignal);
    bench.give(Step::Picture(1));
    assert_eq!(bench.live(), 1);
    for _ in 0..5 {
        bench.give(Step::Picture(1));
    }
    bench.give(Step::Picture(2));
    assert_eq!(bench.live(), 2);
}

#[test]
fn a_panic_in_a_source_is_a_loss() {
    let mut bench = Bench::new();
    bench.give(Step::Panic);
    let (_, why) = bench.lost();
    assert!(why.ends_with("as a library might"), "{why}");
    bench.give(Step::Picture(3));
    assert_eq!(bench.live(), 3);
}

#[test]
fn a_source_at_its_end_is_not_opened_again() {
    let mut bench = Bench::new();
    bench.give(Step::Picture(1));
    assert_eq!(bench.live(), 1);
    bench.give(Step::Ended);
    assert_eq!(bench.lost().1, "the end");
    bench.give(Step::OpenEnded);
    assert_eq!(bench.lost().1, "nothing more");
    bench.threads.stop();
    assert_eq!(bench.waits.try_iter().count(), 1);
}

#[test]
fn nothing_but_bad_pictures_for_a_second_takes_the_last_good_one_down() {
    let mut bench = Bench::new();
    bench.give(Step::Picture(1));
    assert_eq!(bench.live(), 1);
    bench.give(Step::BadPicture);
    bench.asked.recv().unwrap();
    // One bad picture is not seen: what comes next is a frame.
    bench.give(Step::Picture(2));
    assert_eq!(bench.live(), 2);
    bench.give(Step::BadPicture);
    bench.asked.recv().unwrap();
    bench.pass(1);
    bench.give(Step::BadPicture);
    let (_, why) = bench.no_signal();
    assert!(
        why.contains("cannot be shown") && why.contains("5 bytes"),
        "{why}"
    );
    bench.give(Step::Picture(2));
    assert_eq!(bench.live(), 2);
}

#[test]
fn it_runs_and_stops_with_nobody_listening() {
    let (steps, script) = channel();
    let ((waits, _), (asked, _)) = (channel(), channel());
    let (signal, receiver) = watch::channel(Signal::Starting);
    drop(receiver);
    for step in [Step::Picture(1), Step::Lost("unplugged"), Step::Picture(2)] {
        steps.send(step).unwrap();
    }
    let opener = Script {
        steps: Arc::new(Mutex::new(script)),
        ahead: Arc::default(),
        stop: Stop::default(),
        bytes: Vec::new(),
    };
    drop(steps);
    let time = Mutex::default();
    let clock = Arc::new(FakeClock { time, waits, asked });
    spawn_with(Box::new(opener), signal, 0, clock, Metrics::default())
        .unwrap()
        .stop();
}

#[test]
fn a_recording_goes_the_whole_way_and_stops() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/screens/console-typing.mjpeg"
    );
    let kind = crate::config::Source::Replay(path.into());
    let (sender, mut signal) = watch::channel(Signal::Starting);
    let opener = crate::source::opener(&kind, crate::source::Wishes::default());
    let threads = spawn(opener, sender, 0, Metrics::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut last = 0;
    while last < 3 {
        runtime.block_on(signal.changed()).unwrap();
        if let Signal::Live(frame) = &*signal.borrow_and_update() {
            assert_eq!(frame.size(), Size::new(1920, 1080));
            assert!(frame.compressed().is_some());
            assert!(frame.seq().0 > last);
            last = frame.seq().0;
        }
    }
    threads.stop();
    // Both threads are gone, and the sender with them.
    assert!(runtime.block_on(async {
        while signal.changed().await.is_ok() {}
        signal.has_changed().is_err()
    }));
}

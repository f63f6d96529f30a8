//! Keeps a source open for ever and turns what it delivers into a [`Signal`].
//!
//! Two threads: the source thread opens, reopens and drains the source; the video thread makes frames of
//! what came. Between them is one slot in which the newest picture wins, so decoding never delays capturing.
//! Only the video thread publishes, so signals come in the order of what they tell.

mod video_thread;

use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch;
use tracing::{debug, info};

use super::{
    Lent, Opener, Source, SourceError, Stop,
    mailbox::{Mailbox, Sender},
};
use crate::{
    metrics::Metrics,
    video::{Converter, Manner, Signal},
};
use video_thread::VideoThread;

/// The first wait before a source is opened again; it doubles each time.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The longest wait before a source is opened again: a dongle that is plugged in has its picture within a second
/// or two.
pub const LAST_BACKOFF: Duration = Duration::from_millis(500);

/// Time as the supervisor sees it, so that tests need not wait.
pub trait Clock: Send + Sync {
    /// For people: when something began.
    fn now(&self) -> SystemTime;
    /// For intervals: never goes back.
    fn elapsed(&self) -> Duration;
    /// Waits for `time`, or until `stop` is set.
    fn wait(&self, time: Duration, stop: &Stop);
}

/// The machine's clock.
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "slates name a time of day")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, time: Duration, stop: &Stop) {
        stop.wait(time);
    }
}

/// The running threads. Dropping them stops them too.
pub struct SourceThreads {
    stop: Stop,
    mailbox: Arc<Mailbox>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts both threads. `signal` becomes [`Signal::Starting`] at once; it does not matter whether
/// anybody listens to it. A raw picture is no news if no sample differs by more than `tolerance`
/// levels from the last one that was. Fails only if the system has no more threads.
pub fn spawn(
    opener: Box<dyn Opener>,
    signal: watch::Sender<Signal>,
    tolerance: u8,
    metrics: Metrics,
) -> io::Result<SourceThreads> {
    let clock = Arc::<SystemClock>::default();
    spawn_with(opener, signal, tolerance, clock, metrics)
}

/// [`spawn`] with another time.
pub fn spawn_with(
    mut opener: Box<dyn Opener>,
    signal: watch::Sender<Signal>,
    tolerance: u8,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
) -> io::Result<SourceThreads> {
    signal.send_replace(Signal::Starting);
    let mut threads = SourceThreads {
        stop: Stop::default(),
        mailbox: Arc::default(),
        threads: Vec::new(),
    };
    opener.stop_with(threads.stop.clone());

    let mailbox = Arc::clone(&threads.mailbox);
    let converter = Converter::with(Manner {
        tolerance,
        on_damage: Arc::new(move |reason| mailbox.put_damaged(reason)),
        ..Manner::default()
    });
    let time = Arc::clone(&clock);
    let video = VideoThread::new(opener.name(), signal, converter, time, metrics.clone());
    let mailbox = Arc::clone(&threads.mailbox);
    threads.start("video", move || video.run(&mailbox))?;

    let (stop, sender) = (
        threads.stop.clone(),
        Sender::new(Arc::clone(&threads.mailbox), tolerance),
    );
    threads.start("source", move || {
        capture(opener, sender, &stop, clock.as_ref(), &metrics)
    })?;
    Ok(threads)
}

impl SourceThreads {
    /// Ends both threads and waits for them.
    pub fn stop(self) {
        drop(self);
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for SourceThreads {
    fn drop(&mut self) {
        self.stop.set();
        self.mailbox.close();
        for thread in self.threads.drain(..) {
            // A panic has been reported on standard error by the thread itself.
            let _ = thread.join();
        }
    }
}

/// The source thread: opens, drains, opens again.
fn capture(
    mut opener: Box<dyn Opener>,
    mut sender: Sender,
    stop: &Stop,
    clock: &dyn Clock,
    metrics: &Metrics,
) {
    let mut backoff = FIRST_BACKOFF;
    while !stop.is_set() {
        match guarded(|| opener.open()) {
            Ok(mut source) => {
                // One that never delivers is opened again and again; that it is live is news.
                debug!(source = opener.name(), "opened");
                metrics.source("opened");
                let mut timed = Timed {
                    source: source.as_mut(),
                    last: None,
                    metrics,
                };
                let trouble = drain(&mut timed, &mut sender, stop, clock, &mut backoff);
                metrics.source("lost");
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(source))) {
                    info!(
                        source = opener.name(),
                        "closing failed: {}",
                        message(&payload)
                    );
                }
                if stop.is_set() {
                    return;
                }
                sender.put_trouble(trouble);
            }
            Err(trouble @ SourceError::Ended(_)) => {
                sender.put_trouble(trouble);
                stop.wait_for_ever();
                return;
            }
            Err(trouble) => sender.put_trouble(trouble),
        }
        clock.wait(backoff, stop);
        backoff = (backoff * 2).min(LAST_BACKOFF);
    }
}

/// Measures the time from picture to picture.
struct Timed<'a> {
    source: &'a mut dyn Source,
    last: Option<Instant>,
    metrics: &'a Metrics,
}

impl Source for Timed<'_> {
    fn next(&mut self) -> Result<Lent<'_>, SourceError> {
        let lent = self.source.next();
        match &lent {
            Ok(_) => {
                let now = Instant::now();
                if let Some(before) = self.last.replace(now) {
                    self.metrics.picture_interval(now - before);
                }
            }
            Err(SourceError::NoSignal(_)) => {
                self.last = None;
                self.metrics.source("no-signal");
            }
            Err(_) => {}
        }
        lent
    }
}

/// Passes pictures on until the source has to be opened anew; says why.
fn drain(
    source: &mut dyn Source,
    sender: &mut Sender,
    stop: &Stop,
    clock: &dyn Clock,
    backoff: &mut Duration,
) -> SourceError {
    loop {
        if stop.is_set() {
            return SourceError::Ended("it was stopped".to_owned());
        }
        match guarded(|| source.next().map(|lent| sender.put(lent))) {
            Ok(()) => *backoff = FIRST_BACKOFF,
            Err(trouble @ SourceError::NoSignal(_)) => {
                sender.put_trouble(trouble);
                // A source that knows this at once must not keep a core busy with it.
                clock.wait(FIRST_BACKOFF, stop);
            }
            Err(trouble) => return trouble,
        }
    }
}

/// Capture libraries panic on answers that they do not expect from a driver; that is a source lost.
fn guarded<T>(call: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        Err(SourceError::Lost(format!(
            "the device gave an answer that is not understood: {}",
            message(&payload)
        )))
    })
}

fn message(payload: &Box<dyn Any + Send>) -> &str {
    let payload = payload.as_ref();
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests;

//! The HID thread: it alone writes reports.
//!
//! It sleeps without waking while nothing waits to be written. While a report waits that the target has not
//! fetched room for, it offers it again every millisecond: `poll` on a hidg node cannot be relied upon.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    ClientId, Input, Leds, Named, Options, PointerMode,
    inbox::{Arrival, Inbox},
    jiggle::Jiggle,
    pending::{Change, Pending},
    sink::{Function, Offer, Sink},
    tally::{Tally, Typed},
};

/// How long a stopping thread tries to have the releases taken.
const FAREWELL: Duration = Duration::from_millis(300);

/// What a function does that takes nothing.
const ASLEEP: &str = "fetches no reports (asleep, or firmware without this device)";

/// Starts the HID thread on a sink.
pub fn spawn(sink: Box<dyn Sink>, options: Options) -> io::Result<(HidHandle, HidThread)> {
    let inbox = Arc::new(Inbox::default());
    let (tally, typed) = Tally::new();
    let mut writer = Writer::new(sink, options, tally);
    let pointer_mode = writer.pointer_mode.subscribe();
    let thread = thread::Builder::new().name("hid".into()).spawn({
        let inbox = Arc::clone(&inbox);
        move || writer.run(&inbox)
    })?;
    let handle = HidHandle {
        inbox: Arc::clone(&inbox),
        typed,
        pointer_mode,
    };
    let thread = HidThread {
        inbox,
        thread: Some(thread),
    };
    Ok((handle, thread))
}

/// Sends input to the HID thread; one per session or shared.
#[derive(Clone, Debug)]
pub struct HidHandle {
    inbox: Arc<Inbox>,
    typed: watch::Receiver<Typed>,
    pointer_mode: watch::Receiver<PointerMode>,
}

impl HidHandle {
    /// Which pointer is used, now and from then on.
    pub fn pointer_mode(&self) -> watch::Receiver<PointerMode> {
        self.pointer_mode.clone()
    }

    /// Hands over what a client did, in order. Waits while a live target is slower than its clients; never for one that
    /// is offline, and not for more than about a second for one that is asleep. Pointer moves do not queue up.
    pub async fn send(&self, client: ClientId, input: Input) {
        self.inbox.send(client, input).await;
    }

    /// [`HidHandle::send`] for threads outside the runtime.
    pub fn blocking_send(&self, client: ClientId, input: Input) {
        self.inbox.blocking_send(client, input);
    }

    /// What becomes of the characters of a text; ends with the HID thread.
    pub fn typed(&self) -> watch::Receiver<Typed> {
        self.typed.clone()
    }

    /// Says that a client is gone, without ever waiting, so that it can be said while dropping.
    pub fn leave(&self, client: ClientId) {
        self.inbox.blocking_send(client, Input::Leave);
    }
}

/// The running thread. Dropping it stops it.
#[derive(Debug)]
pub struct HidThread {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl HidThread {
    /// Releases everything on the target and ends the thread, within half a second even if the target is asleep.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.inbox.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HID thread had failed; keys may be down on the target");
        }
    }
}

impl Drop for HidThread {
    fn drop(&mut self) {
        self.end();
    }
}

struct Writer {
    sink: Box<dyn Sink>,
    pending: Pending,
    leds: watch::Receiver<Option<Leds>>,
    layout: watch::Receiver<Named>,
    tally: Tally,
    jiggle: Jiggle,
    pointer_mode: watch::Sender<PointerMode>,
    start: Instant,
}

impl Writer {
    fn new(sink: Box<dyn Sink>, options: Options, tally: Tally) -> Self {
        let mut layout = options.layout.subscribe();
        let first = Arc::clone(&layout.borrow_and_update().layout);
        let pending = Pending::new(first, options.lock_inference, &options.mouse);
        let mut writer = Self {
            tally,
            sink,
            pointer_mode: watch::Sender::new(pending.pointer_mode()),
            pending,
            leds: options.leds,
            layout,
            jiggle: Jiggle::new(options.mouse.jiggle),
            start: Instant::now(),
        };
        writer.look();
        writer
    }

    fn run(&mut self, inbox: &Inbox) {
        loop {
            self.deliver();
            let now = self.start.elapsed();
            if self.jiggle.is_due(now) {
                self.look();
                self.pending.jiggle();
                self.jiggle.restart(now, now.subsec_nanos());
                continue;
            }
            let idle = self.pending.idle_for(now).into_iter();
            let idle = idle.chain(self.jiggle.due_in(now)).min();
            // One input at a time: a target that was asleep may be back by the time of the next.
            match inbox.wait(self.pending.has_room(), idle) {
                Arrival::Input(client, input) => self.take(client, input),
                Arrival::Nothing => {}
                Arrival::Closed => break,
            }
        }
        self.say_goodbye();
    }

    fn take(&mut self, client: ClientId, input: Input) {
        self.look();
        if self.layout.has_changed().unwrap_or(false) {
            let layout = Arc::clone(&self.layout.borrow_and_update().layout);
            self.pending.set_layout(layout);
        }
        let leds = *self.leds.borrow();
        self.pending.look_at_leds(self.start.elapsed(), leds);
        match input {
            Input::Character { .. } if self.tally.is_whole(client) => self.type_one(client, input),
            Input::Character { down: true, .. } => {}
            _ => {
                let change = self.pending.input(client, input);
                self.tell(change);
            }
        }
        if !matches!(input, Input::Expire | Input::Leave) {
            let now = self.start.elapsed();
            self.jiggle.restart(now, now.subsec_nanos());
        }
    }

    /// A stroke of a text of which nothing is missing so far.
    fn type_one(&mut self, client: ClientId, input: Input) {
        let change = self.pending.input(client, input);
        self.tell(change);
        self.tally.add(client, self.pending.next_number());
        if self.pending.keyboard_is_stalled() {
            // Unless this finds it awake, the next state takes the place of this one.
            self.deliver();
            if self.pending.keyboard_is_stalled() {
                self.tally.lost(ASLEEP);
            }
        }
    }

    /// Looks which functions there are now.
    fn look(&mut self) {
        let sink = &mut self.sink;
        let change = self.pending.look(|function| sink.has(function));
        self.tell(change);
    }

    fn say_goodbye(&mut self) {
        self.pending.release_all();
        let deadline = Instant::now() + FAREWELL;
        loop {
            self.deliver();
            let Some(idle) = self.pending.idle_for(self.start.elapsed()) else {
                return;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!("the target did not take the release of all keys in time");
                return;
            }
            thread::sleep(idle.min(left));
        }
    }

    fn deliver(&mut self) {
        while let Some(report) = self.pending.next(self.start.elapsed()) {
            let function = report.function();
            let offer = self.sink.offer(function, report.bytes());
            if let (Function::Keyboard, Offer::Offline(why)) = (function, &offer) {
                self.tally.lost(&format!("is offline: {why}"));
            }
            let change = self.pending.outcome(function, offer, self.start.elapsed());
            if let Some(Change::Stalled(Function::Keyboard)) = change {
                self.tally.lost(ASLEEP);
            }
            self.tell(change);
            self.tally.taken_before(self.pending.keyboard_waits_from());
        }
        self.tally.taken_before(self.pending.keyboard_waits_from());
    }

    fn tell(&self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Up(function)) => tracing::info!(%function, "the target takes reports"),
            Some(Change::Down(function, why)) => {
                tracing::warn!(%function, why, "the target is offline, input is dropped");
            }
            Some(Change::Stalled(function)) => tracing::warn!(%function, "the target {ASLEEP}"),
            Some(Change::Pointer(mode)) => {
                tracing::info!(function = %mode.function(), "this pointer is used from now on");
                self.pointer_mode.send_replace(mode);
            }
            Some(Change::NoPointer(mode)) => {
                tracing::warn!(function = %mode.function(), "the target has no such pointer, so the mode stays");
            }
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

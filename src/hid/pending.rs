//! What the target has yet to be told, and what becomes of it when the target is slow, asleep or gone.
//!
//! A pure state machine with the time passed in. Inputs go in, [`Pending::next`] says which report to offer, the
//! outcome of the offer goes in. Each function has a lane: a queue of reports, each of which has to be taken before
//! the next one is offered, so every press is seen for at least one poll and nothing is reordered.
//!
//! | The function | is | and then |
//! |---|---|---|
//! | takes reports | live | order is kept across functions as the clients sent it; only moves in a row become one |
//! | refuses for 100 ms ([`LAG`]) | lagging | the others no longer wait for it (firmware that polls the keyboard may never poll the pointer) |
//! | refuses for 1 s ([`STALL`]) | stalled | what waits becomes one report, the newest state; so it stays until a report is taken |
//! | is offline | down | what waits is dropped and what is held is forgotten; if the last report it took held something, the release of that is the first thing offered from then on |
//!
//! So nothing is typed late at a target that was away, and nothing sticks. A key that is held across an
//! outage is up until it is pressed again (the auto-repeat of a viewer does that, which is what one
//! wants from F2 during a reboot).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    ClientId, Input, Leds, MouseOptions, PointerMode, Report,
    keyboard::Keyboard,
    keymap::Layout,
    motion::Motion,
    mouse::{Mouse, Step},
    pointer_mode::ModeChoice,
    sink::{Function, Offer},
};

/// A function that took nothing for this long no longer holds up the others.
pub(super) const LAG: Duration = Duration::from_millis(100);
/// A function that took nothing for this long gets only the newest state.
pub(super) const STALL: Duration = Duration::from_secs(1);
/// How often a refused report is offered again; a USB full-speed host polls every 1 to 10 ms.
const POLL: Duration = Duration::from_millis(1);
/// The same for a stalled function, which may be asleep for days.
const STALLED_POLL: Duration = Duration::from_millis(20);
/// How often the release is offered to a function that is offline: first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Waiting reports above which no further input is taken.
const ROOM: usize = 64;

/// Reports on their way, of all functions. Times are since any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Pending {
    keyboard: Keyboard,
    mouse: Mouse,
    modes: ModeChoice,
    lanes: [Lane; Function::ALL.len()],
    /// Number of the next report.
    next_number: u64,
}

/// A function came or went, or another pointer is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Up(Function),
    Down(Function, String),
    /// It has taken nothing for [`STALL`].
    Stalled(Function),
    Pointer(PointerMode),
    /// The other pointer was asked for, which the target does not have.
    NoPointer(PointerMode),
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// The state the target was told last.
    taken: Option<Report>,
    link: Link,
    refused_since: Option<Duration>,
    stalled: bool,
    not_before: Duration,
    retry: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    step: Step,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Link {
    #[default]
    Unknown,
    Up,
    Down,
}

impl Pending {
    pub(super) fn new(layout: Arc<Layout>, lock_inference: bool, mouse: &MouseOptions) -> Self {
        let modes = ModeChoice::new(mouse.mode);
        Self {
            keyboard: Keyboard::new(layout, lock_inference),
            mouse: Mouse::new(modes.mode(), mouse.scroll_rate),
            modes,
            ..Self::default()
        }
    }

    /// Takes in the target's lock LEDs, as they are before the next input.
    pub(super) fn look_at_leds(&mut self, now: Duration, leds: Option<Leds>) {
        self.keyboard.look_at_leds(now, leds);
    }

    /// From now on this is the target's layout.
    pub(super) fn set_layout(&mut self, layout: Arc<Layout>) {
        let mut out = Vec::new();
        self.keyboard.set_layout(layout, &mut out);
        out.into_iter().for_each(|report| self.add(report.into()));
    }

    /// Takes in what a client did.
    pub(super) fn input(&mut self, client: ClientId, input: Input) -> Option<Change> {
        let (mut out, mut steps) = (Vec::new(), Vec::new());
        let mut change = None;
        match input {
            Input::Key { down, keysym } => self.keyboard.keysym(client, down, keysym, &mut out),
            Input::ExtendedKey { down, keysym, code } => {
                self.keyboard.extended(client, down, keysym, code, &mut out);
            }
            Input::Character { down, character } => {
                self.keyboard.character(client, down, character, &mut out);
            }
            Input::Pointer {
                position,
                size,
                buttons,
            } => {
                self.mouse
                    .pointer(client, position, size, buttons, &mut steps);
            }
            Input::Motion { dx, dy, buttons } => {
                let motion = Motion::new(dx, dy);
                self.mouse.motion(client, motion, buttons, &mut steps);
            }
            Input::TogglePointerMode => {
                change = Some(self.modes.toggle());
                self.mouse.set_mode(self.modes.mode(), &mut steps);
            }
            Input::Expire => {
                self.keyboard.expire(client, &mut out);
                self.mouse.expire(client, &mut steps);
            }
            Input::Leave => {
                self.keyboard.leave(client, &mut out);
                self.mouse.leave(client, &mut steps);
            }
        }
        for step in out.into_iter().map(Step::from).chain(steps) {
            self.add(step);
        }
        change
    }

    /// Learns which functions the target has now.
    pub(super) fn look(&mut self, has: impl FnMut(Function) -> bool) -> Option<Change> {
        let before = self.modes.mode();
        self.modes.look(has);
        let mode = self.modes.mode();
        let mut steps = Vec::new();
        self.mouse.set_mode(mode, &mut steps);
        for step in steps {
            self.add(step);
        }
        (mode != before).then_some(Change::Pointer(mode))
    }

    pub(super) fn pointer_mode(&self) -> PointerMode {
        self.modes.mode()
    }

    /// Stirs the target's pointer, unless a report waits for it already. Where the target is away the sink refuses that, and
    /// nothing of it is kept; where it is asleep one report that changes nothing finds out when it is back.
    pub(super) fn jiggle(&mut self) {
        let mode = self.modes.mode();
        let lane = self.lane(mode.function());
        let (is_idle, is_stalled) = (lane.waiting.is_empty(), lane.stalled);
        if !self.modes.has(mode) || !is_idle {
            return;
        }
        if is_stalled {
            let report = self.mouse.report();
            return report
                .into_iter()
                .for_each(|report| self.append(report.into()));
        }
        let mut steps = Vec::new();
        self.mouse.jiggle(&mut steps);
        for step in steps {
            self.add(step);
        }
    }

    /// Lets go of everything: what waits is dropped, releases follow where something is down.
    pub(super) fn release_all(&mut self) {
        for function in Function::ALL {
            self.drop_and_release(function);
            self.lane(function).not_before = Duration::ZERO;
        }
    }

    /// The report to offer now, if any.
    pub(super) fn next(&self, now: Duration) -> Option<Report> {
        for lane in self.in_order() {
            let head = lane.waiting.front()?;
            if lane.not_before <= now {
                return Some(head.step.next_report());
            }
            if !lane.lets_others_pass(now) {
                return None;
            }
        }
        None
    }

    /// How long there is nothing to offer: for ever if nothing waits.
    pub(super) fn idle_for(&self, now: Duration) -> Option<Duration> {
        let mut soonest: Option<Duration> = None;
        for lane in self.in_order() {
            let wait = lane.not_before.saturating_sub(now);
            soonest = Some(soonest.map_or(wait, |soonest| soonest.min(wait)));
            if !lane.lets_others_pass(now) {
                break;
            }
        }
        soonest
    }

    /// Whether more input may come in before some of it is gone.
    pub(super) fn has_room(&self) -> bool {
        self.lanes
            .iter()
            .flat_map(|lane| &lane.waiting)
            .map(|waiting| waiting.step.reports())
            .sum::<usize>()
            < ROOM
    }

    /// The number that the next report gets.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Of the keyboard's reports all with a lower number were taken or dropped.
    pub(super) fn keyboard_waits_from(&self) -> u64 {
        let lane = &self.lanes[Function::Keyboard as usize];
        let head = lane.waiting.front().map(|head| head.number);
        head.unwrap_or(self.next_number)
    }

    /// Whether the keyboard gets only its newest state.
    pub(super) fn keyboard_is_stalled(&self) -> bool {
        self.lanes[Function::Keyboard as usize].stalled
    }

    /// What became of the report that [`Pending::next`] named.
    pub(super) fn outcome(
        &mut self,
        function: Function,
        offer: Offer,
        now: Duration,
    ) -> Option<Change> {
        match offer {
            Offer::Taken => self.taken(function),
            Offer::Busy => self.refused(function, now),
            Offer::Offline(why) => self.offline(function, why, now),
        }
    }

    fn taken(&mut self, function: Function) -> Option<Change> {
        let lane = self.lane(function);
        if let Some(mut head) = lane.waiting.pop_front() {
            lane.taken = Some(head.step.next_report().state());
            if let Some(rest) = head.step.rest() {
                head.step = rest;
                lane.waiting.push_front(head);
            }
        }
        let news = lane.link != Link::Up || lane.stalled;
        *lane = Lane {
            waiting: std::mem::take(&mut lane.waiting),
            taken: lane.taken,
            link: Link::Up,
            ..Lane::default()
        };
        news.then_some(Change::Up(function))
    }

    fn refused(&mut self, function: Function, now: Duration) -> Option<Change> {
        let lane = self.lane(function);
        let since = *lane.refused_since.get_or_insert(now);
        let news = !lane.stalled && now.saturating_sub(since) >= STALL;
        lane.stalled |= news;
        lane.not_before = now + if lane.stalled { STALLED_POLL } else { POLL };
        if news {
            self.collapse(function);
        }
        news.then_some(Change::Stalled(function))
    }

    fn offline(&mut self, function: Function, why: String, now: Duration) -> Option<Change> {
        self.drop_and_release(function);
        let lane = self.lane(function);
        let news = lane.link != Link::Down;
        lane.retry = if news {
            RETRY.0
        } else {
            (lane.retry * 2).min(RETRY.1)
        };
        lane.not_before = now + lane.retry;
        lane.link = Link::Down;
        lane.refused_since = None;
        lane.stalled = false;
        news.then_some(Change::Down(function, why))
    }

    /// Drops what waits for a function, forgets what is held on it, and has the release wait if the target was told
    /// of something down.
    fn drop_and_release(&mut self, function: Function) {
        match function {
            Function::Keyboard => self.keyboard.forget_keys(),
            Function::Consumer => self.keyboard.forget_consumer(),
            Function::Absolute | Function::Relative => self.mouse.forget(function),
        }
        let lane = self.lane(function);
        lane.waiting.clear();
        if let Some(taken) = lane.taken.filter(Report::holds) {
            self.append(taken.release().into());
        }
    }

    /// Puts a step in its lane.
    fn add(&mut self, step: Step) {
        let newest = self.next_number.wrapping_sub(1);
        let function = step.report.function();
        let lane = self.lane(function);
        if lane.link == Link::Down || lane.stalled {
            lane.not_before = Duration::ZERO; // It may be back.
        }
        if lane.stalled {
            self.collapse(function);
            return self.knock(step);
        }
        let last = lane.waiting.back_mut();
        let joined = last.and_then(|last| {
            let both = last.step.and_then_move(step)?;
            (last.number == newest).then(|| last.step = both)?;
            Some(both)
        });
        match joined {
            None => self.append(step),
            Some(both) if both.is_nothing() => drop(lane.waiting.pop_back()),
            Some(_) => {}
        }
    }

    /// Lets a stalled mouse find out whether the target is back: a movement is no state, so of a target that
    /// slept the newest one alone is offered, and no more of it than one report.
    fn knock(&mut self, step: Step) {
        let (dx, dy) = step.motion.step();
        if let Some(report) = self.mouse.report()
            && !step.motion.is_none()
        {
            self.append(Step {
                report,
                motion: Motion::new(dx, dy),
                is_move: false,
            });
        }
    }

    fn append(&mut self, step: Step) {
        let number = self.next_number;
        self.next_number += 1;
        let lane = self.lane(step.report.function());
        lane.waiting.push_back(Waiting { number, step });
    }

    /// Replaces what waits for a function by its newest state, or by nothing if the target knows that.
    fn collapse(&mut self, function: Function) {
        let newest = match function {
            Function::Keyboard => Some(self.keyboard.keyboard_report()),
            Function::Consumer => Some(self.keyboard.consumer_report()),
            Function::Absolute | Function::Relative => {
                self.mouse.lost_way(function);
                self.mouse.report().filter(|_| self.mouse.uses(function))
            }
        };
        let lane = self.lane(function);
        lane.waiting.clear();
        // Where nothing is known any more, as after an outage, what the target still holds has to be let go of.
        let held = lane.taken.filter(Report::holds);
        let newest = newest.or_else(|| held.map(|taken| taken.release()));
        let is_news = |newest: &Report| match lane.taken {
            Some(taken) => taken != *newest,
            None => newest.holds() || function == Function::Absolute,
        };
        if let Some(newest) = newest.filter(is_news) {
            self.append(newest.into());
        }
    }

    /// The lanes in which something waits, in the order in which it came.
    fn in_order(&self) -> impl Iterator<Item = &Lane> {
        let number = |lane: &Lane| lane.waiting.front().map(|head| head.number);
        let mut after = None;
        std::iter::from_fn(move || {
            let lane = self
                .lanes
                .iter()
                .filter(|lane| number(lane).is_some() && number(lane) > after)
                .min_by_key(|lane| number(lane))?;
            after = number(lane);
            Some(lane)
        })
    }

    fn lane(&mut self, function: Function) -> &mut Lane {
        &mut self.lanes[function as usize]
    }
}

impl Lane {
    fn lets_others_pass(&self, now: Duration) -> bool {
        let is_late = |since: Duration| now.saturating_sub(since) >= LAG;
        self.link == Link::Down || self.stalled || self.refused_since.is_some_and(is_late)
    }
}

#[cfg(test)]
#[path = "pending_mouse_tests.rs"]
mod mouse_tests;
#[cfg(test)]
#[path = "pending_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;

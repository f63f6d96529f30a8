//! Pointer events become reports of the absolute pointer or of the relative mouse.
//!
//! RFB says "the pointer is here and these buttons are down", wheel steps being buttons that are pressed and
//! released. HID has its own button order and relative wheel steps, so: a button is down while any client holds it,
//! wheel steps go out when the bit appears, and where position and buttons change in one event the move
//! goes first, since a target may handle the buttons of a report before its position.
//!
//! | clients say | absolute mode | relative mode |
//! |---|---|---|
//! | where the pointer is | the position, scaled | the way there ([`reckoning`](super::reckoning)) |
//! | how far it moved | nothing: it was on its way when the mode changed | that far |

use std::collections::BTreeMap;

use rfb::geom::{Point, Size};

use super::{
    ClientId, PointerMode, Report, descriptor::ABSOLUTE_MAX, motion::Motion, reckoning::Reckoning,
    sink::Function,
};

/// The pointer of all clients together.
#[derive(Debug)]
pub(super) struct Mouse {
    mode: PointerMode,
    /// Steps for one turn of a client's wheel.
    scroll_rate: i8,
    clients: BTreeMap<ClientId, Buttons>,
    /// Where the absolute pointer was put last, in the descriptor's units.
    at: Option<(u16, u16)>,
    reckoning: Reckoning,
}

#[derive(Clone, Copy, Debug, Default)]
struct Buttons {
    /// The client's last mask as it came.
    raw: u16,
    /// The part of it that counts as down, in HID order.
    held: u8,
}

/// One thing that the target is to be told of the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) report: Report,
    /// A movement of the relative mouse under the buttons of `report`, in as many reports as it takes.
    pub(super) motion: Motion,
    /// Whether it is a move of which a newer one may take the place, or to which it may be added.
    pub(super) is_move: bool,
}

impl From<Report> for Step {
    fn from(report: Report) -> Self {
        Self {
            report,
            motion: Motion::NONE,
            is_move: false,
        }
    }
}

impl Step {
    /// The report to offer next.
    pub(super) fn next_report(&self) -> Report {
        if self.motion.is_none() {
            return self.report;
        }
        let (dx, dy) = self.motion.step();
        Report::relative(self.report.bytes()[0], dx, dy, 0, 0)
    }

    /// What is left when that was taken.
    pub(super) fn rest(self) -> Option<Self> {
        let motion = self.motion.rest();
        (!motion.is_none()).then_some(Self { motion, ..self })
    }

    /// How many reports it takes.
    pub(super) fn reports(&self) -> usize {
        self.motion.reports().max(1)
    }

    /// The one move that stands for this and the next: the newer position, or both movements together, which may be none.
    pub(super) fn and_then_move(self, next: Self) -> Option<Self> {
        let pointer = |step: &Step| (step.report.function(), step.report.bytes()[0]);
        let joins = self.is_move && next.is_move && pointer(&self) == pointer(&next);
        joins.then_some(Self {
            motion: self.motion + next.motion,
            ..next
        })
    }

    /// Whether it is a relative movement that came to nothing.
    pub(super) fn is_nothing(&self) -> bool {
        self.is_move && self.motion.is_none() && self.report.function() == Function::Relative
    }
}

impl Default for Mouse {
    fn default() -> Self {
        Self::new(PointerMode::Absolute, 1)
    }
}

impl Mouse {
    pub(super) fn new(mode: PointerMode, scroll_rate: u8) -> Self {
        Self {
            mode,
            scroll_rate: i8::try_from(scroll_rate).unwrap_or(i8::MAX),
            clients: BTreeMap::new(),
            at: None,
            reckoning: Reckoning::default(),
        }
    }

    /// A position; `buttons` as in [`Input::Pointer`](super::Input::Pointer). Adds what follows from it to `out`.
    pub(super) fn pointer(
        &mut self,
        client: ClientId,
        position: Point,
        size: Size,
        buttons: u16,
        out: &mut Vec<Step>,
    ) {
        match self.mode {
            PointerMode::Absolute => {
                self.reckoning.put(position, size);
                let at = (
                    scale(position.x, size.width),
                    scale(position.y, size.height),
                );
                if self.at != Some(at) {
                    self.at = Some(at);
                    out.extend(self.report().map(|report| Step {
                        is_move: true,
                        ..report.into()
                    }));
                }
            }
            PointerMode::Relative => {
                let (motion, pushes) = self.reckoning.go(position, size);
                // Nothing may be added to a push: the way back from an edge begins at the edge.
                self.move_by(motion, !pushes, out);
            }
        }
        self.press(client, buttons, out);
    }

    /// A movement.
    pub(super) fn motion(
        &mut self,
        client: ClientId,
        motion: Motion,
        buttons: u16,
        out: &mut Vec<Step>,
    ) {
        if self.mode == PointerMode::Relative {
            self.reckoning.moved(motion);
            self.move_by(motion, true, out);
        }
        self.press(client, buttons, out);
    }

    /// A client is gone.
    pub(super) fn leave(&mut self, client: ClientId, out: &mut Vec<Step>) {
        let before = self.buttons();
        self.clients.remove(&client);
        if self.buttons() != before {
            out.extend(self.report().map(Step::from));
        }
    }

    /// Nothing is heard of a client any more: its buttons are let go of, and down again when it presses them again.
    pub(super) fn expire(&mut self, client: ClientId, out: &mut Vec<Step>) {
        let before = self.buttons();
        if let Some(buttons) = self.clients.get_mut(&client) {
            buttons.held = 0;
        }
        if self.buttons() != before {
            out.extend(self.report().map(Step::from));
        }
    }

    /// Uses the other pointer from now on. What is held is let go of, and down again when it is pressed again.
    pub(super) fn set_mode(&mut self, mode: PointerMode, out: &mut Vec<Step>) {
        if mode == self.mode {
            return;
        }
        let held = self.buttons() != 0;
        self.let_go();
        if held {
            out.extend(self.report().map(Step::from));
        }
        self.mode = mode;
        // A position is sent anew; from the last one on, movements are reckoned.
        self.at = None;
    }

    /// A step and back, to stir the target; no button, and the pointer ends where it was. Where nobody put the absolute
    /// pointer anywhere yet, it is stirred in the middle.
    pub(super) fn jiggle(&mut self, out: &mut Vec<Step>) {
        match self.mode {
            PointerMode::Absolute => {
                let middle = ABSOLUTE_MAX / 2;
                let (x, y) = *self.at.get_or_insert((middle, middle));
                let beside = if x == 0 { 1 } else { x - 1 };
                let reports = [beside, x].map(|x| Report::absolute(self.buttons(), x, y, 0, 0));
                out.extend(reports.map(Step::from));
            }
            PointerMode::Relative => {
                // At the right edge the step to the right would be none, and the way back one.
                let dx = if self.reckoning.is_at_right_edge() {
                    -1
                } else {
                    1
                };
                self.move_by(Motion::new(dx, 0), false, out);
                self.move_by(Motion::new(-dx, 0), false, out);
            }
        }
    }

    /// Forgets which buttons are held and where the pointer is, without a report: the target did not get it.
    pub(super) fn forget(&mut self, function: Function) {
        if function == self.mode.function() {
            self.let_go();
            self.at = None;
            self.reckoning.forget();
        }
    }

    /// Movements were dropped that the target should have got.
    pub(super) fn lost_way(&mut self, function: Function) {
        if function == Function::Relative {
            self.reckoning.forget();
        }
    }

    /// The report of this moment for the pointer that is used, without steps; `None` while its place is unknown.
    pub(super) fn report(&self) -> Option<Report> {
        self.report_with(0, 0)
    }

    /// Whether this function is the pointer that is used.
    pub(super) fn uses(&self, function: Function) -> bool {
        self.mode.function() == function
    }

    fn report_with(&self, wheel: i8, pan: i8) -> Option<Report> {
        let buttons = self.buttons();
        match self.mode {
            PointerMode::Absolute => {
                let (x, y) = self.at?;
                Some(Report::absolute(buttons, x, y, wheel, pan))
            }
            PointerMode::Relative => Some(Report::relative(buttons, 0, 0, wheel, pan)),
        }
    }

    fn move_by(&self, motion: Motion, is_move: bool, out: &mut Vec<Step>) {
        if !motion.is_none() {
            let report = Report::relative(self.buttons(), 0, 0, 0, 0);
            out.push(Step {
                report,
                motion,
                is_move,
            });
        }
    }

    fn press(&mut self, client: ClientId, buttons: u16, out: &mut Vec<Step>) {
        let before = self.buttons();
        // Where the place is unknown a press would land anywhere.
        let is_placed = self.report().is_some();
        let of_client = self.clients.entry(client).or_default();
        let appeared = buttons & !of_client.raw;
        of_client.raw = buttons;
        // Only an edge presses: a button held through an outage stays up until it is pressed again.
        let pressed = if is_placed { hid_buttons(appeared) } else { 0 };
        of_client.held = (of_client.held | pressed) & hid_buttons(buttons);
        let rate = self.scroll_rate;
        let steps = |positive: u16, negative: u16| {
            let turned = |bit: u16| if appeared & bit != 0 { rate } else { 0 };
            turned(positive) - turned(negative)
        };
        let (wheel, pan) = (steps(1 << 3, 1 << 4), steps(1 << 6, 1 << 5));
        if (self.buttons(), wheel, pan) != (before, 0, 0) {
            out.extend(self.report_with(wheel, pan).map(Step::from));
        }
    }

    fn let_go(&mut self) {
        for buttons in self.clients.values_mut() {
            buttons.held = 0;
        }
    }

    fn buttons(&self) -> u8 {
        self.clients
            .values()
            .fold(0, |all, client| all | client.held)
    }
}

/// A pixel column or row as 0..=32767, clamped to the framebuffer: the first one is 0, the last one 32767.
///
/// Rounded up, so that a target that rounds down on its way back to pixels ends on the same pixel.
fn scale(pixel: u16, pixels: u16) -> u16 {
    let last = u32::from(pixels.saturating_sub(1));
    if last == 0 {
        return 0;
    }
    let pixel = u32::from(pixel).min(last);
    (pixel * u32::from(ABSOLUTE_MAX)).div_ceil(last) as u16
}

/// RFB's left, middle, right, then wheel, then back, forward, as HID's left, right, middle, back, forward.
fn hid_buttons(rfb: u16) -> u8 {
    let button = |from: u16, to: u8| if rfb & 1 << from != 0 { 1 << to } else { 0 };
    button(0, 0) | button(2, 1) | button(1, 2) | button(7, 3) | button(8, 4)
}

#[cfg(test)]
#[path = "mouse_tests.rs"]
mod tests;

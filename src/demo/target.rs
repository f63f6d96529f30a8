//! The simulated target: HID reports go in, a picture comes out. No IO and no clock; time is told.

use std::{collections::BTreeMap, time::Duration};

use rfb::geom::{Point, Size};

use super::{
    DemoError, Descriptors, draw,
    hid_host::{Reading, ReportDescriptor, Usage, Value},
    layout::{Hit, Layout},
    log::Log,
    menu::{Action, Menu, Page},
    us_layout::{self, KEYBOARD_PAGE, Key},
};
use crate::{hid::sink::Function, video::canvas::Canvas};

const GENERIC_DESKTOP: u16 = 0x01;
const LED_PAGE: u16 = 0x08;
const BUTTON_PAGE: u16 = 0x09;
const X: Usage = Usage::new(GENERIC_DESKTOP, 0x30);
const Y: Usage = Usage::new(GENERIC_DESKTOP, 0x31);
const WHEEL: Usage = Usage::new(GENERIC_DESKTOP, 0x38);
const CONSUMER_PAGE: u16 = 0x0c;
const AC_PAN: Usage = Usage::new(CONSUMER_PAGE, 0x0238);

/// A held key repeats, as on any machine: after this time, and then at this pace.
const REPEAT_DELAY: Duration = Duration::from_millis(600);
const REPEAT_PACE: Duration = Duration::from_millis(40);

/// Lines and characters that are kept.
const MOST_HISTORY: usize = 100;
const MOST_TEXT: usize = 200;

/// Bytes of the last report that are kept for show.
const MOST_SHOWN: usize = 16;

const LINES_PER_NOTCH: i32 = 3;

/// The machine behind the cable.
pub struct Target {
    size: Size,
    devices: BTreeMap<Function, Device>,
    pub(super) menu: Menu,
    pub(super) log: Log,
    pub(super) text: String,
    pub(super) history: Vec<String>,
    pub(super) now: Duration,
    /// How long the motion page has been moving.
    pub(super) motion: Duration,
    pub(super) motion_runs: bool,
    pub(super) locks: Locks,
    pub(super) reports: u64,
    pub(super) refused: u64,
    last_report: Option<(Function, Vec<u8>)>,
    pointer: Point,
    wheel: (i32, i32),
    key_repeat: bool,
    repeating: Option<(u16, Duration)>,
    revision: u64,
}

/// Lock keys as the target has them; a machine starts with Num Lock on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Locks {
    pub(super) num: bool,
    pub(super) caps: bool,
    pub(super) scroll: bool,
}

/// One HID function as the host sees it.
struct Device {
    descriptor: ReportDescriptor,
    /// Usages that are down, by report ID, in the order of the report.
    held: BTreeMap<u8, Vec<Usage>>,
}

impl Target {
    /// A machine with the four HID functions plugged in.
    pub fn new(size: Size, descriptors: &Descriptors) -> Result<Self, DemoError> {
        super::check_size(size)?;
        let mut devices = BTreeMap::new();
        for (function, bytes) in descriptors.each() {
            let descriptor = ReportDescriptor::parse(bytes)
                .map_err(|error| DemoError::Descriptor { function, error })?;
            let held = BTreeMap::new();
            devices.insert(function, Device { descriptor, held });
        }
        let mut target = Self {
            size,
            devices,
            menu: Menu::new(),
            log: Log::default(),
            text: String::new(),
            history: Vec::new(),
            now: Duration::ZERO,
            motion: Duration::ZERO,
            motion_runs: true,
            locks: Locks {
                num: true,
                caps: false,
                scroll: false,
            },
            reports: 0,
            refused: 0,
            last_report: None,
            pointer: Point::new(size.width / 2, size.height / 2),
            wheel: (0, 0),
            key_repeat: true,
            repeating: None,
            revision: 0,
        };
        target.log_line("power on, setup utility started");
        for (function, _) in descriptors.each() {
            target.log_line(&format!("usb: HID function {function:?} found"));
        }
        Ok(target)
    }

    /// Whether held keys repeat; they do at first.
    pub fn set_key_repeat(&mut self, on: bool) {
        self.key_repeat = on;
        self.repeating = None;
    }

    /// A report as the USB host receives it from `function`.
    ///
    /// One that does not fit the descriptor is counted and otherwise ignored.
    pub fn report(&mut self, function: Function, report: &[u8]) {
        self.revision += 1;
        self.reports += 1;
        let shown = report.get(..report.len().min(MOST_SHOWN)).unwrap_or(report);
        self.last_report = Some((function, shown.to_vec()));
        let device = self.devices.get_mut(&function);
        match device.map(|device| device.descriptor.read(report)) {
            Some(Ok(reading)) => self.understand(function, reading),
            Some(Err(error)) => {
                self.refused += 1;
                self.log_line(&format!("usb: {function:?}: {error}"));
            }
            None => self.refused += 1,
        }
    }

    /// Time since power-on; it never runs backwards.
    pub fn tick(&mut self, now: Duration) {
        let before = self.now;
        self.now = now.max(before);
        if self.now.as_secs() != before.as_secs() {
            self.revision += 1;
        }
        if self.log.tick(self.now) && self.menu.page() == Page::Log {
            self.revision += 1;
        }
        if self.in_motion() {
            self.motion += self.now - before;
            self.revision += u64::from(self.now != before);
        }
        while let Some((id, due)) = self.repeating
            && due <= self.now
        {
            self.repeating = Some((id, due + REPEAT_PACE));
            self.press(id);
        }
    }

    /// When [`Target::tick`] next changes something by itself, if that is sooner than the next
    /// full second; motion changes with every tick.
    pub fn next_event(&self) -> Duration {
        let second = Duration::from_secs(self.now.as_secs() + 1);
        let repeat = self.repeating.map_or(second, |(_, due)| due);
        let log = match self.menu.page() {
            Page::Log => self.log.due().unwrap_or(second),
            _ => second,
        };
        let motion = if self.in_motion() { self.now } else { second };
        second.min(repeat).min(log).min(motion)
    }

    /// Grows whenever the picture may have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Draws the whole screen. The same state gives the same bytes.
    pub fn draw(&self, canvas: &mut Canvas) {
        draw::screen(self, canvas);
    }

    /// The keyboard's output report as the target last sent it, in the HID order of LEDs; 0 if the
    /// keyboard declares none.
    pub fn leds(&self) -> u8 {
        let Some(keyboard) = self.devices.get(&Function::Keyboard) else {
            return 0;
        };
        let lit = |usage: Usage| match (usage.page(), usage.id()) {
            (LED_PAGE, 1) => self.locks.num,
            (LED_PAGE, 2) => self.locks.caps,
            (LED_PAGE, 3) => self.locks.scroll,
            _ => false,
        };
        let report = keyboard.descriptor.output(lit);
        report.first().copied().unwrap_or(0)
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// What stands in the text field.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lines that were ended with Enter, the oldest first.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    pub fn page(&self) -> Page {
        self.menu.page()
    }

    pub fn menu(&self) -> &Menu {
        &self.menu
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Where the pointer's tip is, in pixels.
    pub fn pointer(&self) -> (u16, u16) {
        (self.pointer.x, self.pointer.y)
    }

    /// Buttons that are down on either mouse, bit 0 for the first.
    pub fn buttons(&self) -> u32 {
        let held = self.held().filter(|usage| usage.page() == BUTTON_PAGE);
        held.filter(|usage| (1..=32).contains(&usage.id()))
            .fold(0, |buttons, usage| buttons | 1 << (usage.id() - 1))
    }

    /// Notches turned so far: up minus down, and right minus left.
    pub fn wheel(&self) -> (i32, i32) {
        self.wheel
    }

    /// Keyboard usages that are down, modifiers included.
    pub fn keys(&self) -> Vec<u16> {
        let keys = self.held().filter(|usage| usage.page() == KEYBOARD_PAGE);
        keys.map(Usage::id).collect()
    }

    /// Reports received, and those among them that fit no descriptor.
    pub fn reports(&self) -> (u64, u64) {
        (self.reports, self.refused)
    }

    /// The last report in hex, with the function it came from.
    pub fn last_report(&self) -> String {
        let Some((function, report)) = &self.last_report else {
            return "none yet".to_owned();
        };
        report.iter().fold(format!("{function:?}"), |text, byte| {
            format!("{text} {byte:02x}")
        })
    }

    fn held(&self) -> impl Iterator<Item = Usage> {
        let held = self.devices.values().flat_map(|d| d.held.values());
        held.flatten().copied()
    }

    fn understand(&mut self, function: Function, reading: Reading) {
        // The pointer moves before its buttons act, and modifiers count before the keys beside them:
        // both come first in their reports, but nothing forces a descriptor to say so.
        for value in &reading.values {
            self.turn_and_move(value);
        }
        let down = reading
            .values
            .iter()
            .filter(|v| v.value != 0 && v.usage.id() != 0 && is_switch(v.usage))
            .map(|v| v.usage);
        let down: Vec<Usage> = down.collect();
        // ErrorRollOver and its kin (usages 1 to 3): the keyboard cannot tell; nothing changes.
        let error = |u: &Usage| u.page() == KEYBOARD_PAGE && (1..=3).contains(&u.id());
        if down.iter().any(error) {
            return;
        }
        let Some(device) = self.devices.get_mut(&function) else {
            return;
        };
        let held = device.held.entry(reading.report_id).or_default();
        let before = std::mem::replace(held, down.clone());
        for usage in before.iter().filter(|usage| !down.contains(usage)) {
            self.released(*usage);
        }
        for usage in down.iter().filter(|usage| !before.contains(usage)) {
            self.pressed(*usage);
        }
    }

    fn turn_and_move(&mut self, value: &Value) {
        match value.usage {
            X => self.pointer.x = moved(self.pointer.x, self.size.width, value),
            Y => self.pointer.y = moved(self.pointer.y, self.size.height, value),
            WHEEL if value.value != 0 => {
                self.wheel.0 = self.wheel.0.saturating_add(value.value);
                if self.menu.page() == Page::Log {
                    let lines = value.value.saturating_mul(LINES_PER_NOTCH);
                    self.scroll(lines as isize);
                }
            }
            AC_PAN => self.wheel.1 = self.wheel.1.saturating_add(value.value),
            _ => {}
        }
    }

    fn pressed(&mut self, usage: Usage) {
        match usage.page() {
            KEYBOARD_PAGE => {
                let id = usage.id();
                self.log_line(&format!("key {id:#04x} down"));
                let modifier = (us_layout::LEFT_CONTROL..=us_layout::RIGHT_GUI).contains(&id);
                self.repeating = match self.meaning(id) {
                    _ if modifier || !self.key_repeat => None,
                    Key::NumLock | Key::CapsLock | Key::ScrollLock => None,
                    _ => Some((id, self.now + REPEAT_DELAY)),
                };
                self.press(id);
            }
            BUTTON_PAGE => {
                let (x, y) = self.pointer();
                self.log_line(&format!("button {} down at {x}, {y}", usage.id()));
                if usage.id() == 1 {
                    self.click();
                }
            }
            page => {
                let id = usage.id();
                self.log_line(&format!("usage {page:#04x}:{id:#06x} down"));
            }
        }
    }

    fn released(&mut self, usage: Usage) {
        if self.repeating.is_some_and(|(id, _)| id == usage.id()) && usage.page() == KEYBOARD_PAGE {
            self.repeating = None;
        }
        let (page, id) = (usage.page(), usage.id());
        match page {
            KEYBOARD_PAGE => self.log_line(&format!("key {id:#04x} up")),
            BUTTON_PAGE => self.log_line(&format!("button {id} up")),
            _ => self.log_line(&format!("usage {page:#04x}:{id:#06x} up")),
        }
    }

    fn meaning(&self, id: u16) -> Key {
        let held = self.keys();
        let shift = held.contains(&us_layout::LEFT_SHIFT) || held.contains(&us_layout::RIGHT_SHIFT);
        us_layout::key(id, shift, self.locks.caps, self.locks.num)
    }

    fn press(&mut self, id: u16) {
        self.revision += 1;
        let key = self.meaning(id);
        let held = self.keys();
        // Control, Alt and GUI make shortcuts, of which this machine knows none.
        let shifts = [us_layout::LEFT_SHIFT, us_layout::RIGHT_SHIFT];
        let shortcut = (us_layout::LEFT_CONTROL..=us_layout::RIGHT_GUI)
            .any(|modifier| held.contains(&modifier) && !shifts.contains(&modifier));
        match key {
            Key::NumLock => self.locks.num = !self.locks.num,
            Key::CapsLock => self.locks.caps = !self.locks.caps,
            Key::ScrollLock => self.locks.scroll = !self.locks.scroll,
            Key::Other => {}
            _ if shortcut => {}
            Key::Char(character) if self.menu.takes_text() => {
                self.menu.select_text();
                if self.text.chars().count() < MOST_TEXT {
                    self.text.push(character);
                }
            }
            Key::Backspace if self.menu.takes_text() => {
                self.text.pop();
            }
            Key::PageUp | Key::PageDown if self.menu.page() == Page::Log => {
                let rows = Layout::new(self.size, &self.menu).log_rows() as isize;
                let page = (rows - 1).max(1);
                self.scroll(if key == Key::PageUp { page } else { -page });
            }
            key => {
                let action = self.menu.key(key);
                self.act(action);
            }
        }
    }

    fn click(&mut self) {
        let action = match Layout::new(self.size, &self.menu).hit(self.pointer) {
            Some(Hit::Tab(page)) => self.menu.open_page(page),
            Some(Hit::Item(item)) => self.menu.click_item(item),
            Some(Hit::Entry(entry)) => self.menu.click_entry(Some(entry)),
            Some(Hit::BesideList) => self.menu.click_entry(None),
            None => Action::None,
        };
        self.act(action);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::None | Action::Changed => {}
            Action::KeepLine if self.text.is_empty() => {}
            Action::KeepLine => {
                if self.history.len() == MOST_HISTORY {
                    self.history.remove(0);
                }
                self.history.push(std::mem::take(&mut self.text));
            }
            Action::Toggle if self.menu.page() == Page::Log => self.log.toggle(self.now),
            Action::Toggle => self.motion_runs = !self.motion_runs,
        }
    }

    fn scroll(&mut self, lines: isize) {
        let rows = Layout::new(self.size, &self.menu).log_rows();
        self.log.scroll(lines, rows);
    }

    fn in_motion(&self) -> bool {
        self.motion_runs && self.menu.page() == Page::Motion
    }

    fn log_line(&mut self, text: &str) {
        self.log.push(self.now, text);
    }
}

/// Whether a usage is something that is up or down, not a position or an amount.
fn is_switch(usage: Usage) -> bool {
    let amount = usage == AC_PAN;
    matches!(usage.page(), KEYBOARD_PAGE | BUTTON_PAGE | CONSUMER_PAGE) && !amount
}

/// A coordinate after a report: the logical range covers the screen to the last pixel.
fn moved(current: u16, extent: u16, value: &Value) -> u16 {
    let last = i64::from(extent.saturating_sub(1));
    let at = if value.relative {
        i64::from(current) + i64::from(value.value)
    } else {
        let range = (i64::from(value.maximum) - i64::from(value.minimum)).max(1);
        let from_start = i64::from(value.value) - i64::from(value.minimum);
        (from_start * last + range / 2) / range
    };
    u16::try_from(at.clamp(0, last)).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests;

//! The host's side of the gadget: what the kernel made of the reports.

use std::{
    cell::RefCell,
    io::BufRead,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use crate::{
    machine::{DEADLINE, Machine},
    protocol::{Device, Event},
};

pub const EV_KEY: u16 = 1;
pub const EV_REL: u16 = 2;
pub const EV_ABS: u16 = 3;

pub struct Host {
    events: Receiver<Event>,
    /// What is down, by all events so far.
    held: RefCell<Vec<(Device, u16)>>,
    /// The devices that it has, by all events so far.
    there: RefCell<Vec<Device>>,
}

impl Host {
    /// The host of the machine's gadget, as it is from now on.
    pub fn watch(machine: &Machine) -> Host {
        let lines = machine.events();
        lines
            .get_ref()
            .set_read_timeout(None)
            .expect("an option that is known");
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.lines() {
                let Ok(line) = line else { return };
                let event = serde_json::from_str(&line).expect("an event");
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Host {
            events,
            held: RefCell::default(),
            there: RefCell::default(),
        }
    }

    /// Waits until the host has just these devices, with nothing down.
    pub fn has_devices(&self, wanted: &[Device]) {
        let mut wanted = wanted.to_vec();
        wanted.sort();
        loop {
            let mut there = self.there.borrow().clone();
            there.sort();
            if there == wanted {
                return;
            }
            match self.next(DEADLINE) {
                Some(Event::Came { device, held }) => {
                    assert_eq!(held, 0, "{device:?} came with something down");
                }
                Some(_) => {}
                None => panic!("the host has {there:?}, not {wanted:?}"),
            }
        }
    }

    fn next(&self, within: Duration) -> Option<Event> {
        let event = self.events.recv_timeout(within).ok()?;
        let mut held = self.held.borrow_mut();
        match event {
            Event::Input {
                device,
                kind: EV_KEY,
                code,
                value,
                ..
            } => {
                held.retain(|key| *key != (device, code));
                if value != 0 {
                    held.push((device, code));
                }
            }
            Event::Came { device, .. } => self.there.borrow_mut().push(device),
            Event::Left { device } => {
                held.retain(|(other, _)| *other != device);
                self.there.borrow_mut().retain(|other| *other != device);
            }
            Event::Input { .. } | Event::Dropped { .. } => {}
        }
        Some(event)
    }

    /// What is down now, as far as events have been taken.
    pub fn held(&self) -> Vec<(Device, u16)> {
        self.held.borrow().clone()
    }

    /// All that comes until one is `last`, which is among them.
    pub fn until(&self, what: &str, last: impl FnMut(&Event) -> bool) -> Vec<Event> {
        self.undisturbed(what, last)
            .unwrap_or_else(|Blind| panic!("waited for {what}; the bench saw too late to see all"))
    }

    /// The same, where it may happen that the bench does not see all.
    pub fn undisturbed(
        &self,
        what: &str,
        mut last: impl FnMut(&Event) -> bool,
    ) -> Result<Vec<Event>, Blind> {
        let began = Instant::now();
        let mut seen = Vec::new();
        loop {
            let left = DEADLINE.saturating_sub(began.elapsed());
            let Some(event) = self.next(left) else {
                panic!("waited for {what}; the host saw {seen:?}")
            };
            seen.push(event);
            if matches!(event, Event::Dropped { .. }) {
                return Err(Blind);
            }
            if last(&event) {
                return Ok(seen);
            }
        }
    }

    /// Takes what comes until one is `last`, seen or not what was before it.
    pub fn recover(&self, mut last: impl FnMut(&Event) -> bool) {
        while self.undisturbed("the bench sees again", &mut last).is_err() {}
    }
}

/// The kernel threw events away because the bench read them too late, which says nothing of what is tested.
#[derive(Debug)]
pub struct Blind;

/// The inputs of one kind as (code, value).
pub fn inputs(events: &[Event], wanted: u16) -> Vec<(u16, i32)> {
    let input = |event: &Event| match *event {
        Event::Input {
            kind, code, value, ..
        } if kind == wanted => Some((code, value)),
        _ => None,
    };
    events.iter().filter_map(input).collect()
}

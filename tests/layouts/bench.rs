//! The HID thread with clients before it and a sink behind it that keeps what the keyboard reports.

use std::sync::{Arc, Condvar, Mutex};

use rfbridge::hid::{
    self, ClientId, HidHandle, HidThread, Input, Leds, Options, TargetLayout,
    keymap::Layout,
    sink::{Function, Offer, Sink},
};
use tokio::sync::watch;

pub const CLIENT: ClientId = ClientId(1);
pub const OTHER: ClientId = ClientId(2);

pub struct Bench {
    handle: HidHandle,
    /// Ends with the bench.
    _thread: HidThread,
    taken: Arc<Taken>,
    leds: watch::Sender<Option<Leds>>,
}

#[derive(Default)]
struct Taken {
    reports: Mutex<Vec<Vec<u8>>>,
    ended: Condvar,
}

struct Record(Arc<Taken>);

/// A key that nothing else presses: F24.
pub const END: u32 = 0xffd5;
const END_USAGE: u8 = 0x73;

impl Sink for Record {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        if function == Function::Keyboard {
            self.0.reports.lock().unwrap().push(report.to_vec());
            self.0.ended.notify_all();
        }
        Offer::Taken
    }
}

impl Bench {
    pub fn new(layout: Arc<Layout>) -> Self {
        let taken = Arc::new(Taken::default());
        let (leds, receiver) = watch::channel(None);
        let options = Options {
            layout: TargetLayout::new("a test", layout),
            leds: receiver,
            lock_inference: true,
            mouse: hid::MouseOptions::default(),
        };
        let sink = Box::new(Record(Arc::clone(&taken)));
        let (handle, thread) = hid::spawn(sink, options).expect("a thread");
        Self {
            handle,
            _thread: thread,
            taken,
            leds,
        }
    }

    pub fn light_caps(&self, caps: bool) {
        self.leds.send_replace(Some(Leds {
            caps,
            ..Leds::default()
        }));
    }

    pub fn send(&self, client: ClientId, input: Input) {
        self.handle.blocking_send(client, input);
    }

    pub fn key(&self, down: bool, keysym: u32) {
        self.send(CLIENT, Input::Key { down, keysym });
    }

    pub fn tap(&self, keysym: u32) {
        self.key(true, keysym);
        self.key(false, keysym);
    }

    /// The keyboard's reports since the last call.
    pub fn reports(&self) -> Vec<Vec<u8>> {
        self.tap(END);
        let has_end = |reports: &[Vec<u8>]| {
            let pressed = reports.iter().position(|r| r[2..].contains(&END_USAGE));
            pressed.filter(|at| *at + 1 < reports.len())
        };
        let reports = self.taken.reports.lock().unwrap();
        let is_open = |reports: &mut Vec<Vec<u8>>| has_end(reports).is_none();
        let mut reports = self.taken.ended.wait_while(reports, is_open).unwrap();
        let end = has_end(&reports).expect("waited for");
        let mut reports = std::mem::take(&mut *reports);
        reports.truncate(end);
        reports
    }
}

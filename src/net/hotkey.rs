//! Hotkeys: a key tapped twice, then a command.
//!
//! The leader's taps go to the target like all else, where they do nothing. Only the one command key behind them is kept
//! back, with its repeats and its release; whatever is no command goes on as it was typed. A viewer's own menu key, and
//! everything that the target understands, stay what they are.

use rfb::server::Millis;

use crate::config::Leader;

/// The second press of a double tap comes this soon after the first.
const DOUBLE: u64 = 500;
/// The command comes this soon after the double tap.
const COMMAND: u64 = 2000;

/// What a hotkey asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Types what the client's clipboard holds.
    TypeClipboard,
    /// The other of the target's pointers, absolute or relative.
    TogglePointerMode,
    /// Ends what is being typed.
    CancelTyping,
    /// Control, where only one client has it.
    TakeControl,
    /// Leaves it to another.
    GiveUpControl,
}

/// The commands: keysym, its key on the US layout as an XT scancode, and what they are.
const COMMANDS: [(u32, u32, Command); 6] = [
    (0x76, 0x2f, Command::TypeClipboard),     // v
    (0x6d, 0x32, Command::TogglePointerMode), // m
    (0x63, 0x2e, Command::CancelTyping),      // c
    (0xff1b, 0x01, Command::CancelTyping),    // Escape
    (0x74, 0x14, Command::TakeControl),       // t
    (0x67, 0x22, Command::GiveUpControl),     // g
];

/// A key as a client sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// 0 if it is unknown.
    pub(super) keysym: u32,
    /// XT scancode with the prefix 0xe0 as bit 7; 0 if it is unknown.
    pub(super) code: u32,
}

impl Key {
    /// Whether these are the same key, though Shift or Caps Lock may have changed its keysym meanwhile.
    fn is(self, other: Key) -> bool {
        match (self.code, other.code) {
            (0, _) | (_, 0) => small(self.keysym) == small(other.keysym),
            (code, other) => code == other,
        }
    }

    /// The command that it stands for: by what is written on it if that is of the Latin alphabet, else by its place.
    fn command(self) -> Option<Command> {
        let is_latin = matches!(self.keysym, 0x21..=0x7e | 0xff00..=0xffff);
        let fits = |&&(keysym, code, _): &&(u32, u32, Command)| match is_latin {
            true => small(self.keysym) == keysym,
            false => self.code == code,
        };
        COMMANDS.iter().find(fits).map(|(_, _, command)| *command)
    }
}

fn small(keysym: u32) -> u32 {
    match keysym {
        0x41..=0x5a => keysym + 0x20,
        other => other,
    }
}

/// What is to become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// The target is not told.
    Swallow,
    /// Neither is it told of this one, which asks for something.
    Act(Command),
}

/// Watches the keys of one client.
#[derive(Debug)]
pub(super) struct Detector {
    leader: Leader,
    state: State,
    leader_is_down: bool,
    /// The command key whose release is to come.
    swallowed: Option<Key>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    /// The leader went down once, at this time, with nothing since.
    Tapped(Millis),
    /// It is down for the second time.
    Twice,
    /// It was tapped twice, the last time until then.
    Armed(Millis),
}

impl Detector {
    pub(super) fn new(leader: Leader) -> Self {
        Self {
            leader,
            state: State::Idle,
            leader_is_down: false,
            swallowed: None,
        }
    }

    /// A key went down or up.
    pub(super) fn key(&mut self, down: bool, key: Key, now: Millis) -> Verdict {
        let (keysyms, code) = numbers(self.leader);
        if keysyms.contains(&key.keysym) || code == key.code {
            self.lead(down, now);
            return Verdict::Pass;
        }
        if let Some(swallowed) = self.swallowed
            && swallowed.is(key)
        {
            if !down {
                self.swallowed = None;
            }
            return Verdict::Swallow;
        }
        if !down {
            return Verdict::Pass;
        }
        let state = std::mem::replace(&mut self.state, State::Idle);
        match (state, key.command()) {
            (State::Armed(since), Some(command)) if within(since, now, COMMAND) => {
                self.swallowed = Some(key);
                Verdict::Act(command)
            }
            _ => Verdict::Pass,
        }
    }

    /// Something else was done, such as a click: taps before and after it are no double tap.
    pub(super) fn interrupt(&mut self) {
        self.state = State::Idle;
    }

    fn lead(&mut self, down: bool, now: Millis) {
        let is_repeat = down && self.leader_is_down;
        self.leader_is_down = down;
        if is_repeat {
            return;
        }
        self.state = match (self.state, down) {
            (State::Tapped(first), true) if within(first, now, DOUBLE) => State::Twice,
            (State::Twice, false) => State::Armed(now),
            (_, true) => State::Tapped(now),
            (state, false) => state,
        };
    }
}

/// A leader's keysyms and its scancode.
fn numbers(leader: Leader) -> (&'static [u32], u32) {
    match leader {
        Leader::RightCtrl => (&[0xffe4], 0x9d),
        Leader::LeftCtrl => (&[0xffe3], 0x1d),
        Leader::RightShift => (&[0xffe2], 0x36),
        Leader::LeftShift => (&[0xffe1], 0x2a),
        // AltGr on layouts that have it.
        Leader::RightAlt => (&[0xffea, 0xfe03], 0xb8),
        Leader::LeftAlt => (&[0xffe9], 0x38),
        Leader::ScrollLock => (&[0xff14], 0x46),
        Leader::Pause => (&[0xff13], 0xc6),
        Leader::None => (&[], u32::MAX),
    }
}

fn within(since: Millis, now: Millis, limit: u64) -> bool {
    now.0.saturating_sub(since.0) <= limit
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT_CONTROL: u32 = 0xffe4;

    /// A client whose keys come 50 ms apart.
    struct Bench {
        detector: Detector,
        now: Millis,
    }

    impl Bench {
        fn new() -> Self {
            Self::with(Leader::RightCtrl)
        }

        fn with(leader: Leader) -> Self {
            Self {
                detector: Detector::new(leader),
                now: Millis(10_000),
            }
        }

        fn key(&mut self, down: bool, keysym: u32, code: u32) -> Verdict {
            self.now.0 += 50;
            self.detector.key(down, Key { keysym, code }, self.now)
        }

        fn wait(&mut self, milliseconds: u64) -> &mut Self {
            self.now.0 += milliseconds;
            self
        }

        /// Presses and releases; gives what becomes of the press, having seen that the release goes the same way.
        fn tap(&mut self, keysym: u32, code: u32) -> Verdict {
            let pressed = self.key(true, keysym, code);
            let released = self.key(false, keysym, code);
            assert_eq!(pressed == Verdict::Pass, released == Verdict::Pass);
            pressed
        }

        /// Taps the leader, which always goes on.
        fn lead(&mut self, times: usize) -> &mut Self {
            for _ in 0..times {
                assert_eq!(self.tap(RIGHT_CONTROL, 0), Verdict::Pass);
            }
            self
        }
    }

    const TYPE: Verdict = Verdict::Act(Command::TypeClipboard);
    const CANCEL: Verdict = Verdict::Act(Command::CancelTyping);

    #[test]
    fn a_double_tap_and_a_command_act_by_keysym_and_by_scancode() {
        for (keysym, code, expected) in [
            (0x76, 0, TYPE),
            (0x56, 0, TYPE), // Caps Lock is on
            (0x63, 0, CANCEL),
            (0xff1b, 0, CANCEL),
            (0, 0x2f, TYPE),
            (0x6cd, 0x2f, TYPE), // v's place on a Russian layout
            (0x76, 0x34, TYPE),  // v's place on Dvorak
            (0xff1b, 0x01, CANCEL),
            (0x74, 0, Verdict::Act(Command::TakeControl)),
            (0x6c5, 0x14, Verdict::Act(Command::TakeControl)), // t's place on a Russian layout
            (0x67, 0, Verdict::Act(Command::GiveUpControl)),
            (0x6d0, 0x22, Verdict::Act(Command::GiveUpControl)),
        ] {
            assert_eq!(
                Bench::new().lead(2).tap(keysym, code),
                expected,
                "{keysym:#x} {code:#x}"
            );
        }
        // What is k to its owner is not v.
        assert_eq!(Bench::new().lead(2).tap(0x6b, 0x2f), Verdict::Pass);
    }

    #[test]
    fn the_leader_is_what_was_chosen_by_keysym_or_scancode() {
        for (leader, keysym, code) in [
            (Leader::RightCtrl, 0xffe4, 0x9d),
            (Leader::LeftCtrl, 0xffe3, 0x1d),
            (Leader::RightShift, 0xffe2, 0x36),
            (Leader::LeftShift, 0xffe1, 0x2a),
            (Leader::RightAlt, 0xffea, 0xb8),
            (Leader::RightAlt, 0xfe03, 0xb8),
            (Leader::LeftAlt, 0xffe9, 0x38),
            (Leader::ScrollLock, 0xff14, 0x46),
            (Leader::Pause, 0xff13, 0xc6),
        ] {
            for (keysym, code) in [(keysym, 0), (0, code), (keysym, code)] {
                let mut bench = Bench::with(leader);
                bench.tap(keysym, code);
                bench.tap(keysym, code);
                assert_eq!(bench.tap(0x76, 0), TYPE, "{leader:?} {keysym:#x} {code:#x}");
            }
        }
        assert_eq!(
            Bench::with(Leader::None).lead(2).tap(0x76, 0),
            Verdict::Pass
        );
        assert_eq!(
            Bench::with(Leader::LeftCtrl).lead(2).tap(0x76, 0),
            Verdict::Pass
        );
    }

    #[test]
    fn only_one_key_is_swallowed_with_its_repeats_and_its_release() {
        let mut bench = Bench::new();
        bench.lead(2);
        assert_eq!(bench.key(true, 0x76, 0x2f), TYPE);
        assert_eq!(bench.key(true, 0x76, 0x2f), Verdict::Swallow);
        assert_eq!(bench.key(true, 0x78, 0x2d), Verdict::Pass);
        // Shift went down meanwhile.
        assert_eq!(bench.key(false, 0x56, 0x2f), Verdict::Swallow);
        assert_eq!(bench.key(false, 0x78, 0x2d), Verdict::Pass);
        assert_eq!(bench.tap(0x76, 0x2f), Verdict::Pass);
    }

    #[test]
    fn what_is_no_command_goes_on_as_typed() {
        let mut bench = Bench::new();
        bench.lead(2);
        assert_eq!(bench.tap(0x61, 0), Verdict::Pass);
        assert_eq!(bench.tap(0x76, 0), Verdict::Pass, "the double tap is over");
        assert_eq!(
            bench.lead(1).tap(0x76, 0),
            Verdict::Pass,
            "once is not twice"
        );
        assert_eq!(
            bench.lead(2).wait(2000).tap(0x76, 0),
            Verdict::Pass,
            "too late"
        );
        bench.lead(1).wait(500);
        assert_eq!(bench.lead(1).tap(0x76, 0), Verdict::Pass, "too slow");
        assert_eq!(bench.lead(1).tap(0x61, 0), Verdict::Pass);
        assert_eq!(bench.lead(1).tap(0x76, 0), Verdict::Pass, "a key between");
        bench.lead(1).detector.interrupt();
        assert_eq!(bench.lead(1).tap(0x76, 0), Verdict::Pass, "a click between");
    }

    #[test]
    fn ctrl_v_is_ctrl_v() {
        let mut bench = Bench::new();
        bench.lead(1);
        bench.key(true, RIGHT_CONTROL, 0);
        assert_eq!(
            bench.tap(0x76, 0),
            Verdict::Pass,
            "the leader is still down"
        );
        bench.key(false, RIGHT_CONTROL, 0);
        assert_eq!(bench.tap(0x76, 0), Verdict::Pass);
    }

    #[test]
    fn the_repeats_of_a_held_leader_are_no_taps() {
        let mut bench = Bench::new();
        for _ in 0..5 {
            bench.key(true, RIGHT_CONTROL, 0);
        }
        bench.key(false, RIGHT_CONTROL, 0);
        assert_eq!(bench.tap(0x76, 0), Verdict::Pass);
    }

    #[test]
    fn a_hotkey_may_follow_another() {
        let mut bench = Bench::new();
        assert_eq!(bench.lead(2).tap(0x76, 0), TYPE);
        assert_eq!(bench.lead(2).tap(0xff1b, 0), CANCEL);
        assert_eq!(bench.lead(4).tap(0x76, 0), TYPE, "tapped twice twice");
    }
}

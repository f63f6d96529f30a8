//! Hotkeys: a key tapped twice, then a command, or the menu.
//!
//! The leader's taps go to the target like all else, where they do nothing. Only the keys that mean something behind them are kept
//! back, with their repeats and releases; whatever is no command goes on as it was typed. A viewer's own menu key, and
//! everything that the target understands, stay what they are.

use std::collections::VecDeque;

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
    /// Ctrl, Alt and Delete, which most systems that viewers run on keep to themselves.
    CtrlAltDel,
}

const COMMANDS: [Command; 6] = [
    Command::TypeClipboard,
    Command::TogglePointerMode,
    Command::CancelTyping,
    Command::TakeControl,
    Command::GiveUpControl,
    Command::CtrlAltDel,
];

impl Command {
    /// The key that stands for it.
    pub(super) fn letter(self) -> char {
        match self {
            Command::TypeClipboard => 'v',
            Command::TogglePointerMode => 'm',
            Command::CancelTyping => 'c',
            Command::TakeControl => 't',
            Command::GiveUpControl => 'g',
            Command::CtrlAltDel => 'd',
        }
    }
}

/// The keys of the US layout with a letter or a digit, row by row, and the XT scancode of the first of each row.
const ROWS: [(u32, &str); 4] = [
    (0x02, "1234567890"),
    (0x10, "qwertyuiop"),
    (0x1e, "asdfghjkl"),
    (0x2c, "zxcvbnm"),
];

/// Where a letter or a digit is on the US layout, as an XT scancode.
fn place_of(letter: char) -> Option<u32> {
    ROWS.iter().find_map(|(first, letters)| {
        let (_, code) = letters.chars().zip(*first..).find(|(l, _)| *l == letter)?;
        Some(code)
    })
}

const ESCAPE: (u32, u32) = (0xff1b, 0x01);

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

    /// Whether it stands for this small letter or digit: by what is written on it if that is of the Latin alphabet, else
    /// by its place.
    pub(super) fn is_letter(self, letter: char) -> bool {
        match self.keysym {
            0x21..=0x7e | 0xff00..=0xffff => small(self.keysym) == u32::from(letter),
            _ => place_of(letter) == Some(self.code),
        }
    }

    /// The command that it stands for.
    pub(super) fn command(self) -> Option<Command> {
        let mut commands = COMMANDS.into_iter();
        commands.find(|command| self.is_letter(command.letter()))
    }

    fn is_escape(self) -> bool {
        self.keysym == ESCAPE.0 || self.keysym == 0 && self.code == ESCAPE.1
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
    /// It goes on too: it is the leader.
    Lead,
    /// So does this one: with it the leader was tapped twice, which opens the menu.
    Open,
    /// The target is not told.
    Swallow,
    /// Neither is it told of this one, which asks for something.
    Act(Command),
}

/// Watches the keys of one client.
#[derive(Debug)]
pub(super) struct Detector {
    leader: Leader,
    /// Two taps open the menu; otherwise the next key alone is looked at.
    opens_menu: bool,
    state: State,
    leader_is_down: bool,
    /// The keys that were kept back and whose releases are to come, the oldest first.
    swallowed: VecDeque<Key>,
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
    /// More keys are not held down at a time.
    const MOST_SWALLOWED: usize = 16;

    pub(super) fn new(leader: Leader, opens_menu: bool) -> Self {
        Self {
            leader,
            opens_menu,
            state: State::Idle,
            leader_is_down: false,
            swallowed: VecDeque::new(),
        }
    }

    /// A key went down or up.
    pub(super) fn key(&mut self, down: bool, key: Key, now: Millis) -> Verdict {
        let (keysyms, code) = numbers(self.leader);
        if keysyms.contains(&key.keysym) || code == key.code {
            self.lead(down, now);
            return match self.state {
                State::Armed(_) if self.opens_menu => {
                    self.state = State::Idle;
                    Verdict::Open
                }
                _ => Verdict::Lead,
            };
        }
        if let Some(index) = self.swallowed.iter().position(|known| known.is(key)) {
            if !down {
                self.swallowed.remove(index);
            }
            return Verdict::Swallow;
        }
        if !down {
            return Verdict::Pass;
        }
        let state = std::mem::replace(&mut self.state, State::Idle);
        let command = match key.is_escape() {
            true => Some(Command::CancelTyping),
            false => key.command(),
        };
        match (state, command) {
            (State::Armed(since), Some(command)) if within(since, now, COMMAND) => {
                self.swallow(key);
                Verdict::Act(command)
            }
            _ => Verdict::Pass,
        }
    }

    /// Keeps back this key's repeats and its release: its press was not for the target.
    pub(super) fn swallow(&mut self, key: Key) {
        if self.swallowed.len() >= Self::MOST_SWALLOWED {
            self.swallowed.pop_front();
        }
        self.swallowed.push_back(key);
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
                detector: Detector::new(leader, false),
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
            assert_eq!(goes_on(pressed), goes_on(released));
            pressed
        }

        /// Taps the leader, which always goes on.
        fn lead(&mut self, times: usize) -> &mut Self {
            for _ in 0..times {
                assert!(goes_on(self.tap(RIGHT_CONTROL, 0)));
            }
            self
        }
    }

    fn goes_on(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Pass | Verdict::Lead)
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
            (0x64, 0, Verdict::Act(Command::CtrlAltDel)),
            (0, 0x20, Verdict::Act(Command::CtrlAltDel)),
            (0, 0x01, CANCEL),
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

    #[test]
    fn two_taps_open_the_menu_where_there_is_one_and_the_next_key_is_its_own() {
        let mut bench = Bench::new();
        bench.detector = Detector::new(Leader::RightCtrl, true);
        let tap = |bench: &mut Bench| {
            [
                bench.key(true, RIGHT_CONTROL, 0),
                bench.key(false, RIGHT_CONTROL, 0),
            ]
        };
        assert_eq!(tap(&mut bench), [Verdict::Lead; 2]);
        assert_eq!(tap(&mut bench), [Verdict::Lead, Verdict::Open]);
        assert_eq!(bench.key(true, 0x76, 0), Verdict::Pass);
        bench.detector.swallow(Key {
            keysym: 0x76,
            code: 0,
        });
        assert_eq!(bench.key(true, 0x76, 0), Verdict::Swallow, "its repeat");
        assert_eq!(bench.key(false, 0x76, 0), Verdict::Swallow);
        assert_eq!(bench.key(false, 0x76, 0), Verdict::Pass);
        assert_eq!(tap(&mut bench), [Verdict::Lead; 2]);
        assert_eq!(tap(&mut bench), [Verdict::Lead, Verdict::Open], "again");
    }

    #[test]
    fn keys_that_were_kept_back_are_so_one_by_one() {
        let mut bench = Bench::new();
        let keys = (0x61..0x61 + 20).map(|keysym| Key { keysym, code: 0 });
        keys.clone().for_each(|key| bench.detector.swallow(key));
        let released = keys.map(|key| bench.key(false, key.keysym, 0));
        let swallowed: Vec<bool> = released.map(|v| v == Verdict::Swallow).collect();
        assert_eq!(swallowed[..4], [false; 4], "so many are never down");
        assert_eq!(swallowed[4..], [true; 16]);
    }
}

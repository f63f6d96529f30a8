use super::*;
use rfb::geom::{Point, Size};

pub(super) const ONE: ClientId = ClientId(1);
pub(super) const TWO: ClientId = ClientId(2);
pub(super) const SCREEN: Size = Size::new(32768, 32768);

/// A target with a clock of its own.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) pending: Pending,
    pub(super) now: Duration,
    pub(super) taken: Vec<Report>,
    pub(super) changes: Vec<Change>,
}

impl Bench {
    /// A target whose relative mouse is used.
    pub(super) fn relative() -> Self {
        let mut bench = Self::default();
        bench.pending.input(ONE, Input::TogglePointerMode);
        bench
    }

    pub(super) fn motion(&mut self, dx: i16, buttons: u16) {
        self.pending
            .input(ONE, Input::Motion { dx, dy: 0, buttons });
    }

    pub(super) fn key(&mut self, down: bool, keysym: impl Into<u32>) {
        let keysym = keysym.into();
        self.pending.input(ONE, Input::Key { down, keysym });
    }

    pub(super) fn tap(&mut self, character: char) {
        self.key(true, character);
        self.key(false, character);
    }

    pub(super) fn pointer(&mut self, x: u16, buttons: u16) {
        let position = Point::new(x, 0);
        self.pending.input(
            ONE,
            Input::Pointer {
                position,
                size: SCREEN,
                buttons,
            },
        );
    }

    /// Offers what there is to offer at this moment until `answer` has answered all of it.
    pub(super) fn offer(&mut self, answer: impl Fn(Function) -> Offer) {
        while let Some(report) = self.pending.next(self.now) {
            let function = report.function();
            let answer = answer(function);
            if answer == Offer::Taken {
                self.taken.push(report);
            }
            self.changes
                .extend(self.pending.outcome(function, answer, self.now));
        }
    }

    /// The same each time the machine wants to, for a while.
    pub(super) fn offer_for(&mut self, time: Duration, answer: impl Fn(Function) -> Offer) {
        let end = self.now + time;
        while self.now < end {
            self.offer(&answer);
            let Some(idle) = self.pending.idle_for(self.now) else {
                break;
            };
            assert!(!idle.is_zero(), "it would spin");
            self.now += idle;
        }
        self.now = end;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.idle_for(self.now).is_none()
    }

    pub(super) fn take_all(&mut self) -> Vec<Report> {
        self.offer_for(Duration::from_secs(5), |_| Offer::Taken);
        assert!(self.is_empty());
        std::mem::take(&mut self.taken)
    }
}

pub(super) fn keyboard(modifiers: u8, keys: &[u8]) -> Report {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| super::super::keymap::Usage(*key))
        .collect();
    Report::keyboard(modifiers, &keys)
}

pub(super) fn absolute(buttons: u8, x: u16) -> Report {
    Report::absolute(buttons, x, 0, 0, 0)
}

pub(super) fn relative(buttons: u8, dx: i8) -> Report {
    Report::relative(buttons, dx, 0, 0, 0)
}

pub(super) fn offline(_: Function) -> Offer {
    Offer::Offline("gone".into())
}

#[test]
fn check_61_two_hundred_keys_at_once_lose_none() {
    let mut bench = Bench::default();
    let text: String = ('a'..='z').cycle().take(200).collect();
    for letter in text.chars() {
        bench.tap(letter);
    }
    let expected: Vec<_> = text
        .bytes()
        .flat_map(|letter| [keyboard(0, &[letter - b'a' + 4]), keyboard(0, &[])])
        .collect();
    assert_eq!(bench.take_all(), expected);
}

#[test]
fn check_61_a_slow_target_sees_each_press_and_keeps_the_order_with_the_pointer() {
    let mut bench = Bench::default();
    bench.pointer(10, 0);
    bench.pointer(20, 0);
    bench.key(true, 'a');
    bench.pointer(30, 1);
    bench.key(false, 'a');
    bench.pointer(40, 0);
    for _ in 0..20 {
        let taken = bench.taken.len();
        bench.offer_for(Duration::from_millis(9), |_| Offer::Busy);
        assert_eq!(bench.taken.len(), taken);
        if let Some(report) = bench.pending.next(bench.now) {
            bench.taken.push(report);
            bench
                .pending
                .outcome(report.function(), Offer::Taken, bench.now);
        }
    }
    let expected = [
        absolute(0, 10),
        absolute(0, 20),
        keyboard(0, &[4]),
        absolute(0, 30),
        absolute(1, 30),
        keyboard(0, &[]),
        absolute(1, 40),
        absolute(0, 40),
    ];
    assert_eq!(bench.taken[bench.taken.len() - 7..], expected[1..]);
    assert!(bench.is_empty());
}

#[test]
fn check_64_leaving_with_keys_and_a_button_down_ends_in_releases() {
    let mut bench = Bench::default();
    bench.key(true, 0xffe3_u32);
    bench.key(true, 0xffe9_u32);
    bench.pointer(9, 1);
    bench.pending.input(
        TWO,
        Input::Key {
            down: true,
            keysym: 0xffe3,
        },
    );
    bench.take_all();
    bench.pending.input(ONE, Input::Leave);
    assert_eq!(bench.take_all(), [keyboard(1, &[]), absolute(0, 9)]);
    bench.pending.input(TWO, Input::Leave);
    assert_eq!(bench.take_all(), [keyboard(0, &[])]);
}

#[test]
fn check_65_moves_coalesce_and_edges_and_wheel_steps_do_not() {
    let mut bench = Bench::default();
    bench.pointer(1, 0);
    bench.take_all();
    for x in 0..10_000 {
        bench.pointer(x, 0);
    }
    bench.pointer(10_000, 1);
    for x in 0..10_000 {
        bench.pointer(x, 1);
    }
    bench.pointer(9_999, 0);
    for _ in 0..3 {
        bench.pointer(9_999, 1 << 4);
        bench.pointer(9_999, 0);
    }
    let step = Report::absolute(0, 9_999, 0, -1, 0);
    assert_eq!(
        bench.take_all(),
        [
            absolute(0, 10_000),
            absolute(1, 10_000),
            absolute(1, 9_999),
            absolute(0, 9_999),
            step,
            step,
            step,
        ]
    );
}

#[test]
fn a_function_nobody_polls_holds_up_the_others_once_and_briefly() {
    let mut bench = Bench::default();
    let firmware = |function| match function {
        Function::Keyboard => Offer::Taken,
        _ => Offer::Busy,
    };
    bench.pointer(5, 1);
    bench.tap('a');
    bench.offer_for(LAG, firmware);
    assert_eq!(bench.taken, []);
    bench.offer_for(Duration::from_millis(2), firmware);
    assert_eq!(bench.taken, [keyboard(0, &[4]), keyboard(0, &[])]);
    bench.offer_for(STALL, firmware);
    assert_eq!(
        bench.changes.last(),
        Some(&Change::Stalled(Function::Absolute))
    );
    bench.taken.clear();
    bench.pointer(7, 0);
    bench.tap('b');
    bench.offer(firmware);
    assert_eq!(
        bench.taken,
        [keyboard(0, &[5]), keyboard(0, &[])],
        "not held up again"
    );
    bench.taken.clear();
    assert_eq!(bench.take_all(), [absolute(0, 7)], "the newest state");
}

#[test]
fn a_sleeping_target_gets_the_newest_state_when_it_wakes() {
    let mut bench = Bench::default();
    bench.key(true, 'x');
    bench.offer(|_| Offer::Taken);
    bench.key(false, 'x');
    for letter in 'a'..='h' {
        bench.tap(letter);
    }
    bench.key(true, 0xffe3_u32);
    bench.offer_for(STALL * 2, |_| Offer::Busy);
    bench.tap('z');
    bench.offer_for(STALL, |_| Offer::Busy);
    bench.taken.clear();
    assert_eq!(bench.take_all(), [keyboard(1, &[])]);
    bench.key(false, 0xffe3_u32);
    assert_eq!(bench.take_all(), [keyboard(0, &[])]);
}

#[test]
fn a_tap_at_a_target_that_has_woken_is_not_lost() {
    let mut bench = Bench::default();
    bench.key(true, 'x');
    bench.key(false, 'x');
    bench.offer_for(STALL * 2, |_| Offer::Busy);
    assert!(bench.is_empty(), "nothing is typed late");
    bench.key(true, 'y');
    bench.offer(|_| Offer::Taken);
    bench.key(false, 'y');
    assert_eq!(bench.take_all(), [keyboard(0, &[0x1c]), keyboard(0, &[])]);
}

#[test]
fn an_absent_target_first_gets_the_release_and_nothing_late() {
    let mut bench = Bench::default();
    bench.key(true, 'a');
    bench.pointer(3, 1);
    bench.take_all();
    bench.key(true, 'b');
    bench.pointer(4, 1);
    bench.offer(offline);
    for letter in "late".chars() {
        bench.tap(letter);
        bench.offer(offline);
    }
    assert!(bench.pending.has_room());
    bench.offer_for(Duration::from_secs(60), offline);
    assert!(bench.taken.is_empty());
    let mut back = bench.take_all();
    back.sort_by_key(Report::function);
    assert_eq!(back, [keyboard(0, &[]), absolute(0, 3)]);
    bench.key(false, 'b');
    bench.pointer(4, 1);
    assert_eq!(
        bench.take_all(),
        [absolute(0, 4)],
        "held keys and buttons were forgotten"
    );
    bench.key(true, 'a');
    assert_eq!(bench.take_all(), [keyboard(0, &[4])], "pressed again");
    let downs = bench
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Down(..)));
    assert_eq!(
        downs.count(),
        2,
        "one for each function, not for each report"
    );
}

#[test]
fn an_absent_target_with_nothing_down_is_left_alone() {
    let mut bench = Bench::default();
    bench.tap('a');
    bench.offer(offline);
    assert_eq!(bench.pending.idle_for(bench.now), None, "no wake-ups");
    bench.tap('b');
    assert_eq!(bench.take_all(), [keyboard(0, &[5]), keyboard(0, &[])]);
}

#[test]
fn releasing_all_drops_what_waits() {
    let mut bench = Bench::default();
    bench.key(true, 0xffe1_u32);
    bench.pointer(8, 1);
    bench.take_all();
    bench.tap('A');
    bench.pending.release_all();
    assert_eq!(bench.take_all(), [keyboard(0, &[]), absolute(0, 8)]);
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Input(ClientId, Input),
    Offers(usize, Target),
    Pause(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Live,
    Busy,
    Gone,
}

/// A button was down when the cable went; the target is back but fetches nothing for a while: its
/// release must outlast that.
#[test]
fn a_release_that_waits_for_an_absent_target_survives_its_sleep() {
    let pointer = |buttons| {
        let position = Point::new(0, 0);
        let size = SCREEN;
        Step::Input(
            ONE,
            Input::Pointer {
                position,
                size,
                buttons,
            },
        )
    };
    let steps = [
        pointer(1),
        Step::Offers(2, Target::Live),
        pointer(2),
        Step::Offers(1, Target::Gone),
        Step::Pause(50),
        Step::Offers(1, Target::Busy),
        Step::Pause(1000),
        Step::Offers(1, Target::Busy),
        Step::Pause(1000),
        Step::Offers(1, Target::Live),
    ];
    let mut bench = Bench::default();
    play(&mut bench, &steps);
    let last = bench.taken.last().expect("a report");
    assert_eq!(last.function(), Function::Absolute);
    assert!(!last.holds(), "{last:?}");
}

pub(super) fn play(bench: &mut Bench, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Input(client, input) => drop(bench.pending.input(client, input)),
            Step::Pause(milliseconds) => bench.now += Duration::from_millis(milliseconds),
            Step::Offers(count, target) => {
                for _ in 0..count {
                    let Some(report) = bench.pending.next(bench.now) else {
                        break;
                    };
                    let answer = match target {
                        Target::Live => Offer::Taken,
                        Target::Busy => Offer::Busy,
                        Target::Gone => Offer::Offline("gone".into()),
                    };
                    if answer == Offer::Taken {
                        bench.taken.push(report);
                    }
                    bench.pending.outcome(report.function(), answer, bench.now);
                }
            }
        }
    }
}

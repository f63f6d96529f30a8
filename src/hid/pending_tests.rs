use std::collections::BTreeMap;

use super::*;
use proptest::{collection::vec, prelude::*};
use rfb::geom::{Point, Size};

const ONE: ClientId = ClientId(1);
const TWO: ClientId = ClientId(2);
const SCREEN: Size = Size::new(32768, 32768);

/// A target with a clock of its own.
#[derive(Default)]
struct Bench {
    pending: Pending,
    now: Duration,
    taken: Vec<Report>,
    changes: Vec<Change>,
}

impl Bench {
    /// A target whose relative mouse is used.
    fn relative() -> Self {
        let mut bench = Self::default();
        bench.pending.input(ONE, Input::TogglePointerMode);
        bench
    }

    fn motion(&mut self, dx: i16, buttons: u16) {
        self.pending
            .input(ONE, Input::Motion { dx, dy: 0, buttons });
    }

    fn key(&mut self, down: bool, keysym: impl Into<u32>) {
        let keysym = keysym.into();
        self.pending.input(ONE, Input::Key { down, keysym });
    }

    fn tap(&mut self, character: char) {
        self.key(true, character);
        self.key(false, character);
    }

    fn pointer(&mut self, x: u16, buttons: u16) {
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
    fn offer(&mut self, answer: impl Fn(Function) -> Offer) {
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
    fn offer_for(&mut self, time: Duration, answer: impl Fn(Function) -> Offer) {
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

    fn is_empty(&self) -> bool {
        self.pending.idle_for(self.now).is_none()
    }

    fn take_all(&mut self) -> Vec<Report> {
        self.offer_for(Duration::from_secs(5), |_| Offer::Taken);
        assert!(self.is_empty());
        std::mem::take(&mut self.taken)
    }
}

fn keyboard(modifiers: u8, keys: &[u8]) -> Report {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| super::super::keymap::Usage(*key))
        .collect();
    Report::keyboard(modifiers, &keys)
}

fn absolute(buttons: u8, x: u16) -> Report {
    Report::absolute(buttons, x, 0, 0, 0)
}

fn relative(buttons: u8, dx: i8) -> Report {
    Report::relative(buttons, dx, 0, 0, 0)
}

fn offline(_: Function) -> Offer {
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

#[test]
fn complaint_12_movements_add_up_and_edges_and_wheel_steps_do_not() {
    let mut bench = Bench::relative();
    for _ in 0..10 {
        bench.motion(10, 0);
    }
    bench.motion(100, 0);
    bench.motion(0, 1);
    bench.motion(-3, 1);
    bench.motion(4, 1);
    bench.motion(0, 0);
    for _ in 0..3 {
        bench.motion(0, 1 << 3);
        bench.motion(0, 0);
    }
    bench.motion(5, 0);
    bench.motion(-5, 0);
    let step = Report::relative(0, 0, 0, 1, 0);
    assert_eq!(
        bench.take_all(),
        [
            relative(0, 100),
            relative(0, 100),
            relative(1, 0),
            relative(1, 1),
            relative(0, 0),
            step,
            step,
            step,
        ]
    );
}

#[test]
fn the_way_back_from_an_edge_begins_at_the_edge() {
    let mut bench = Bench::relative();
    let mut go = |x| {
        let (position, size) = (Point::new(x, 50), Size::new(200, 100));
        let input = Input::Pointer {
            position,
            size,
            buttons: 0,
        };
        bench.pending.input(ONE, input);
    };
    go(50);
    go(0);
    go(10);
    go(30);
    let pushed = [relative(0, -125), relative(0, -125)];
    assert_eq!(bench.take_all(), [&pushed[..], &[relative(0, 30)]].concat());
}

#[test]
fn a_long_way_leaves_room_for_no_more_input() {
    let mut bench = Bench::relative();
    bench.motion(127 * 63, 0);
    assert!(bench.pending.has_room());
    bench.motion(127, 0);
    assert!(!bench.pending.has_room());
    bench.offer_for(Duration::from_millis(1), |_| Offer::Taken);
    assert!(bench.pending.has_room());
}

#[test]
fn a_sleeping_mouse_moves_no_further_than_one_report_when_it_wakes() {
    let mut bench = Bench::relative();
    bench.motion(5000, 1);
    bench.motion(0, 0);
    bench.offer_for(STALL * 2, |_| Offer::Busy);
    assert!(bench.is_empty(), "nothing is clicked late");
    for _ in 0..10 {
        bench.motion(50, 0);
        bench.offer_for(STALL, |_| Offer::Busy);
    }
    bench.motion(30, 0);
    assert_eq!(bench.take_all(), [relative(0, 30)]);
    bench.motion(300, 0);
    assert_eq!(bench.take_all(), [relative(0, 100); 3], "it is back");
}

#[test]
fn a_target_that_was_away_is_neither_moved_nor_clicked_late() {
    let mut bench = Bench::relative();
    bench.motion(0, 1);
    bench.take_all();
    bench.motion(5000, 1);
    bench.motion(0, 3);
    bench.offer(offline);
    bench.motion(5000, 1);
    bench.offer_for(Duration::from_secs(60), offline);
    assert_eq!(bench.take_all(), [relative(0, 0)]);
    bench.motion(7, 1);
    assert_eq!(bench.take_all(), [relative(0, 7)], "forgotten");
}

#[test]
fn complaint_8_an_expired_client_keeps_its_modifiers_and_the_others_their_keys() {
    let mut bench = Bench::default();
    for (client, keysym) in [(ONE, 0x61), (ONE, 0xffe3), (TWO, 0x62), (ONE, 0x62)] {
        bench
            .pending
            .input(client, Input::Key { down: true, keysym });
    }
    bench.pointer(9, 1);
    bench.take_all();
    bench.pending.input(ONE, Input::Expire);
    assert_eq!(bench.take_all(), [keyboard(1, &[5]), absolute(0, 9)]);
    bench.key(true, 'a');
    assert_eq!(bench.take_all(), [keyboard(1, &[5, 4])], "the link is back");
}

#[test]
fn switching_the_pointer_while_a_button_is_held_releases_it() {
    let mut bench = Bench::default();
    bench.pointer(9, 1);
    bench.pending.input(ONE, Input::TogglePointerMode);
    bench.pointer(19, 1);
    bench.pointer(19, 0);
    let expected = [absolute(0, 9), absolute(1, 9), absolute(0, 9)];
    let push = bench.take_all().split_off(3);
    assert!(
        push.iter()
            .all(|report| report.function() == Function::Relative)
    );
    assert!(push.iter().all(|report| !report.holds()), "{push:?}");
    let mut bench = Bench::default();
    bench.pointer(9, 1);
    bench.pending.input(ONE, Input::TogglePointerMode);
    assert_eq!(bench.take_all(), expected);
}

#[test]
fn without_an_absolute_pointer_the_mouse_is_used_from_the_next_input_on() {
    let mut bench = Bench::default();
    bench.pointer(9, 1);
    let change = bench
        .pending
        .look(|function| function != Function::Absolute);
    assert_eq!(change, Some(Change::Pointer(PointerMode::Relative)));
    assert_eq!(
        bench
            .pending
            .look(|function| function != Function::Absolute),
        None
    );
    let change = bench.pending.input(ONE, Input::TogglePointerMode);
    assert_eq!(change, Some(Change::NoPointer(PointerMode::Absolute)));
    assert_eq!(bench.pending.pointer_mode(), PointerMode::Relative);
}

#[test]
fn an_idle_pointer_is_stirred_and_a_busy_or_absent_one_is_not() {
    for mut bench in [Bench::default(), Bench::relative()] {
        bench.pending.jiggle();
        let stirred = bench.take_all();
        assert_eq!(stirred.len(), 2);
        assert!(stirred.iter().all(|report| !report.holds()));
        bench.pending.jiggle();
        bench.pending.jiggle();
        assert_eq!(bench.take_all(), stirred, "once while one waits");

        bench.pending.jiggle();
        bench.offer(offline);
        assert!(bench.is_empty(), "nothing is kept");
        for _ in 0..5 {
            bench.pending.jiggle();
            bench.offer_for(Duration::from_secs(60), offline);
        }
        let downs = |change: &&Change| matches!(change, Change::Down(..));
        assert_eq!(bench.changes.iter().filter(downs).count(), 1, "said once");
        assert!(bench.is_empty());

        // Asleep: one report, which changes nothing, and by which it is seen to be back.
        for _ in 0..5 {
            bench.pending.jiggle();
            bench.offer_for(Duration::from_secs(60), |_| Offer::Busy);
        }
        let woken = bench.take_all();
        assert_eq!(woken.len(), 1);
        assert_eq!(woken[0].state(), stirred[1].state());
        bench.pending.jiggle();
        assert_eq!(bench.take_all(), stirred, "back again");
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Input(ClientId, Input),
    Offers(usize, Target),
    Pause(u64),
}

#[derive(Clone, Copy, Debug)]
enum Target {
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

fn steps(targets: Vec<Target>) -> impl Strategy<Value = Vec<Step>> {
    let keysyms = vec![
        0x61,
        0x62,
        0x41,
        0x31,
        0x21,
        0x3f,
        0xff0d,
        0xfe20,
        0xffe1,
        0xffe2,
        0xffe3,
        0xfe03,
        0x1008_ff13,
    ];
    let codes = vec![0x1e, 0x2a, 0x36, 0x02, 0xb8, 0xa0, 0];
    let client = prop_oneof![Just(ONE), Just(TWO)];
    let input = prop_oneof![
        6 => (any::<bool>(), prop::sample::select(keysyms.clone()))
            .prop_map(|(down, keysym)| Input::Key { down, keysym }),
        3 => (any::<bool>(), prop::sample::select(keysyms), prop::sample::select(codes))
            .prop_map(|(down, keysym, code)| Input::ExtendedKey { down, keysym, code }),
        3 => (0..50_u16, 0..512_u16).prop_map(|(x, buttons)| Input::Pointer {
            position: Point::new(x, x),
            size: SCREEN,
            buttons,
        }),
        3 => (-300..300_i16, -300..300_i16, 0..512_u16)
            .prop_map(|(dx, dy, buttons)| Input::Motion { dx, dy, buttons }),
        1 => Just(Input::TogglePointerMode),
        1 => Just(Input::Expire),
        1 => Just(Input::Leave),
    ];
    let step = prop_oneof![
        6 => (client, input).prop_map(|(client, input)| Step::Input(client, input)),
        3 => (1..6_usize, prop::sample::select(targets)).prop_map(|(n, target)| Step::Offers(n, target)),
        1 => (0..1500_u64).prop_map(Step::Pause),
    ];
    vec(step, 0..120)
}

fn play(bench: &mut Bench, steps: &[Step]) {
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

/// Keys that were pressed by anybody at any time, by the keymap alone.
fn ever_pressed(steps: &[Step]) -> Vec<u8> {
    use super::super::keymap::{Action, Key, from_scancode};
    let layout = Layout::us();
    let from_keysym = |keysym| match layout.action(keysym, false)? {
        Action::Key(key) => Some(key),
        Action::Type(typing) => Some(Key::Keyboard(typing.stroke.usage)),
    };
    let key = |input| match input {
        Input::Key { down: true, keysym } => from_keysym(keysym),
        Input::ExtendedKey {
            down: true,
            keysym,
            code,
        } => from_scancode(code).or_else(|| from_keysym(keysym)),
        _ => None,
    };
    let keys = steps.iter().filter_map(|step| match step {
        Step::Input(_, input) => key(*input),
        _ => None,
    });
    keys.filter_map(|key| match key {
        Key::Keyboard(usage) => Some(usage.0),
        Key::Consumer(_) => None,
    })
    .collect()
}

proptest! {
    #[test]
    fn whatever_happens_everything_ends_released(
        steps in steps(vec![Target::Live, Target::Live, Target::Busy, Target::Gone])
    ) {
        let mut bench = Bench::default();
        play(&mut bench, &steps);
        bench.pending.input(ONE, Input::Leave);
        bench.pending.input(TWO, Input::Leave);
        bench.now += Duration::from_secs(10);
        let played = bench.taken.clone();
        bench.offer_for(Duration::from_secs(5), |_| Offer::Taken);
        prop_assert!(bench.is_empty());
        for function in Function::ALL {
            let last = bench.taken.iter().rev().find(|report| report.function() == function);
            prop_assert!(!last.is_some_and(Report::holds), "{last:?} after {played:?}");
        }
        let pressed = ever_pressed(&steps);
        for report in bench.taken.iter().filter(|report| report.function() == Function::Keyboard) {
            let bytes = report.bytes();
            let modifiers = (0..8).filter(|bit| bytes[0] & 1 << bit != 0).map(|bit| 0xe0 + bit);
            let keys = bytes[2..].iter().copied().filter(|key| *key != 0).chain(modifiers);
            for key in keys {
                prop_assert!(key == 0xe1 || pressed.contains(&key), "nobody pressed {key:#x}");
            }
        }
    }

    #[test]
    fn a_live_target_sees_everything_in_order(steps in steps(vec![Target::Live])) {
        let (mut bench, mut other) = (Bench::default(), Bench::default());
        play(&mut bench, &steps);
        let mut late = bench.take_all();
        // The same without any waiting.
        for step in &steps {
            if let Step::Input(client, input) = *step {
                other.pending.input(client, input);
                other.offer(|_| Offer::Taken);
            }
        }
        prop_assert_eq!(without_haste(late), without_haste(other.taken));
    }

    #[test]
    fn a_slow_target_is_moved_as_far_as_the_hands(
        moves in vec((any::<bool>(), -3000..3000_i16, -3000..3000_i16, 0..4_usize), 0..60)
    ) {
        let mut bench = Bench::relative();
        let mut meant = Motion::NONE;
        for (other, dx, dy, polls) in moves {
            let client = if other { TWO } else { ONE };
            meant = meant + Motion::new(dx, dy);
            bench.pending.input(client, Input::Motion { dx, dy, buttons: 0 });
            play(&mut bench, &[Step::Offers(1, Target::Busy), Step::Pause(2), Step::Offers(polls, Target::Live)]);
        }
        let taken = bench.take_all();
        let moved = taken.iter().fold(Motion::NONE, |sum, report| sum + motion_of(report));
        prop_assert_eq!(moved, meant);
    }
}

/// How far a report of the relative mouse moves it.
fn motion_of(report: &Report) -> Motion {
    let axis = |byte: usize| report.bytes()[byte].cast_signed();
    Motion::new(axis(1), axis(2))
}

/// These reports, of moves in a row only what they come to: how many they were depends on how quick the target was.
fn without_haste(reports: Vec<Report>) -> Vec<(Report, Motion)> {
    let is_relative = |report: &Report| report.function() == Function::Relative;
    let mut all: Vec<_> = reports
        .into_iter()
        .map(|report| match is_relative(&report) {
            true => (report, motion_of(&report)),
            false => (report, Motion::NONE),
        })
        .collect();
    // A report that says no more than where the pointer is, after one with the same buttons.
    let is_move = |report: &Report, buttons: u8| match report.function() {
        Function::Absolute => report.state() == *report && report.bytes()[0] == buttons,
        Function::Relative => report.bytes()[3..] == [0, 0] && report.bytes()[0] == buttons,
        _ => false,
    };
    loop {
        let before = all.len();
        let mut fewer: Vec<(Report, Motion, bool)> = Vec::new();
        let mut buttons = BTreeMap::new();
        for (report, motion) in all {
            let held = buttons.insert(report.function(), report.bytes()[0]);
            let moves = is_move(&report, held.unwrap_or(0));
            match fewer.last_mut() {
                Some((last, sum, true)) if moves && last.function() == report.function() => {
                    (*last, *sum) = (report, *sum + motion);
                }
                _ => fewer.push((report, motion, moves)),
            }
        }
        fewer.retain(|(report, sum, moves)| !(*moves && is_relative(report) && sum.is_none()));
        all = fewer
            .into_iter()
            .map(
                |(report, motion, moves)| match is_relative(&report) && moves {
                    true => (Report::relative(report.bytes()[0], 0, 0, 0, 0), motion),
                    false => (report, motion),
                },
            )
            .collect();
        if all.len() == before {
            return all;
        }
    }
}

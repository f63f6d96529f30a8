//! What holds whatever is done, in whatever order.

use std::collections::BTreeMap;

use super::{
    tests::{Step, Target, *},
    *,
};
use proptest::{collection::vec, prelude::*};
use rfb::geom::Point;

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
        2 => (any::<bool>(), prop::sample::select(vec!['a', 'B', '1', '!', '\n']))
            .prop_map(|(down, character)| Input::Character { down, character }),
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
        Input::Character {
            down: true,
            character,
        } => from_keysym(0x0100_0000 + u32::from(character)),
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
        let late = bench.take_all();
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

//! Layouts other than US, and locks.

use proptest::prelude::*;

use super::{tests::*, *};
use crate::hid::keymap::made;

const ALT_L: u32 = 0xffe9;
const ALT_R: u32 = 0xffea;
const CAPS_LOCK: u32 = 0xffe5;
const KP_7: u32 = 0xffb7;

fn on(layout: Layout) -> Bench {
    Bench {
        keyboard: Keyboard::new(Arc::new(layout), true),
        out: Vec::new(),
    }
}

impl Bench {
    fn leds(&mut self, milliseconds: u64, caps: bool, num: bool) -> &mut Self {
        let leds = Leds {
            num,
            caps,
            scroll: false,
        };
        let now = Duration::from_millis(milliseconds);
        self.keyboard.look_at_leds(now, Some(leds));
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            for down in [true, false] {
                self.keyboard.character(ONE, down, character, &mut self.out);
            }
        }
        self
    }

    /// What the last calls reported, and what is held then.
    fn ends_with(&mut self, modifiers: u8) {
        let last = self.reports().pop();
        assert_eq!(last, Some((modifiers, vec![])));
    }
}

#[test]
fn complaint_6_alt_gr_is_pressed_for_clients_that_do_not() {
    let mut bench = on(made::german());
    bench.tap('@').tap('<');
    let expected = seen([
        (0x40, &[]),
        (0x40, &[0x14]),
        (0x40, &[]),
        (0, &[]),
        (0, &[0x64]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn alt_gr_that_is_held_is_not_doubled_and_comes_back_where_it_is_not_needed() {
    let mut bench = on(made::german());
    bench
        .key(true, LEVEL_3)
        .tap('@')
        .tap('7')
        .key(false, LEVEL_3);
    let expected = seen([
        (0x40, &[]),
        (0x40, &[0x14]),
        (0x40, &[]),
        (0, &[]),
        (0, &[0x24]),
        (0, &[]),
        (0x40, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

/// TightVNC and other clients on Windows hold Ctrl and Alt for AltGr.
#[test]
fn ctrl_and_alt_are_alt_gr_for_a_character_that_needs_it_and_a_chord_for_others() {
    for (alt, alt_modifier) in [(ALT_L, 0x04), (ALT_R, 0x40)] {
        let mut bench = on(made::german());
        bench.key(true, CONTROL_L).key(true, alt);
        bench.reports();
        bench.tap('@');
        let reports = bench.reports();
        assert_eq!(reports[1], (0x40, vec![0x14]), "{reports:?}");
        assert_eq!(reports.last(), Some(&(0x01 | alt_modifier, vec![])));
        bench.tap('t');
        assert_eq!(bench.reports()[0], (0x01 | alt_modifier, vec![0x17]));
    }
}

#[test]
fn complaint_18_a_dead_key_is_pressed_and_released_before_its_letter() {
    let mut bench = on(made::german());
    bench.key(true, 'ê').key(true, 'ê').key(false, 'ê');
    let expected = seen([(0, &[0x35]), (0, &[]), (0, &[0x08]), (0, &[])]);
    assert_eq!(bench.reports(), expected, "the last stroke stays as long");
    bench.tap('^');
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x35]), (0, &[]), (0, &[0x2c]), (0, &[])])
    );
    bench.tap(0xfe52_u32);
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x35]), (0, &[])]),
        "the client's own dead key"
    );
}

#[test]
fn each_stroke_of_a_sequence_has_its_own_modifiers() {
    let mut bench = on(made::german());
    bench
        .key(true, SHIFT_L)
        .tap('Ê')
        .tap('ê')
        .key(false, SHIFT_L);
    let expected = seen([
        (2, &[]),
        (0, &[]),
        (0, &[0x35]),
        (0, &[]),
        (2, &[]),
        (2, &[0x08]),
        (2, &[]),
        (0, &[]),
        (0, &[0x35]),
        (0, &[]),
        (0, &[0x08]),
        (0, &[]),
        (2, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn check_60_a_release_that_matches_no_place_on_the_target_releases_what_was_typed() {
    let mut bench = on(made::german());
    // On a US keyboard one key, on a German one two.
    bench.key(true, SHIFT_L).key(true, '?').key(false, SHIFT_L);
    bench.key(false, '/');
    bench.ends_with(0);
    bench.key(true, 0xff0d_u32).key(false, '/');
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x28])]),
        "Return types no character"
    );
}

/// On the client's keyboard these are two keys, on the target's one.
#[test]
fn two_characters_of_one_key_are_both_typed_however_they_overlap() {
    let mut bench = on(made::german());
    bench
        .key(true, '.')
        .key(true, ':')
        .key(false, '.')
        .key(false, ':');
    let expected = seen([
        (0, &[0x37]),
        (0, &[]),
        (2, &[]),
        (2, &[0x37]),
        (2, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn shortcuts_and_the_other_layout_of_a_cyrillic_keyboard_are_where_the_us_layout_has_them() {
    let mut bench = on(made::russian());
    bench
        .key(true, CONTROL_L)
        .tap('c')
        .tap('C')
        .key(false, CONTROL_L);
    let expected = seen([
        (1, &[]),
        (1, &[0x06]),
        (1, &[]),
        (1, &[0x06]),
        (1, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
    bench
        .key(true, CONTROL_L)
        .key(true, 'c')
        .key(false, CONTROL_L)
        .key(false, 'c');
    bench.ends_with(0);
    bench.tap('c');
    assert_eq!(bench.reports(), seen([(0, &[0x06]), (0, &[])]));
    bench.text("c");
    assert_eq!(bench.reports(), seen([]), "a text is typed exactly or not");
}

#[test]
fn a_level_key_that_no_layout_but_its_own_has_is_a_key_of_the_report() {
    let mut bench = on(made::neo());
    bench
        .tap('{')
        .key(true, LEVEL_3)
        .tap('{')
        .tap('a')
        .key(false, LEVEL_3);
    let expected = seen([
        (0, &[0x39]),
        (0, &[0x39, 0x04]),
        (0, &[0x39]),
        (0, &[]),
        (0, &[0x39]),
        (0, &[0x39, 0x04]),
        (0, &[0x39]),
        (0, &[]),
        (0, &[0x04]),
        (0, &[]),
        (0, &[0x39]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn a_text_is_typed_exactly_whatever_anybody_holds() {
    let mut bench = on(made::german());
    let held = [CONTROL_L, SHIFT_L, LEVEL_3];
    for keysym in held {
        bench.key_of(TWO, true, keysym);
    }
    bench.reports();
    bench.text("ê@\n");
    let expected = seen([
        (0, &[]),
        (0, &[0x35]),
        (0, &[]),
        (0, &[0x08]),
        (0, &[]),
        (0x43, &[]),
        (0x40, &[]),
        (0x40, &[0x14]),
        (0x40, &[]),
        (0x43, &[]),
        (0, &[]),
        (0, &[0x28]),
        (0, &[]),
        (0x43, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn complaint_16_letters_come_out_right_while_caps_lock_is_on() {
    let mut bench = on(Layout::us());
    bench.leds(0, true, false).tap('a').tap('A').tap('1');
    let expected = seen([
        (2, &[]),
        (2, &[0x04]),
        (2, &[]),
        (0, &[]),
        (0, &[0x04]),
        (0, &[]),
        (0, &[0x1e]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
    // The client's own Caps Lock is on as well, and Shift makes the letter small.
    bench.key(true, SHIFT_L).tap('a').key(false, SHIFT_L);
    assert_eq!(
        bench.reports(),
        seen([(2, &[]), (2, &[0x04]), (2, &[]), (0, &[])])
    );
    bench
        .key(true, CONTROL_L)
        .tap('c')
        .tap('C')
        .key(false, CONTROL_L);
    let reports = bench.reports();
    assert!(
        reports.iter().all(|(modifiers, _)| modifiers & 2 == 0),
        "a shortcut is none with Shift: {reports:?}"
    );
}

#[test]
fn complaint_16_caps_lock_counts_before_the_led_answers() {
    let mut bench = on(Layout::us());
    bench.leds(0, false, false).tap(CAPS_LOCK).tap('a');
    let expected = [(0, vec![0x39]), (0, vec![]), (2, vec![]), (2, vec![0x04])];
    assert_eq!(bench.reports()[..4], expected);
    bench.leds(5, true, false).tap('a');
    assert_eq!(bench.reports()[0], (2, vec![]));
    bench.leds(10, false, false).tap('a');
    assert_eq!(bench.reports()[0], (0, vec![0x04]), "the target says no");
}

#[test]
fn what_only_caps_lock_reaches_is_typed_between_two_taps_of_it() {
    let mut bench = on(made::czech());
    bench.tap('Š');
    let expected = seen([
        (0, &[0x39]),
        (0, &[]),
        (0, &[0x20]),
        (0, &[]),
        (0, &[0x39]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
    bench.leds(0, true, false).tap('Š');
    assert_eq!(bench.reports(), seen([(0, &[0x20]), (0, &[])]), "it is on");
}

#[test]
fn complaint_16_num_lock_is_tapped_for_a_keypads_digit_if_the_target_has_it_off() {
    let mut bench = on(Layout::us());
    bench.leds(0, false, false);
    bench.key(true, SHIFT_L);
    bench.reports();
    bench.key(true, KP_7).key(true, KP_7).key(false, KP_7);
    let expected = seen([
        (0, &[]),
        (0, &[0x53]),
        (0, &[]),
        (2, &[]),
        (2, &[0x5f]),
        (2, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
    bench.key(false, SHIFT_L).leds(5, false, true).tap(KP_7);
    assert_eq!(bench.reports()[1..], seen([(0, &[0x5f]), (0, &[])]));
}

#[test]
fn num_lock_is_left_alone_where_it_does_not_answer_is_unknown_or_forbidden() {
    let digit = seen([(0, &[0x5f]), (0, &[])]);
    let mut bench = on(Layout::us());
    bench.tap(KP_7);
    assert_eq!(bench.reports(), digit, "nobody knows");
    bench.leds(0, false, false).tap(KP_7);
    assert_ne!(bench.reports(), digit);
    bench.leds(1000, false, false).tap(KP_7);
    assert_eq!(bench.reports(), digit, "a target without Num Lock");
    let mut bench = Bench {
        keyboard: Keyboard::new(Arc::default(), false),
        out: Vec::new(),
    };
    bench.leds(0, false, false).tap(KP_7);
    assert_eq!(bench.reports(), digit, "not to be inferred");
}

#[test]
fn scancodes_pass_by_layout_and_locks() {
    let mut bench = on(made::german());
    bench.leds(0, true, false).code(true, '@'.into(), 0x10);
    bench.code(false, '@'.into(), 0x10);
    bench.code(true, KP_7, 0x47).code(false, KP_7, 0x47);
    let expected = seen([(0, &[0x14]), (0, &[]), (0, &[0x5f]), (0, &[])]);
    assert_eq!(bench.reports(), expected);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Key(ClientId, bool, u32),
    Code(ClientId, bool, u32),
    Character(ClientId, bool, char),
    Leds(bool, bool),
    Leave(ClientId),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = || prop_oneof![Just(ONE), Just(TWO)];
    let characters = ['a', 'A', '@', 'ê', '^', '.', ':', ' ', '\n', 'Š', 'с', '{'];
    let keysyms = characters.map(u32::from).into_iter().chain([
        SHIFT_L, CONTROL_L, ALT_L, ALT_R, LEVEL_3, CAPS_LOCK, KP_7, 0xfe52, 0xff0d, 0xfe11,
    ]);
    let keysyms: Vec<u32> = keysyms.collect();
    let codes = vec![0x1e, 0x10, 0x2a, 0x3a, 0x45, 0xb8];
    let sample = prop::sample::select::<u32>;
    let step = prop_oneof![
        8 => (client(), any::<bool>(), sample(keysyms)).prop_map(|(c, d, k)| Step::Key(c, d, k)),
        2 => (client(), any::<bool>(), sample(codes)).prop_map(|(c, d, k)| Step::Code(c, d, k)),
        4 => (client(), any::<bool>(), prop::sample::select(characters.to_vec()))
            .prop_map(|(c, d, k)| Step::Character(c, d, k)),
        1 => any::<(bool, bool)>().prop_map(|(caps, num)| Step::Leds(caps, num)),
        1 => client().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn whatever_is_typed_nothing_stays_pressed_and_no_report_says_nothing(steps in steps()) {
        for layout in [made::german(), made::russian(), made::neo(), made::czech(), Layout::us()] {
            let mut bench = on(layout);
            let mut time = 0;
            for step in steps.iter().copied().chain([Step::Leave(ONE), Step::Leave(TWO)]) {
                let Bench { keyboard, out } = &mut bench;
                match step {
                    Step::Key(client, down, keysym) => keyboard.keysym(client, down, keysym, out),
                    Step::Code(client, down, code) => keyboard.extended(client, down, 0, code, out),
                    Step::Character(client, down, c) => keyboard.character(client, down, c, out),
                    Step::Leave(client) => keyboard.leave(client, out),
                    Step::Leds(caps, num) => {
                        time += 100;
                        bench.leds(time, caps, num);
                    }
                }
            }
            prop_assert_eq!(bench.keyboard.keyboard_report(), Report::keyboard(0, &[]));
            prop_assert!(bench.keyboard.held.is_empty() && bench.keyboard.disguise.is_none());
            let mut before = Report::keyboard(0, &[]);
            for report in bench.out {
                prop_assert_ne!(report, before);
                before = report;
            }
        }
    }
}

#[test]
fn another_layout_lets_go_of_what_is_held_and_types_its_own_keys() {
    let mut bench = on(Layout::us());
    bench.tap('y').key(true, 'z').key_of(TWO, true, SHIFT_L);
    let y = seen([(0, &[0x1c]), (0, &[]), (0, &[0x1d]), (2, &[0x1d])]);
    assert_eq!(bench.reports(), y);
    let layout = Arc::new(made::german());
    bench.keyboard.set_layout(layout, &mut bench.out);
    assert_eq!(bench.reports(), seen([(0, &[])]), "all at once");
    bench.key(false, 'z').key_of(TWO, false, SHIFT_L);
    assert_eq!(bench.reports(), [], "they are up");
    bench.tap('@');
    let at = seen([(0x40, &[]), (0x40, &[0x14]), (0x40, &[]), (0, &[])]);
    assert_eq!(bench.reports(), at);
}

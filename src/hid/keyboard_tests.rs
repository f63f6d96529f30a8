use super::*;

pub(super) const ONE: ClientId = ClientId(1);
pub(super) const TWO: ClientId = ClientId(2);
pub(super) const SHIFT_L: u32 = 0xffe1;
pub(super) const CONTROL_L: u32 = 0xffe3;
pub(super) const LEVEL_3: u32 = 0xfe03;

/// A keyboard and everything it reported, as (modifiers, keys).
#[derive(Default)]
pub(super) struct Bench {
    pub(super) keyboard: Keyboard,
    pub(super) out: Vec<Report>,
}

impl Bench {
    pub(super) fn key(&mut self, down: bool, keysym: impl Into<u32>) -> &mut Self {
        self.key_of(ONE, down, keysym)
    }

    pub(super) fn key_of(
        &mut self,
        client: ClientId,
        down: bool,
        keysym: impl Into<u32>,
    ) -> &mut Self {
        self.keyboard
            .keysym(client, down, keysym.into(), &mut self.out);
        self
    }

    pub(super) fn code(&mut self, down: bool, keysym: u32, code: u32) -> &mut Self {
        self.keyboard
            .extended(ONE, down, keysym, code, &mut self.out);
        self
    }

    pub(super) fn tap(&mut self, keysym: impl Into<u32> + Copy) -> &mut Self {
        self.key(true, keysym).key(false, keysym)
    }

    /// The reports since the last call: modifiers and the keys that are down.
    pub(super) fn reports(&mut self) -> Vec<(u8, Vec<u8>)> {
        self.out
            .drain(..)
            .map(|report| {
                let bytes = report.bytes();
                let keys = bytes[2..].iter().copied().filter(|key| *key != 0);
                (bytes[0], keys.collect())
            })
            .collect()
    }
}

pub(super) fn seen<const N: usize>(reports: [(u8, &[u8]); N]) -> Vec<(u8, Vec<u8>)> {
    reports
        .map(|(modifiers, keys)| (modifiers, keys.to_vec()))
        .to_vec()
}

#[test]
fn check_53_extended_keys_go_by_scancode_whatever_the_keysym() {
    let mut bench = Bench::default();
    bench
        .code(true, 'q'.into(), 0x1e)
        .code(false, 'Q'.into(), 0x1e);
    assert_eq!(bench.reports(), seen([(0, &[0x04]), (0, &[])]));
    bench
        .code(true, 'A'.into(), 0x1e)
        .code(false, 'A'.into(), 0x1e);
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x04]), (0, &[])]),
        "no Shift of our own"
    );
    for code in [0x54, 0xb7] {
        bench.code(true, 0xff61, code).code(false, 0xff61, code);
        assert_eq!(bench.reports(), seen([(0, &[0x46]), (0, &[])]));
    }
    bench.code(true, 0xff13, 0xc6).code(false, 0xff13, 0xc6);
    assert_eq!(bench.reports(), seen([(0, &[0x48]), (0, &[])]));
    bench.code(true, 'b'.into(), 0).code(false, 'b'.into(), 0);
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x05]), (0, &[])]),
        "code 0: the keysym"
    );
}

#[test]
fn complaint_7_check_58_shift_is_pressed_for_clients_that_do_not() {
    let mut bench = Bench::default();
    for character in "aA!?".chars() {
        bench.tap(character);
    }
    let expected = seen([
        (0, &[0x04]),
        (0, &[]),
        (2, &[]),
        (2, &[0x04]),
        (2, &[]),
        (0, &[]),
        (2, &[]),
        (2, &[0x1e]),
        (2, &[]),
        (0, &[]),
        (2, &[]),
        (2, &[0x38]),
        (2, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn check_59_shift_that_is_held_is_not_doubled() {
    let mut bench = Bench::default();
    bench
        .key(true, SHIFT_L)
        .tap('A')
        .tap('!')
        .key(false, SHIFT_L);
    let expected = seen([
        (2, &[]),
        (2, &[0x04]),
        (2, &[]),
        (2, &[0x1e]),
        (2, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn check_60_a_key_is_released_by_its_place() {
    let mut bench = Bench::default();
    bench
        .key(true, SHIFT_L)
        .key(true, '?')
        .key(false, SHIFT_L)
        .key(false, '/');
    assert_eq!(
        bench.reports(),
        seen([(2, &[]), (2, &[0x38]), (0, &[0x38]), (0, &[])])
    );
    bench
        .key(true, SHIFT_L)
        .key(true, 'C')
        .key(false, SHIFT_L)
        .key(false, 'c');
    assert_eq!(bench.reports().last(), seen([(0, &[])]).last());
    bench.key(true, 'C').key(false, 'c');
    assert_eq!(
        bench.reports(),
        seen([(2, &[]), (2, &[0x06]), (2, &[]), (0, &[])])
    );
    bench
        .key(false, 'z')
        .key(false, SHIFT_L)
        .code(false, 0, 0x1e);
    assert_eq!(bench.reports(), seen([]), "an up without a down");
    bench.key(true, 0xffb7_u32).key(false, 0xff95_u32);
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x5f]), (0, &[])]),
        "Num Lock changed in between"
    );
}

#[test]
fn check_62_repeats_are_one_press() {
    let mut bench = Bench::default();
    for _ in 0..20 {
        bench.key(true, 'a');
    }
    bench.key(false, 'a');
    assert_eq!(bench.reports(), seen([(0, &[0x04]), (0, &[])]));
    for _ in 0..20 {
        bench.key(false, 'a').key(true, 'a');
    }
    bench.key(false, 'a');
    assert_eq!(bench.reports().len(), 40);
    assert_eq!(bench.keyboard.keyboard_report(), Report::keyboard(0, &[]));
}

#[test]
fn check_63_unknown_keysyms_are_ignored() {
    let mut bench = Bench::default();
    bench.tap(0x0100_0041_u32);
    assert_eq!(bench.reports()[1], (2, vec![0x04]));
    for keysym in [0x0100_20ac, 0x20ac, 0xe9, 0xfe51, u32::MAX, 0] {
        bench.tap(keysym).code(true, keysym, u32::MAX);
    }
    assert_eq!(bench.reports(), seen([]));
}

#[test]
fn check_64_leaving_releases_what_nobody_else_holds() {
    let mut bench = Bench::default();
    bench
        .key(true, CONTROL_L)
        .key(true, 0xffe9_u32)
        .key_of(TWO, true, CONTROL_L);
    bench.key_of(TWO, true, 'x');
    bench.reports();
    bench.keyboard.leave(ONE, &mut bench.out);
    assert_eq!(bench.reports(), seen([(1, &[0x1b])]));
    bench.keyboard.leave(TWO, &mut bench.out);
    assert_eq!(bench.reports(), seen([(0, &[])]));
}

#[test]
fn shift_with_a_small_letter_stays_down() {
    let mut bench = Bench::default();
    bench.key(true, SHIFT_L).tap('b').key(false, SHIFT_L);
    assert_eq!(
        bench.reports(),
        seen([(2, &[]), (2, &[0x05]), (2, &[]), (0, &[])])
    );
}

#[test]
fn shift_with_an_unshifted_character_is_hidden() {
    let mut bench = Bench::default();
    bench
        .key(true, 0xffe2_u32)
        .tap('1')
        .tap(0xff51_u32)
        .key(false, 0xffe2_u32);
    let expected = seen([
        (0x20, &[]),
        (0, &[]),
        (0, &[0x1e]),
        (0, &[]),
        (0x20, &[]),
        (0x20, &[0x50]),
        (0x20, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn overlapping_characters_each_get_their_shift() {
    let mut bench = Bench::default();
    bench
        .key(true, 'A')
        .key(true, 'b')
        .key(false, 'A')
        .key(true, 'C');
    bench.key(false, 'b').key(false, 'C');
    let expected = seen([
        (2, &[]),
        (2, &[0x04]),
        (0, &[0x04]),
        (0, &[0x04, 0x05]),
        (0, &[0x05]),
        (2, &[0x05]),
        (2, &[0x05, 0x06]),
        (2, &[0x06]),
        (2, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn a_shortcut_typed_with_caps_lock_gets_no_shift_but_a_symbol_does() {
    let mut bench = Bench::default();
    bench
        .key(true, CONTROL_L)
        .tap('C')
        .tap('+')
        .key(false, CONTROL_L);
    let expected = seen([
        (1, &[]),
        (1, &[0x06]),
        (1, &[]),
        (3, &[]),
        (3, &[0x2e]),
        (3, &[]),
        (1, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn alt_gr_is_hidden_from_characters_it_only_helped_to_make() {
    let mut bench = Bench::default();
    bench
        .key(true, LEVEL_3)
        .tap('@')
        .tap(0xff51_u32)
        .key(false, LEVEL_3);
    let expected = seen([
        (0x40, &[]),
        (0x02, &[]),
        (0x02, &[0x1f]),
        (0x02, &[]),
        (0x40, &[]),
        (0x40, &[0x50]),
        (0x40, &[]),
        (0, &[]),
    ]);
    assert_eq!(bench.reports(), expected);
}

#[test]
fn the_newest_six_keys_are_shown_and_none_comes_back() {
    let mut bench = Bench::default();
    for letter in 'a'..='h' {
        bench.key(true, letter);
    }
    assert_eq!(
        bench.reports().last(),
        Some(&(0, vec![0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b]))
    );
    bench.key(false, 'a').key(false, 'h');
    assert_eq!(
        bench.reports(),
        seen([(0, &[0x06, 0x07, 0x08, 0x09, 0x0a])])
    );
    for letter in 'b'..='g' {
        bench.key(false, letter);
    }
    assert_eq!(bench.reports().last(), Some(&(0, vec![])));
}

#[test]
fn both_shift_keys_and_locks_are_plain_keys() {
    let mut bench = Bench::default();
    bench
        .key(true, SHIFT_L)
        .key(true, 0xffe2_u32)
        .key(false, SHIFT_L)
        .key(false, 0xffe2_u32);
    assert_eq!(
        bench.reports(),
        seen([(0x02, &[]), (0x22, &[]), (0x20, &[]), (0, &[])])
    );
    bench.tap(0xffe5_u32);
    assert_eq!(bench.reports(), seen([(0, &[0x39]), (0, &[])]));
}

#[test]
fn media_keys_go_to_the_consumer_control() {
    let mut bench = Bench::default();
    bench.tap(0x1008_ff13_u32);
    assert_eq!(bench.out, [Report::consumer(0xe9), Report::consumer(0)]);
}

/// Typed text is what it is, whatever anybody holds; what is held is as before after each character.
#[test]
fn characters_of_a_text_are_typed_exactly() {
    for (character, modifiers, usage) in [
        ('a', 0, 0x04),
        ('A', 2, 0x04),
        ('1', 0, 0x1e),
        ('!', 2, 0x1e),
        ('\n', 0, 0x28),
    ] {
        let mut bench = Bench::default();
        bench
            .key_of(TWO, true, SHIFT_L)
            .key_of(TWO, true, CONTROL_L);
        bench.out.clear();
        for down in [true, false] {
            bench
                .keyboard
                .character(ONE, down, character, &mut bench.out);
        }
        let reports: Vec<_> = bench.out.iter().map(|report| report.bytes()).collect();
        let pressed = [modifiers, 0, usage, 0, 0, 0, 0, 0];
        assert_eq!(reports[1], pressed, "{character:?}: {reports:?}");
        assert_eq!(
            reports.last(),
            Some(&[3, 0, 0, 0, 0, 0, 0, 0].as_slice()),
            "{character:?}"
        );
    }
}

use rfb::geom::Rect;

use super::*;
use crate::demo::hid_host::tests as bytes;

pub(crate) const DESCRIPTORS: Descriptors = Descriptors {
    keyboard: bytes::KEYBOARD,
    absolute: bytes::ABSOLUTE,
    relative: bytes::RELATIVE,
    consumer: bytes::CONSUMER,
};

const SHIFT: u8 = 0x02;
const SIZE: Size = Size::new(1280, 720);

const ENTER: u8 = 0x28;
const ESCAPE: u8 = 0x29;
const RIGHT: u8 = 0x4f;
const LEFT: u8 = 0x50;
const DOWN: u8 = 0x51;
const UP: u8 = 0x52;
const PAGE_UP: u8 = 0x4b;
const PAGE_DOWN: u8 = 0x4e;
const CAPS: u8 = 0x39;
const NUM: u8 = 0x53;

fn target() -> Target {
    Target::new(SIZE, &DESCRIPTORS).unwrap()
}

fn keys(target: &mut Target, modifiers: u8, keys: [u8; 6]) {
    let mut report = [modifiers, 0, 0, 0, 0, 0, 0, 0];
    report[2..].copy_from_slice(&keys);
    target.report(Function::Keyboard, &report);
}

/// Presses and releases keys one after the other.
fn tap(target: &mut Target, modifiers: u8, codes: &[u8]) {
    for code in codes {
        keys(target, modifiers, [*code, 0, 0, 0, 0, 0]);
        keys(target, 0, [0; 6]);
    }
}

fn absolute(target: &mut Target, buttons: u8, x: u16, y: u16, wheel: i8, pan: i8) {
    let ([xl, xh], [yl, yh]) = (x.to_le_bytes(), y.to_le_bytes());
    let report = [buttons, xl, xh, yl, yh, wheel as u8, pan as u8];
    target.report(Function::Absolute, &report);
}

/// Clicks the middle of a rectangle.
fn click(target: &mut Target, rect: Rect) {
    let scaled = |at: u16, extent: u16| (u32::from(at) * 32767 / u32::from(extent - 1)) as u16;
    let x = scaled(rect.x + rect.width / 2, SIZE.width);
    let y = scaled(rect.y + rect.height / 2, SIZE.height);
    absolute(target, 1, x, y, 0, 0);
    absolute(target, 0, x, y, 0, 0);
}

fn picture(target: &Target) -> Canvas {
    let mut canvas = Canvas::new(target.size());
    target.draw(&mut canvas);
    canvas
}

fn layout(target: &Target) -> Layout {
    Layout::new(target.size(), target.menu())
}

#[test]
fn typed_text_obeys_shift_caps_and_num() {
    let mut t = target();
    tap(&mut t, 0, &[0x04, 0x1e, 0x2f, 0x64]); // a 1 [ ISO backslash
    tap(&mut t, SHIFT, &[0x04, 0x1e, 0x38, 0x34]); // A ! ? "
    tap(&mut t, 0x20, &[0x1d, 0x35]); // right Shift: Z ~
    tap(&mut t, 0, &[CAPS, 0x05, 0x1f]); // b under Caps, 2
    tap(&mut t, SHIFT, &[0x05]);
    tap(&mut t, 0, &[CAPS, 0x59, 0x62, 0x63, 0x57, 0x2c, 0x05]); // keypad 1 0 . +, space, b
    assert_eq!(t.text(), "a1[\\A!?\"Z~B2b10.+ b");
    tap(&mut t, 0, &[NUM, 0x59, 0x63, 0x2a]); // keypad End and Delete type nothing; Backspace
    assert_eq!(t.text(), "a1[\\A!?\"Z~B2b10.+ ");
}

#[test]
fn every_printable_character_of_the_layout_can_be_typed() {
    let mut t = target();
    let rows = [0x04..=0x27, 0x2d..=0x31, 0x33..=0x38];
    for code in rows.into_iter().flatten() {
        tap(&mut t, 0, &[code]);
        tap(&mut t, SHIFT, &[code]);
    }
    tap(&mut t, 0, &[0x2c]);
    let mut typed: Vec<char> = t.text().chars().collect();
    typed.sort_unstable();
    let printable: Vec<char> = (' '..='~').collect();
    assert_eq!(typed, printable);
}

#[test]
fn six_keys_at_once_arrive_in_the_order_of_the_report_and_once() {
    let mut t = target();
    keys(&mut t, 0, [0x09, 0x08, 0x07, 0x06, 0x05, 0x04]);
    assert_eq!(t.text(), "fedcba");
    assert_eq!(t.keys(), [0x09, 0x08, 0x07, 0x06, 0x05, 0x04]);
    keys(&mut t, 0, [0x04, 0x05, 0x06, 0x07, 0x08, 0x0a]);
    assert_eq!(t.text(), "fedcbag");
    // Too many keys: ErrorRollOver changes nothing.
    keys(&mut t, 0, [1; 6]);
    assert_eq!(t.keys().len(), 6);
    keys(&mut t, 0, [0; 6]);
    assert!(t.keys().is_empty());
    assert_eq!(t.text(), "fedcbag");
}

#[test]
fn a_shifted_key_in_one_report_is_shifted_and_shortcuts_type_nothing() {
    let mut t = target();
    keys(&mut t, SHIFT, [0x04, 0, 0, 0, 0, 0]);
    // Shift is let go while a new key goes down: the modifiers come first.
    keys(&mut t, 0, [0x04, 0x05, 0, 0, 0, 0]);
    assert_eq!(t.text(), "Ab");
    for modifier in [0x01, 0x04, 0x08, 0x10, 0x40, 0x80] {
        tap(&mut t, modifier, &[0x06, RIGHT]);
    }
    assert_eq!((t.text(), t.page()), ("Ab", Page::Main));
}

#[test]
fn what_is_not_a_hid_report_of_the_function_does_nothing() {
    let mut t = target();
    for report in [
        &[][..],
        b"a",
        &[0, 0, 4, 0, 0, 0, 0],
        &[0, 0, 4, 0, 0, 0, 0, 0, 0],
    ] {
        t.report(Function::Keyboard, report);
    }
    t.report(Function::Absolute, &[0, 0, 4, 0, 0, 0, 0, 0]);
    t.report(Function::Consumer, &[4, 0]);
    let (x, y) = (SIZE.width / 2, SIZE.height / 2);
    assert_eq!((t.text(), t.keys(), t.pointer()), ("", vec![], (x, y)));
    assert_eq!(t.reports(), (6, 5));
}

#[test]
fn lock_keys_toggle_on_press_and_light_the_leds() {
    let mut t = target();
    assert_eq!(t.leds(), 0b001);
    keys(&mut t, 0, [CAPS, 0, 0, 0, 0, 0]);
    assert_eq!(t.leds(), 0b011);
    keys(&mut t, 0, [CAPS, 0x47, 0, 0, 0, 0]);
    assert_eq!(t.leds(), 0b111);
    keys(&mut t, 0, [0; 6]);
    assert_eq!(t.leds(), 0b111);
    tap(&mut t, 0, &[CAPS, NUM, 0x47]);
    assert_eq!(t.leds(), 0);
}

#[test]
fn held_keys_repeat_until_they_are_released() {
    let mut t = target();
    let at = Duration::from_millis;
    keys(&mut t, 0, [0x04, 0, 0, 0, 0, 0]);
    t.tick(at(599));
    assert_eq!(t.text(), "a");
    t.tick(at(681));
    assert_eq!(t.text(), "aaaa");
    keys(&mut t, 0, [0; 6]);
    t.tick(at(5000));
    assert_eq!(t.text(), "aaaa");
    t.set_key_repeat(false);
    keys(&mut t, 0, [0x05, 0, 0, 0, 0, 0]);
    t.tick(at(9000));
    assert_eq!(t.text(), "aaaab");
}

#[test]
fn absolute_positions_reach_every_pixel_exactly() {
    for size in [Size::new(640, 400), SIZE, Size::new(1920, 1200)] {
        let mut t = Target::new(size, &DESCRIPTORS).unwrap();
        absolute(&mut t, 0, 0, 0, 0, 0);
        assert_eq!(t.pointer(), (0, 0));
        absolute(&mut t, 0, 32767, 32767, 0, 0);
        assert_eq!(t.pointer(), (size.width - 1, size.height - 1));
        for x in 0..size.width {
            let last = u32::from(size.width - 1);
            let scaled = (u32::from(x) * 32767 + last / 2) / last;
            absolute(&mut t, 0, scaled as u16, 0, 0, 0);
            assert_eq!(t.pointer(), (x, 0));
        }
    }
}

#[test]
fn relative_moves_stop_at_the_edges() {
    let mut t = target();
    let mut mouse = |x: i8, y: i8| {
        t.report(Function::Relative, &[0, x as u8, y as u8, 0, 0]);
        t.pointer()
    };
    assert_eq!(mouse(-5, 7), (635, 367));
    for _ in 0..20 {
        mouse(-127, 127);
    }
    assert_eq!(mouse(0, 0), (0, 719));
    for _ in 0..20 {
        mouse(127, -127);
    }
    assert_eq!(mouse(0, 0), (1279, 0));
}

#[test]
fn wheels_count_both_ways_and_buttons_are_held_per_mouse() {
    let mut t = target();
    absolute(&mut t, 0b1_0100, 5, 5, 1, -2);
    assert_eq!((t.wheel(), t.buttons()), ((1, -2), 0b1_0100));
    t.report(Function::Relative, &[0b10, 0, 0, 0xfd, 4]);
    assert_eq!((t.wheel(), t.buttons()), ((-2, 2), 0b1_0110));
    absolute(&mut t, 0, 5, 5, 0, 0);
    assert_eq!(t.buttons(), 0b10);
}

#[test]
fn arrows_enter_and_escape_lead_through_the_menu() {
    let mut t = target();
    tap(&mut t, 0, &[RIGHT]);
    assert_eq!(t.page(), Page::Boot);
    assert_eq!(t.menu().choices()[0].value(), "USB: installer");
    tap(&mut t, 0, &[ENTER, DOWN, ENTER]);
    assert_eq!(t.menu().choices()[0].value(), "Network (PXE)");
    tap(&mut t, 0, &[ENTER, DOWN, ESCAPE]);
    assert_eq!((t.page(), t.menu().popup()), (Page::Boot, None));
    assert_eq!(t.menu().choices()[0].value(), "Network (PXE)");
    tap(&mut t, 0, &[UP, ENTER, 0x04]);
    assert_eq!(
        t.menu().popup(),
        Some(crate::demo::Popup { item: 5, entry: 1 })
    );
    tap(&mut t, 0, &[ESCAPE, 0x42]); // F9
    assert_eq!(t.menu().choices()[0].value(), "USB: installer");
    tap(&mut t, 0, &[ESCAPE]);
    assert_eq!(t.page(), Page::Main);
    tap(&mut t, 0, &[LEFT]);
    assert_eq!(t.page(), Page::Motion);
    tap(&mut t, 0, &[RIGHT]);
    assert_eq!((t.page(), t.text()), (Page::Main, ""));
}

#[test]
fn enter_keeps_a_line_and_typing_comes_back_to_the_field() {
    let mut t = target();
    tap(&mut t, 0, &[0x0b, 0x0c, ENTER, ENTER]);
    assert_eq!((t.text(), t.history()), ("", &["hi".to_owned()][..]));
    tap(&mut t, 0, &[DOWN, DOWN]);
    assert_eq!(t.menu().selected(), 2);
    tap(&mut t, 0, &[0x04]);
    assert_eq!((t.text(), t.menu().selected()), ("a", 0));
}

#[test]
fn everything_can_be_clicked() {
    let mut t = target();
    for (index, page) in Page::ALL.into_iter().enumerate() {
        let tab = layout(&t).tab[index];
        click(&mut t, tab);
        assert_eq!(t.page(), page);
    }
    let tab = layout(&t).tab[0];
    click(&mut t, tab);
    let item = layout(&t).items[2];
    click(&mut t, item);
    let entry = layout(&t).popup.unwrap().entries[2];
    click(&mut t, entry);
    assert_eq!(t.menu().choices()[1].value(), "Full speed");
    click(&mut t, item);
    assert!(t.menu().popup().is_some());
    click(&mut t, tab);
    assert_eq!((t.menu().popup(), t.page()), (None, Page::Main));
    // Only the first button clicks.
    let tab = layout(&t).tab[1];
    absolute(&mut t, 0, 0, 0, 0, 0);
    let x = u32::from(tab.x + 9) * 32767 / 1279;
    absolute(&mut t, 2, x as u16, 2140, 0, 0);
    assert_eq!(t.page(), Page::Main);
}

#[test]
fn the_log_runs_and_scrolls_by_wheel_and_page_keys() {
    let mut t = target();
    tap(&mut t, 0, &[RIGHT, RIGHT, RIGHT, ENTER]);
    assert!(t.log().running());
    let before = t.log().line_count();
    t.tick(Duration::from_millis(4999));
    assert_eq!(t.log().line_count(), before + 100);
    tap(&mut t, 0, &[ENTER]);
    assert!(!t.log().running());
    let bottom = picture(&t);
    assert_eq!(t.log().below(), 0);
    absolute(&mut t, 0, 0, 0, 2, 0);
    assert_eq!(t.log().below(), 6);
    assert!(picture(&t) != bottom);
    absolute(&mut t, 0, 0, 0, -1, 0);
    assert_eq!(t.log().below(), 3);
    tap(&mut t, 0, &[PAGE_DOWN]);
    assert_eq!(t.log().below(), 0);
    for _ in 0..20 {
        tap(&mut t, 0, &[PAGE_UP]);
    }
    let rows = layout(&t).log_rows();
    let top = t.log().view(rows).next().unwrap().to_owned();
    assert!(top.contains("power on"), "{top}");
}

#[test]
fn the_clock_ticks_each_second_and_only_then() {
    let mut t = target();
    let first = (t.revision(), picture(&t));
    t.tick(Duration::from_millis(999));
    assert!((t.revision(), picture(&t)) == first);
    assert_eq!(t.next_event(), Duration::from_secs(1));
    t.tick(Duration::from_millis(1000));
    assert!(t.revision() != first.0 && picture(&t) != first.1);
    t.tick(Duration::ZERO);
    assert_eq!(t.next_event(), Duration::from_secs(2));
}

#[test]
fn motion_changes_nearly_every_pixel_until_it_is_stopped() {
    let mut t = target();
    tap(&mut t, 0, &[LEFT]);
    t.tick(Duration::from_millis(100));
    let (first, revision) = (picture(&t), t.revision());
    t.tick(Duration::from_millis(133));
    let second = picture(&t);
    assert!(t.revision() != revision);
    let area = layout(&t).rest;
    let pixels = |canvas: &Canvas| {
        let frame = canvas.to_frame(rfb::frame::FrameSeq(0), None);
        frame.pixels(area).unwrap()
    };
    let (a, b) = (pixels(&first), pixels(&second));
    let changed = a.iter().zip(&b).filter(|(a, b)| a != b).count();
    assert!(
        changed * 10 > area.area() * 9,
        "{changed} of {}",
        area.area()
    );
    tap(&mut t, 0, &[0x2c]);
    let (still, revision) = (t.motion, t.revision());
    t.tick(Duration::from_millis(900));
    assert_eq!((t.motion, t.revision()), (still, revision));
}

#[test]
fn the_same_state_draws_the_same_bytes_at_every_size() {
    for size in [
        Size::new(640, 400),
        Size::new(641, 401),
        Size::new(800, 600),
        Size::new(1024, 768),
        SIZE,
        Size::new(1920, 1080),
        Size::new(1920, 1200),
        Size::new(7680, 400),
        Size::new(640, 4320),
    ] {
        let mut t = Target::new(size, &DESCRIPTORS).unwrap();
        let mut reused = Canvas::new(size);
        for page in 0..5 {
            assert_eq!(t.page(), Page::ALL[page]);
            t.draw(&mut reused);
            assert!(picture(&t) == reused, "{size}, page {page}");
            let layout = layout(&t);
            let parts = layout
                .items
                .iter()
                .chain([&layout.rest, &layout.help, &layout.page]);
            for part in parts {
                assert!(layout.body.contains(*part), "{size}, page {page}: {part:?}");
            }
            assert!(!layout.rest.is_empty(), "{size}, page {page}");
            tap(&mut t, 0, &[ENTER]);
            let opened = Layout::new(size, t.menu());
            let list = opened.popup.map_or(Rect::EMPTY, |popup| popup.frame);
            assert!(layout.body.contains(list), "{size}, page {page}: {list:?}");
            tap(
                &mut t,
                0,
                if list.is_empty() {
                    &[RIGHT]
                } else {
                    &[ESCAPE, RIGHT]
                },
            );
        }
    }
}

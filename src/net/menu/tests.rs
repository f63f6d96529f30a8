use rfb::frame::overlay::Patch as _;

use super::*;
use crate::{
    config::PowerAction,
    hid::{Input, PointerMode},
    net::roster::Standing,
};

const SCREEN: Size = Size::new(1280, 720);

fn offer() -> Offer {
    Offer {
        standing: Standing::Controls,
        one_controls: false,
        is_typing: false,
        pointer: PointerMode::Absolute,
        layout: "de".into(),
        layouts: ["de", "us", "fr"].map(Arc::from).to_vec(),
        power: vec![PowerAction::On, PowerAction::Reset],
        people: vec![
            "anna (you): has control".to_owned(),
            "ben: watches".to_owned(),
        ],
    }
}

/// A menu and what is done with it, by keysym.
struct Bench(Menu);

impl Bench {
    fn new(offer: Offer) -> Self {
        Self(Menu::new(offer, Instant::now()))
    }

    fn key(&mut self, keysym: u32) -> Outcome {
        self.0.key(Key { keysym, code: 0 }, Instant::now())
    }

    fn letter(&mut self, letter: char) -> Outcome {
        self.key(letter.into())
    }

    fn labels(&self) -> Vec<&str> {
        self.0.page.rows.iter().map(|row| &*row.label).collect()
    }

    fn marked(&self) -> &str {
        self.labels()[self.0.marked]
    }
}

const UP: u32 = 0xff52;
const DOWN: u32 = 0xff54;
const ENTER: u32 = 0xff0d;
const ESCAPE: u32 = 0xff1b;

fn command(command: Command) -> Outcome {
    Outcome::Chosen(Choice::Command(command))
}

#[test]
fn it_offers_what_can_be_done_now_and_nothing_else() {
    let labels = |offer: Offer| -> Vec<String> {
        let bench = Bench::new(offer);
        bench.labels().into_iter().map(str::to_owned).collect()
    };
    assert_eq!(
        labels(offer()),
        [
            "Ctrl+Alt+Del",
            "Other keys ...",
            "Type what you copied",
            "Use the relative mouse",
            "Keyboard layout (de) ...",
            "Who is connected (2) ...",
            "Power ..."
        ]
    );
    let busy = labels(Offer {
        one_controls: true,
        is_typing: true,
        pointer: PointerMode::Relative,
        power: Vec::new(),
        ..offer()
    });
    assert_eq!(
        busy[2..],
        [
            "Stop typing",
            "Use the absolute pointer",
            "Keyboard layout (de) ...",
            "Give up control",
            "Who is connected (2) ..."
        ]
    );
    for (may_take, expected) in [(true, &["Take control"][..]), (false, &[])] {
        let waiting = labels(Offer {
            standing: Standing::Waits {
                holder: None,
                may_take,
            },
            power: Vec::new(),
            ..offer()
        });
        assert_eq!(waiting[..waiting.len() - 1], *expected);
    }
}

#[test]
fn letters_choose_at_once_listed_or_not() {
    for (letter, expected) in [
        ('d', command(Command::CtrlAltDel)),
        ('D', command(Command::CtrlAltDel)),
        ('v', command(Command::TypeClipboard)),
        ('m', command(Command::TogglePointerMode)),
        ('c', command(Command::CancelTyping)),
        ('t', command(Command::TakeControl)),
        ('g', command(Command::GiveUpControl)),
        ('x', Outcome::Passes),
        (' ', Outcome::Passes),
    ] {
        assert_eq!(Bench::new(offer()).letter(letter), expected, "{letter}");
    }
    // By its place where it is of another alphabet.
    let mut menu = Menu::new(offer(), Instant::now());
    let d = Key {
        keysym: 0x6d7,
        code: 0x20,
    };
    assert_eq!(menu.key(d, Instant::now()), command(Command::CtrlAltDel));
}

#[test]
fn one_walks_up_and_down_round_its_ends_into_pages_and_back() {
    let mut bench = Bench::new(offer());
    assert_eq!(bench.marked(), "Ctrl+Alt+Del");
    bench.key(UP);
    assert_eq!(bench.marked(), "Power ...");
    bench.key(DOWN);
    bench.key(DOWN);
    assert_eq!(bench.key(ENTER), Outcome::Stays);
    assert_eq!(bench.marked(), "Windows key");
    assert_eq!(
        bench.letter('c'),
        Outcome::Passes,
        "no command of this page"
    );
    assert_eq!(bench.letter('f'), Outcome::Stays);
    assert_eq!(bench.labels().last(), Some(&"F12"));
    bench.key(UP);
    let f12 = Outcome::Chosen(Choice::Press(&[0xffc9]));
    assert_eq!(bench.key(ENTER), f12);
    assert_eq!(bench.letter('b'), f12);
    bench.key(ESCAPE);
    assert_eq!(bench.marked(), "Windows key");
    let alt_tab = Outcome::Chosen(Choice::Press(&[0xffe9, 0xff09]));
    assert_eq!(bench.letter('2'), alt_tab);
    bench.key(ESCAPE);
    bench.letter('w');
    assert_eq!(bench.labels(), ["anna (you): has control", "ben: watches"]);
    assert_eq!(bench.key(ENTER), Outcome::Stays, "nothing to choose");
    bench.key(ESCAPE);
    assert_eq!(bench.key(ESCAPE), Outcome::Closes);
}

#[test]
fn the_targets_layout_is_one_of_a_list() {
    let mut bench = Bench::new(offer());
    bench.letter('l');
    let labels = ["de, as it is now", "us, which firmware has", "fr"];
    assert_eq!(bench.labels(), labels);
    let french = Outcome::Chosen(Choice::Layout("fr".into()));
    assert_eq!(bench.letter('3'), french);
    bench.key(UP);
    assert_eq!(bench.key(ENTER), french);
}

#[test]
fn escape_ends_what_is_typed() {
    let mut bench = Bench::new(Offer {
        is_typing: true,
        ..offer()
    });
    assert_eq!(bench.key(ESCAPE), command(Command::CancelTyping));
}

#[test]
fn whatever_can_lose_work_is_asked_about_twice() {
    let mut bench = Bench::new(offer());
    bench.letter('p');
    let on = Outcome::Chosen(Choice::Power(PowerAction::On));
    assert_eq!(bench.letter('o'), on);
    assert_eq!(bench.letter('r'), Outcome::Stays);
    assert_eq!(bench.0.page.title, "Reset: really?");
    assert_eq!(bench.marked(), "No");
    assert_eq!(bench.key(ENTER), Outcome::Stays);
    assert_eq!(bench.marked(), "Switch on");
    bench.letter('r');
    let reset = Outcome::Chosen(Choice::Power(PowerAction::Reset));
    assert_eq!(bench.letter('y'), reset);
}

/// The middle of a row.
fn middle(menu: &Menu, row: usize) -> Point {
    let panel = Panel::new(menu.text(), Some(menu.marked), SCREEN);
    let of_row = |y: &u16| panel.row_at(Point::new(SCREEN.width / 2, *y)) == Some(row);
    let rows: Vec<u16> = (0..SCREEN.height).filter(of_row).collect();
    Point::new(SCREEN.width / 2, rows[rows.len() / 2])
}

#[test]
fn the_pointer_marks_and_a_click_chooses_or_closes() {
    let mut menu = Menu::new(offer(), Instant::now());
    let now = Instant::now();
    let (mouse, power) = (middle(&menu, 3), middle(&menu, 6));
    assert_eq!(menu.pointer(mouse, SCREEN, 0, now), Outcome::Stays);
    assert_eq!(menu.marked, 3);
    let toggle = command(Command::TogglePointerMode);
    assert_eq!(menu.pointer(mouse, SCREEN, 1, now), toggle);
    assert_eq!(menu.pointer(mouse, SCREEN, 4, now), Outcome::Stays, "right");
    menu.pointer(Point::new(0, 0), SCREEN, 1 << 4, now);
    assert_eq!(menu.marked, 4, "the wheel");
    menu.pointer(Point::new(0, 0), SCREEN, 1 << 3, now);
    assert_eq!(menu.marked, 3);
    menu.pointer(power, SCREEN, 1, now);
    assert_eq!(menu.page.title, "Power");
    let beside = menu.pointer(Point::new(0, 0), SCREEN, 1, now);
    assert_eq!(beside, Outcome::Closes);
}

#[test]
fn a_relative_mouse_walks_by_its_way() {
    let (mut menu, now) = (Menu::new(offer(), Instant::now()), Instant::now());
    for dy in [15, 15, 15, -5, 0] {
        menu.motion(dy, 0, now);
    }
    assert_eq!(menu.marked, 2);
    let typing = command(Command::TypeClipboard);
    assert_eq!(menu.motion(0, 1, now), typing);
}

#[test]
fn it_fits_on_every_screen_and_the_marked_row_is_always_there() {
    let mut bench = Bench::new(Offer {
        people: (0..200).map(|n| format!("user{n}: watches")).collect(),
        ..offer()
    });
    bench.letter('w');
    for (width, height) in [
        (16, 16),
        (320, 200),
        (640, 480),
        (720, 400),
        (1920, 1080),
        (8192, 4320),
    ] {
        let screen = Size::new(width, height);
        for marked in [0, 1, 57, 199] {
            let panel = Panel::new(bench.0.text(), Some(marked), screen);
            assert!(screen.rect().contains(panel.place()), "{screen}");
            assert_eq!(panel.pixels().len(), panel.place().area());
            let middle = width / 2;
            let shown = (0..height).filter_map(|y| panel.row_at(Point::new(middle, y)));
            assert!(
                height < 100 || shown.into_iter().any(|row| row == marked),
                "{screen}, {marked}"
            );
        }
        let note = Panel::note(&"not done because ".repeat(20), screen);
        assert!(screen.rect().contains(note.place()), "{screen}");
        assert_eq!(note.pixels().len(), note.place().area());
    }
}

fn pointer(buttons: u16) -> Input {
    Input::Pointer {
        position: Point::new(0, 0),
        size: SCREEN,
        buttons,
    }
}

#[test]
fn a_button_belongs_to_whom_it_was_pressed_for_until_it_is_up() {
    let now = Instant::now();
    let mut overlay = Overlay::default();
    let goes_on = |overlay: &mut Overlay, buttons| {
        overlay.pointer(pointer(buttons), now).0 == Outcome::Passes
    };
    assert!(goes_on(&mut overlay, 1));
    overlay.open(offer(), now);
    assert!(goes_on(&mut overlay, 1), "dragged in the target");
    assert!(goes_on(&mut overlay, 0), "and let go of there");
    assert!(!goes_on(&mut overlay, 0), "the menu's");
    assert!(!goes_on(&mut overlay, 1), "a click beside closes it");
    assert!(overlay.due_at().is_none());
    assert!(!goes_on(&mut overlay, 1));
    assert!(!goes_on(&mut overlay, 0));
    assert!(goes_on(&mut overlay, 1), "the target's again");
}

#[test]
fn it_is_drawn_anew_when_it_changes_and_not_before() {
    let now = Instant::now();
    let mut overlay = Overlay::default();
    let frame = Frame::solid(rfb::frame::FrameSeq(1), SCREEN, 0);
    assert!(!overlay.has_changed(now));
    assert_eq!(overlay.over(frame.clone()).seq(), frame.seq());
    overlay.open(offer(), now);
    assert!(overlay.has_changed(now));
    let shown = overlay.over(frame.clone());
    assert!(!overlay.has_changed(now));
    overlay.pointer(pointer(0), now);
    assert!(!overlay.has_changed(now), "the pointer is beside it");
    let down = Key {
        keysym: DOWN,
        code: 0,
    };
    overlay.key(down, now);
    assert!(overlay.has_changed(now));
    assert!(!overlay.over(frame.clone()).same_picture(&shown));
    assert!(!overlay.has_changed(now + STAYS - Duration::from_millis(1)));
    assert!(overlay.has_changed(now + STAYS));
    assert_eq!(overlay.over(frame.clone()).seq(), frame.seq());
}

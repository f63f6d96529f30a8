//! Checks 42, 55 and complaint 12: a target that has a relative mouse alone, for clients that send movements and for
//! those that send positions.

use std::time::Instant;

use rfb::geom::{Point, Size};
use rfb::testing::client::{Message, pointer};
use rfbridge::demo::{self, DemoOptions, Descriptors};
use rfbridge::hid::sink::Function;
use rfbridge::hid::{self, ClientId, Input, MouseOptions};
use tokio::sync::watch;

use crate::input::presses;
use crate::server::Server;
use crate::typing::hotkey;
use crate::viewer::{DEADLINE, Viewer};

/// A report of the relative mouse: buttons, right, down, wheel, pan.
type Moved = [i8; 5];

fn relative(server: &Server) -> Vec<Moved> {
    let reports = server.reports().into_iter();
    reports
        .map(|(function, report)| {
            assert_eq!(function, "relative", "{report}");
            let byte = |at: usize| u8::from_str_radix(&report[2 * at..2 * at + 2], 16);
            std::array::from_fn(|at| byte(at).expect("hex").cast_signed())
        })
        .collect()
}

/// What the mouse did until this button was pressed and released.
fn until_click(server: &Server, button: i8) -> Vec<Moved> {
    server.wait_for("the click", |server| {
        let moved = relative(server);
        let pressed = moved.iter().position(|moved| moved[0] == button)?;
        let released = moved[pressed..].iter().any(|moved| moved[0] == 0);
        released.then_some(moved)
    })
}

fn distance(moved: &[Moved]) -> (i32, i32) {
    let sum = |at: usize| moved.iter().map(|moved| i32::from(moved[at])).sum();
    (sum(1), sum(2))
}

/// A movement as clients send it.
fn motion(buttons: u8, dx: i16, dy: i16) -> Vec<u8> {
    let value = |distance: i16| 0x7fff_u16.wrapping_add_signed(distance);
    pointer(buttons, value(dx), value(dy))
}

/// The pointer mode that this message tells: 1 absolute, 0 relative.
fn mode(message: &Message) -> Option<u16> {
    let rectangles = message.rectangles().iter();
    rectangles
        .filter(|rectangle| rectangle.encoding == -257)
        .map(|rectangle| rectangle.rect.x)
        .next()
}

#[test]
fn check_42_who_listed_it_is_asked_for_movements_and_they_arrive() {
    let server = Server::start(&["demo", "--mouse-mode", "relative"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, -257]);
    viewer.request(false);
    assert_eq!(mode(&viewer.next()), Some(0));
    let mut bytes = [motion(0, 5, -7), motion(0, 1000, 100)].concat();
    for _ in 0..1000 {
        bytes.extend([motion(0, 1, 2), motion(0, -2, 1)].concat());
    }
    bytes.extend([motion(4, 0, 0), motion(0, 0, 0)].concat());
    viewer.send(&bytes);
    let moved = until_click(&server, 2);
    assert_eq!(distance(&moved), (5 + 1000 - 1000, -7 + 100 + 3000));
    assert!(moved.iter().all(|moved| moved[3..] == [0, 0]));
    viewer.request(true);
    let told_again = viewer.all_so_far().iter().filter_map(mode).count();
    assert_eq!(told_again, 0, "once");
}

#[test]
fn complaint_12_a_client_that_knows_positions_alone_moves_the_mouse_too() {
    let server = Server::start(&["demo", "--mouse-mode", "relative"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0]);
    viewer.request(false);
    viewer.next();
    let mut other = Viewer::connect(server.address);
    other.encodings(&[0, -257]);
    other.request(false);
    assert_eq!(mode(&other.next()), Some(0));

    viewer.send(&[pointer(0, 300, 300), pointer(1, 300, 300)].concat());
    viewer.send(&pointer(0, 300, 300));
    assert_eq!(distance(&until_click(&server, 1)), (0, 0));
    other.send(&[motion(0, 20, 10), motion(2, 0, 0), motion(0, 0, 0)].concat());
    assert_eq!(distance(&until_click(&server, 4)), (20, 10));
    // From where the other client brought it.
    viewer.send(&[pointer(0, 420, 290), pointer(4, 420, 290)].concat());
    viewer.send(&pointer(0, 420, 290));
    assert_eq!(distance(&until_click(&server, 2)), (120, -10));
}

#[test]
fn complaint_17_the_wheel_turns_as_far_as_it_is_set() {
    let server = Server::start(&[
        "demo",
        "--mouse-mode",
        "relative",
        "--mouse-scroll-rate",
        "5",
    ]);
    let mut viewer = Viewer::connect(server.address);
    let mut bytes = Vec::new();
    for buttons in [8, 0, 8, 0, 16, 0, 1, 0] {
        bytes.extend(pointer(buttons, 300, 300));
    }
    viewer.send(&bytes);
    let wheel: Vec<i8> = until_click(&server, 1)
        .iter()
        .map(|moved| moved[3])
        .filter(|steps| *steps != 0)
        .collect();
    assert_eq!(wheel, [5, 5, -5]);
}

#[test]
fn an_absolute_pointer_is_announced_as_such() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, -257]);
    viewer.request(false);
    assert_eq!(mode(&viewer.next()), Some(1));
}

/// The demo target's own pointer, by movements alone, from wherever it is.
#[test]
fn complaint_12_after_a_corner_the_targets_pointer_is_where_the_viewers_is() {
    let (leds, lit) = watch::channel(None);
    let descriptors = Descriptors {
        keyboard: Function::Keyboard.descriptor().report,
        absolute: Function::Absolute.descriptor().report,
        relative: Function::Relative.descriptor().report,
        consumer: Function::Consumer.descriptor().report,
    };
    let (target, sink) = demo::start(DemoOptions::default(), &descriptors, leds).expect("a target");
    let options = hid::Options {
        layout: hid::TargetLayout::default(),
        leds: lit,
        lock_inference: true,
        mouse: MouseOptions::default(),
    };
    let (input, _thread) = hid::spawn(Box::new(sink), options).expect("a thread");
    input.blocking_send(ClientId(1), Input::TogglePointerMode);
    let size = Size::new(1280, 720);
    let start = Instant::now();
    for (x, y) in [(1279, 719), (1000, 300), (1001, 299), (20, 700), (0, 0)] {
        let position = Point::new(x, y);
        let buttons = 0;
        input.blocking_send(
            ClientId(1),
            Input::Pointer {
                position,
                size,
                buttons,
            },
        );
        while target.with_target(|target| target.pointer()) != (x, y) {
            assert!(start.elapsed() < DEADLINE, "it does not come to {x}, {y}");
            std::thread::yield_now();
        }
    }
}

/// Complaint 12: firmware that knows no absolute pointer is found out about in front of it.
#[test]
fn a_hotkey_changes_the_pointer_that_is_used() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, -257, -307]);
    let mut asked_for = |hotkey: &[u8]| {
        viewer.send(hotkey);
        loop {
            viewer.request(true);
            if let Some(mode) = mode(&viewer.next()) {
                return mode;
            }
        }
    };
    assert_eq!(asked_for(&[]), 1);
    assert_eq!(asked_for(&hotkey('m'.into())), 0);
    assert_eq!(asked_for(&hotkey('m'.into())), 1);
    assert!(presses(&server.keyboard()).is_empty(), "m is not typed");
}

use super::*;

const ONE: ClientId = ClientId(1);
const TWO: ClientId = ClientId(2);
const SCREEN: Size = Size::new(1920, 1080);

fn pointer(mouse: &mut Mouse, client: ClientId, x: u16, y: u16, buttons: u16) -> Vec<Report> {
    let mut out = Vec::new();
    mouse.pointer(client, Point::new(x, y), SCREEN, buttons, &mut out);
    reports(out)
}

/// As the target gets them if it is quick.
fn reports(steps: Vec<Step>) -> Vec<Report> {
    let mut reports = Vec::new();
    for step in steps {
        let mut left = Some(step);
        while let Some(step) = left {
            reports.push(step.next_report());
            left = step.rest();
        }
    }
    reports
}

fn motion(mouse: &mut Mouse, client: ClientId, by: (i16, i16), buttons: u16) -> Vec<Report> {
    let mut out = Vec::new();
    mouse.motion(client, Motion::new(by.0, by.1), buttons, &mut out);
    reports(out)
}

/// What one of the mouse's other methods gives.
fn given(act: impl FnOnce(&mut Vec<Step>)) -> Vec<Report> {
    let mut out = Vec::new();
    act(&mut out);
    reports(out)
}

fn relative() -> Mouse {
    Mouse::new(PointerMode::Relative, 1)
}

#[test]
fn check_65_positions_are_clamped_and_wheel_steps_are_edges() {
    let mut mouse = Mouse::default();
    assert_eq!(
        pointer(&mut mouse, ONE, 0xffff, 0xffff, 0),
        [Report::absolute(0, 32767, 32767, 0, 0)]
    );
    let steps = |wheel, pan| [Report::absolute(0, 32767, 32767, wheel, pan)];
    for (bit, wheel, pan) in [(3, 1, 0), (4, -1, 0), (5, 0, -1), (6, 0, 1)] {
        assert_eq!(
            pointer(&mut mouse, ONE, 1919, 1079, 1 << bit),
            steps(wheel, pan)
        );
        assert_eq!(pointer(&mut mouse, ONE, 1919, 1079, 1 << bit), [], "held");
        assert_eq!(pointer(&mut mouse, ONE, 1919, 1079, 0), [], "released");
    }
}

#[test]
fn complaint_19_the_move_goes_before_the_click() {
    let mut mouse = Mouse::default();
    assert_eq!(
        pointer(&mut mouse, ONE, 0, 1079, 1),
        [
            Report::absolute(0, 0, 32767, 0, 0),
            Report::absolute(1, 0, 32767, 0, 0)
        ]
    );
    assert_eq!(
        pointer(&mut mouse, ONE, 1919, 0, 0),
        [
            Report::absolute(1, 32767, 0, 0, 0),
            Report::absolute(0, 32767, 0, 0, 0)
        ]
    );
}

#[test]
fn buttons_are_in_hid_order() {
    for (rfb, hid) in [(0, 1), (2, 2), (1, 4), (7, 8), (8, 16)] {
        let mut mouse = Mouse::default();
        let out = pointer(&mut mouse, ONE, 0, 0, 1 << rfb);
        assert_eq!(out.last(), Some(&Report::absolute(hid, 0, 0, 0, 0)));
    }
}

#[test]
fn a_button_is_down_while_any_client_holds_it() {
    let mut mouse = Mouse::default();
    pointer(&mut mouse, ONE, 0, 0, 1);
    assert_eq!(pointer(&mut mouse, TWO, 0, 0, 1), []);
    let mut out = Vec::new();
    mouse.leave(ONE, &mut out);
    assert_eq!(out, []);
    assert_eq!(
        pointer(&mut mouse, TWO, 0, 0, 0),
        [Report::absolute(0, 0, 0, 0, 0)]
    );
}

#[test]
fn a_forgotten_button_stays_up_until_pressed_again() {
    let mut mouse = Mouse::default();
    pointer(&mut mouse, ONE, 0, 0, 1);
    mouse.forget(Function::Absolute);
    assert_eq!(
        pointer(&mut mouse, ONE, 0, 0, 1),
        [Report::absolute(0, 0, 0, 0, 0)]
    );
    pointer(&mut mouse, ONE, 0, 0, 0);
    assert_eq!(
        pointer(&mut mouse, ONE, 0, 0, 1),
        [Report::absolute(1, 0, 0, 0, 0)]
    );
}

#[test]
fn complaint_19_every_pixel_survives_the_way_to_the_target_and_back() {
    for pixels in [1_u16, 2, 640, 1024, 1366, 1920, 2560, 3840] {
        for pixel in 0..pixels {
            let x = u32::from(scale(pixel, pixels));
            let wide = u32::from(pixels);
            assert_eq!(x * (wide - 1) / 32767, u32::from(pixel), "of {pixels}");
            assert_eq!(x * wide / 32768, u32::from(pixel), "of {pixels}");
        }
    }
    assert_eq!(scale(5, 0), 0);
}

#[test]
fn complaint_12_positions_become_movements_for_a_relative_mouse() {
    let mut mouse = relative();
    assert_eq!(pointer(&mut mouse, ONE, 100, 100, 0), []);
    assert_eq!(
        pointer(&mut mouse, ONE, 110, 95, 1),
        [
            Report::relative(0, 10, -5, 0, 0),
            Report::relative(1, 0, 0, 0, 0)
        ]
    );
    assert_eq!(
        pointer(&mut mouse, TWO, 310, 95, 0),
        [
            Report::relative(1, 100, 0, 0, 0),
            Report::relative(1, 100, 0, 0, 0)
        ],
        "the other client goes on from where the first one left the pointer"
    );
    assert_eq!(
        pointer(&mut mouse, ONE, 310, 95, 0),
        [Report::relative(0, 0, 0, 0, 0)]
    );
}

#[test]
fn complaint_12_an_edge_brings_both_pointers_together() {
    let mut mouse = relative();
    pointer(&mut mouse, ONE, 100, 100, 0);
    let reports = pointer(&mut mouse, ONE, 0, 100, 0);
    let sum: i32 = reports
        .iter()
        .map(|report| i32::from(report.bytes()[1].cast_signed()))
        .sum();
    assert_eq!(sum, -100 - 1920);
    assert_eq!(
        pointer(&mut mouse, ONE, 7, 100, 0),
        [Report::relative(0, 7, 0, 0, 0)]
    );
}

#[test]
fn check_42_movements_move_the_relative_mouse_and_never_the_absolute_pointer() {
    let mut mouse = relative();
    assert_eq!(
        motion(&mut mouse, ONE, (5, -6), 1 << 2),
        [
            Report::relative(0, 5, -6, 0, 0),
            Report::relative(2, 0, 0, 0, 0)
        ]
    );
    let mut mouse = Mouse::default();
    assert_eq!(
        motion(&mut mouse, ONE, (5, 5), 1),
        [],
        "a press at no place"
    );
    assert_eq!(motion(&mut mouse, ONE, (0, 0), 0), []);
    pointer(&mut mouse, ONE, 1919, 0, 0);
    assert_eq!(
        motion(&mut mouse, ONE, (5, 5), 1),
        [Report::absolute(1, 32767, 0, 0, 0)]
    );
}

#[test]
fn complaint_17_a_turn_of_the_wheel_is_as_many_steps_as_set() {
    for (mode, report) in [
        (
            PointerMode::Absolute,
            Report::absolute as fn(u8, u16, u16, i8, i8) -> Report,
        ),
        (PointerMode::Relative, |buttons, _, _, wheel, pan| {
            Report::relative(buttons, 0, 0, wheel, pan)
        }),
    ] {
        let mut mouse = Mouse::new(mode, 30);
        pointer(&mut mouse, ONE, 0, 0, 0);
        for (bit, wheel, pan) in [(3, 30, 0), (4, -30, 0), (5, 0, -30), (6, 0, 30)] {
            let turned = pointer(&mut mouse, ONE, 0, 0, 1 << bit);
            assert_eq!(turned, [report(0, 0, 0, wheel, pan)]);
            assert_eq!(pointer(&mut mouse, ONE, 0, 0, 0), []);
        }
    }
}

#[test]
fn switching_lets_go_and_a_press_presses_the_other_pointer() {
    let mut mouse = Mouse::default();
    let (x, y) = (scale(960, 1920), scale(540, 1080));
    pointer(&mut mouse, ONE, 960, 540, 1);
    let switched = given(|out| mouse.set_mode(PointerMode::Relative, out));
    assert_eq!(switched, [Report::absolute(0, x, y, 0, 0)]);
    assert_eq!(
        pointer(&mut mouse, ONE, 970, 540, 1),
        [Report::relative(0, 10, 0, 0, 0)],
        "from where the absolute pointer was put; the button stays up"
    );
    assert_eq!(motion(&mut mouse, ONE, (0, 0), 0), []);
    assert_eq!(
        motion(&mut mouse, ONE, (0, 0), 1),
        [Report::relative(1, 0, 0, 0, 0)]
    );
    let switched = given(|out| mouse.set_mode(PointerMode::Absolute, out));
    assert_eq!(switched, [Report::relative(0, 0, 0, 0, 0)]);
    assert_eq!(
        pointer(&mut mouse, ONE, 960, 540, 0),
        [Report::absolute(0, x, y, 0, 0)],
        "a position is sent anew"
    );
    assert_eq!(given(|out| mouse.set_mode(PointerMode::Absolute, out)), []);
}

#[test]
fn an_expired_button_is_up_until_it_is_pressed_again() {
    let mut mouse = Mouse::default();
    pointer(&mut mouse, ONE, 0, 0, 1);
    pointer(&mut mouse, TWO, 0, 0, 4);
    let expired = given(|out| mouse.expire(ONE, out));
    assert_eq!(expired, [Report::absolute(2, 0, 0, 0, 0)]);
    assert_eq!(given(|out| mouse.expire(ONE, out)), []);
    assert_eq!(pointer(&mut mouse, ONE, 0, 0, 1), []);
    assert_eq!(pointer(&mut mouse, ONE, 0, 0, 0), []);
    assert_eq!(
        pointer(&mut mouse, ONE, 0, 0, 1),
        [Report::absolute(3, 0, 0, 0, 0)]
    );
}

#[test]
fn stirring_the_pointer_leaves_it_where_it_was() {
    let mut mouse = Mouse::default();
    let middle = |x| Report::absolute(0, x, 16383, 0, 0);
    let stirred = given(|out| mouse.jiggle(out));
    assert_eq!(stirred, [middle(16382), middle(16383)]);
    for (x, beside, at) in [(0, 1, 0), (1919, 32766, 32767)] {
        pointer(&mut mouse, ONE, x, 0, 1);
        let held = |x| Report::absolute(1, x, 0, 0, 0);
        assert_eq!(given(|out| mouse.jiggle(out)), [held(beside), held(at)]);
    }
    let mut mouse = relative();
    let there_and_back = |dx: i8| [dx, -dx].map(|dx| Report::relative(0, dx, 0, 0, 0));
    assert_eq!(given(|out| mouse.jiggle(out)), there_and_back(1));
    pointer(&mut mouse, ONE, 1919, 5, 0);
    assert_eq!(given(|out| mouse.jiggle(out)), there_and_back(-1));
}

//! The relative mouse, switching between the two, keys that expire, and the idle pointer.

use super::{tests::*, *};
use rfb::geom::{Point, Size};

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

/// What was dropped on the way to a target that was asleep or away would put the pointers apart without a sign.
#[test]
fn after_lost_movements_the_next_position_is_where_the_pointer_is() {
    let lost: [fn(&mut Bench); 2] = [
        |bench| bench.offer(offline),
        |bench| bench.offer_for(STALL * 2, |_| Offer::Busy),
    ];
    for lose in lost {
        let mut bench = Bench::relative();
        let go = |bench: &mut Bench, x| {
            let (position, size) = (Point::new(x, 50), Size::new(1000, 100));
            let input = Input::Pointer {
                position,
                size,
                buttons: 0,
            };
            bench.pending.input(ONE, input);
        };
        go(&mut bench, 500);
        go(&mut bench, 600);
        lose(&mut bench);
        go(&mut bench, 300);
        assert_eq!(bench.take_all(), []);
        go(&mut bench, 305);
        assert_eq!(bench.take_all(), [relative(0, 5)]);
    }
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

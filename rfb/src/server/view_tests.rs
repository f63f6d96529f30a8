use super::*;
use crate::frame::FrameSeq;

const SIZE: Size = Size::new(200, 130);
const NONE: Rect = Rect::EMPTY;

fn frame(seq: u64, dots: &[(u16, u16)], previous: Option<&Frame>) -> Frame {
    let mut bgrx = vec![0u8; SIZE.area() * 4];
    for &(x, y) in dots {
        bgrx[(usize::from(y) * 200 + usize::from(x)) * 4] = 200;
    }
    Frame::from_bgrx(FrameSeq(seq), SIZE, &bgrx, 800, previous)
}

fn means(now: u64) -> Means {
    Means {
        copies: true,
        bleed: Size::default(),
        refine: usize::MAX,
        now: Millis(now),
    }
}

fn lacks(view: &mut View, frame: &Frame, full: Rect, changed: Rect) -> Lacks {
    view.advance(frame, Asked { full, changed }, means(0))
        .expect("tiles")
}

/// The boxes that are sent.
fn sent(view: &mut View, frame: &Frame, full: Rect, changed: Rect) -> Vec<Rect> {
    lacks(view, frame, full, changed).boxes.concat()
}

#[test]
fn a_new_client_lacks_everything_then_only_what_changed() {
    let mut view = View::new(SIZE);
    let first = frame(1, &[], None);
    let all = SIZE.rect();
    assert!(view.may_lack(&first));
    let area: usize = sent(&mut view, &first, NONE, all)
        .iter()
        .map(|r| r.area())
        .sum();
    assert_eq!(area, all.area());
    assert!(!view.may_lack(&first));

    let second = frame(2, &[(70, 10), (72, 12), (199, 129)], Some(&first));
    assert!(view.may_lack(&second));
    let boxes = sent(&mut view, &second, NONE, all);
    assert_eq!(boxes, [Rect::new(70, 10, 3, 3), Rect::new(199, 129, 1, 1)]);
    assert!(sent(&mut view, &second, NONE, all).is_empty());
}

#[test]
fn a_tile_that_changed_and_changed_back_costs_nothing() {
    let mut view = View::new(SIZE);
    let first = frame(1, &[], None);
    lacks(&mut view, &first, SIZE.rect(), NONE);
    let other = frame(2, &[(5, 5)], Some(&first));
    let back = frame(3, &[], Some(&other));
    assert!(view.may_lack(&back), "tiles were made anew");
    assert!(sent(&mut view, &back, NONE, SIZE.rect()).is_empty());
    assert!(!view.may_lack(&back));
}

#[test]
fn a_part_that_was_asked_for_alone_is_known_and_the_rest_is_not() {
    let mut view = View::new(SIZE);
    let first = frame(1, &[], None);
    let part = Rect::new(10, 10, 30, 20);
    assert_eq!(lacks(&mut view, &first, part, NONE).full, part);
    assert!(sent(&mut view, &first, NONE, part).is_empty());
    assert!(view.may_lack(&first));

    let second = frame(2, &[(12, 12), (50, 50)], Some(&first));
    assert_eq!(
        sent(&mut view, &second, NONE, part),
        [Rect::new(12, 12, 1, 1)]
    );
    let tile = Rect::new(0, 0, 64, 64);
    assert_eq!(sent(&mut view, &second, NONE, tile), [tile]);
    assert!(sent(&mut view, &second, NONE, tile).is_empty());
}

#[test]
fn clients_that_show_the_same_frame_have_the_same_view_whatever_came_before() {
    let first = frame(1, &[], None);
    let second = frame(2, &[(70, 10)], Some(&first));
    let (mut early, mut late) = (View::new(SIZE), View::new(SIZE));
    assert_eq!(early.id(), late.id());
    lacks(&mut early, &first, NONE, SIZE.rect());
    assert_ne!(early.id(), late.id());
    lacks(&mut early, &second, NONE, SIZE.rect());
    lacks(&mut late, &second, SIZE.rect(), NONE);
    assert_eq!(early.id(), late.id());
    lacks(&mut late, &first, Rect::new(0, 0, 100, 100), NONE);
    assert_ne!(early.id(), late.id());
}

#[test]
fn what_was_sent_with_loss_is_wanted_again_once_it_rests() {
    let mut view = View::new(SIZE);
    let first = frame(1, &[], None);
    lacks(&mut view, &first, NONE, SIZE.rect());
    view.note_loss(&first, &[Rect::new(60, 0, 10, 10)], Millis(1000));
    assert_eq!(view.rests_at(SIZE.rect()), Some(Millis(1500)));
    let elsewhere = Rect::new(128, 64, 72, 66);
    assert_eq!(
        view.rests_at(elsewhere),
        None,
        "nobody waits for what was not asked for"
    );
    assert!(view.may_lack(&first), "it is not exactly this frame");
    let asked = Asked {
        full: NONE,
        changed: SIZE.rect(),
    };
    let early = view.advance(&first, asked, means(1499)).expect("tiles");
    assert!(early.rested.is_empty() && early.boxes.is_empty());
    // A change in one of the two tiles: it begins to rest anew.
    let second = frame(2, &[(3, 3)], Some(&first));
    let changed = view.advance(&second, asked, means(1499)).expect("tiles");
    assert_eq!(changed.boxes.concat(), [Rect::new(3, 3, 1, 1)]);
    let due = view.advance(&second, asked, means(1500)).expect("tiles");
    assert_eq!(due.rested.concat(), [Rect::new(64, 0, 6, 10)]);
    assert_eq!(view.rests_at(SIZE.rect()), Some(Millis(1999)));
    let last = view.advance(&second, asked, means(1999)).expect("tiles");
    assert_eq!(last.rested.concat(), [Rect::new(60, 0, 4, 10)]);
    assert_eq!(view.rests_at(SIZE.rect()), None);
    assert!(!view.may_lack(&second));
}

/// Lines of text that differ, moved up by `by` rows below row 20.
fn text(seq: u64, by: u32) -> Frame {
    let size = Size::new(300, 400);
    let mut bgrx = Vec::new();
    for y in 0..400u32 {
        for x in 0..300u32 {
            let line = if y < 20 { y } else { y + by };
            let mixed = (line / 3 * 60 + x / 5).wrapping_mul(0x9e37_79b9);
            let ink = mixed >> 16 & 7 < 3;
            bgrx.extend_from_slice(&u32::to_le_bytes(if ink { 0xff_ff_ff } else { 0x20 }));
        }
    }
    Frame::from_bgrx(FrameSeq(seq), size, &bgrx, 1200, None)
}

#[test]
fn pixels_that_scrolled_are_copied_and_only_the_rest_is_sent() {
    let (first, second) = (text(1, 0), text(2, 17));
    let size = first.size();
    let mut view = View::new(size);
    lacks(&mut view, &first, NONE, size.rect());
    let lacking = lacks(&mut view, &second, NONE, size.rect());
    let (to, from) = lacking.copy.expect("a move");
    assert_eq!((to.x, to.width, from.x), (0, 300, 0));
    assert_eq!(from.y, to.y + 17);
    let rest: usize = lacking.boxes.concat().iter().map(|r| r.area()).sum();
    assert!(rest < 300 * 40, "{rest} pixels are left");
    assert!(!view.may_lack(&second));

    // What was copied and sent is the picture.
    let mut shown = first.pixels(size.rect()).expect("pixels");
    let before = shown.clone();
    let new = second.pixels(size.rect()).expect("pixels");
    let at = |x: u16, y: u16| usize::from(y) * 300 + usize::from(x);
    for y in 0..to.height {
        let (to, from) = (at(0, to.y + y), at(0, from.y + y));
        shown[to..to + 300].copy_from_slice(&before[from..from + 300]);
    }
    for rect in lacking.boxes.concat() {
        for y in rect.y..rect.y + rect.height {
            let row = at(rect.x, y)..at(rect.x, y) + usize::from(rect.width);
            shown[row.clone()].copy_from_slice(&new[row]);
        }
    }
    assert!(shown == new);
}

//! Something laid over one client's picture: it sees that and nothing else, and the plain picture again afterwards.

use std::sync::Arc;

use rfb::frame::{Frame, Pixel, overlay};
use rfb::geom::{Rect, Size};

use crate::splicing::{Jpeg, SIZE, distance, noise, session, update};

struct Patch(Rect, Vec<Pixel>);

impl overlay::Patch for Patch {
    fn place(&self) -> Rect {
        self.0
    }

    fn pixels(&self) -> &[Pixel] {
        &self.1
    }
}

/// `base` with a rectangle of one colour over it.
fn covered(base: &Frame, place: Rect, colour: Pixel) -> Frame {
    overlay::over(base, Arc::new(Patch(place, vec![colour; place.area()])))
}

/// Lists of encodings without loss.
const EXACT: [&[i32]; 5] = [&[0], &[16, 1], &[7, 1], &[5, 1], &[6]];
const PLACE: Rect = Rect::new(70, 50, 90, 61);

/// A picture that scrolls by so many lines below what is laid over it; half of it stands still.
fn scrolled(lines: u16) -> Frame {
    let line = |y: u16, x: u16| noise(x, 0, u32::from(y) / 8 + 1);
    Jpeg::new(|x, y| match x < 32 {
        true => noise(x, y, 9),
        false => line(y + lines * 16, x),
    })
    .frame(1 + u64::from(lines))
}

#[test]
fn whatever_goes_on_below_the_client_sees_what_is_laid_over_it_and_then_the_picture_again() {
    let raw = |lines: u16| {
        let frame = scrolled(lines);
        let pixels = frame.pixels(SIZE.rect()).expect("pixels");
        let bytes: Vec<u8> = pixels.iter().flat_map(|p| p.to_le_bytes()).collect();
        Frame::from_bgrx(frame.seq(), SIZE, &bytes, 256 * 4, None)
    };
    let sources: [&dyn Fn(u16) -> Frame; 2] = [&scrolled, &raw];
    for (number, source) in sources.iter().enumerate() {
        for list in EXACT {
            let (first, second, third) = (source(0), source(1), source(2));
            let mut session = session(list, &first);
            for (step, frame) in [
                covered(&first, PLACE, 0x20_40_60),
                covered(&first, PLACE, 0x60_40_20),
                covered(&second, PLACE, 0x60_40_20),
                covered(&third, Rect::new(0, 0, 256, 20), 0x60_40_20),
                third.clone(),
                covered(&third, PLACE, 0x20_40_60),
                first.clone(),
            ]
            .iter()
            .enumerate()
            {
                update(&mut session, frame);
                assert!(session.shows(frame), "source {number}, {list:?}, {step}");
            }
        }
    }
}

#[test]
fn nothing_but_what_is_covered_is_sent() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    for list in EXACT.into_iter().chain([&[7, -24][..], &[21, -24]]) {
        let mut session = session(list, &first);
        for frame in [covered(&first, PLACE, 0x20_40_60), first.clone()] {
            assert_eq!(frame.bleed(), Size::new(1, 0), "of the cells beside it");
            let rects = update(&mut session, &frame);
            // Whole tiles, which are of another kind below, and how far a cell is seen outside its edges.
            let around = |rect: Rect| Rect::from_edges(63, 0, 193, 128).contains(rect);
            assert!(
                rects.iter().all(|(rect, _)| around(*rect)),
                "{list:?}: {rects:?}"
            );
            assert!(distance(&session, &frame) < 60, "{list:?}");
        }
    }
}

#[test]
fn a_client_that_cannot_change_its_size_sees_it_smaller() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let mut session = crate::talk::Session::new(crate::talk::Arrival::Whole);
    session.encodings(&[0]);
    let size = session.client.size();
    assert_ne!(size, SIZE);
    session.talk.show(&covered(&first, SIZE.rect(), 0x20_40_60));
    session.request(false);
    let middle =
        usize::from(size.height / 2) * usize::from(size.width) + usize::from(size.width / 2);
    assert_eq!(session.client.decoder.rgb()[middle], 0x20_40_60);
}

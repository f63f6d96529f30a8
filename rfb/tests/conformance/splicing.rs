//! Frames that came as JPEG: which parts go out as they are, and what a client sees then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use rfb::frame::{
    Compressed, Damaged, Frame, FrameSeq, Picture, Pixel, Tile, tile_count, tile_rect,
};
use rfb::geom::{Point, Rect, Size};
use rfb::server::Millis;
use rfb::testing::client::{Message, continuous_updates, fence, request};

use crate::talk::{Arrival, Session};

pub const SIZE: Size = Size::new(256, 192);
const MCU: Size = Size::new(16, 8);

/// A picture that says of itself that it is a JPEG. Its parts are compressed anew, which is near enough here.
pub struct Jpeg {
    pixels: Vec<Pixel>,
    tiles: Result<Vec<Arc<Tile>>, Damaged>,
    whole: Bytes,
    /// How often somebody looked at what changed.
    looks: Arc<AtomicUsize>,
}

fn compress(size: Size, pixels: &[Pixel]) -> Vec<u8> {
    let bytes: Vec<u8> = pixels.iter().flat_map(|p| p.to_le_bytes()).collect();
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 95)
        .encode(
            &bytes,
            size.width,
            size.height,
            jpeg_encoder::ColorType::Bgra,
        )
        .expect("a picture that can be compressed");
    jpeg
}

impl Jpeg {
    pub fn new(colour: impl Fn(u16, u16) -> Pixel) -> Self {
        let pixels: Vec<Pixel> = (0..SIZE.height)
            .flat_map(|y| (0..SIZE.width).map(move |x| (x, y)))
            .map(|(x, y)| colour(x, y))
            .collect();
        let cell = |x: u16, y: u16| {
            let mut id = 1u64;
            for row in y..y + MCU.height {
                for column in x..x + MCU.width {
                    let p =
                        pixels[usize::from(row) * usize::from(SIZE.width) + usize::from(column)];
                    id = (id ^ u64::from(p))
                        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                        .rotate_left(9);
                }
            }
            // All of one class: no seams.
            id & !0xffff | 1
        };
        let tiles = (0..tile_count(SIZE))
            .map(|index| {
                let place = tile_rect(SIZE, index);
                let rows = (place.y..place.y + place.height).step_by(8);
                let ids = rows
                    .flat_map(|y| {
                        (place.x..place.x + place.width)
                            .step_by(16)
                            .map(move |x| (x, y))
                    })
                    .map(|(x, y)| cell(x, y))
                    .collect();
                Arc::new(Tile::of_cells(place.size(), MCU, ids))
            })
            .collect();
        Self {
            whole: compress(SIZE, &pixels).into(),
            tiles: Ok(tiles),
            looks: Arc::default(),
            pixels,
        }
    }

    pub fn frame(self, seq: u64) -> Frame {
        Frame::new(FrameSeq(seq), Arc::new(self))
    }
}

impl Picture for Jpeg {
    fn size(&self) -> Size {
        SIZE
    }

    fn tiles(&self) -> Result<&[Arc<Tile>], Damaged> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.tiles.as_deref().map_err(Damaged::clone)
    }

    fn pixels(&self, rect: Rect) -> Result<Vec<Pixel>, Damaged> {
        let rows = rect.y..rect.y + rect.height;
        Ok(rows
            .flat_map(|y| {
                let start = usize::from(y) * usize::from(SIZE.width) + usize::from(rect.x);
                self.pixels[start..start + usize::from(rect.width)].to_vec()
            })
            .collect())
    }

    fn compressed(&self) -> Option<&dyn Compressed> {
        Some(self)
    }
}

impl Compressed for Jpeg {
    fn whole(&self) -> &Bytes {
        &self.whole
    }

    fn mcu(&self) -> Size {
        MCU
    }

    fn bleed(&self) -> Size {
        Size::new(1, 0)
    }

    fn weight(&self, rect: Rect) -> Result<usize, Damaged> {
        Ok(self.whole.len() * rect.area() / SIZE.area())
    }

    fn splice(&self, rect: Rect, out: &mut Vec<u8>) -> Result<(), Damaged> {
        let edges = [rect.x.into(), rect.right(), rect.y.into(), rect.bottom()];
        let sides = [16u32, 16, 8, 8];
        assert!(edges.iter().zip(sides).all(|(edge, side)| edge % side == 0));
        out.extend(compress(rect.size(), &self.pixels(rect)?));
        Ok(())
    }
}

/// Noise that is dear without loss, and as a JPEG.
pub fn noise(x: u16, y: u16, seed: u32) -> Pixel {
    let mixed = (u32::from(x) + u32::from(y) * 256 + seed * 65_536).wrapping_mul(0x9e37_79b9);
    (mixed ^ mixed >> 13) & 0x1f_1f_1f | u32::from(x) << 15 & 0x60_00_00 | u32::from(y & 0x60)
}

/// A client that lists these, and shows `frame`.
pub fn session(list: &[i32], frame: &Frame) -> Session {
    let mut session = Session::new(Arrival::Whole);
    session.encodings(&[list, &[-223]].concat());
    session.talk.show(frame);
    // The size, the picture, and what changes from then on.
    session.request(false);
    session.request(true);
    assert!(session.request(true).is_empty());
    session
}

/// The rectangles and encodings of the next update, which shows `frame`.
pub fn update(session: &mut Session, frame: &Frame) -> Vec<(Rect, i32)> {
    session.client.decoder.seen = Default::default();
    let messages = session.show(frame);
    let rects = crate::updates::only_update(&messages);
    session.say(&request(true, SIZE.rect()));
    rects
}

/// How far the client's picture is from the frame at most, in levels.
pub fn distance(session: &Session, frame: &Frame) -> u8 {
    let pixels = frame.pixels(SIZE.rect()).expect("pixels");
    let levels = |p: u32| p.to_le_bytes();
    (session.client.decoder.rgb().iter().zip(&pixels))
        .flat_map(|(a, b)| (0..3).map(|i| levels(*a)[i].abs_diff(levels(*b)[i])))
        .max()
        .unwrap_or(0)
}

#[test]
fn the_source_s_own_jpeg_goes_out_untouched_when_most_changed() {
    let frame = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let whole = frame.compressed().expect("a JPEG").whole().clone();
    for (list, passes) in [
        (&[7, -24][..], true),
        (&[-260, -24], true),
        (&[21, -24], true),
        // Who would rather have no loss gets none.
        (&[16, 0, 7, -24], false),
        (&[7], false),
        (&[16, -24], false),
    ] {
        let mut session = Session::new(Arrival::Whole);
        session.encodings(&[list, &[-223]].concat());
        session.talk.show(&frame);
        session.request(false);
        let bytes = session.talk.say(&request(true, SIZE.rect()));
        session.client.receive(&bytes).expect("an update");
        let untouched = bytes.windows(whole.len()).any(|w| w == whole);
        assert_eq!(untouched, passes, "{list:?}");
        assert!(passes || session.shows(&frame), "{list:?}");
    }
}

#[test]
fn what_changed_goes_out_as_a_part_of_the_jpeg_and_nothing_else() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let changed = Rect::new(64, 40, 112, 88);
    let second = Jpeg::new(|x, y| {
        let inside = changed.contains(Rect::new(x, y, 1, 1));
        noise(x, y, if inside { 2 } else { 1 })
    })
    .frame(2);
    let mut session = session(&[7, -24], &first);
    assert_eq!(update(&mut session, &second), [(changed, 7)]);
    assert_eq!(session.client.decoder.seen.jpegs.len(), 1);
    assert!(distance(&session, &second) < 40);
}

#[test]
fn a_small_change_goes_out_without_loss_because_that_is_smaller() {
    let first = Jpeg::new(|_, _| 0x20_20_20).frame(1);
    let second = Jpeg::new(|x, y| {
        let ink = Rect::new(32, 16, 9, 7).contains(Rect::new(x, y, 1, 1));
        if ink { 0xff_ff_ff } else { 0x20_20_20 }
    })
    .frame(2);
    for list in [&[7, -24][..], &[-260, -24], &[16, -24], &[7]] {
        let mut session = session(list, &first);
        session.client.decoder.seen = Default::default();
        let rects = update(&mut session, &second);
        let ink = Rect::new(32, 16, 9, 7);
        assert!(rects.len() == 1 && rects[0].0 == ink, "{list:?}: {rects:?}");
        assert!(session.client.decoder.seen.jpegs.is_empty(), "{list:?}");
    }
}

#[test]
fn text_that_scrolls_is_copied_for_clients_that_list_copy_rect() {
    let line = |y: u16, x: u16| noise(x, 0, u32::from(y) / 8 + 1);
    let first = Jpeg::new(|x, y| line(y, x)).frame(1);
    let second = Jpeg::new(|x, y| line(y + 16, x)).frame(2);
    for list in [&[16, 1][..], &[7, 1], &[0, 1]] {
        let mut copying = session(list, &first);
        let rects = update(&mut copying, &second);
        assert_eq!(rects[0], (Rect::new(0, 0, 256, 176), 1), "{list:?}");
        assert!(
            rects[1..].iter().all(|(r, _)| r.y >= 175),
            "{list:?}: {rects:?}"
        );
        assert!(copying.shows(&second), "{list:?}");
        let mut plain = session(&list[..1], &first);
        assert!(
            update(&mut plain, &second)
                .iter()
                .all(|(_, encoding)| *encoding != 1)
        );
        assert!(plain.shows(&second), "{list:?}");
    }
}

#[test]
fn full_motion_goes_out_untouched_and_the_first_small_change_is_noticed_soon() {
    let mut session = session(&[7, -24], &Jpeg::new(|x, y| noise(x, y, 1)).frame(1));
    let whole = [(SIZE.rect(), 7)];
    let mut unseen = 0;
    let mut looks = Vec::new();
    for seq in 2..40 {
        let jpeg = Jpeg::new(|x, y| noise(x, y, seq));
        looks.push(Arc::clone(&jpeg.looks));
        let frame = jpeg.frame(u64::from(seq));
        assert_eq!(update(&mut session, &frame), whole, "{seq}");
    }
    for looks in looks {
        unseen += usize::from(looks.load(Ordering::Relaxed) == 0);
    }
    assert!(unseen > 20, "only {unseen} of 38 cost nothing");
    // From here on only a corner changes.
    let mut needless = 0;
    for seq in 40..140 {
        let frame = Jpeg::new(|x, y| noise(x, y, if x < 16 && y < 8 { seq } else { 39 }));
        let rects = update(&mut session, &frame.frame(u64::from(seq)));
        needless += usize::from(rects == whole);
    }
    assert!(needless <= 65, "{needless}");
}

/// Full motion over a line that takes so many bytes a second. Gives the time and the frame then.
fn on_a_slow_line(session: &mut Session, rate: u64) -> (u64, Frame) {
    let mut now = 0;
    let mut frame = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    for seq in 2..14 {
        frame = Jpeg::new(|x, y| noise(x, y, seq)).frame(u64::from(seq));
        session.talk.connection.set_now(Millis(now));
        session.talk.show(&frame);
        let bytes = session.talk.heard();
        session.client.receive(&bytes).expect("an update");
        now += bytes.len() as u64 * 1000 / rate;
        session.talk.connection.set_now(Millis(now));
        session.talk.connection.update_written();
        assert!(session.say(&request(true, SIZE.rect())).is_empty());
    }
    (now, frame)
}

#[test]
fn a_slow_line_gets_less_quality_and_what_rests_gets_all_of_it() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    for list in [&[7, -24][..], &[-260, -24], &[21, -24]] {
        let mut session = session(list, &first);
        let (now, frame) = on_a_slow_line(&mut session, 200_000);
        // What the line takes in 70 ms is 14 KB.
        let next = Jpeg::new(|x, y| noise(x, y, 99)).frame(99);
        session.talk.show(&next);
        let bytes = session.talk.heard();
        session.client.receive(&bytes).expect("an update");
        assert!(bytes.len() < 24_000, "{list:?}: {}", bytes.len());
        assert!(bytes.len() * 2 < frame.compressed().expect("a JPEG").whole().len());
        assert!(distance(&session, &next) > 40, "{list:?}");

        // It was sent at `now`, and rests from then on.
        let mut at = now + bytes.len() as u64 / 200;
        session.talk.connection.set_now(Millis(at));
        assert!(session.say(&request(true, SIZE.rect())).is_empty());
        let wakes = session.talk.connection.wakes_at();
        assert_eq!(wakes, Some(Millis(now + 500)), "{list:?}");
        at = now + 500;
        session.talk.connection.set_now(Millis(at));
        let mut bytes = session.talk.heard();
        let mut updates = 0;
        while !bytes.is_empty() {
            assert!(bytes.len() < 40_000, "{list:?}: {}", bytes.len());
            session.client.receive(&bytes).expect("an update");
            at += bytes.len() as u64 / 200;
            session.talk.connection.set_now(Millis(at));
            bytes = session.talk.say(&request(true, SIZE.rect()));
            updates += 1;
        }
        assert!(
            updates > 1,
            "{list:?}: in one piece it would block the line"
        );
        assert!(distance(&session, &next) < 40, "{list:?}");
    }
}

#[test]
fn what_a_raw_source_s_client_gets_with_loss_is_sent_again_once_if_there_is_a_better_way() {
    let pixels: Vec<u8> = (0..SIZE.height)
        .flat_map(|y| (0..SIZE.width).map(move |x| noise(x, y, 1)))
        .flat_map(u32::to_le_bytes)
        .collect();
    let raw = Frame::from_bgrx(
        FrameSeq(1),
        SIZE,
        &pixels,
        usize::from(SIZE.width) * 4,
        None,
    );
    for (list, has_better) in [
        (&[7, -24][..], true),
        (&[-260, -24], true),
        (&[21, -24], false),
    ] {
        let mut session = session(list, &raw);
        let wakes = session.talk.connection.wakes_at();
        assert_eq!(wakes, has_better.then_some(Millis(500)), "{list:?}");
        session.talk.connection.set_now(Millis(500));
        let bytes = session.talk.heard();
        assert_eq!(bytes.is_empty(), !has_better, "{list:?}");
        session.client.receive(&bytes).expect("an update");
        assert_eq!(session.shows(&raw), has_better, "{list:?}");
        assert!(session.say(&request(true, SIZE.rect())).is_empty());
        assert_eq!(session.talk.connection.wakes_at(), None, "{list:?}");
    }
}

#[test]
fn on_a_slow_line_motion_is_looked_at_all_the_time() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let mut session = session(&[7, -24], &first);
    on_a_slow_line(&mut session, 200_000);
    for seq in 20..30 {
        // Nearly everything changes, but not all.
        let frame =
            Jpeg::new(|x, y| noise(x, y, if x < 64 { 13 } else { seq })).frame(u64::from(seq));
        let sent: usize = update(&mut session, &frame)
            .iter()
            .map(|(r, _)| r.area())
            .sum();
        assert!(sent <= SIZE.area() * 13 / 16, "{seq}: {sent}");
    }
}

#[test]
fn under_continuous_updates_no_more_is_on_its_way_than_fences_say() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let mut session = session(&[7, -24, -312, -313], &first);
    session.say(&continuous_updates(true, SIZE.rect()));
    let mut fences = Vec::new();
    for seq in 2..8 {
        let frame = Jpeg::new(|x, y| noise(x, y, seq)).frame(u64::from(seq));
        for message in session.show(&frame) {
            if let Message::Fence { flags, data } = message {
                assert_eq!(flags, 1 << 31 | 1);
                fences.push(data);
            }
        }
    }
    assert_eq!(
        fences.len(),
        1,
        "the first picture's is the other one that is out"
    );
    let answer = session.say(&fence(1, &fences[0]));
    assert!(matches!(
        &answer[..],
        [Message::Update(_), Message::Fence { .. }]
    ));
    let newest = Jpeg::new(|x, y| noise(x, y, 7)).frame(7);
    assert!(distance(&session, &newest) < 40);
}

#[test]
fn a_damaged_frame_is_passed_over_and_asked_about_once() {
    let first = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    let mut session = session(&[7, -24], &first);
    let mut damaged = Jpeg::new(|x, y| noise(x, y, 2));
    damaged.tiles = Err(Damaged("a code that is in no table".to_owned()));
    let damaged = damaged.frame(2);
    for full in [true, false] {
        assert!(session.show(&damaged).is_empty());
        assert!(
            session.talk.connection.plan_update().is_none(),
            "it is not looked at again"
        );
        assert!(session.say(&request(full, SIZE.rect())).is_empty());
    }
    let third = Jpeg::new(|x, y| noise(x, y, 3)).frame(3);
    assert_eq!(update(&mut session, &third), [(SIZE.rect(), 7)]);
}

#[test]
fn clients_that_need_the_same_have_the_same_key() {
    let frames: Vec<Frame> = (1..4)
        .map(|seq| Jpeg::new(|x, y| noise(x, y, if x < 32 { seq } else { 1 })).frame(seq.into()))
        .collect();
    let key = |session: &mut Session, frame: &Frame| {
        session.talk.show(frame);
        session.talk.connection.plan_update().expect("a job").key()
    };
    let mut early = session(&[7, -24], &frames[0]);
    update(&mut early, &frames[1]);
    let mut late = session(&[7, -24], &frames[1]);
    let mut behind = session(&[7, -24], &frames[0]);
    let mut other = session(&[16], &frames[1]);
    let expected = key(&mut early, &frames[2]);
    assert_eq!(key(&mut late, &frames[2]), expected);
    assert_ne!(key(&mut behind, &frames[2]), expected);
    assert_ne!(key(&mut other, &frames[2]), expected);
}

#[test]
fn points_outside_of_any_cell_have_no_id() {
    let frame = Jpeg::new(|x, y| noise(x, y, 1)).frame(1);
    assert!(frame.id_at(Point::new(255, 191)).is_some());
    assert_eq!(frame.id_at(Point::new(255, 192)), None);
}

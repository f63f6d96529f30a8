//! Pictures, made into what the mode asks for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rfb::geom::{Point, Size};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::*;

const VGA: Size = Size::new(640, 480);

/// Four colours side by side, 8x2.
fn bars() -> Picture {
    let row = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3]].map(|bar: [u8; 3]| bar.repeat(2));
    Picture::new(Size::new(8, 2), row.concat().repeat(2))
}

fn decoded(jpeg: &[u8]) -> (Size, Vec<u8>) {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let pixels = decoder.decode().expect("a JPEG");
    let (width, height) = decoder.dimensions().expect("its size");
    (Size::new(width as u16, height as u16), pixels)
}

#[track_caller]
fn assert_colour(picture: &(Size, Vec<u8>), at: Point, colour: [u8; 3]) {
    let (size, pixels) = picture;
    let pixel = (usize::from(at.y) * usize::from(size.width) + usize::from(at.x)) * 3;
    let near = |(is, should): (&u8, u8)| is.abs_diff(should) <= 3;
    let pixel = &pixels[pixel..pixel + 3];
    assert!(pixel.iter().zip(colour).all(near), "{at:?} is {pixel:?}");
}

#[test]
fn a_picture_is_scaled_to_the_mode_and_made_a_jpeg_once() {
    let dongle = Dongle::new();
    dongle.show(Screen::Picture(bars()));
    let (mut host, _plugged) = Host::with(&dongle);
    for (size, number) in [(VGA, 5), (Size::new(1024, 768), 3)] {
        host.start(1, number, 166_666);
        let got = taken(&mut host, 2);
        assert!(got[0] == got[1]);
        let picture = decoded(&got[0]);
        assert_eq!(picture.0, size);
        let [left, right] = [size.width / 4 - 4, size.width / 4 + 4];
        for y in [0, size.height - 1] {
            assert_colour(&picture, Point::new(0, y), [255, 0, 0]);
            assert_colour(&picture, Point::new(left, y), [255, 0, 0]);
            assert_colour(&picture, Point::new(right, y), [0, 255, 0]);
            assert_colour(&picture, Point::new(size.width / 2 + 4, y), [0, 0, 255]);
            assert_colour(&picture, Point::new(size.width - 1, y), [255; 3]);
        }
        // SOF0: 4:2:2, luma at twice the width of the colours.
        let sof = got[0].windows(2).position(|it| it == [0xff, 0xc0]).unwrap();
        let sampling = [11, 14, 17].map(|at| got[0][sof + at]);
        assert_eq!(sampling, [0x21, 0x11, 0x11]);
        host.stop();
    }
}

#[test]
fn a_picture_is_made_yuyv_of_the_mode_size() {
    let dongle = Dongle::new();
    dongle.show(Screen::Picture(bars()));
    let (mut host, _plugged) = Host::with(&dongle);
    host.start(2, 3, 333_333);
    let frame = host.frame().bytes;
    assert_eq!(frame.len(), VGA.area() * 2);
    // BT.601 from 16 to 235, worked out by hand: Y Cb Y Cr.
    let colours = [
        [82, 90, 82, 240],
        [144, 54, 144, 34],
        [41, 240, 41, 110],
        [235, 128, 235, 128],
    ];
    for row in frame.chunks_exact(640 * 2) {
        for (bar, colour) in row.chunks_exact(160 * 2).zip(colours) {
            assert!(bar.chunks_exact(4).all(|pair| pair == colour), "{colour:?}");
        }
    }
}

#[test]
fn without_a_screen_it_shows_black() {
    let (mut host, _plugged) = streaming(&Dongle::new());
    let picture = decoded(&host.frame().bytes);
    assert_eq!(picture.0, VGA);
    assert_colour(&picture, Point::new(320, 240), [0; 3]);
}

#[test]
fn a_live_screen_is_asked_for_each_frame() {
    let dongle = Dongle::new();
    let red = |number: usize| [(number / 2 % 5) as u8 * 50, 0, 0];
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    dongle.show(Screen::live(move |size| {
        assert_eq!(size, VGA);
        let number = count.fetch_add(1, Ordering::Relaxed);
        Picture::plain(Size::new(16, 16), red(number))
    }));
    let (mut host, _plugged) = streaming(&dongle);
    let got = taken(&mut host, 6);
    for (number, frame) in (0..).zip(&got) {
        let picture = decoded(frame);
        assert_eq!(picture.0, VGA);
        assert_colour(&picture, Point::new(99, 99), red(number));
    }
    assert!(asked.load(Ordering::Relaxed) >= 6);
}

#[test]
fn another_screen_is_shown_from_its_first_frame_on() {
    let (dongle, mut host, _plugged) = playing(&frames(&[1000, 1001]));
    host.frame();
    let other = frames(&[2000, 2001]);
    dongle.show(Screen::Jpegs(other.clone().into()));
    let after = std::iter::repeat_with(|| host.frame().bytes);
    let mut after = after.skip_while(|frame| frame.len() < 2000);
    assert!(after.next().unwrap() == other[0]);
    assert!(after.next().unwrap() == other[1]);
}

#[test]
#[should_panic = "three bytes for each pixel"]
fn a_picture_has_all_its_bytes() {
    Picture::new(Size::new(2, 2), vec![0; 4]);
}

#[test]
#[should_panic = "there is something to show"]
fn no_jpegs_are_no_screen() {
    showing(&[]);
}

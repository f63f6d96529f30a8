//! A target's pictures as its dongle compressed them, from a FIFO to the screens of clients.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Command;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rfb::geom::Size;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use crate::server::Server;
use crate::viewer::Viewer;

const SIZE: Size = Size::new(640, 480);
const COPY_RECT: i32 = 1;
const ZLIB: i32 = 6;
const TIGHT: i32 = 7;
const ZRLE: i32 = 16;
const QUALITY_9: i32 = -23;
const DESKTOP_SIZE: i32 = -223;

/// rfbridge with a FIFO for its source.
struct Target {
    server: Server,
    pipe: File,
}

impl Target {
    fn showing(jpeg: &[u8]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let fifo = dir.path().join("frames");
        let made = Command::new("mkfifo").arg(&fifo).status();
        assert!(made.is_ok_and(|status| status.success()));
        let source = format!("pipe:{}", fifo.display());
        let server = Server::start_in(dir, &["serve", "--source", &source, "--sink", "null"]);
        let pipe = OpenOptions::new().write(true).open(&fifo);
        let mut target = Target {
            server,
            pipe: pipe.expect("the reader is there"),
        };
        target.show(jpeg);
        target
    }

    fn show(&mut self, jpeg: &[u8]) {
        self.pipe.write_all(jpeg).expect("it is read");
    }

    /// A client that takes these encodings and shows `jpeg`, which is what the target shows. It has no request open.
    fn viewer(&self, encodings: &[i32], jpeg: &[u8]) -> Viewer {
        let mut viewer = Viewer::connect(self.server.address);
        viewer.encodings(&[encodings, &[DESKTOP_SIZE]].concat());
        let wanted = decoded(jpeg);
        viewer.request(false);
        viewer.next();
        // Whatever was there before the first picture, the size follows.
        while viewer.client.decoder.rgb() != wanted {
            viewer.request(true);
            viewer.next();
        }
        viewer
    }
}

/// Takes one message from the server and gives its bytes. Nothing else may be under way.
fn next_bytes(viewer: &mut Viewer) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = vec![0; 1 << 16];
        let n = viewer.socket.0.read(&mut piece);
        let n = n.expect("bytes from the server");
        assert!(n > 0, "the server closed the connection");
        bytes.extend_from_slice(&piece[..n]);
        let messages = viewer.client.receive(&piece[..n]);
        if !messages.expect("bytes that can be read").is_empty() {
            assert!(viewer.client.is_between_messages(), "one message");
            return bytes;
        }
    }
}

/// As dongles compress.
fn jpeg(rgb: &[u8], sampling: SamplingFactor) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(rgb, SIZE.width, SIZE.height, ColorType::Rgb)
        .expect("a picture that can be encoded");
    jpeg
}

fn decoded(jpeg: &[u8]) -> Vec<u32> {
    let rgb = JpegDecoder::new(ZCursor::new(jpeg)).decode();
    let pixels = rgb.expect("a JPEG");
    let pixels = pixels.as_chunks::<3>().0.iter();
    pixels
        .map(|[r, g, b]| u32::from_be_bytes([0, *r, *g, *b]))
        .collect()
}

/// Whether the viewer shows this to the last pixel.
fn shows(viewer: &Viewer, jpeg: &[u8]) -> bool {
    viewer.client.decoder.rgb() == decoded(jpeg)
}

fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    sampled_picture(SamplingFactor::R_4_2_2, colour)
}

fn sampled_picture(sampling: SamplingFactor, colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let (width, height) = (usize::from(SIZE.width), usize::from(SIZE.height));
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgb: Vec<u8> = rows.flat_map(|(x, y)| colour(x, y)).collect();
    jpeg(&rgb, sampling)
}

/// A number that says nothing about its origin.
fn mixed(a: usize, b: usize) -> usize {
    let mix = (a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77)).wrapping_mul(0x2545_f491);
    (mix >> 13) & 0xffff
}

/// Lines of text, 16 pixels high, the topmost one that of number `first`; a cursor may stand in the lowest one.
fn console(first: usize, cursor: bool) -> Vec<u8> {
    picture(|x, y| {
        let (line, column) = (y / 16 + first, x / 8);
        let is_cursor = cursor && (column, y / 16) == (3, 29);
        let length = 20 + mixed(line, 1) % 50;
        let is_ink =
            column < length && mixed(line * 100 + column, (y / 4 % 4) * 2 + x / 4 % 2) & 1 == 1;
        match (is_cursor, is_ink) {
            (true, _) => [230, 230, 230],
            (_, true) => [170; 3],
            _ => [0; 3],
        }
    })
}

/// Lines that scroll in a window, some in colours and some in grey, on a ground that is partly grey too.
fn window(first: usize, sampling: SamplingFactor) -> Vec<u8> {
    sampled_picture(sampling, |x, y| {
        let is_inside = (160..480).contains(&x) && (64..416).contains(&y);
        let mix = match is_inside {
            true => mixed(y / 16 + first, 7),
            false => mixed(x / 16, y / 16 % 5),
        };
        match mix % 3 {
            0 => [mix as u8, (mix >> 4) as u8, (mix >> 8) as u8],
            _ => [(mix >> 4) as u8; 3],
        }
    })
}

/// Something else everywhere, but for a dot that may be there.
fn film(number: usize, dot: bool) -> Vec<u8> {
    picture(|x, y| {
        if dot && (320..328).contains(&x) && (240..248).contains(&y) {
            return [0; 3];
        }
        let mix = mixed(x / 4 + 1000 * (y / 4), number);
        [mix as u8, (mix >> 4) as u8, (mix >> 8) as u8]
    })
}

#[test]
fn clients_with_the_same_wishes_get_the_same_bytes() {
    let wishes: [&[i32]; 4] = [
        &[TIGHT, QUALITY_9, COPY_RECT],
        &[TIGHT, COPY_RECT],
        &[ZRLE],
        &[ZLIB],
    ];
    for wishes in wishes {
        let first = console(0, false);
        let mut target = Target::showing(&first);
        let mut early = target.viewer(wishes, &first);
        let second = console(0, true);
        early.request(true);
        target.show(&second);
        early.next();
        // It has never seen what the other one saw first.
        let mut late = target.viewer(wishes, &second);
        for number in 1..5 {
            let shown = console(number / 2, number % 2 == 0);
            early.request(true);
            late.request(true);
            target.show(&shown);
            let sent = next_bytes(&mut early);
            let same = sent == next_bytes(&mut late);
            assert!(same, "{wishes:?}: picture {number}");
            let [a, b] = [&early, &late].map(|viewer| viewer.client.decoder.rgb());
            assert!(a == b, "{wishes:?}: picture {number}");
            if !wishes.contains(&QUALITY_9) {
                assert!(shows(&early, &shown), "{wishes:?}: picture {number}");
            }
        }
    }
}

#[test]
fn what_scrolls_is_copied_where_the_client_can() {
    let first = console(0, false);
    let mut target = Target::showing(&first);
    let mut copying = target.viewer(&[TIGHT, COPY_RECT], &first);
    let mut plain = target.viewer(&[TIGHT], &first);
    let copies = |viewer: &Viewer| {
        let encodings = viewer.client.decoder.seen.encodings.iter();
        encodings.filter(|encoding| **encoding == COPY_RECT).count()
    };
    let mut taken = [0, 0];
    for number in 1..20 {
        let shown = console(number, false);
        for viewer in [&mut copying, &mut plain] {
            viewer.request(true);
        }
        target.show(&shown);
        let before = copies(&copying);
        for (viewer, taken) in [&mut copying, &mut plain].into_iter().zip(&mut taken) {
            *taken += next_bytes(viewer).len();
            assert!(shows(viewer, &shown), "picture {number}");
        }
        // In one piece or in two, which depends on when the picture before came.
        assert!(copies(&copying) > before, "picture {number}");
    }
    assert_eq!(copies(&plain), 0);
    assert!(taken[0] * 4 < taken[1], "{taken:?} bytes");
}

/// Colour has fewer samples than there are pixels, so a decoder smooths it across the edges of what is copied.
#[test]
fn a_window_of_colours_that_scrolls_is_exact_at_its_edges() {
    for sampling in [SamplingFactor::R_4_2_2, SamplingFactor::R_4_2_0] {
        for step in [1, -1] {
            let shown = |number: i32| window((50 + step * number) as usize, sampling);
            let mut target = Target::showing(&shown(0));
            let mut viewer = target.viewer(&[ZRLE, COPY_RECT], &shown(0));
            for number in 1..12 {
                viewer.request(true);
                target.show(&shown(number));
                let message = viewer.next();
                let is_exact = shows(&viewer, &shown(number));
                assert!(is_exact, "{sampling:?}: {step} × {number}");
                // What is copied in how many pieces depends on when the picture before came.
                let mut rectangles = message.rectangles().iter();
                let is_copied = rectangles.any(|one| one.encoding == COPY_RECT);
                assert!(is_copied, "{sampling:?}: {step} × {number}");
            }
        }
    }
}

#[test]
fn a_client_that_only_watches_gets_every_picture_of_a_film_as_it_came() {
    let mut shown = film(0, false);
    let mut target = Target::showing(&shown);
    let mut viewer = target.viewer(&[TIGHT, QUALITY_9, COPY_RECT], &shown);
    for number in 1..60 {
        shown = film(number, false);
        viewer.request(true);
        target.show(&shown);
        viewer.next();
        let jpeg = viewer.client.decoder.seen.jpegs.last();
        assert_eq!(
            jpeg.map(|jpeg| jpeg.length),
            Some(shown.len()),
            "picture {number}"
        );
        assert!(shows(&viewer, &shown), "picture {number}");
    }
    // It stops, and something small happens: that costs little again, at once.
    viewer.request(true);
    target.show(&film(59, true));
    let sent = next_bytes(&mut viewer).len();
    assert!(sent * 10 < shown.len(), "{sent} of {} bytes", shown.len());
}

#[test]
fn a_damaged_picture_is_not_shown_and_the_next_one_is() {
    let first = console(0, false);
    let mut target = Target::showing(&first);
    let mut viewers = [
        target.viewer(&[TIGHT, QUALITY_9], &first),
        target.viewer(&[ZRLE], &first),
    ];
    for viewer in &mut viewers {
        viewer.request(true);
    }
    // Whole by its markers, but half of its coded data is missing.
    let whole = console(7, true);
    let damaged = [&whole[..whole.len() / 2], &[0xff, 0xd9]].concat();
    target.show(&damaged);
    target
        .server
        .wait_for("the damaged picture is found out", |server| {
            server
                .log()
                .contains("pictures dropped so far")
                .then_some(())
        });
    let next = console(3, true);
    target.show(&next);
    for viewer in &mut viewers {
        viewer.next();
        assert!(shows(viewer, &next), "the next one is shown");
    }
}

//! Checks 20 to 55 where a socket can make a difference.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use rfb::geom::{Rect, Size};
use rfb::testing::client::{Message, continuous_updates, fence, request, set_desktop_size};

use crate::server::{Server, shows_picture};
use crate::viewer::Viewer;

const SIZE: Size = Size::new(320, 200);

#[test]
fn check_20_to_26_requests_and_what_comes_of_them() {
    let server = Server::still(SIZE);
    let mut viewer = Viewer::connect(server.address);
    assert!(viewer.all_so_far().is_empty());
    viewer.request(false);
    let update = viewer.next();
    assert_eq!(update.rectangles().len(), 1);
    assert_eq!(
        (update.rectangles()[0].rect, update.rectangles()[0].encoding),
        (SIZE.rect(), 0)
    );
    assert!(shows_picture(&viewer), "pixel by pixel");

    viewer.send(&request(true, SIZE.rect()).repeat(100));
    assert!(
        viewer.all_so_far().is_empty(),
        "a still screen costs nothing"
    );

    viewer.send(&request(false, Rect::new(0, 0, 0, 0)));
    viewer.send(&request(false, Rect::new(9000, 9000, 10, 10)));
    viewer.send(&request(false, Rect::new(300, 190, 65535, 65535)));
    let corner = Rect::new(300, 190, 20, 10);
    assert_eq!(viewer.next().rectangles()[0].rect, corner);
    assert!(viewer.all_so_far().is_empty());
}

#[test]
fn check_30_to_38_every_encoding_shows_the_picture() {
    let server = Server::still(SIZE);
    for encoding in [0, 2, 5, 6, 7, 15, 16, -260] {
        let mut viewer = Viewer::connect(server.address);
        viewer.encodings(&[encoding]);
        viewer.request(false);
        viewer.next();
        assert!(shows_picture(&viewer), "encoding {encoding}");
        assert!(
            viewer
                .client
                .decoder
                .seen
                .encodings
                .iter()
                .all(|e| *e == encoding)
        );
    }
}

#[test]
fn check_44_46_48_49_52_extensions() {
    let server = Server::still(SIZE);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[7, -224, -223, -308, -312, -313, -258, -316, -261]);
    assert_eq!(viewer.next(), Message::EndOfContinuousUpdates);
    assert!(matches!(viewer.next(), Message::Fence { flags, .. } if flags >> 31 == 1));
    viewer.request(false);
    let first = viewer.next();
    // How long a large update takes is asked behind it.
    let Message::Fence { flags, data } = viewer.next() else {
        panic!("a fence");
    };
    assert_eq!(flags, 1 << 31 | 1);
    viewer.send(&fence(1, &data));
    viewer.request(true);
    assert_eq!(viewer.next().rectangles()[0].encoding, -308);
    let announced = |wanted| {
        first
            .rectangles()
            .iter()
            .filter(|r| r.encoding == wanted)
            .count()
    };
    assert_eq!(
        (announced(-258), announced(-316), announced(-308)),
        (1, 1, 0)
    );

    viewer.send(&fence(1 << 31 | 5, b"ping"));
    assert_eq!(
        viewer.next(),
        Message::Fence {
            flags: 5,
            data: b"ping".to_vec()
        }
    );
    viewer.send(&set_desktop_size(Size::new(640, 480), 1));
    assert_eq!(
        viewer.next().rectangles()[0].rect,
        Rect::new(1, 1, 320, 200)
    );
    viewer.send(&continuous_updates(true, SIZE.rect()));
    viewer.send(&continuous_updates(false, SIZE.rect()));
    assert_eq!(viewer.next(), Message::EndOfContinuousUpdates);
    viewer.request(false);
    viewer.next();
    let rest = viewer.all_so_far();
    assert!(matches!(&rest[..], [Message::Fence { .. }]), "{rest:?}");
}

fn jpeg(size: Size, colour: [u8; 3]) -> Vec<u8> {
    let pixels = colour.repeat(size.area());
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 90)
        .encode(
            &pixels,
            size.width,
            size.height,
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("a picture that can be encoded");
    jpeg
}

#[test]
fn check_22_50_pictures_and_mode_changes_come_through_a_pipe() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let fifo = dir.path().join("frames");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .is_ok_and(|s| s.success())
    );
    let source = format!("pipe:{}", fifo.display());
    let arguments = ["serve", "--source", &source, "--sink", "null"];
    let server = Server::start_in(dir, &arguments);
    let mut pipe = OpenOptions::new()
        .write(true)
        .open(&fifo)
        .expect("the reader is there");
    let mut feed = |bytes: &[u8]| pipe.write_all(bytes).expect("it is read");

    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, -308]);
    feed(&jpeg(SIZE, [200, 0, 0]));
    // Whatever was shown before the first picture, the size follows.
    let near = |viewer: &Viewer, size: Size, colour: u32| {
        let off = |p: u32| {
            p.to_be_bytes()
                .iter()
                .zip(colour.to_be_bytes())
                .any(|(a, b)| a.abs_diff(b) > 8)
        };
        viewer.client.size() == size && !viewer.client.decoder.rgb().iter().any(|p| off(*p))
    };
    let until = |viewer: &mut Viewer, size, colour| {
        while !near(viewer, size, colour) {
            viewer.request(true);
            viewer.next();
        }
    };
    until(&mut viewer, SIZE, 0xc8_00_00);
    feed(&jpeg(SIZE, [0, 0, 200]));
    until(&mut viewer, SIZE, 0x00_00_c8);
    feed(&jpeg(Size::new(640, 480), [0, 200, 0]));
    until(&mut viewer, Size::new(640, 480), 0x00_c8_00);
    // A torn picture is dropped; the next whole one is shown.
    let torn = jpeg(SIZE, [1, 2, 3]);
    feed(&torn[..torn.len() / 2]);
    feed(&jpeg(SIZE, [200, 200, 0]));
    until(&mut viewer, SIZE, 0xc8_c8_00);
    drop(pipe);
    // The source has ended: the client stays and is told by a slate.
    let before = viewer.client.decoder.rgb().to_vec();
    while viewer.client.decoder.rgb() == before {
        viewer.request(true);
        viewer.next();
    }
}

#[test]
fn check_55_the_target_s_caps_lock_reaches_the_client() {
    let server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[0, -261, -258]);
    viewer.request(false);
    viewer.next();
    viewer.send(&rfb::testing::client::extended_key(true, 0xffe5, 0x3a));
    viewer.send(&rfb::testing::client::extended_key(false, 0xffe5, 0x3a));
    loop {
        viewer.request(true);
        let update = viewer.next();
        let led = update.rectangles().iter().rfind(|r| r.encoding == -261);
        // Bits: Scroll, Num, Caps.
        if led.is_some_and(|led| led.pseudo[0] & 4 != 0) {
            break;
        }
    }
}

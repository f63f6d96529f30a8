use std::path::Path;

use super::index::Index;
use super::*;
use crate::video::{Converter, Layout, Range};

const SCREENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/screens");

/// As fast as the test reads.
const FAST: Option<u32> = Some(1_000_000);

fn open(path: &Path) -> Box<dyn Source> {
    Recording::new(path.to_owned(), FAST).open().unwrap()
}

fn refusal(path: &Path) -> String {
    Recording::new(path.to_owned(), FAST)
        .open()
        .err()
        .unwrap()
        .to_string()
}

#[test]
fn every_recorded_screen_plays_as_its_index_says_and_starts_again() {
    for name in ["firmware", "console-scroll", "console-typing", "desktop"] {
        let path = PathBuf::from(format!("{SCREENS}/{name}.mjpeg"));
        let file = std::fs::read(&path).unwrap();
        let text = std::fs::read_to_string(path.with_extension("mjpeg.idx")).unwrap();
        let index = Index::parse(&text, file.len() as u64).unwrap();
        assert_eq!(index.fps, Some(30));
        let mut source = open(&path);
        for frame in (0..index.frames.len()).chain([0, 1]) {
            let (offset, length) = index.pictures[index.frames[frame]];
            let expected = &file[offset as usize..][..length];
            assert!(
                source.next().unwrap().captured.bytes == expected,
                "{name}, frame {frame}"
            );
        }
    }
}

#[test]
fn without_an_index_each_picture_is_shown_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bare.mjpeg");
    let indexed = PathBuf::from(format!("{SCREENS}/desktop.mjpeg"));
    std::fs::copy(&indexed, &path).unwrap();
    let (file, text) = (
        std::fs::read(&path).unwrap(),
        std::fs::read_to_string(indexed.with_extension("mjpeg.idx")).unwrap(),
    );
    let index = Index::parse(&text, file.len() as u64).unwrap();
    let mut source = open(&path);
    for &(offset, length) in index.pictures.iter().chain(&index.pictures[..1]) {
        assert!(source.next().unwrap().captured.bytes == &file[offset as usize..][..length]);
    }
}

#[test]
fn raw_frames_play_as_their_index_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("noise.yuyv");
    let (size, length) = (rfb::geom::Size::new(20, 18), 20 * 18 * 2);
    std::fs::write(&path, [vec![1; length], vec![2; length]].concat()).unwrap();
    let index = path.with_extension("yuyv.idx");
    let text = |width| {
        format!("rfbfeed1 yuyv {width} 18 30 3 2\n0 {length} 1\n{length} {length} 2\n1\n0\n1\n")
    };
    std::fs::write(&index, text(20)).unwrap();
    let mut source = open(&path);
    for fill in [2, 1, 2, 2, 1] {
        let captured = source.next().unwrap().captured;
        assert_eq!((captured.layout, captured.size), (Layout::Yuyv, size));
        assert_eq!(
            (captured.stride, captured.colour.range),
            (40, Range::Limited)
        );
        assert!(captured.bytes == vec![fill; length]);
    }
    // What is not a frame long, and no layout.
    std::fs::write(&index, text(22)).unwrap();
    assert!(refusal(&path).contains("too short or too long"));
    std::fs::write(&index, text(20).replace("yuyv", "theora")).unwrap();
    assert!(
        refusal(&path).contains("\"theora\" is not a capture format; write one of mjpeg, yuyv")
    );
    std::fs::write(&index, text(20).replace("20 18", "20 9000")).unwrap();
    assert!(refusal(&path).contains("20x9000 is out of bounds"));
}

#[test]
fn a_picture_that_is_shown_again_is_the_very_same() {
    let mut source = open(Path::new(&format!("{SCREENS}/console-typing.mjpeg")));
    let mut address = || source.next().unwrap().captured.bytes.as_ptr();
    // The index shows its first picture in its first frames.
    assert_eq!(address(), address());
}

#[test]
fn a_directory_plays_jpegs_and_pngs_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name);
    let (width, height) = (20, 18);
    let png = |name, colours, pixel: &[u8]| {
        let file = std::fs::File::create(path(name)).unwrap();
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(colours);
        let pixels = pixel.repeat((width * height) as usize);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&pixels)
            .unwrap();
    };
    png("1.png", png::ColorType::Rgb, &[200, 100, 50]);
    png("3.PNG", png::ColorType::GrayscaleAlpha, &[77, 255]);
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 90)
        .encode(&vec![0; 20 * 18 * 3], 20, 18, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    std::fs::write(path("2.jpg"), &jpeg).unwrap();
    std::fs::write(path("notes.txt"), "no picture").unwrap();

    let mut source = open(directory.path());
    let mut converter = Converter::new();
    let mut colour = |converter: &mut Converter| {
        let captured = source.next().unwrap().captured;
        let layout = captured.layout;
        let frame = converter.convert(&captured).unwrap().unwrap();
        assert_eq!(frame.size(), rfb::geom::Size::new(20, 18));
        (
            layout,
            frame.pixels(rfb::geom::Rect::new(0, 0, 1, 1)).unwrap()[0],
        )
    };
    for _ in 0..2 {
        assert_eq!(colour(&mut converter), (Layout::Bgrx, 0x00c8_6432));
        assert_eq!(colour(&mut converter), (Layout::Mjpeg, 0));
        assert_eq!(colour(&mut converter), (Layout::Bgrx, 0x004d_4d4d));
    }
}

#[test]
fn what_cannot_be_played_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name);
    assert!(refusal(&path("none.mjpeg")).contains("none.mjpeg cannot be played: No such file"));
    assert!(refusal(directory.path()).contains("no JPEG or PNG picture"));
    std::fs::write(path("empty.mjpeg"), "nothing").unwrap();
    assert!(refusal(&path("empty.mjpeg")).contains("no JPEG or PNG picture"));
    std::fs::write(path("empty.mjpeg.idx"), "rfbfeed2").unwrap();
    assert!(refusal(&path("empty.mjpeg")).contains("its first line is not"));
}

#[test]
fn an_index_must_fit_its_recording() {
    let parse = |text| Index::parse(text, 100);
    let good = parse("rfbfeed1 mjpeg 64 48 25 3 2\n0 60 1\n60 40 2\n0\n1\n0\n").unwrap();
    assert_eq!(good.fps, Some(25));
    assert_eq!(good.pictures, [(0, 60), (60, 40)]);
    assert_eq!(good.frames, [0, 1, 0]);
    for bad in [
        "",
        "rfbfeed1 mjpeg 64 48 25 3 2\n0 60 1\n60 41 2\n0\n1\n0\n",
        "rfbfeed1 mjpeg 64 48 25 3 2\n0 60 1\n60 40 2\n0\n2\n0\n",
        "rfbfeed1 mjpeg 64 48 25 3 2\n0 60 1\n60 40 2\n0\n1\n",
        "rfbfeed1 mjpeg 64 48 25 3 1\n18446744073709551615 60 1\n0\n0\n0\n",
        "rfbfeed1 mjpeg 64 48 25 0 1\n0 60 1\n",
        "rfbfeed1 mjpeg 64 48 25 99999999999 1\n0 60 1\n",
        "rfbfeed1 mjpeg 64 48 25 1 1\n0 0 1\n0\n",
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_player_stops_when_told() {
    let mut opener = Recording::new(format!("{SCREENS}/desktop.mjpeg").into(), Some(1));
    let stop = Stop::default();
    opener.stop_with(stop.clone());
    let mut source = opener.open().unwrap();
    assert!(source.next().is_ok());
    stop.set();
    assert!(source.next().is_err());
}

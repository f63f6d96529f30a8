//! A target's screen that the test draws: numbered pictures, as JPEGs through a FIFO.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use jpeg_encoder::{ColorType, Encoder};
use rfb::geom::Size;

use crate::viewer::Viewer;

pub const SIZE: Size = Size::new(640, 480);
/// So many pictures there are; after the last one comes the first again.
pub const PICTURES: usize = 16;
/// A picture's number is written in bars from left to right, the lowest bit first.
const BARS: u16 = 4;

static JPEGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| (0..PICTURES).map(jpeg).collect());

/// The writing end.
pub struct Screen {
    fifo: PathBuf,
    /// `None` while it is unplugged.
    pipe: Option<File>,
}

impl Screen {
    /// Makes the FIFO and shows picture 0.
    pub fn new(dir: &Path) -> Self {
        let fifo = dir.join("frames");
        let made = Command::new("mkfifo").arg(&fifo).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let mut screen = Self { fifo, pipe: None };
        screen.plug_in();
        screen.show(0);
        screen
    }

    pub fn source(&self) -> String {
        format!("pipe:{}", self.fifo.display())
    }

    pub fn show(&mut self, number: usize) {
        self.feed(&JPEGS[number % PICTURES]);
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        let pipe = self.pipe.as_mut().expect("it is plugged in");
        pipe.write_all(bytes).expect("a FIFO takes it");
    }

    /// The writer goes.
    pub fn unplug(&mut self) {
        self.pipe = None;
    }

    pub fn plug_in(&mut self) {
        // Reading as well, so that nobody has to wait for the other end.
        let pipe = OpenOptions::new().read(true).write(true).open(&self.fifo);
        self.pipe = Some(pipe.expect("the FIFO"));
    }
}

/// Whether the viewer's screen shows that picture.
pub fn is_shown(viewer: &Viewer, number: usize) -> bool {
    let size = viewer.client.size();
    let shown = viewer.client.decoder.rgb();
    size == SIZE
        && (0..BARS).all(|bar| {
            let middle = bar * (SIZE.width / BARS) + SIZE.width / BARS / 2;
            // At the top and the bottom, so that all of it has come.
            [4, SIZE.height - 4].iter().all(|row| {
                let pixel =
                    shown[usize::from(*row) * usize::from(SIZE.width) + usize::from(middle)];
                (pixel & 0xff > 128) == is_lit(number, bar)
            })
        })
}

fn is_lit(number: usize, bar: u16) -> bool {
    (number % PICTURES) >> bar & 1 == 1
}

/// Bars that are lit or not, with a texture over them that makes it a picture of some size.
pub fn jpeg(number: usize) -> Vec<u8> {
    let pixel = |i: usize| {
        let (x, y) = (i % usize::from(SIZE.width), i / usize::from(SIZE.width));
        let bar = u16::try_from(x / usize::from(SIZE.width / BARS)).expect("a bar");
        let texture = ((x / 8) ^ (y / 8)) as u8 % 50;
        [if is_lit(number, bar) { 200 } else { 10 } + texture; 3]
    };
    let pixels: Vec<[u8; 3]> = (0..SIZE.area()).map(pixel).collect();
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 80)
        .encode(
            pixels.as_flattened(),
            SIZE.width,
            SIZE.height,
            ColorType::Rgb,
        )
        .expect("a picture that can be encoded");
    jpeg
}

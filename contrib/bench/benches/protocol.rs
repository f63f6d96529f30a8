//! What `rfb` does with pixels: cutting frames into tiles, every encoding, colours; and the machine's own
//! memcpy and memcmp beside them.

use std::{hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rfb::{
    encoding::{Encoding, JpegQuality, Parameters, Picture, encode, split},
    frame::{Frame, FrameSeq, Pixel},
    geom::{Rect, Size},
    pixel::{PixelFormat, convert::Converter},
};
use rfbridge_bench::{
    generate, picture,
    workload::{self, Workload},
};

/// A screen and a piece of it, as an update would have it.
struct Screen {
    name: &'static str,
    size: Size,
    /// The whole, rows top to bottom without padding.
    bgrx: Vec<u8>,
    piece: Rect,
}

const PIECE: Rect = Rect::new(256, 256, 512, 256);

impl Screen {
    fn new(name: &'static str, workload: &Workload) -> Self {
        let mut decoder = picture::plain_decompressor().expect("a decoder");
        let bgrx = picture::decompress(&mut decoder, &workload.pictures[0], workload.size);
        Self {
            name,
            size: workload.size,
            bgrx: bgrx.expect("the workload's pictures decode"),
            piece: PIECE,
        }
    }

    fn all() -> [Self; 3] {
        let screens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/screens");
        let read = |name: &str| workload::read(&screens.join(name)).expect("a recording");
        [
            Self::new("console", &read("console-scroll.mjpeg")),
            Self::new("desktop", &read("desktop.mjpeg")),
            Self::new("video", &generate::motion().expect("a generated workload")),
        ]
    }

    fn frame(&self, bgrx: &[u8], previous: Option<&Frame>) -> Frame {
        let stride = usize::from(self.size.width) * 4;
        Frame::from_bgrx(FrameSeq(1), self.size, bgrx, stride, previous)
    }

    fn pixels(&self, rect: Rect) -> Vec<Pixel> {
        let frame = self.frame(&self.bgrx, None);
        frame.pixels(rect).expect("pixels are never damaged")
    }
}

/// Pixels as bytes, so that all throughputs are of the same kind.
fn throughput(pixels: usize) -> Throughput {
    Throughput::Bytes(4 * pixels as u64)
}

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    let pixels = Size::new(1920, 1080).area();
    let (from, mut to) = (vec![1u8; 4 * pixels], vec![1u8; 4 * pixels]);
    group.throughput(throughput(pixels));
    group.bench_function("memcpy", |b| {
        b.iter(|| to.copy_from_slice(black_box(&from)))
    });
    group.bench_function("memcmp", |b| b.iter(|| black_box(&from) == black_box(&to)));
    group.finish();
}

fn tiles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tiles");
    let [screen, ..] = &Screen::all();
    let old = screen.frame(&screen.bgrx, None);
    let changed = |rect: Rect| {
        let mut bgrx = screen.bgrx.clone();
        for y in rect.y..rect.y + rect.height {
            let start = usize::from(y) * usize::from(screen.size.width) + usize::from(rect.x);
            for byte in &mut bgrx[start * 4..(start + usize::from(rect.width)) * 4] {
                *byte ^= 0x55;
            }
        }
        bgrx
    };
    group.throughput(throughput(screen.size.area()));
    for (name, bgrx) in [
        ("nothing changed", screen.bgrx.clone()),
        ("a line changed", changed(Rect::new(0, 512, 1920, 16))),
        ("all changed", changed(screen.size.rect())),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| screen.frame(black_box(&bgrx), Some(&old)))
        });
    }
    group.finish();
}

fn encodings(criterion: &mut Criterion) {
    let lossless = Parameters {
        format: PixelFormat::BGRX,
        jpeg: None,
        level: 2,
    };
    let lossy = Parameters {
        jpeg: Some(JpegQuality::from_level(8)),
        ..lossless
    };
    for screen in Screen::all() {
        let mut group = criterion.benchmark_group(format!("encode {}", screen.name));
        group.throughput(throughput(screen.piece.area()));
        let kinds = Encoding::ALL.iter().map(|&e| (e, e.to_string(), &lossless));
        let with_jpeg = (Encoding::Tight, "Tight with JPEG".to_owned(), &lossy);
        for (encoding, name, parameters) in kinds.chain([with_jpeg]) {
            let pieces: Vec<(Size, Vec<Pixel>)> = split(encoding, screen.piece)
                .into_iter()
                .map(|rect| (rect.size(), screen.pixels(rect)))
                .collect();
            let parameters = if encoding == Encoding::Jpeg {
                &lossy
            } else {
                parameters
            };
            let mut out = Vec::new();
            group.bench_function(name, |b| {
                b.iter(|| {
                    out.clear();
                    for &(size, ref pixels) in black_box(&pieces) {
                        encode(
                            encoding,
                            &Picture { size, pixels },
                            parameters,
                            false,
                            &mut out,
                        );
                    }
                });
            });
        }
        group.finish();
    }
}

fn colours(criterion: &mut Criterion) {
    let [_, screen, _] = &Screen::all();
    let pixels = screen.pixels(screen.piece);
    let mut group = criterion.benchmark_group("colours");
    group.throughput(throughput(pixels.len()));
    for (name, format) in [
        ("BGRX", PixelFormat::BGRX),
        (
            "RGBX",
            PixelFormat::rgb(32, 24, (255, 0), (255, 8), (255, 16)),
        ),
        ("BGRX big-endian", PixelFormat::BGRX.big_endian()),
        (
            "RGB565",
            PixelFormat::rgb(16, 16, (31, 11), (63, 5), (31, 0)),
        ),
        ("RGB332", PixelFormat::RGB332),
    ] {
        let converter = Converter::new(&format);
        let mut out = Vec::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                converter
                    .pixel()
                    .all(&converter.codes(black_box(&pixels)), &mut out);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, memory, tiles, encodings, colours);
criterion_main!(benches);

//! What rfbridge does with captured bytes: walking, splicing and decoding JPEGs, and raw formats; a JPEG library's
//! decode and a comparison of the bytes beside them.

use std::{hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rfb::geom::{Rect, Size};
use rfbridge::video::{
    Captured, Colour, Converter, Layout,
    jpeg::{self, Jpeg, scan::Scan},
};
use rfbridge_bench::{
    generate, picture,
    workload::{self, Workload},
};

/// Two pictures of a recording that follow each other.
struct Change {
    name: &'static str,
    size: Size,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Change {
    fn new(name: &'static str, workload: &Workload) -> Self {
        let [old, new] = [0, 1].map(|picture| workload.pictures[picture].clone());
        Self {
            name,
            size: workload.size,
            old,
            new,
        }
    }

    fn all() -> [Self; 5] {
        [
            Self::new("typing", &recording("console-typing")),
            Self::new("firmware", &recording("firmware")),
            Self::new("scroll", &recording("console-scroll")),
            Self::new("desktop", &recording("desktop")),
            Self::new("video", &generate::motion().expect("a generated workload")),
        ]
    }
}

fn recording(name: &str) -> Workload {
    let screens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/screens");
    workload::read(&screens.join(format!("{name}.mjpeg"))).expect("a recording")
}

fn whole(bytes: &[u8]) -> Jpeg {
    jpeg::sanitise(bytes).expect("a whole JPEG")
}

fn walked(bytes: &[u8], previous: Option<&Scan>) -> Scan {
    Scan::walk(&whole(bytes), previous).expect("a scan without damage")
}

/// By picture: what a change costs in the compressed domain, against decoding it.
fn scans(criterion: &mut Criterion) {
    for change in Change::all() {
        let mut group = criterion.benchmark_group(format!("JPEG {}", change.name));
        group.throughput(Throughput::Bytes(change.new.len() as u64));
        let (old, new) = (walked(&change.old, None), whole(&change.new));
        let copy = change.new.clone();
        group.bench_function("memcmp", |b| {
            b.iter(|| black_box(&change.new) == black_box(&copy))
        });
        group.bench_function("libjpeg-turbo decode", |b| {
            let mut decoder = turbojpeg::Decompressor::new().expect("a decoder");
            let mut bgrx = vec![0; change.size.area() * 4];
            b.iter(|| {
                let bytes = black_box(&change.new);
                picture::decompress_into(&mut decoder, bytes, change.size, &mut bgrx)
            });
        });
        group.bench_function("decode", |b| {
            let mut decoder = jpeg::decoder();
            let mut bgrx = vec![0; change.size.area() * 4];
            b.iter(|| decoder.decode(black_box(&new), &mut bgrx));
        });
        group.bench_function("walk", |b| b.iter(|| Scan::walk(black_box(&new), None)));
        group.bench_function("walk after the last", |b| {
            b.iter(|| Scan::walk(black_box(&new), Some(&old)));
        });
        let scan = walked(&change.new, Some(&old));
        let (columns, rows) = scan.grid();
        let grid = Rect::from_edges(0, 0, columns as u32, rows as u32);
        let tenth = Rect::from_edges(0, 0, columns as u32, rows as u32 / 10);
        for (name, mcus) in [("splice a tenth", tenth), ("splice all", grid)] {
            let mut out = Vec::new();
            group.bench_function(name, |b| {
                b.iter(|| {
                    out.clear();
                    scan.splice(black_box(mcus), &mut out);
                });
            });
        }
        group.finish();
    }
}

/// From captured bytes to the next frame; its tiles are made only if somebody asks.
fn frames(criterion: &mut Criterion) {
    let [change, ..] = &Change::all();
    let noise = generate::noise(&recording("firmware")).expect("a generated workload");
    let [first, second] = [0, 1].map(|picture| &noise.pictures[picture]);
    let mut group = criterion.benchmark_group("frame");
    for (name, layout, size, pictures) in [
        (
            "JPEG, the same",
            Layout::Mjpeg,
            change.size,
            [&change.old, &change.old],
        ),
        (
            "JPEG, a key typed",
            Layout::Mjpeg,
            change.size,
            [&change.old, &change.new],
        ),
        ("YUYV, the same", Layout::Yuyv, noise.size, [first, first]),
        ("YUYV, noise", Layout::Yuyv, noise.size, [first, second]),
    ] {
        group.throughput(Throughput::Bytes(pictures[1].len() as u64));
        let stride = if layout == Layout::Mjpeg {
            0
        } else {
            usize::from(size.width) * 2
        };
        let mut converter = Converter::new();
        let mut turn = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                turn ^= 1;
                let captured = Captured {
                    layout,
                    size,
                    stride,
                    colour: Colour::default(),
                    bytes: black_box(pictures[turn]),
                };
                converter.convert(&captured).map(|frame| {
                    frame.map(|frame| frame.tiles().map(<[_]>::len));
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, scans, frames);
criterion_main!(benches);

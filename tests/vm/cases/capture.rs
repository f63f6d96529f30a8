//! Each kind of source at each format that it offers: the picture is what was fed.

use rfb::geom::Size;

use crate::{
    Case,
    bridge::Bridge,
    machine::Machine,
    picture::{Picture, layout},
};

pub const DECIBELS: f64 = 40.0;

/// vivid draws its pattern itself, so what is fed is known by the pattern's definition.
pub fn vivid(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    machine.run("modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0");
    machine.appears("/dev/video0");
    machine.run(&format!("v4l2-ctl -d /dev/video0 -c {SQUARES}"));
    let size = Size::new(1280, 720);
    let squares = squares(size);
    let mut seen = Vec::new();
    for format in ["yuyv", "uyvy", "nv12", "rgb24", "bgr24"] {
        let bridge = Bridge::capture(&machine, format, size);
        let mut client = bridge.client();
        let best = client.until(format, |screen| {
            let likeness = screen.psnr(&squares);
            (likeness >= DECIBELS).then_some(likeness)
        });
        seen.push(format!("{format} {:.1} dB", best.0));
        bridge.terminate();
    }
    seen.join(", ")
}

/// Sets vivid's pattern to "100% Color Squares", without the text over them.
pub const SQUARES: &str = "test_pattern=4 -c osd_text_mode=2";

/// That pattern.
pub fn squares(size: Size) -> Picture {
    Picture::from_fn(size, |x, y| {
        let (column, row) = (
            x * 8 / u32::from(size.width),
            y * 8 / u32::from(size.height),
        );
        // White, yellow, cyan, green, magenta, red, blue, black, each row one further.
        let colour = (column + row) % 8;
        [2, 4, 1].map(|bit| if colour & bit == 0 { 255 } else { 0 })
    })
}

/// v4l2loopback hands on what is written to it.
pub fn loopback(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let size = Size::new(640, 480);
    let mut seen = Vec::new();
    for fourcc in [b"MJPG", b"YUYV", b"UYVY", b"NV12", b"RGB3", b"BGR3"] {
        let name = String::from_utf8_lossy(fourcc).into_owned();
        let card = Picture::test_card(size, 1);
        // It keeps the format of its first writer.
        machine.run("modprobe v4l2loopback video_nr=0 exclusive_caps=1 card_label=Loopback");
        machine.appears("/dev/video0");
        let mut feed = machine.feed("/dev/video0", *fourcc, (size.width, size.height), 15);
        let (bytes, card, enough) = match fourcc {
            b"MJPG" => {
                let jpeg = card.jpeg();
                let decoded = Picture::from_jpeg(&jpeg);
                (jpeg, decoded, f64::INFINITY)
            }
            _ => (layout::bytes(&card, fourcc), card, DECIBELS),
        };
        feed.show(&bytes);
        let bridge = Bridge::serve(&machine, &["--source", "v4l:/dev/video0", "--sink", "null"]);
        let mut client = bridge.client();
        let best = client.until(&name, |screen| {
            let likeness = screen.psnr(&card);
            (likeness >= enough).then_some(likeness)
        });
        seen.push(format!("{name} {:.1} dB", best.0));
        bridge.terminate();
        drop(feed);
        machine.run("until rmmod v4l2loopback 2>/dev/null; do sleep 0.1; done");
    }
    seen.join(", ")
}

//! A dongle driven by the kernel's own uvcvideo: what it captures, and what becomes of faults and pulled cables.

use std::{thread, time::Duration};

use rfb::geom::Size;
use rfbridge::video::Signal;

use crate::{
    Case,
    bridge::{Bridge, Client},
    cases::capture::DECIBELS,
    dongle::{self, Dongle, Fault, Plugged, Screen},
    machine::{DEADLINE, Machine},
    picture::Picture,
};

const NODE: &str = "/dev/video0";
const HD: Size = Size::new(1920, 1080);
/// How long a picture may take to be back, from when the device is.
const BACK: Duration = Duration::from_secs(2);
/// Decibels by which a picture is known after JPEG of a low quality.
const LOSSY: f64 = 25.0;

/// Plugs the dongle into the machine and waits for its node.
pub fn plug_in(machine: &Machine, dongle: &Dongle) -> Plugged {
    let plugged = dongle.plug_in(machine.usb_port());
    machine.appears(NODE);
    plugged
}

fn boot(case: &Case) -> Machine {
    let machine = Machine::boot(&case.folder);
    machine.run("modprobe -a vhci-hcd uvcvideo");
    machine
}

/// Shows a picture as a JPEG; gives that, and what it decodes to.
fn show(dongle: &Dongle, picture: &Picture) -> (Vec<u8>, Picture) {
    let jpeg = picture.jpeg();
    dongle.show(Screen::Jpegs(vec![jpeg.clone()].into()));
    let decoded = Picture::from_jpeg(&jpeg);
    (jpeg, decoded)
}

/// Every mode that it offers.
pub fn modes(case: &Case) -> String {
    let machine = boot(case);
    let dongle = Dongle::new();
    let _plugged = plug_in(&machine, &dongle);
    let mut seen = Vec::new();
    // MJPEG: pixel by pixel for a client that takes no JPEG, byte by byte for one that does.
    for (number, size) in [
        (1920, 1080),
        (1280, 720),
        (1024, 768),
        (800, 600),
        (640, 480),
    ]
    .into_iter()
    .enumerate()
    {
        let size = Size::new(size.0, size.1);
        let (jpeg, decoded) = show(&dongle, &Picture::test_card(size, number as u32));
        let wanted = size.to_string();
        // Without wishes it is the largest.
        let mut arguments = vec!["--source", "v4l:/dev/video0", "--sink", "null"];
        if number > 0 {
            arguments.extend(["--size", &wanted, "--format", "mjpeg"]);
        }
        let bridge = Bridge::serve(&machine, &arguments);
        let mode = dongle.status().streaming.expect("it streams");
        assert_eq!((mode.format, mode.size), (dongle::Format::Mjpeg, size));
        let mut client = bridge.client();
        client.until(&wanted, |screen| (*screen == decoded).then_some(()));
        let mut client = bridge.client_of(&[21, -23]);
        client.until(&wanted, |screen| (*screen == decoded).then_some(()));
        assert_eq!(client.last_jpeg(), Some(jpeg.len()), "it is passed through");
        seen.push(format!("{mode} exact"));
        bridge.terminate();
    }
    for (width, height) in [(1920, 1080), (1280, 720), (640, 480)] {
        let size = Size::new(width, height);
        let card = Picture::test_card(size, 9);
        dongle.show(Screen::Picture(dongle::Picture::new(size, card.rgb())));
        let wanted = size.to_string();
        let bridge = Bridge::capture(&machine, "yuyv", size);
        let mut client = bridge.client();
        let (likeness, _) = client.until(&wanted, |screen| {
            let likeness = screen.psnr(&card);
            (likeness >= DECIBELS).then_some(likeness)
        });
        let mode = dongle.status().streaming.expect("it streams");
        assert_eq!((mode.format, mode.size), (dongle::Format::Yuyv, size));
        seen.push(format!("{mode} {likeness:.1} dB"));
        bridge.terminate();
    }
    seen.join(", ")
}

/// A dongle that does not compress, and a client that takes poor JPEG: what changes comes with loss, and without once it
/// has rested.
pub fn rests(case: &Case) -> String {
    let machine = boot(case);
    let dongle = Dongle::new();
    let size = Size::new(640, 480);
    let shows = |number| {
        // Soft colours, too many for a palette, waves to lose something of.
        let card = Picture::from_fn(size, |x, y| {
            let wave = (f64::from(x * number) / 9.0).sin() + (f64::from(y) / 7.0).cos();
            let level = |base: u32| (f64::from(base % 512).min(190.0) + 30.0 + 15.0 * wave) as u8;
            [level(x / 3), level(y / 3), level((x + y * number) / 8)]
        });
        dongle.show(Screen::Picture(dongle::Picture::new(size, card.rgb())));
        card
    };
    let first = shows(1);
    let _plugged = plug_in(&machine, &dongle);
    let bridge = Bridge::capture(&machine, "yuyv", size);
    let mut exact = bridge.client();
    let likeness = |screen: &Picture, card: &Picture| {
        let likeness = screen.psnr(card);
        (likeness >= DECIBELS).then_some(likeness)
    };
    exact.until("the first picture", |screen| likeness(screen, &first));
    // Tight with JPEG of level 2, and DesktopSize.
    let mut poor = bridge.client_of(&[7, -30, -223]);
    poor.until("the first picture at rest", |screen| {
        (*screen == exact.screen()).then_some(())
    });
    let mut seen = Vec::new();
    for number in 2..5 {
        let jpegs = poor.jpegs();
        let card = shows(number);
        let (without_loss, _) = exact.until("the next picture", |screen| likeness(screen, &card));
        let wanted = exact.screen();
        let (with_loss, _) = poor.until("the next picture, with loss", |screen| {
            let likeness = screen.psnr(&wanted);
            (likeness > LOSSY).then_some(likeness)
        });
        assert!(poor.jpegs() > jpegs, "picture {number} comes as JPEG");
        assert!(with_loss.is_finite(), "picture {number} comes with loss");
        let (_, rest) = poor.until("the same without", |screen| {
            (*screen == wanted).then_some(())
        });
        seen.push(format!(
            "{with_loss:.1} dB, exact after {:.1} s ({without_loss:.1} dB of what is shown)",
            rest.as_secs_f32()
        ));
    }
    bridge.terminate();
    seen.join("; ")
}

/// Clients stay connected while the dongle is out, are told why there is no picture, and have it again.
pub fn unplugged(case: &Case) -> String {
    let machine = boot(case);
    let dongle = Dongle::new();
    let plugged = plug_in(&machine, &dongle);
    let (_, first) = show(&dongle, &Picture::test_card(HD, 1));
    let bridge = Bridge::serve(&machine, &["--source", "v4l:/dev/video0", "--sink", "null"]);
    let mut client = bridge.client();
    client.until("the first picture", |screen| {
        (*screen == first).then_some(())
    });

    drop(plugged);
    let mut took = Vec::new();
    // Back at once, and after a while.
    for (number, absence) in [(2, 0), (3, 4), (4, 12)] {
        client.until_slate("the slate for a dongle that is out", |since| Signal::Lost {
            since,
            why: format!(
                "{NODE} is not there: plug the dongle in, or choose another with --source v4l:/dev/videoN \
                 (no /dev/video* is there)"
            ),
        });
        client.repaint();
        thread::sleep(Duration::from_secs(absence));
        let (_, next) = show(&dongle, &Picture::test_card(HD, number));
        let plugged = plug_in(&machine, &dongle);
        took.push(back(&mut client, &next));
        drop(plugged);
    }
    bridge.terminate();
    format!("the slate says so; {}", in_time(took))
}

/// Takes updates until the picture is shown; gives how long that took.
fn back(client: &mut Client, picture: &Picture) -> Duration {
    let is_back = |screen: &Picture| (screen == picture).then_some(());
    client.until("the picture is back", is_back).1
}

/// Checks that a picture is back soon enough, most of the time: these machines have other work. An unoptimised build
/// is not measured.
pub fn in_time(mut took: Vec<Duration>) -> String {
    took.sort();
    let median = took[took.len() / 2];
    assert!(
        median <= BACK || cfg!(debug_assertions),
        "the picture is back after {took:?}"
    );
    let seconds = took.iter().map(|took| format!("{:.2}", took.as_secs_f32()));
    format!(
        "the picture is back after {} s",
        seconds.collect::<Vec<_>>().join(", ")
    )
}

/// A driver that stops delivering, and pictures that are damaged.
pub fn faulty(case: &Case) -> String {
    let machine = boot(case);
    let dongle = Dongle::new();
    let _plugged = plug_in(&machine, &dongle);
    let (_, first) = show(&dongle, &Picture::test_card(HD, 1));
    let bridge = Bridge::serve(&machine, &["--source", "v4l:/dev/video0", "--sink", "null"]);
    let mut client = bridge.client();
    client.until("the first picture", |screen| {
        (*screen == first).then_some(())
    });

    dongle.fault(Fault::Freeze);
    client.until_slate("the slate for a silent dongle", |since| Signal::Lost {
        since,
        why: format!(
            "{NODE} sends no picture: is the target on, and its HDMI cable in the dongle?"
        ),
    });
    let (_, second) = show(&dongle, &Picture::test_card(HD, 2));
    dongle.thaw();
    let thawed = back(&mut client, &second);

    // Damaged ones are left out: what is shown stays, and then the next good one is shown.
    let mut number = 2;
    let mut shown = second;
    for fault in [
        Fault::Error(5),
        Fault::LoseFirstPayload(5),
        Fault::Truncate(5),
        Fault::Garbage(5),
        Fault::Drop(5),
    ] {
        number += 1;
        let spoilt = dongle.status().frames_spoilt;
        dongle.fault(fault);
        let (_, next) = show(&dongle, &Picture::test_card(HD, number));
        dongle
            .wait_until(DEADLINE, |status| status.frames_spoilt >= spoilt + 5)
            .expect("five spoilt frames");
        client.until("a good picture", |screen| {
            assert!(*screen == shown || *screen == next, "{fault:?} is shown");
            (*screen == next).then_some(())
        });
        shown = next;
    }
    bridge.terminate();
    format!(
        "thawed: {}; 25 spoilt frames, none shown",
        in_time(vec![thawed])
    )
}

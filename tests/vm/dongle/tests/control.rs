//! Enumeration, the choice of a mode, and the picture controls.

use rfb::geom::Size;

use super::{
    host::{COMMIT, Control, PROBE, Request},
    *,
};

fn plugged() -> (Dongle, Host, Plugged) {
    let dongle = Dongle::new();
    let (host, plugged) = Host::with(&dongle);
    (dongle, host, plugged)
}

/// Cuts a configuration into its descriptors.
fn descriptors(mut configuration: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while let [length, ..] = configuration {
        let (one, rest) = configuration
            .split_at_checked(usize::from(*length))
            .filter(|(one, _)| one.len() >= 2)
            .expect("a whole descriptor");
        all.push(one);
        configuration = rest;
    }
    all
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[test]
fn it_says_what_it_is() {
    let (_dongle, mut host, _plugged) = plugged();
    let device = host.ask(Request::descriptor(1, 0), 64).unwrap();
    assert_eq!(device.len(), 18);
    assert_eq!(device[..2], [18, 1]);
    assert_eq!((u16_at(&device, 8), u16_at(&device, 10)), (0x534d, 0x2109));

    let mut text = |number| {
        let string = host.ask(Request::descriptor(3, number), 255)?;
        assert_eq!(usize::from(string[0]), string.len());
        let utf16: Vec<u16> = string[2..].chunks(2).map(|unit| u16_at(unit, 0)).collect();
        Some(String::from_utf16(&utf16).expect("text"))
    };
    assert_eq!(text(device[14]).as_deref(), Some("MACROSILICON"));
    assert_eq!(text(device[15]).as_deref(), Some("USB Video"));
    assert_eq!(text(9), None);
    let short = host.ask(Request::descriptor(1, 0), 8).unwrap();
    assert_eq!(short, device[..8], "no more than asked for");
    assert_eq!(host.ask(Request::descriptor(0x0f, 0), 5), None, "no BOS");
}

#[test]
fn its_descriptors_add_up_and_list_its_modes() {
    let (_dongle, mut host, _plugged) = plugged();
    let configuration = host.ask(Request::descriptor(2, 0), 4096).unwrap();
    assert_eq!(usize::from(u16_at(&configuration, 2)), configuration.len());
    let all = descriptors(&configuration);

    // Class headers count themselves and all the class's descriptors after them.
    for (at, header) in all.iter().enumerate() {
        let total = match header[..] {
            [13, 0x24, 1, ..] => u16_at(header, 5),
            [15, 0x24, 1, ..] => u16_at(header, 4),
            _ => continue,
        };
        let headed = all[at..].iter().take_while(|it| it[1] == 0x24);
        assert_eq!(headed.map(|it| it.len()).sum::<usize>(), usize::from(total));
    }

    let mut modes = Vec::new();
    let mut format = "";
    for descriptor in &all {
        match descriptor[..] {
            [_, 0x24, 6, ..] => format = "MJPEG",
            [_, 0x24, 4, ..] => format = "YUYV",
            [_, 0x24, 7 | 5, _, _, ..] if descriptor.len() > 20 => {
                let size = Size::new(u16_at(descriptor, 5), u16_at(descriptor, 7));
                let rates = usize::from(descriptor[25]);
                assert_eq!(descriptor.len(), 26 + 4 * rates);
                for rate in 0..rates {
                    let fps = 10_000_000 / u32_at(descriptor, 26 + 4 * rate);
                    modes.push(format!("{format} {size}@{fps}"));
                }
            }
            _ => {}
        }
    }
    assert_eq!(
        modes,
        [
            "MJPEG 1920x1080@30",
            "MJPEG 1280x720@60",
            "MJPEG 1280x720@30",
            "MJPEG 1024x768@60",
            "MJPEG 1024x768@30",
            "MJPEG 800x600@60",
            "MJPEG 800x600@30",
            "MJPEG 640x480@60",
            "MJPEG 640x480@30",
            "YUYV 1920x1080@5",
            "YUYV 1280x720@10",
            "YUYV 640x480@30",
        ]
    );
    let endpoint: &[u8] = &[7, 5, 0x81, 2, 0x00, 0x02, 0];
    assert_eq!(all.last(), Some(&endpoint));
}

#[test]
fn a_proposal_is_answered_with_the_nearest_mode_and_taken() {
    let (dongle, mut host, _plugged) = plugged();
    for (format, size, interval, mode) in [
        (1, 1, 333_333, "MJPEG 1920x1080@30"),
        (1, 1, 10_000, "MJPEG 1920x1080@30"),
        (1, 2, 166_666, "MJPEG 1280x720@60"),
        (1, 2, 170_000, "MJPEG 1280x720@60"),
        (1, 2, 500_000, "MJPEG 1280x720@30"),
        (1, 2, 0, "MJPEG 1280x720@60"),
        (2, 3, 333_333, "YUYV 640x480@30"),
        (2, 4, 333_333, "YUYV 1920x1080@5"), // There is no such size.
        (3, 1, 333_333, "MJPEG 1920x1080@30"), // Nor such a format.
        (0, 0, 0, "MJPEG 1920x1080@30"),
    ] {
        let offer = host.probe(format, size, interval);
        assert_eq!(dongle.status().streaming, None, "not yet");
        host.tell(COMMIT.set(), &offer).unwrap();
        assert_eq!(host.ask(COMMIT.get(), 26).unwrap(), offer);
        let status = dongle.status();
        let got = status.streaming.expect("a stream");
        assert_eq!(got.to_string(), mode, "{format} {size} {interval}");
        assert_eq!(u32_at(&offer, 4), 10_000_000 / got.fps);
        assert_eq!(u32_at(&offer, 18) as usize, got.size.area() * 2);
        assert_eq!(u32_at(&offer, 22) as usize, host::LARGEST_PAYLOAD);
        host.stop();
    }
}

#[test]
fn a_choice_can_be_asked_about() {
    let (_dongle, mut host, _plugged) = plugged();
    let first = host.ask(PROBE.get(), 26).unwrap();
    let other = host.probe(2, 2, 0);
    assert_eq!(first[2..4], [1, 1]);
    assert_eq!(other[2..4], [2, 2]);
    let mut read = |request| host.ask(PROBE.read(request), 26);
    assert_eq!(read(0x82).as_ref(), Some(&other)); // GET_MIN
    assert_eq!(read(0x83).as_ref(), Some(&other)); // GET_MAX
    assert_eq!(read(0x85).unwrap(), [26, 0]); // GET_LEN
    assert_eq!(read(0x86).unwrap(), [3]); // GET_INFO
    assert_eq!(read(0x87).as_ref(), Some(&first)); // GET_DEF
    assert_eq!(host.ask(PROBE.read(0x84), 26), None); // GET_RES
    assert_eq!(host.tell(PROBE.set(), &[1, 0, 1, 1]), None, "too short");
}

#[test]
fn the_picture_controls_turn() {
    let dongle = Dongle::new();
    let (mut host, cable) = Host::with(&dongle);
    let value = |bytes: Vec<u8>| u16_at(&bytes, 0).cast_signed();
    for (selector, range, default) in [
        (2, [-128, 127], -11),
        (3, [0, 255], 148),
        (6, [-128, 127], 0),
        (7, [0, 255], 180),
    ] {
        let knob = knob(selector);
        let got = (0x81..=0x87).map(|request| host.ask(knob.read(request), 2).unwrap());
        let [now, least, most, step, length, info, first] =
            got.collect::<Vec<_>>().try_into().expect("seven");
        assert_eq!([value(now), value(first)], [default; 2]);
        assert_eq!([value(least), value(most)], range);
        assert_eq!((value(step), value(length), info), (1, 2, vec![3]));

        host.tell(knob.set(), &5_i16.to_le_bytes()).unwrap();
        assert_eq!(value(host.ask(knob.get(), 2).unwrap()), 5);
        let beyond = (range[1] + 1).to_le_bytes();
        assert_eq!(host.tell(knob.set(), &beyond), None);
        assert_eq!(value(host.ask(knob.get(), 2).unwrap()), 5);
    }
    drop(cable);
    let (mut host, _plugged) = Host::with(&dongle);
    let contrast = host.ask(knob(3).get(), 2).unwrap();
    assert_eq!(value(contrast), 148, "it starts anew with each cable");
}

fn knob(selector: u8) -> Control {
    Control {
        interface: 0,
        entity: 2,
        selector,
    }
}

#[test]
fn a_refusal_is_explained() {
    let (_dongle, mut host, _plugged) = plugged();
    let why = Control {
        interface: 0,
        entity: 0,
        selector: 2,
    };
    let why = |host: &mut Host| host.ask(why.get(), 1).unwrap()[0];
    assert_eq!(why(&mut host), 0);
    assert_eq!(host.ask(knob(9).get(), 2), None);
    assert_eq!(why(&mut host), 6, "no such control");
    assert_eq!(host.ask(knob(2).read(0x99), 2), None);
    assert_eq!(why(&mut host), 7, "no such request");
    assert_eq!(host.tell(knob(2).set(), &300_i16.to_le_bytes()), None);
    assert_eq!(why(&mut host), 4, "out of range");
    assert!(host.ask(knob(2).get(), 2).is_some());
    assert_eq!(why(&mut host), 0);
    let vendors = Request {
        request_type: 0xc0,
        ..knob(2).get()
    };
    assert_eq!(host.ask(vendors, 2), None);
}

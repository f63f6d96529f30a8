//! Checks 28, 29, 41, 46, 49 and 67: messages that no decent client sends.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use rfb::geom::{Rect, Size};
use rfb::testing::client::{
    EXTENDED_CLIPBOARD, Message, cut_text as cut_text_message, extended_clipboard, fence, key,
    request, set_desktop_size, set_encodings,
};

use crate::{
    attack::{Attack, Noise},
    screen::SIZE,
    viewer::Viewer,
};

/// What the server may have taken at most meanwhile, in KiB, the good client's pictures and all. The messages together
/// are more.
pub(super) const MEANWHILE: u64 = 40 * 1024;

/// Ends their own connection and says nothing more.
fn closes(attack: &Attack<'_>, bytes: &[u8]) {
    let mut client = attack.client();
    // It may hang up before it has been told everything.
    let _ = client.socket.0.write_all(bytes);
    let rest = client.socket.read_to_close();
    assert!(rest.is_empty(), "{bytes:02x?}: {rest:?}");
}

/// Reads on in step: the whole picture comes.
fn goes_on(client: &mut Viewer) {
    client.request(false);
    while !matches!(&client.next(), Message::Update(rects) if rects.iter().any(|r| r.encoding == 0))
    {
    }
}

/// What every server has to know, and what this one passes over or offers.
const KNOWN: &[u8] = &[0, 2, 3, 4, 5, 6, 8, 9, 10, 15, 150, 248, 250, 251, 255];

pub fn unknown(attack: &Attack<'_>) {
    for kind in (0..=255).filter(|kind| !KNOWN.contains(kind)) {
        closes(attack, &[kind, 0, 0, 0]);
    }
    // Of QEMU's messages only keys are known.
    for kind in 1..=255 {
        closes(attack, &[255, kind, 0, 0]);
    }
}

pub fn encodings(attack: &Attack<'_>) {
    let mut client = attack.client();
    let peak = attack.usage().peak_kib;
    let mut noise = Noise::new(29);
    for _ in 0..200 {
        let all: Vec<i32> = (0..65535)
            .map(|_| noise.below(1 << 30) as i32 + 100_000)
            .collect();
        client.send(&set_encodings(&all));
    }
    client.send(&set_encodings(&[0; 65535]));
    client.send(&set_encodings(&[]));
    goes_on(&mut client);
    // Only what was not seen before is kept of a list, and one message is no longer than 256 KiB.
    let grown = attack.usage().peak_kib - peak;
    assert!(grown < MEANWHILE, "{grown} KiB");
}

/// SetPixelFormat.
fn pixel_format(
    bits: u8,
    depth: u8,
    flags: [u8; 2],
    max: [u16; 3],
    shift: [u8; 3],
    padding: u8,
) -> Vec<u8> {
    let mut out = vec![
        0, padding, padding, padding, bits, depth, flags[0], flags[1],
    ];
    out.extend(max.iter().flat_map(|max| max.to_be_bytes()));
    out.extend(shift);
    out.extend([padding; 3]);
    out
}

pub fn pixel_formats(attack: &Attack<'_>) {
    const TRUE: [u8; 2] = [0, 1];
    const EIGHT: [u16; 3] = [255; 3];
    const RGB: [u8; 3] = [16, 8, 0];
    for bits in (0..=255).filter(|bits| ![8, 16, 32].contains(bits)) {
        closes(attack, &pixel_format(bits, 24, TRUE, EIGHT, RGB, 0));
    }
    for (max, shift) in [
        ([0; 3], RGB),
        (EIGHT, [40, 8, 0]),
        (EIGHT, [255; 3]),
        ([65535; 3], [16, 8, 0]),
        ([0, 255, 255], RGB),
    ] {
        closes(attack, &pixel_format(32, 24, TRUE, max, shift, 0));
    }
    closes(attack, &[0; 20]);
    for (flags, padding) in [([0, 255], 0), ([0, 1], 0xaa), ([0, 255], 255)] {
        let mut client = attack.client();
        client.send(&pixel_format(32, 24, flags, EIGHT, RGB, padding));
        goes_on(&mut client);
    }
}

pub fn fences(attack: &Attack<'_>) {
    let mut client = attack.client();
    client.encodings(&[0, -312]);
    for length in 0..=255 {
        let data = vec![length; usize::from(length)];
        client.send(&fence(0xffff_ffff, &data));
        // The answer to what comes behind it shows that it was read to its end.
        client.request(false);
        let mut answers = Vec::new();
        loop {
            match client.next() {
                Message::Update(_) => break,
                // The server's own ask, and need no answer.
                Message::Fence { flags, .. } if flags >> 31 == 1 => {}
                other => answers.push(other),
            }
        }
        match &answers[..] {
            [Message::Fence { flags, data: echo }] if length <= 64 => {
                assert_eq!(*echo, data);
                assert_eq!(flags >> 31, 0, "an answer is no request");
            }
            [] if length > 64 => {}
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

pub fn desktop_sizes(attack: &Attack<'_>) {
    let mut client = attack.client();
    client.encodings(&[0, -308]);
    // It is told the layout behind the first picture.
    client.request(false);
    while !matches!(&client.next(), Message::Update(rects) if rects[0].encoding == -308) {
        client.request(true);
    }
    let overlapping = {
        let mut bytes = set_desktop_size(Size::new(800, 600), 2);
        bytes[28] = 7;
        bytes
    };
    let mut outside = set_desktop_size(Size::new(800, 600), 1);
    outside[12..20].fill(0xff);
    for message in [
        set_desktop_size(Size::new(800, 600), 1),
        set_desktop_size(Size::new(800, 600), 0),
        set_desktop_size(Size::new(800, 600), 255),
        set_desktop_size(Size::new(0, 0), 1),
        set_desktop_size(Size::new(65535, 65535), 255),
        set_desktop_size(SIZE, 1),
        overlapping,
        outside,
    ] {
        for _ in 0..20 {
            client.send(&message);
            let answer = loop {
                let Message::Update(rects) = client.next() else {
                    continue;
                };
                if let Some(rect) = rects.into_iter().find(|rect| rect.encoding == -308) {
                    break rect;
                }
            };
            let Rect {
                x,
                y,
                width,
                height,
            } = answer.rect;
            assert_eq!(x, 1, "it answers this client");
            assert!((1..=3).contains(&y), "status {y}");
            assert_eq!((width, height), (SIZE.width, SIZE.height));
        }
    }
}

/// CutText with a length that is told and as many bytes behind it as there are.
fn told(length: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![6, 0, 0, 0];
    out.extend(length.to_be_bytes());
    out.extend_from_slice(body);
    out
}

pub fn cut_text(attack: &Attack<'_>) {
    for length in [
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        (1 << 20) + 1,
        (1u32 << 21).wrapping_neg(),
    ] {
        closes(attack, &told(length, &[b'x'; 4096]));
    }
    let mut client = attack.client();
    let peak = attack.usage().peak_kib;
    for length in [0, 1, 256 << 10, (256 << 10) + 1, 300 << 10, 1 << 20] {
        let text = vec![b'x'; length];
        for _ in 0..60 {
            client.send(&cut_text_message(&text));
        }
        goes_on(&mut client);
    }
    let grown = attack.usage().peak_kib - peak;
    assert!(grown < MEANWHILE, "{grown} KiB");
    // Extended messages that nobody offered are passed over, however short.
    for length in 1..=8u32 {
        client.send(&told(length.wrapping_neg(), &vec![0xff; length as usize]));
    }
    goes_on(&mut client);
}

const NOTIFY: u32 = 1 << 27 | 1;
const PROVIDE: u32 = 1 << 28 | 1;

pub fn clipboard_bombs(attack: &Attack<'_>) {
    let offered = || {
        let mut client = attack.client();
        client.encodings(&[0, EXTENDED_CLIPBOARD]);
        while !matches!(client.next(), Message::Clipboard { .. }) {}
        client
    };
    // Too short, with sizes that are missing, with streams that are none or end too soon: either is an answer.
    let mut noise = Noise::new(67);
    let mut odd: Vec<Vec<u8>> = (0..4)
        .map(|n: u32| told(n.wrapping_neg(), &vec![0; n as usize]))
        .collect();
    for flags in [
        1 << 24 | 0xffff,
        PROVIDE,
        PROVIDE | 0xfffe,
        NOTIFY | 0xffff,
        0xffff_ffff,
        0,
    ] {
        for length in [0, 1, 4, 100] {
            odd.push(extended_clipboard(flags, &noise.bytes(length)));
        }
    }
    odd.push(extended_clipboard(PROVIDE, &deflated(&[])));
    odd.push(extended_clipboard(PROVIDE, &deflated(&[0, 0, 4, 0, b'x'])));
    odd.push(extended_clipboard(PROVIDE, &deflated(&[0xff; 8])));
    for message in &odd {
        let mut client = offered();
        client.send(message);
        client.send(&request(false, SIZE.rect()));
        let _ = client.socket.0.shutdown(std::net::Shutdown::Write);
        client.socket.read_to_close();
    }

    // A thousand times as large when it is inflated, unasked and asked for.
    let peak = attack.usage().peak_kib;
    let zeros = vec![0; 128 << 20];
    let bombs = [
        deflated(&[&[0x08, 0, 0, 0], &zeros[..]].concat()),
        deflated(&[&[0, 0x10, 0, 0], &zeros[..]].concat()),
    ];
    for bomb in bombs {
        assert!(
            bomb.len() < 256 << 10,
            "it fits into one message: {}",
            bomb.len()
        );
        let mut client = offered();
        client.send(&extended_clipboard(PROVIDE, &bomb));
        goes_on(&mut client);
        client.send(&extended_clipboard(NOTIFY, &[]));
        const RIGHT_CONTROL: u32 = 0xffe4;
        for keysym in [RIGHT_CONTROL, RIGHT_CONTROL, 'v'.into()] {
            client.send(&[key(true, keysym), key(false, keysym)].concat());
        }
        while !matches!(client.next(), Message::Clipboard { .. }) {}
        client.send(&extended_clipboard(PROVIDE, &bomb));
        client.send(&key(true, 0xff1b));
        client.send(&key(false, 0xff1b));
        goes_on(&mut client);
    }
    // A text of 1 MiB at most is inflated, and some copies are made of it.
    let grown = attack.usage().peak_kib - peak;
    assert!(grown < MEANWHILE, "{grown} KiB");
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::best());
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

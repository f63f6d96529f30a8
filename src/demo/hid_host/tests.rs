use proptest::prelude::*;

use super::*;

/// A mouse in the shape that PiKVM declares: buttons, absolute X and Y, wheel, AC Pan.
pub(crate) const ABSOLUTE: &[u8] = &[
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x05, 0x09, 0x19, 0x01, 0x29, 0x08, 0x15, 0x00, 0x25, 0x01,
    0x95, 0x08, 0x75, 0x01, 0x81, 0x02, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x16, 0x00, 0x00, 0x26,
    0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08,
    0x95, 0x01, 0x81, 0x06, 0x05, 0x0c, 0x0a, 0x38, 0x02, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95,
    0x01, 0x81, 0x06, 0xc0,
];

/// The boot keyboard of HID 1.11, appendix E.6, with all key codes.
pub(crate) const KEYBOARD: &[u8] = &[
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01,
    0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01,
    0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06,
    0x75, 0x08, 0x15, 0x00, 0x25, 0xff, 0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, 0xc0,
];

pub(crate) const RELATIVE: &[u8] = &[
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19, 0x01, 0x29, 0x05,
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x03,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03,
    0x81, 0x06, 0x05, 0x0c, 0x0a, 0x38, 0x02, 0x95, 0x01, 0x81, 0x06, 0xc0, 0xc0,
];

pub(crate) const CONSUMER: &[u8] = &[
    0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x03, 0x19, 0x00, 0x2a, 0xff, 0x03,
    0x75, 0x10, 0x95, 0x01, 0x81, 0x00, 0xc0,
];

fn parse(bytes: &[u8]) -> ReportDescriptor {
    ReportDescriptor::parse(bytes).unwrap()
}

/// Usage page, usage and value of everything in a report.
fn read(descriptor: &[u8], report: &[u8]) -> Vec<(u16, u16, i32)> {
    let reading = parse(descriptor).read(report).unwrap();
    let values = reading.values.iter();
    values
        .map(|v| (v.usage.page(), v.usage.id(), v.value))
        .collect()
}

#[test]
fn a_keyboard_report_lists_modifiers_and_keys() {
    let down: Vec<_> = read(KEYBOARD, &[0x22, 0, 0x04, 0, 0xff, 0, 0, 0x1d])
        .into_iter()
        .filter(|(_, id, value)| *value == 1 && *id != 0)
        .collect();
    assert_eq!(
        down,
        [
            (7, 0xe1, 1),
            (7, 0xe5, 1),
            (7, 0x04, 1),
            (7, 0xff, 1),
            (7, 0x1d, 1)
        ]
    );
    let leds = parse(KEYBOARD).output(|usage| [1, 3].contains(&usage.id()) && usage.page() == 8);
    assert_eq!(leds, [0b101]);
    assert_eq!(parse(KEYBOARD).input_length(0), 8);
}

#[test]
fn absolute_values_are_unsigned_and_wheels_signed() {
    let values = read(ABSOLUTE, &[0x81, 0xff, 0x7f, 0x00, 0x01, 0xff, 0x81]);
    assert_eq!(values[0], (9, 1, 1));
    assert_eq!(values[7], (9, 8, 1));
    assert_eq!(
        values[8..],
        [
            (1, 0x30, 32767),
            (1, 0x31, 256),
            (1, 0x38, -1),
            (12, 0x238, -127)
        ]
    );
    // 0x8000 lies above the logical maximum and 0x80 (-128) below the minimum: null values.
    let values = read(ABSOLUTE, &[0, 0x00, 0x80, 0, 0, 0x80, 0]);
    assert_eq!(values[8..], [(1, 0x31, 0), (12, 0x238, 0)]);
}

#[test]
fn relative_moves_and_sixteen_bit_arrays() {
    let values = read(RELATIVE, &[0b10001, 0x81, 0x7f, 1, 0xff]);
    assert_eq!(
        values[5..],
        [
            (1, 0x30, -127),
            (1, 0x31, 127),
            (1, 0x38, 1),
            (12, 0x238, -1)
        ]
    );
    let reading = parse(RELATIVE).read(&[0; 5]).unwrap();
    assert_eq!(reading.values.iter().filter(|v| v.relative).count(), 4);
    assert_eq!(read(CONSUMER, &[0xe9, 0x00]), [(12, 0xe9, 1)]);
    assert_eq!(read(CONSUMER, &[0x00, 0x04]), []);
}

#[test]
fn report_ids_padding_push_pop_and_extended_usages() {
    let descriptor = [
        0x05, 0x01, // page of what is pushed
        0xa4, 0x05, 0x09, 0x85, 0x02, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
        0x95, 0x03, 0x81, 0x02, 0x75, 0x05, 0x95, 0x01, 0x81, 0x03,
        0xb4, // three buttons, Pop
        0x85, 0x07, 0x17, 0x00, 0xff, 0xff, 0xff, 0x27, 0xff, 0x00, 0x00, 0x00, 0x75, 0x0c, 0x95,
        0x01, 0x0b, 0x38, 0x02, 0x0c, 0x00, 0x81, 0x06, 0x75, 0x04, 0x81,
        0x03, // 12-bit AC Pan
        0xfe, 0x02, 0x99, 0xaa, 0xbb, // a long item
    ];
    let parsed = parse(&descriptor);
    assert_eq!((parsed.input_length(2), parsed.input_length(7)), (2, 3));
    assert_eq!(
        read(&descriptor, &[2, 0b1111_1101])[..],
        [(9, 1, 1), (9, 2, 0), (9, 3, 1)]
    );
    assert_eq!(read(&descriptor, &[7, 0xfe, 0xff]), [(12, 0x238, -2)]);
    assert_eq!(parsed.read(&[9, 0]), Err(ReportError::UnknownId(9)));
    assert_eq!(parsed.read(&[]), Err(ReportError::UnknownId(0)));
}

#[test]
fn a_report_of_the_wrong_length_is_refused() {
    let expected = 8;
    for got in [0, 1, 7, 9, 64] {
        assert_eq!(
            parse(KEYBOARD).read(&vec![0; got]),
            Err(ReportError::Length { got, expected })
        );
    }
}

#[test]
fn truncated_descriptors_are_errors() {
    for whole in [KEYBOARD, ABSOLUTE, RELATIVE, CONSUMER] {
        for length in 0..whole.len() {
            assert!(
                ReportDescriptor::parse(&whole[..length]).is_err(),
                "{length}"
            );
        }
    }
}

#[test]
fn what_no_host_accepts_is_an_error() {
    for (descriptor, why) in [
        (&[0xc0][..], "not opened"),
        (&[0xb4], "Pop without Push"),
        (&[0x29, 0x01], "without Usage Minimum"),
        (&[0x85, 0x00], "1 to 255"),
        (&[0x0c], "reserved"),
        (&[0x15, 5, 0x25, 4, 0x75, 8, 0x95, 1, 0x81, 2], "above"),
        (
            &[0x19, 5, 0x29, 4, 0x25, 4, 0x75, 8, 0x95, 1, 0x81, 2],
            "above",
        ),
        (&[0x75, 33, 0x95, 1, 0x25, 1, 0x81, 2], "1 to 32"),
        (&[0x75, 0, 0x95, 1, 0x25, 1, 0x81, 2], "1 to 32"),
        (
            &[
                0x77, 0xff, 0xff, 0xff, 0xff, 0x97, 0xff, 0xff, 0xff, 0xff, 0x81, 3,
            ],
            "4096",
        ),
        (
            &[0x27, 0, 0, 0, 0x80, 0x75, 32, 0x95, 1, 0x81, 2],
            "31 bits",
        ),
        (
            &[0x75, 8, 0x95, 1, 0x81, 3, 0x85, 1, 0x81, 3],
            "some have none",
        ),
        (&[0xa1, 0x01], "inside a collection"),
    ] {
        let error = ReportDescriptor::parse(descriptor).unwrap_err().to_string();
        assert!(error.contains(why), "{descriptor:02x?}: {error}");
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(
        descriptor in prop::collection::vec(any::<u8>(), 0..80),
        report in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        if let Ok(parsed) = ReportDescriptor::parse(&descriptor) {
            let _ = parsed.read(&report);
            let _ = parsed.output(|_| true);
            for id in 0..=255 {
                let mut whole = vec![id; parsed.input_length(id)];
                whole.resize(parsed.input_length(id), 0xff);
                let _ = parsed.read(&whole);
            }
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(
        which in 0..4usize,
        at in 0..60usize,
        byte: u8,
        report in prop::collection::vec(any::<u8>(), 8),
    ) {
        let mut descriptor = [KEYBOARD, ABSOLUTE, RELATIVE, CONSUMER][which].to_vec();
        let at = at % descriptor.len();
        descriptor[at] = byte;
        if let Ok(parsed) = ReportDescriptor::parse(&descriptor) {
            for length in 0..=report.len() {
                let _ = parsed.read(&report[..length]);
            }
        }
    }
}

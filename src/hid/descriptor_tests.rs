//! Everything here is what an independent parser (the crate `hidreport`) makes of the descriptors.

use hidreport::{Field, FieldAttributes, Report as _, ReportDescriptor};

use super::*;
use crate::hid::{Report, keymap::Usage};

/// Every descriptor that any profile has.
const ALL: [(Function, &Descriptor); 7] = [
    (Function::Keyboard, &KEYBOARD),
    (Function::Absolute, &ABSOLUTE),
    (Function::Absolute, &ABSOLUTE_PLAIN),
    (Function::Relative, &RELATIVE),
    (Function::Relative, &RELATIVE_PLAIN),
    (Function::Relative, &BOOT_MOUSE),
    (Function::Consumer, &CONSUMER),
];

/// A field in one line: its bits, what it is, `page:usage` or a range of them, its logical range, and whether it is relative.
fn line(field: &Field) -> String {
    let bits = format!("{:?}", field.bits());
    let usage = |usage: &hidreport::Usage| {
        let (page, id) = (u16::from(usage.usage_page), u16::from(usage.usage_id));
        format!("{page:02x}:{id:02x}")
    };
    match field {
        Field::Constant(_) => format!("{bits} constant"),
        Field::Variable(field) => {
            let range = (
                i32::from(field.logical_minimum),
                i32::from(field.logical_maximum),
            );
            let kind = if field.is_relative() {
                "relative"
            } else {
                "absolute"
            };
            format!("{bits} {} {range:?} {kind}", usage(&field.usage))
        }
        Field::Array(field) => {
            let range = (
                i32::from(field.logical_minimum),
                i32::from(field.logical_maximum),
            );
            let usages = field.usages();
            let ends = [&usages[0], &usages[usages.len() - 1]].map(usage);
            format!(
                "{bits} array of {} {}-{} {range:?}",
                usize::from(field.report_count),
                ends[0],
                ends[1]
            )
        }
    }
}

fn parse(descriptor: &Descriptor) -> ReportDescriptor {
    ReportDescriptor::try_from(descriptor.report).unwrap()
}

/// The fields of the input report.
fn fields(descriptor: &Descriptor) -> Vec<String> {
    let parsed = parse(descriptor);
    let [report] = parsed.input_reports() else {
        panic!("one input report")
    };
    report.fields().iter().map(line).collect()
}

/// One-bit fields with consecutive usages.
fn bits(from: usize, page: u8, first: u8, count: u8) -> Vec<String> {
    (0..count)
        .map(|number| {
            let at = from + usize::from(number);
            format!(
                "{at}..{} {page:02x}:{:02x} (0, 1) absolute",
                at + 1,
                first + number
            )
        })
        .collect()
}

#[test]
fn every_descriptor_declares_one_report_of_its_length_without_an_id() {
    for (function, descriptor) in ALL {
        let parsed = parse(descriptor);
        let [report] = parsed.input_reports() else {
            panic!("{function}: one input report")
        };
        assert_eq!(report.report_id(), &None, "{function}");
        assert_eq!(report.size_in_bits(), descriptor.report_length * 8);
        assert!(function.takes(descriptor.report_length));
        assert!(parsed.feature_reports().is_empty());
        assert_eq!(
            parsed.output_reports().len(),
            usize::from(function == Function::Keyboard)
        );
    }
    for function in Function::ALL {
        let longest = function.descriptor().report_length;
        assert!(!function.takes(longest + 1) && !function.takes(1));
    }
}

#[test]
fn the_keyboard_is_the_boot_keyboard_and_admits_every_usage() {
    let mut expected = bits(0, 0x07, 0xe0, 8);
    expected.push("8..16 constant".to_owned());
    expected.push("16..64 array of 6 07:00-07:ff (0, 255)".to_owned());
    assert_eq!(fields(&KEYBOARD), expected);
    let parsed = parse(&KEYBOARD);
    let leds: Vec<_> = parsed.output_reports()[0]
        .fields()
        .iter()
        .map(line)
        .collect();
    let mut expected = bits(0, 0x08, 1, 5);
    expected.push("5..8 constant".to_owned());
    assert_eq!(leds, expected);
    assert_eq!((KEYBOARD.subclass, KEYBOARD.protocol), (1, 1));
}

#[test]
fn the_absolute_pointer_with_and_without_pan() {
    let mut expected = bits(0, 0x09, 1, 8);
    expected.push("8..24 01:30 (0, 32767) absolute".to_owned());
    expected.push("24..40 01:31 (0, 32767) absolute".to_owned());
    expected.push("40..48 01:38 (-127, 127) relative".to_owned());
    assert_eq!(fields(&ABSOLUTE_PLAIN), expected);
    expected.push("48..56 0c:238 (-127, 127) relative".to_owned());
    assert_eq!(fields(&ABSOLUTE), expected);
    for descriptor in [ABSOLUTE, ABSOLUTE_PLAIN] {
        assert_eq!((descriptor.subclass, descriptor.protocol), (0, 0));
    }
}

/// The first three bytes of each are the boot mouse's (HID 1.11, appendix B.2).
#[test]
fn the_relative_mouse_in_three_lengths() {
    let mut expected = bits(0, 0x09, 1, 8);
    for (number, usage) in ["01:30", "01:31", "01:38"].iter().enumerate() {
        let at = 8 + number * 8;
        expected.push(format!("{at}..{} {usage} (-127, 127) relative", at + 8));
    }
    assert_eq!(fields(&RELATIVE_PLAIN), expected);
    expected.push("32..40 0c:238 (-127, 127) relative".to_owned());
    assert_eq!(fields(&RELATIVE), expected);

    let mut expected = bits(0, 0x09, 1, 3);
    expected.push("3..8 constant".to_owned());
    expected.push("8..16 01:30 (-127, 127) relative".to_owned());
    expected.push("16..24 01:31 (-127, 127) relative".to_owned());
    assert_eq!(fields(&BOOT_MOUSE), expected);
    for descriptor in [RELATIVE, RELATIVE_PLAIN, BOOT_MOUSE] {
        assert_eq!((descriptor.subclass, descriptor.protocol), (1, 2));
    }
}

#[test]
fn the_consumer_keys() {
    assert_eq!(
        fields(&CONSUMER),
        ["0..16 array of 1 0c:00-0c:3ff (0, 1023)"]
    );
    assert_eq!((CONSUMER.subclass, CONSUMER.protocol), (0, 0));
}

/// Apple's recovery wants the pointer in a physical collection.
#[test]
fn collections_are_an_application_and_for_pointers_a_physical_one_in_it() {
    use hidreport::CollectionType::{Application, Physical};
    for (function, descriptor) in ALL {
        let parsed = parse(descriptor);
        let is_pointer = matches!(function, Function::Absolute | Function::Relative);
        let (wanted, usages): (&[_], &[u32]) = match function {
            Function::Keyboard => (&[Application], &[0x0001_0006]),
            Function::Consumer => (&[Application], &[0x000c_0001]),
            _ => (&[Application, Physical], &[0x0001_0002, 0x0001_0001]),
        };
        for field in parsed.input_reports()[0].fields() {
            if matches!(field, Field::Constant(_)) {
                continue;
            }
            let collections = field.collections();
            assert_eq!(collections.len(), if is_pointer { 2 } else { 1 });
            for ((collection, wanted), usage) in collections.iter().zip(wanted).zip(usages) {
                assert_eq!(collection.collection_type(), *wanted, "{function}");
                assert_eq!(u32::from(&collection.usages()[0]), *usage, "{function}");
            }
        }
    }
}

/// All values of a report, as the host reads it.
fn values(descriptor: &Descriptor, report: &[u8]) -> Vec<i32> {
    let parsed = parse(descriptor);
    let fields = parsed.input_reports()[0].fields();
    let values = fields.iter().flat_map(|field| match field {
        Field::Variable(field) => vec![i32::from(field.extract(report).unwrap())],
        Field::Array(field) => {
            let values = field.extract(report).unwrap();
            values.iter().map(i32::from).collect()
        }
        Field::Constant(_) => Vec::new(),
    });
    values.collect()
}

#[test]
fn what_a_report_says_is_what_the_host_reads() {
    let keyboard = Report::keyboard(0b1000_0010, &[Usage(0x04), Usage(0x94)]);
    assert_eq!(
        values(&KEYBOARD, keyboard.bytes()),
        [0, 1, 0, 0, 0, 0, 0, 1, 0x04, 0x94, 0, 0, 0, 0]
    );
    let buttons = [1, 0, 1, 0, 0, 0, 0, 0];
    let absolute = Report::absolute(0b101, 1, 32767, -1, 127);
    let read = values(&ABSOLUTE, absolute.bytes());
    assert_eq!(read, [&buttons[..], &[1, 32767, -1, 127]].concat());
    let read = values(&ABSOLUTE_PLAIN, &absolute.bytes()[..6]);
    assert_eq!(read, [&buttons[..], &[1, 32767, -1]].concat());

    let relative = Report::relative(0b101, -127, 127, 1, -1);
    let read = values(&RELATIVE, relative.bytes());
    assert_eq!(read, [&buttons[..], &[-127, 127, 1, -1]].concat());
    let read = values(&RELATIVE_PLAIN, &relative.bytes()[..4]);
    assert_eq!(read, [&buttons[..], &[-127, 127, 1]].concat());
    assert_eq!(
        values(&BOOT_MOUSE, &relative.bytes()[..3]),
        [1, 0, 1, -127, 127]
    );
    assert_eq!(values(&CONSUMER, Report::consumer(0x00e9).bytes()), [0xe9]);
}

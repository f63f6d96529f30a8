//! What the gadget's HID functions declare to the target.
//!
//! Byte by byte as the USB HID specification 1.11, section 6.2.2, encodes short items: one prefix byte
//! (tag, type, size), then up to four data bytes, little-endian. No function uses a report ID: firmware
//! reads a boot keyboard by its fixed 8 bytes and would take an ID for the modifiers.

use super::sink::Function;

/// One HID function as configfs and the USB interface descriptor need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// `bInterfaceSubClass`: 1 if the function can speak the boot protocol, else 0.
    pub subclass: u8,
    /// `bInterfaceProtocol`: 1 keyboard, 2 mouse, 0 none; says something only with subclass 1.
    pub protocol: u8,
    /// Bytes of an input report, no more and no less.
    pub report_length: usize,
    /// The report descriptor.
    pub report: &'static [u8],
}

impl Function {
    /// Every function, the keyboard first: some firmware looks at the first HID interface only.
    pub const ALL: [Function; 4] = [
        Function::Keyboard,
        Function::Absolute,
        Function::Relative,
        Function::Consumer,
    ];

    pub const fn descriptor(self) -> &'static Descriptor {
        match self {
            Function::Keyboard => &KEYBOARD,
            Function::Absolute => &ABSOLUTE,
            Function::Relative => &RELATIVE,
            Function::Consumer => &CONSUMER,
        }
    }

    /// As logs, records and configfs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Function::Keyboard => "keyboard",
            Function::Absolute => "absolute",
            Function::Relative => "relative",
            Function::Consumer => "consumer",
        }
    }
}

impl std::fmt::Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Largest coordinate of the absolute pointer. Not more: some hosts read the field as signed.
pub const ABSOLUTE_MAX: u16 = 32767;

/// In: modifiers, a reserved byte, six usages. Out: one byte of LEDs.
pub const KEYBOARD: Descriptor = Descriptor {
    subclass: 1,
    protocol: 1,
    report_length: 8,
    report: KEYBOARD_REPORT,
};

/// In: buttons, X and Y as u16 little-endian in 0..=[`ABSOLUTE_MAX`], wheel i8 (up is positive), AC Pan i8
/// (right is positive). No boot protocol: a boot mouse is relative.
pub const ABSOLUTE: Descriptor = Descriptor {
    subclass: 0,
    protocol: 0,
    report_length: 7,
    report: ABSOLUTE_REPORT,
};

/// In: buttons, dx i8, dy i8, wheel i8, AC Pan i8; the first three bytes are the boot mouse's.
pub const RELATIVE: Descriptor = Descriptor {
    subclass: 1,
    protocol: 2,
    report_length: 5,
    report: RELATIVE_REPORT,
};

/// In: one consumer usage as u16 little-endian, 0 for none.
pub const CONSUMER: Descriptor = Descriptor {
    subclass: 0,
    protocol: 0,
    report_length: 2,
    report: CONSUMER_REPORT,
};

#[rustfmt::skip]
const KEYBOARD_REPORT: &[u8] = &[
    0x05, 0x01,       // Usage Page (Generic Desktop)
    0x09, 0x06,       // Usage (Keyboard)
    0xa1, 0x01,       // Collection (Application)
    0x05, 0x07,       //   Usage Page (Keyboard/Keypad)
    0x19, 0xe0,       //   Usage Minimum (Left Control)
    0x29, 0xe7,       //   Usage Maximum (Right GUI)
    0x15, 0x00,       //   Logical Minimum (0)
    0x25, 0x01,       //   Logical Maximum (1)
    0x75, 0x01,       //   Report Size (1)
    0x95, 0x08,       //   Report Count (8)
    0x81, 0x02,       //   Input (Data, Variable, Absolute): byte 0, the modifiers
    0x75, 0x08,       //   Report Size (8)
    0x95, 0x01,       //   Report Count (1)
    0x81, 0x03,       //   Input (Constant): byte 1, reserved
    0x05, 0x08,       //   Usage Page (LEDs)
    0x19, 0x01,       //   Usage Minimum (Num Lock)
    0x29, 0x05,       //   Usage Maximum (Kana)
    0x75, 0x01,       //   Report Size (1)
    0x95, 0x05,       //   Report Count (5)
    0x91, 0x02,       //   Output (Data, Variable, Absolute): Num, Caps, Scroll, Compose, Kana
    0x75, 0x03,       //   Report Size (3)
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x03,       //   Output (Constant): up to a whole byte
    0x05, 0x07,       //   Usage Page (Keyboard/Keypad)
    0x19, 0x00,       //   Usage Minimum (none)
    0x2a, 0xff, 0x00, //   Usage Maximum (255)
    0x15, 0x00,       //   Logical Minimum (0)
    0x26, 0xff, 0x00, //   Logical Maximum (255): two bytes, one would be read as -1; 101 would shut out
                      //   F13 and above and the keys of Japanese, Korean and Brazilian keyboards
    0x75, 0x08,       //   Report Size (8)
    0x95, 0x06,       //   Report Count (6)
    0x81, 0x00,       //   Input (Data, Array): bytes 2 to 7, the keys that are down
    0xc0,             // End Collection
];

#[rustfmt::skip]
const ABSOLUTE_REPORT: &[u8] = &[
    0x05, 0x01,       // Usage Page (Generic Desktop)
    0x09, 0x02,       // Usage (Mouse)
    0xa1, 0x01,       // Collection (Application)
    0x09, 0x01,       //   Usage (Pointer): some hosts want the pointer in a physical collection
    0xa1, 0x00,       //   Collection (Physical)
    0x05, 0x09,       //     Usage Page (Button)
    0x19, 0x01,       //     Usage Minimum (1, left)
    0x29, 0x08,       //     Usage Maximum (8)
    0x15, 0x00,       //     Logical Minimum (0)
    0x25, 0x01,       //     Logical Maximum (1)
    0x75, 0x01,       //     Report Size (1)
    0x95, 0x08,       //     Report Count (8)
    0x81, 0x02,       //     Input (Data, Variable, Absolute): byte 0, left, right, middle, back, forward
    0x05, 0x01,       //     Usage Page (Generic Desktop)
    0x09, 0x30,       //     Usage (X)
    0x09, 0x31,       //     Usage (Y)
    0x15, 0x00,       //     Logical Minimum (0)
    0x26, 0xff, 0x7f, //     Logical Maximum (32767)
    0x75, 0x10,       //     Report Size (16)
    0x95, 0x02,       //     Report Count (2)
    0x81, 0x02,       //     Input (Data, Variable, Absolute): bytes 1 to 4
    0x09, 0x38,       //     Usage (Wheel)
    0x15, 0x81,       //     Logical Minimum (-127)
    0x25, 0x7f,       //     Logical Maximum (127)
    0x75, 0x08,       //     Report Size (8)
    0x95, 0x01,       //     Report Count (1)
    0x81, 0x06,       //     Input (Data, Variable, Relative): byte 5
    0x05, 0x0c,       //     Usage Page (Consumer)
    0x0a, 0x38, 0x02, //     Usage (AC Pan)
    0x81, 0x06,       //     Input (Data, Variable, Relative): byte 6
    0xc0,             //   End Collection
    0xc0,             // End Collection
];

#[rustfmt::skip]
const RELATIVE_REPORT: &[u8] = &[
    0x05, 0x01,       // Usage Page (Generic Desktop)
    0x09, 0x02,       // Usage (Mouse)
    0xa1, 0x01,       // Collection (Application)
    0x09, 0x01,       //   Usage (Pointer)
    0xa1, 0x00,       //   Collection (Physical)
    0x05, 0x09,       //     Usage Page (Button)
    0x19, 0x01,       //     Usage Minimum (1, left)
    0x29, 0x08,       //     Usage Maximum (8)
    0x15, 0x00,       //     Logical Minimum (0)
    0x25, 0x01,       //     Logical Maximum (1)
    0x75, 0x01,       //     Report Size (1)
    0x95, 0x08,       //     Report Count (8)
    0x81, 0x02,       //     Input (Data, Variable, Absolute): byte 0, left, right, middle, back, forward
    0x05, 0x01,       //     Usage Page (Generic Desktop)
    0x09, 0x30,       //     Usage (X)
    0x09, 0x31,       //     Usage (Y)
    0x09, 0x38,       //     Usage (Wheel)
    0x15, 0x81,       //     Logical Minimum (-127)
    0x25, 0x7f,       //     Logical Maximum (127)
    0x75, 0x08,       //     Report Size (8)
    0x95, 0x03,       //     Report Count (3)
    0x81, 0x06,       //     Input (Data, Variable, Relative): bytes 1 to 3
    0x05, 0x0c,       //     Usage Page (Consumer)
    0x0a, 0x38, 0x02, //     Usage (AC Pan)
    0x95, 0x01,       //     Report Count (1)
    0x81, 0x06,       //     Input (Data, Variable, Relative): byte 4
    0xc0,             //   End Collection
    0xc0,             // End Collection
];

#[rustfmt::skip]
const CONSUMER_REPORT: &[u8] = &[
    0x05, 0x0c,       // Usage Page (Consumer)
    0x09, 0x01,       // Usage (Consumer Control)
    0xa1, 0x01,       // Collection (Application)
    0x19, 0x00,       //   Usage Minimum (none)
    0x2a, 0xff, 0x03, //   Usage Maximum (0x3ff)
    0x15, 0x00,       //   Logical Minimum (0)
    0x26, 0xff, 0x03, //   Logical Maximum (0x3ff)
    0x75, 0x10,       //   Report Size (16)
    0x95, 0x01,       //   Report Count (1)
    0x81, 0x00,       //   Input (Data, Array): the usage that is down
    0xc0,             // End Collection
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks the short items and adds up what the input and output items take, in bits.
    fn report_bits(descriptor: &[u8]) -> (usize, usize, i32) {
        let (mut at, mut size, mut count, mut depth) = (0, 0, 0, 0);
        let (mut input, mut output) = (0, 0);
        while at < descriptor.len() {
            let prefix = descriptor[at];
            let length = [0, 1, 2, 4][usize::from(prefix & 3)];
            let data = &descriptor[at + 1..at + 1 + length];
            let value = data.iter().rev().fold(0, |v, b| v << 8 | usize::from(*b));
            match prefix & 0xfc {
                0x74 => size = value,
                0x94 => count = value,
                0x80 => input += size * count,
                0x90 => output += size * count,
                0xa0 => depth += 1,
                0xc0 => depth -= 1,
                0x84 => panic!("a report ID"),
                _ => {}
            }
            at += 1 + length;
        }
        (input, output, depth)
    }

    #[test]
    fn declared_bits_are_the_report_lengths() {
        for function in Function::ALL {
            let descriptor = function.descriptor();
            let (input, output, depth) = report_bits(descriptor.report);
            assert_eq!(input, descriptor.report_length * 8, "{function}");
            let leds = if function == Function::Keyboard { 8 } else { 0 };
            assert_eq!((output, depth), (leds, 0), "{function}");
        }
    }

    #[test]
    fn keyboard_admits_every_usage_and_is_a_boot_keyboard() {
        let has = |item: &[u8]| KEYBOARD.report.windows(item.len()).any(|w| w == item);
        assert!(has(&[0x26, 0xff, 0x00]) && has(&[0x2a, 0xff, 0x00]));
        assert_eq!((KEYBOARD.subclass, KEYBOARD.protocol), (1, 1));
        assert_eq!((RELATIVE.subclass, RELATIVE.protocol), (1, 2));
    }
}

//! What the gadget's HID functions declare to the target.
//!
//! Byte by byte as the USB HID specification 1.11, section 6.2.2, encodes short items: one prefix byte
//! (tag, type, size), then up to four data bytes, little-endian. No function uses a report ID: firmware
//! reads a boot keyboard by its fixed 8 bytes and would take an ID for the modifiers.
//!
//! A pointer comes in several lengths, for hosts that stumble over what they do not know. Each shorter one is the
//! beginning of the longest, so a report is made once and cut to what the function takes.

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

    /// The one with all that there is to say; others are shorter.
    pub const fn descriptor(self) -> &'static Descriptor {
        match self {
            Function::Keyboard => &KEYBOARD,
            Function::Absolute => &ABSOLUTE,
            Function::Relative => &RELATIVE,
            Function::Consumer => &CONSUMER,
        }
    }

    /// Whether the function may have reports of this many bytes: all of them, or those that are without AC Pan, or without
    /// AC Pan and wheel.
    pub const fn takes(self, report_length: usize) -> bool {
        let longest = self.descriptor().report_length;
        let shortest = match self {
            Function::Keyboard | Function::Consumer => longest,
            Function::Absolute | Function::Relative => longest - 2,
        };
        shortest <= report_length && report_length <= longest
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

/// [`ABSOLUTE`] without AC Pan, which some firmware and video recorders take for something else.
pub const ABSOLUTE_PLAIN: Descriptor = Descriptor {
    subclass: 0,
    protocol: 0,
    report_length: 6,
    report: ABSOLUTE_PLAIN_REPORT,
};

/// In: buttons, dx i8, dy i8, wheel i8, AC Pan i8; the first three bytes are the boot mouse's.
pub const RELATIVE: Descriptor = Descriptor {
    subclass: 1,
    protocol: 2,
    report_length: 5,
    report: RELATIVE_REPORT,
};

/// [`RELATIVE`] without AC Pan.
pub const RELATIVE_PLAIN: Descriptor = Descriptor {
    subclass: 1,
    protocol: 2,
    report_length: 4,
    report: RELATIVE_PLAIN_REPORT,
};

/// The boot mouse itself (HID 1.11, appendix B.2): three buttons, dx i8, dy i8. Firmware that reads three bytes into room
/// for three takes a fourth for an overrun.
pub const BOOT_MOUSE: Descriptor = Descriptor {
    subclass: 1,
    protocol: 2,
    report_length: 3,
    report: BOOT_MOUSE_REPORT,
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
const ABSOLUTE_PLAIN_REPORT: &[u8] = &[
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
const RELATIVE_PLAIN_REPORT: &[u8] = &[
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
    0xc0,             //   End Collection
    0xc0,             // End Collection
];

#[rustfmt::skip]
const BOOT_MOUSE_REPORT: &[u8] = &[
    0x05, 0x01,       // Usage Page (Generic Desktop)
    0x09, 0x02,       // Usage (Mouse)
    0xa1, 0x01,       // Collection (Application)
    0x09, 0x01,       //   Usage (Pointer)
    0xa1, 0x00,       //   Collection (Physical)
    0x05, 0x09,       //     Usage Page (Button)
    0x19, 0x01,       //     Usage Minimum (1, left)
    0x29, 0x03,       //     Usage Maximum (3, middle)
    0x15, 0x00,       //     Logical Minimum (0)
    0x25, 0x01,       //     Logical Maximum (1)
    0x75, 0x01,       //     Report Size (1)
    0x95, 0x03,       //     Report Count (3)
    0x81, 0x02,       //     Input (Data, Variable, Absolute): byte 0, left, right, middle
    0x75, 0x05,       //     Report Size (5)
    0x95, 0x01,       //     Report Count (1)
    0x81, 0x03,       //     Input (Constant): up to a whole byte; other buttons are not seen here
    0x05, 0x01,       //     Usage Page (Generic Desktop)
    0x09, 0x30,       //     Usage (X)
    0x09, 0x31,       //     Usage (Y)
    0x15, 0x81,       //     Logical Minimum (-127)
    0x25, 0x7f,       //     Logical Maximum (127)
    0x75, 0x08,       //     Report Size (8)
    0x95, 0x02,       //     Report Count (2)
    0x81, 0x06,       //     Input (Data, Variable, Relative): bytes 1 and 2
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
#[path = "descriptor_tests.rs"]
mod tests;

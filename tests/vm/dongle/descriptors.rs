//! What the dongle says of itself when it is plugged in: descriptors, and the modes that stand in them.
//!
//! Modelled on the MacroSilicon MS2109 found in most USB 2 dongles, with fewer modes and without its sound. Where
//! that has an isochronous endpoint this has a bulk one: the video driver takes both, the virtual host
//! controller carries this one much better.

use rfb::geom::Size;

use super::{Format, Mode};

/// Interface numbers.
pub(super) const CONTROL: u8 = 0;
pub(super) const STREAMING: u8 = 1;
/// The bulk endpoint.
pub(super) const ENDPOINT: u8 = 0x81;
/// The unit in the control interface that has brightness and the like.
pub(super) const PROCESSING_UNIT: u8 = 2;

/// A format's modes, grouped by size; both are counted from 1 in requests.
pub(super) struct Offer {
    pub(super) format: Format,
    pub(super) sizes: &'static [(Size, &'static [u32])],
}

const HD: Size = Size::new(1920, 1080);
const HD_READY: Size = Size::new(1280, 720);
const VGA: Size = Size::new(640, 480);

/// The first size of each is its default, as is the first rate of each size.
pub(super) const OFFERS: [Offer; 2] = [
    Offer {
        format: Format::Mjpeg,
        sizes: &[
            (HD, &[30]),
            (HD_READY, &[60, 30]),
            (Size::new(1024, 768), &[60, 30]),
            (Size::new(800, 600), &[60, 30]),
            (VGA, &[60, 30]),
        ],
    },
    // What USB 2 carries uncompressed.
    Offer {
        format: Format::Yuyv,
        sizes: &[(HD, &[5]), (HD_READY, &[10]), (VGA, &[30])],
    },
];

/// From one frame to the next, in units of 100 ns.
pub(super) const fn interval(fps: u32) -> u32 {
    10_000_000 / fps
}

impl Mode {
    /// Most bytes of a frame: those of an uncompressed one, also for a JPEG.
    pub(super) fn frame_bytes(self) -> u32 {
        frame_bytes(self.size)
    }
}

fn frame_bytes(size: Size) -> u32 {
    u32::from(size.width) * u32::from(size.height) * 2
}

// Descriptor types: USB 2.0, table 9-5; the class's own: UVC 1.0, appendix A.4.
pub(super) const DEVICE: u8 = 1;
pub(super) const CONFIGURATION: u8 = 2;
pub(super) const STRING: u8 = 3;
const INTERFACE: u8 = 4;
const ENDPOINT_TYPE: u8 = 5;
const INTERFACE_ASSOCIATION: u8 = 11;
const CS_INTERFACE: u8 = 0x24;

/// One descriptor: its length, its type, its fields.
fn descriptor(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let fields = fields.concat();
    let length = u8::try_from(fields.len() + 2).expect("a descriptor has at most 255 bytes");
    [&[length, kind], fields.as_slice()].concat()
}

/// A header that says how long it is together with what it heads: its fields before and after that length.
fn header(kind: u8, before: &[u8], after: &[u8], headed: Vec<u8>) -> Vec<u8> {
    let total = 2 + before.len() + 2 + after.len() + headed.len();
    let total = u16::try_from(total).expect("a configuration has less than 64 KiB");
    let header = descriptor(kind, &[before, &total.to_le_bytes(), after]);
    [header, headed].concat()
}

#[rustfmt::skip]
pub(super) fn device() -> Vec<u8> {
    descriptor(DEVICE, &[
        &[0x00, 0x02],       // bcdUSB: 2.0
        &[0xef, 0x02, 0x01], // class, subclass, protocol: as the interface association says
        &[64],               // bMaxPacketSize0
        &[0x4d, 0x53],       // idVendor 534d, MacroSilicon
        &[0x09, 0x21],       // idProduct 2109
        &[0x00, 0x21],       // bcdDevice: 21.00
        &[1, 2, 0],          // strings: manufacturer, product, no serial number
        &[1],                // bNumConfigurations
    ])
}

/// `None` if there is no such string.
pub(super) fn string(index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => return Some(descriptor(STRING, &[&[0x09, 0x04]])), // The languages: US English.
        1 => "MACROSILICON",
        2 => "USB Video",
        _ => return None,
    };
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Some(descriptor(STRING, &[&utf16]))
}

#[rustfmt::skip]
pub(super) fn configuration() -> Vec<u8> {
    let interfaces = [
        descriptor(INTERFACE_ASSOCIATION, &[
            &[CONTROL, 2],        // the first of two interfaces
            &[0x0e, 0x03, 0x00],  // video, interface collection
            &[2],                 // iFunction
        ]),
        descriptor(INTERFACE, &[
            &[CONTROL, 0],        // bInterfaceNumber, bAlternateSetting
            &[0],                 // bNumEndpoints: without the optional one for interrupts
            &[0x0e, 0x01, 0x00],  // video, control
            &[2],                 // iInterface
        ]),
        control_interface(),
        descriptor(INTERFACE, &[
            &[STREAMING, 0],      // one alternate setting, as befits a bulk endpoint
            &[1],                 // bNumEndpoints
            &[0x0e, 0x02, 0x00],  // video, streaming
            &[0],                 // iInterface
        ]),
        streaming_interface(),
        descriptor(ENDPOINT_TYPE, &[
            &[ENDPOINT],
            &[0x02],              // bmAttributes: bulk
            &[0x00, 0x02],        // wMaxPacketSize: 512, the only one at high speed
            &[0],                 // bInterval
        ]),
    ];
    let after = [
        2,    // bNumInterfaces
        1,    // bConfigurationValue
        0,    // iConfiguration
        0x80, // bmAttributes: powered by the bus
        250,  // bMaxPower: 500 mA
    ];
    header(CONFIGURATION, &[], &after, interfaces.concat())
}

/// Camera terminal 1 → processing unit 2 → output terminal 3 (UVC 1.0, section 3.7.2).
#[rustfmt::skip]
fn control_interface() -> Vec<u8> {
    let units = [
        descriptor(CS_INTERFACE, &[
            &[0x02, 1],           // VC_INPUT_TERMINAL, its number
            &[0x01, 0x02],        // wTerminalType: camera, which HDMI dongles claim to be
            &[0, 0],              // bAssocTerminal, iTerminal
            &[0; 6],              // focal lengths: none
            &[3, 0, 0, 0],        // three bytes of controls: none
        ]),
        descriptor(CS_INTERFACE, &[
            &[0x05, PROCESSING_UNIT, 1], // VC_PROCESSING_UNIT, its number, its source
            &[0, 0],              // wMaxMultiplier
            &[2, 0x0f, 0x00],     // two bytes of controls: brightness, contrast, hue, saturation
            &[0],                 // iProcessing
        ]),
        descriptor(CS_INTERFACE, &[
            &[0x03, 3],           // VC_OUTPUT_TERMINAL, its number
            &[0x01, 0x01],        // wTerminalType: streaming over USB
            &[0],                 // bAssocTerminal
            &[PROCESSING_UNIT],   // bSourceID
            &[0],                 // iTerminal
        ]),
    ];
    let before = [
        0x01,                     // VC_HEADER
        0x00, 0x01,               // bcdUVC: 1.00
    ];
    let mut after = Vec::from(48_000_000_u32.to_le_bytes()); // dwClockFrequency
    after.extend([1, STREAMING]); // one streaming interface
    header(CS_INTERFACE, &before, &after, units.concat())
}

#[rustfmt::skip]
fn streaming_interface() -> Vec<u8> {
    let before = [
        0x01,                     // VS_INPUT_HEADER
        2,                        // bNumFormats
    ];
    let after = [
        ENDPOINT,
        0,                        // bmInfo: the format does not change by itself
        3,                        // bTerminalLink: the output terminal
        0, 0, 0,                  // no still pictures, no trigger
        1, 0, 0,                  // one byte of controls for each format: none
    ];
    let formats = (1..).zip(&OFFERS).flat_map(|(index, offer)| format(index, offer));
    header(CS_INTERFACE, &before, &after, formats.collect())
}

#[rustfmt::skip]
fn format(index: u8, offer: &Offer) -> Vec<u8> {
    let sizes = u8::try_from(offer.sizes.len()).expect("a few sizes");
    let after = [
        1,                        // bDefaultFrameIndex
        0, 0,                     // aspect ratio: of interlaced pictures only
        0,                        // bmInterlaceFlags
        0,                        // bCopyProtect
    ];
    let (mut format, frame_kind) = match offer.format {
        Format::Mjpeg => (
            descriptor(CS_INTERFACE, &[
                &[0x06, index, sizes],  // VS_FORMAT_MJPEG
                &[0],             // bmFlags: samples vary in size
                &after,
            ]),
            0x07,                 // VS_FRAME_MJPEG
        ),
        Format::Yuyv => (
            descriptor(CS_INTERFACE, &[
                &[0x04, index, sizes],  // VS_FORMAT_UNCOMPRESSED
                b"YUY2\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", // guidFormat
                &[16],            // bBitsPerPixel
                &after,
            ]),
            0x05,                 // VS_FRAME_UNCOMPRESSED
        ),
    };
    for (index, (size, rates)) in (1..).zip(offer.sizes) {
        format.extend(frame(frame_kind, index, *size, rates));
    }
    format.extend(descriptor(CS_INTERFACE, &[
        &[0x0d],                  // VS_COLORFORMAT
        &[1, 1, 4],               // primaries and transfer of BT.709, matrix of BT.601
    ]));
    format
}

#[rustfmt::skip]
fn frame(kind: u8, index: u8, size: Size, rates: &[u32]) -> Vec<u8> {
    let bit_rate = |fps: Option<&u32>| frame_bytes(size) * 8 * fps.expect("a rate");
    let intervals: Vec<u8> = rates.iter().flat_map(|fps| interval(*fps).to_le_bytes()).collect();
    descriptor(CS_INTERFACE, &[
        &[kind, index],
        &[0],                     // bmCapabilities: no still pictures
        &size.width.to_le_bytes(),
        &size.height.to_le_bytes(),
        &bit_rate(rates.iter().min()).to_le_bytes(), // dwMinBitRate
        &bit_rate(rates.iter().max()).to_le_bytes(), // dwMaxBitRate
        &frame_bytes(size).to_le_bytes(), // dwMaxVideoFrameBufferSize
        &interval(rates[0]).to_le_bytes(), // dwDefaultFrameInterval
        &[u8::try_from(rates.len()).expect("a few rates")],
        &intervals,
    ])
}

//! The dongle's side of its control transfers: enumeration, the choice of a mode, the picture controls.
//!
//! A host proposes a mode (`PROBE`), is told the nearest there is, and settles on it (`COMMIT`), whereupon the
//! stream starts. A bulk stream has no stop of its own: the driver clears the endpoint's halt instead, as Windows
//! does. Sections are those of "USB Device Class Definition for Video Devices", revision 1.0.

use super::{
    Mode,
    descriptors::{
        self, CONFIGURATION, CONTROL, DEVICE, ENDPOINT, OFFERS, PROCESSING_UNIT, STREAMING, STRING,
        interval,
    },
    usbip::{Setup, Stall},
    video::PAYLOAD,
};

/// What is told of a request that was not served (section 4.2.1.2).
#[derive(Clone, Copy)]
enum Refusal {
    OutOfRange = 4,
    NoSuchControl = 6,
    NoSuchRequest = 7,
}

/// One plugged-in dongle as its control endpoint has it. Nothing here outlives the cable.
pub(super) struct Camera<F> {
    proposed: Choice,
    committed: Choice,
    /// In the order of [`KNOBS`].
    knobs: [i16; KNOBS.len()],
    refusal: Option<Refusal>,
    on_stream: F,
}

// Types of a request: to whom, and whether it is the standard's or the class's (USB 2.0, section 9.3.1).
const KIND: u8 = 0x60;
const STANDARD: u8 = 0x00;
const CLASS: u8 = 0x20;
const TO_ENDPOINT: u8 = 0x02;

// Standard requests (USB 2.0, table 9-4).
const GET_STATUS: u8 = 0;
const CLEAR_FEATURE: u8 = 1;
const GET_DESCRIPTOR: u8 = 6;
const GET_CONFIGURATION: u8 = 8;
const SET_CONFIGURATION: u8 = 9;
const GET_INTERFACE: u8 = 10;
const SET_INTERFACE: u8 = 11;

// The class's requests (appendix A.8).
const SET_CUR: u8 = 0x01;
const GET_CUR: u8 = 0x81;
const GET_MIN: u8 = 0x82;
const GET_MAX: u8 = 0x83;
const GET_RES: u8 = 0x84;
const GET_LEN: u8 = 0x85;
const GET_INFO: u8 = 0x86;
const GET_DEF: u8 = 0x87;

/// Whether a control can be read and set, both (table 4-3).
const GET_AND_SET: u8 = 0b11;

/// Selectors (appendix A.9).
const REQUEST_ERROR_CODE: u8 = 2;
const PROBE: u8 = 1;
const COMMIT: u8 = 2;

impl<F: FnMut(Option<Mode>)> Camera<F> {
    /// `on_stream` is told when the host starts a stream, with its mode, and when it ends one.
    pub(super) fn new(on_stream: F) -> Self {
        Self {
            proposed: Choice::DEFAULT,
            committed: Choice::DEFAULT,
            knobs: KNOBS.map(|knob| knob.default),
            refusal: None,
            on_stream,
        }
    }

    /// Answers a control transfer in which the host sent `data`.
    pub(super) fn control(&mut self, setup: Setup, data: &[u8]) -> Result<Vec<u8>, Stall> {
        match setup.request_type & KIND {
            STANDARD => self.standard(setup).ok_or(Stall),
            CLASS => self.class(setup, data),
            _ => Err(Stall),
        }
    }

    fn standard(&mut self, setup: Setup) -> Option<Vec<u8>> {
        let [index, _] = setup.index.to_le_bytes();
        match setup.request {
            GET_STATUS => Some(vec![0, 0]),
            GET_DESCRIPTOR => {
                let [number, kind] = setup.value.to_le_bytes();
                match kind {
                    DEVICE => Some(descriptors::device()),
                    CONFIGURATION => Some(descriptors::configuration()),
                    STRING => descriptors::string(number),
                    _ => None,
                }
            }
            GET_CONFIGURATION => Some(vec![1]),
            GET_INTERFACE => Some(vec![0]),
            CLEAR_FEATURE if setup.request_type == TO_ENDPOINT && index == ENDPOINT => self.stop(),
            SET_INTERFACE if index == STREAMING => self.stop(),
            SET_CONFIGURATION => self.stop(),
            SET_INTERFACE => Some(Vec::new()),
            _ => None,
        }
    }

    fn stop(&mut self) -> Option<Vec<u8>> {
        (self.on_stream)(None);
        Some(Vec::new())
    }

    fn class(&mut self, setup: Setup, data: &[u8]) -> Result<Vec<u8>, Stall> {
        let [interface, entity] = setup.index.to_le_bytes();
        let [_, selector] = setup.value.to_le_bytes();
        let answer = match (interface, entity, selector) {
            (CONTROL, 0, REQUEST_ERROR_CODE) if setup.request == GET_CUR => {
                return Ok(vec![self.refusal.map_or(0, |refusal| refusal as u8)]);
            }
            (STREAMING, 0, PROBE | COMMIT) => self.negotiate(selector, setup.request, data),
            (CONTROL, PROCESSING_UNIT, _) => self.turn(selector, setup.request, data),
            _ => Err(Refusal::NoSuchControl),
        };
        self.refusal = answer.as_ref().err().copied();
        answer.map_err(|_| Stall)
    }

    /// Section 4.3.1.1.
    fn negotiate(&mut self, selector: u8, request: u8, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        match request {
            SET_CUR => {
                self.proposed = Choice::nearest(data)?;
                if selector == COMMIT {
                    self.committed = self.proposed;
                    (self.on_stream)(Some(self.committed.mode()));
                }
                Ok(Vec::new())
            }
            GET_CUR if selector == COMMIT => Ok(self.committed.to_bytes()),
            // Nothing in a choice has a range of its own.
            GET_CUR | GET_MIN | GET_MAX => Ok(self.proposed.to_bytes()),
            GET_DEF => Ok(Choice::DEFAULT.to_bytes()),
            GET_LEN => Ok(vec![Choice::LENGTH, 0]),
            GET_INFO => Ok(vec![GET_AND_SET]),
            _ => Err(Refusal::NoSuchRequest),
        }
    }

    /// Section 4.2.2.3. The knobs turn, the picture stays as it is.
    fn turn(&mut self, selector: u8, request: u8, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let which = KNOBS.iter().position(|knob| knob.selector == selector);
        let which = which.ok_or(Refusal::NoSuchControl)?;
        let Knob {
            least,
            most,
            default,
            ..
        } = KNOBS[which];
        let value = match request {
            SET_CUR => {
                let value = data.try_into().map(i16::from_le_bytes);
                let value = value.map_err(|_| Refusal::OutOfRange)?;
                if !(least..=most).contains(&value) {
                    return Err(Refusal::OutOfRange);
                }
                self.knobs[which] = value;
                return Ok(Vec::new());
            }
            GET_INFO => return Ok(vec![GET_AND_SET]),
            GET_CUR => self.knobs[which],
            GET_MIN => least,
            GET_MAX => most,
            GET_RES => 1,
            GET_LEN => 2,
            GET_DEF => default,
            _ => return Err(Refusal::NoSuchRequest),
        };
        Ok(value.to_le_bytes().into())
    }
}

/// A mode as requests have it: numbers that stand in the descriptors.
#[derive(Clone, Copy)]
struct Choice {
    format: u8,
    size: u8,
    fps: u32,
}

impl Choice {
    const DEFAULT: Choice = Choice {
        format: 1,
        size: 1,
        fps: OFFERS[0].sizes[0].1[0],
    };

    /// Bytes of a choice in UVC 1.0.
    const LENGTH: u8 = 26;

    /// What comes nearest to a host's proposal: the first format and size if there are no such, a rate that is
    /// closest; the rest is not the host's to say.
    fn nearest(proposal: &[u8]) -> Result<Self, Refusal> {
        let &[_, _, format, size, a, b, c, d, ..] = proposal else {
            return Err(Refusal::OutOfRange);
        };
        let wished = u32::from_le_bytes([a, b, c, d]);
        let existing = |index: u8, count: usize| match usize::from(index) {
            it if (1..=count).contains(&it) => index,
            _ => 1,
        };
        let format = existing(format, OFFERS.len());
        let sizes = OFFERS[usize::from(format) - 1].sizes;
        let size = existing(size, sizes.len());
        let (_, rates) = sizes[usize::from(size) - 1];
        let fps = match wished {
            0 => rates[0],
            _ => *rates
                .iter()
                .min_by_key(|fps| interval(**fps).abs_diff(wished))
                .unwrap_or(&rates[0]),
        };
        Ok(Choice { format, size, fps })
    }

    fn mode(self) -> Mode {
        let offer = &OFFERS[usize::from(self.format) - 1];
        let (size, _) = offer.sizes[usize::from(self.size) - 1];
        Mode {
            format: offer.format,
            size,
            fps: self.fps,
        }
    }

    #[rustfmt::skip]
    fn to_bytes(self) -> Vec<u8> {
        [
            &[0, 0][..],                        // bmHint
            &[self.format, self.size],          // bFormatIndex, bFrameIndex
            &interval(self.fps).to_le_bytes(),  // dwFrameInterval
            &[0; 8],                            // key frames, quality, window: of other formats
            &32_u16.to_le_bytes(),              // wDelay, in ms
            &self.mode().frame_bytes().to_le_bytes(), // dwMaxVideoFrameSize
            &PAYLOAD.to_le_bytes(),             // dwMaxPayloadTransferSize
        ]
        .concat()
    }
}

/// A control of the processing unit (table 4-13 and those after it).
struct Knob {
    selector: u8,
    least: i16,
    most: i16,
    default: i16,
}

const fn knob(selector: u8, least: i16, most: i16, default: i16) -> Knob {
    Knob {
        selector,
        least,
        most,
        default,
    }
}

/// With the MS2109's defaults, which are not neutral.
const KNOBS: [Knob; 4] = [
    knob(2, -128, 127, -11), // Brightness.
    knob(3, 0, 255, 148),    // Contrast.
    knob(6, -128, 127, 0),   // Hue.
    knob(7, 0, 255, 180),    // Saturation.
];

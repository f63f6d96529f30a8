//! Where the parts of a captured JPEG lie (ITU-T T.81, Annex B).
//!
//! [`walk`] reads every marker up to the end of the picture and nothing of the coded data. It
//! never reads a byte twice but for a picture that starts inside another, so it ends on any input.

use memchr::memchr;
use rfb::geom::Size;

use crate::video::{BadPicture, checked_size};

/// How far into the captured bytes a picture may start.
pub const MAX_GARBAGE: usize = 64 * 1024;

/// How many samples of chroma there are for those of luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Luma only.
    Grey,
    S444,
    /// Half as many in a row.
    S422,
    /// Half as many in a row and half as many rows.
    S420,
    Other,
}

/// What the markers say. All positions are offsets into the walked bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Of the SOI marker.
    pub start: usize,
    /// Of the SOS marker.
    pub scan: usize,
    /// The first byte after the EOI marker.
    pub end: usize,
    pub size: Size,
    pub sampling: Sampling,
    /// Whether there is a DHT segment before the scan.
    pub has_huffman_tables: bool,
    /// Whether every decoder of baseline JPEG shows it in the same colours: SOF0, and Y, Cb, Cr
    /// (or Y alone).
    pub is_plain: bool,
}

/// Finds the picture in `bytes`.
///
/// Bytes before SOI (at most [`MAX_GARBAGE`]) and after EOI are left aside. If another picture
/// starts before the first one has ended, the first was cut short and the other one is walked.
pub fn walk(bytes: &[u8]) -> Result<Header, BadPicture> {
    let reach = &bytes[..bytes.len().min(MAX_GARBAGE)];
    let mut start = reach
        .windows(3)
        .position(|three| three == [0xff, SOI, 0xff])
        .ok_or(BadPicture::NoStart)?;
    loop {
        match walk_from(bytes, start)? {
            Walked::Whole(header) => return Ok(header),
            Walked::Interrupted(at) => start = at,
        }
    }
}

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

enum Walked {
    Whole(Header),
    /// Another SOI, at this offset.
    Interrupted(usize),
}

/// What has been read before the scan.
#[derive(Default)]
struct Seen {
    frame: Option<Frame>,
    quantisation: bool,
    huffman: bool,
    jfif: bool,
    adobe_transform: Option<u8>,
    restarts: bool,
}

struct Frame {
    baseline: bool,
    size: Size,
    components: usize,
    sampling: Sampling,
    /// Component numbers that spell R, G, B.
    named_rgb: bool,
}

fn walk_from(bytes: &[u8], start: usize) -> Result<Walked, BadPicture> {
    let mut seen = Seen::default();
    let mut at = start + 2;
    loop {
        let (marker, code) = next_marker(bytes, at)?;
        match code {
            SOI => return Ok(Walked::Interrupted(marker)),
            EOI => return Err(corrupt("it ends before its scan")),
            0x00..=0x01 | 0xd0..=0xd7 => return Err(corrupt("a marker is out of place")),
            _ => {}
        }
        let (segment, after) = segment(bytes, marker)?;
        if code != SOS {
            seen.take(code, segment)?;
            at = after;
            continue;
        }
        let frame = seen
            .frame
            .as_ref()
            .ok_or_else(|| corrupt("its scan comes before its header"))?;
        check_scan(segment, frame)?;
        if !seen.quantisation {
            return Err(corrupt("it has no quantisation table"));
        }
        return Ok(match scan_end(bytes, after, seen.restarts)? {
            ScanEnd::Interrupted(at) => Walked::Interrupted(at),
            ScanEnd::At(end) => Walked::Whole(Header {
                start,
                scan: marker,
                end,
                size: frame.size,
                sampling: frame.sampling,
                has_huffman_tables: seen.huffman,
                is_plain: frame.baseline && seen.is_ycbcr(frame),
            }),
        });
    }
}

/// The offset and the code of the marker at `at`, past fill bytes (B.1.1.2).
pub(super) fn next_marker(bytes: &[u8], at: usize) -> Result<(usize, u8), BadPicture> {
    match bytes.get(at) {
        None => return Err(BadPicture::Truncated),
        Some(0xff) => {}
        Some(_) => return Err(corrupt("a marker is missing")),
    }
    let rest = &bytes[at..];
    let fill = rest
        .iter()
        .position(|&byte| byte != 0xff)
        .ok_or(BadPicture::Truncated)?;
    Ok((at + fill - 1, rest[fill]))
}

/// What a segment holds after its length, and the offset of what follows it.
pub(super) fn segment(bytes: &[u8], marker: usize) -> Result<(&[u8], usize), BadPicture> {
    let length = bytes
        .get(marker + 2..marker + 4)
        .map(|two| usize::from(two[0]) << 8 | usize::from(two[1]))
        .ok_or(BadPicture::Truncated)?;
    if length < 2 {
        return Err(corrupt("a segment is shorter than its length"));
    }
    let after = marker + 2 + length;
    let held = bytes.get(marker + 4..after).ok_or(BadPicture::Truncated)?;
    Ok((held, after))
}

impl Seen {
    fn take(&mut self, code: u8, segment: &[u8]) -> Result<(), BadPicture> {
        match code {
            0xc4 => self.huffman = true,
            0xdb => self.quantisation = true,
            0xdd => self.restarts = segment.iter().any(|&byte| byte != 0),
            0xe0 => self.jfif |= segment.starts_with(b"JFIF\0"),
            0xee if segment.starts_with(b"Adobe") => {
                self.adobe_transform = segment.get(11).copied();
            }
            0xc0 | 0xc1 => {
                if self.frame.is_some() {
                    return Err(corrupt("it has two frame headers"));
                }
                self.frame = Some(frame(code == 0xc0, segment)?);
            }
            0xc2 => return Err(unsupported("progressive JPEG")),
            0xc3 => return Err(unsupported("lossless JPEG")),
            0xc5..=0xc7 => return Err(unsupported("hierarchical JPEG")),
            0xc8..=0xcf => return Err(unsupported("arithmetic coding")),
            0xdc => return Err(unsupported("a height given after the scan")),
            _ => {}
        }
        Ok(())
    }

    /// As libjpeg tells: JFIF says YCbCr, then Adobe's marker counts, then the components' names.
    fn is_ycbcr(&self, frame: &Frame) -> bool {
        frame.components == 1
            || self.jfif
            || match self.adobe_transform {
                Some(transform) => transform == 1,
                None => !frame.named_rgb,
            }
    }
}

/// A frame header (B.2.2): precision, height, width, then id, sampling and table per component.
fn frame(baseline: bool, segment: &[u8]) -> Result<Frame, BadPicture> {
    let &[precision, h1, h0, w1, w0, count, ref components @ ..] = segment else {
        return Err(corrupt("its frame header is too short"));
    };
    if precision != 8 {
        return Err(unsupported(&format!("JPEG of {precision} bits")));
    }
    let components = components.as_chunks::<3>();
    if components.0.len() != usize::from(count) || !components.1.is_empty() {
        return Err(corrupt("its frame header has the wrong length"));
    }
    let components = components.0;
    let factors = |[_, factors, _]: &[u8; 3]| (factors >> 4, factors & 15);
    let in_range = |(h, v): (u8, u8)| (1..=4).contains(&h) && (1..=4).contains(&v);
    if !components.iter().map(factors).all(in_range) {
        return Err(corrupt("its sampling factors are out of range"));
    }
    let sampling = match components {
        [_] => Sampling::Grey,
        [y, b, r] if (factors(b), factors(r)) == ((1, 1), (1, 1)) => match factors(y) {
            (1, 1) => Sampling::S444,
            (2, 1) => Sampling::S422,
            (2, 2) => Sampling::S420,
            _ => Sampling::Other,
        },
        [_, _, _] => Sampling::Other,
        _ => return Err(unsupported(&format!("JPEG of {count} colours"))),
    };
    Ok(Frame {
        baseline,
        size: checked_size(
            u32::from(w1) << 8 | u32::from(w0),
            u32::from(h1) << 8 | u32::from(h0),
        )?,
        components: components.len(),
        sampling,
        named_rgb: components.iter().map(|[id, ..]| *id).eq(*b"RGB"),
    })
}

/// A scan header (B.2.3) must be that of the only scan.
fn check_scan(segment: &[u8], frame: &Frame) -> Result<(), BadPicture> {
    let count = usize::from(
        *segment
            .first()
            .ok_or_else(|| corrupt("its scan header is empty"))?,
    );
    if segment.len() != count * 2 + 4 {
        return Err(corrupt("its scan header has the wrong length"));
    }
    if count != frame.components {
        return Err(unsupported("JPEG of several scans"));
    }
    match segment[count * 2 + 1..] {
        [0, 63, 0] => Ok(()),
        _ => Err(corrupt("its scan is not sequential")),
    }
}

enum ScanEnd {
    /// The offset after EOI.
    At(usize),
    /// The offset of an SOI.
    Interrupted(usize),
}

/// Goes through the coded data, in which 0xff is followed by 0 unless it starts a marker.
fn scan_end(bytes: &[u8], mut at: usize, restarts: bool) -> Result<ScanEnd, BadPicture> {
    let mut next_restart = 0xd0;
    loop {
        let rest = bytes.get(at..).ok_or(BadPicture::Truncated)?;
        let marker = at + memchr(0xff, rest).ok_or(BadPicture::Truncated)?;
        at = match *bytes.get(marker + 1).ok_or(BadPicture::Truncated)? {
            0x00 => marker + 2,
            0xff => marker + 1,
            code @ 0xd0..=0xd7 => {
                if !restarts || code != next_restart {
                    return Err(corrupt("a restart marker is missing or out of place"));
                }
                next_restart = 0xd0 | (code + 1) & 7;
                marker + 2
            }
            SOI => return Ok(ScanEnd::Interrupted(marker)),
            EOI => return Ok(ScanEnd::At(marker + 2)),
            0xdc => return Err(unsupported("a height given after the scan")),
            SOS | 0xc4 | 0xdb => return Err(unsupported("JPEG of several scans")),
            _ => return Err(corrupt("a marker is in its scan")),
        };
    }
}

fn corrupt(what: &str) -> BadPicture {
    BadPicture::Corrupt(what.to_owned())
}

fn unsupported(what: &str) -> BadPicture {
    BadPicture::Unsupported(what.to_owned())
}

//! What the server sends (RFC 6143 §7.6 and the extensions that rfbridge offers).

use super::client::XVP_VERSION;
use super::pseudo;
use crate::geom::{Point, Rect, Size};
use crate::pixel::PixelFormat;
use crate::wire::Put;

/// Fence flags (community rfbproto).
pub mod fence {
    pub const BLOCK_BEFORE: u32 = 1;
    pub const BLOCK_AFTER: u32 = 2;
    pub const SYNC_NEXT: u32 = 4;
    pub const REQUEST: u32 = 1 << 31;
}

/// Longest desktop name that every client takes (gtk-vnc closes above it).
pub const NAME_LIMIT: usize = 4096;

/// ServerInit: U16 width, U16 height, PIXEL_FORMAT, U32 length, name.
pub fn server_init(out: &mut Vec<u8>, size: Size, name: &str) {
    out.put_u16(size.width);
    out.put_u16(size.height);
    PixelFormat::BGRX.write(out);
    put_name(out, name);
}

/// FramebufferUpdate: type 0, padding, U16 number of rectangles, which follow.
pub fn framebuffer_update(out: &mut Vec<u8>, rectangles: u16) {
    out.put(&[0, 0]);
    out.put_u16(rectangles);
}

/// Header of a rectangle: U16 x, y, width, height, S32 encoding; its payload follows.
pub fn rectangle(out: &mut Vec<u8>, rect: Rect, encoding: i32) {
    for v in [rect.x, rect.y, rect.width, rect.height] {
        out.put_u16(v);
    }
    out.put_i32(encoding);
}

/// Why an ExtendedDesktopSize rectangle is sent (its x position).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeReason {
    Server = 0,
    ThisClient = 1,
}

/// Result of a SetDesktopSize (the y position of the rectangle).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeStatus {
    Done = 0,
    Prohibited = 1,
}

/// An ExtendedDesktopSize rectangle with the one screen there is: U8 count, 3 padding, then U32 id,
/// U16 x, y, width, height, U32 flags.
pub fn extended_desktop_size(
    out: &mut Vec<u8>,
    reason: ResizeReason,
    status: ResizeStatus,
    size: Size,
) {
    let rect = Rect::new(reason as u16, status as u16, size.width, size.height);
    rectangle(out, rect, pseudo::EXTENDED_DESKTOP_SIZE);
    out.put(&[1, 0, 0, 0]);
    out.put_u32(1);
    for v in [0, 0, size.width, size.height] {
        out.put_u16(v);
    }
    out.put_u32(0);
}

/// The number of the CopyRect encoding.
const COPY_RECT: i32 = 1;

/// A CopyRect rectangle (RFC 6143 §7.7.2): U16 x, U16 y of where `to` is copied from.
pub fn copy_rect(out: &mut Vec<u8>, to: Rect, from: Point) {
    rectangle(out, to, COPY_RECT);
    out.put_u16(from.x);
    out.put_u16(from.y);
}

/// A DesktopSize rectangle; it must be the last of its update.
pub fn desktop_size(out: &mut Vec<u8>, size: Size) {
    rectangle(out, size.rect(), pseudo::DESKTOP_SIZE);
}

/// A DesktopName rectangle: U32 length, name in UTF-8.
pub fn desktop_name(out: &mut Vec<u8>, name: &str) {
    rectangle(out, Rect::EMPTY, pseudo::DESKTOP_NAME);
    put_name(out, name);
}

/// Lock LEDs in the order of the QEMU and VMware LED state: bit 0 Scroll, 1 Num, 2 Caps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedState {
    pub scroll: bool,
    pub num: bool,
    pub caps: bool,
}

impl LedState {
    pub fn bits(self) -> u8 {
        u8::from(self.scroll) | u8::from(self.num) << 1 | u8::from(self.caps) << 2
    }
}

/// A QEMU LED State rectangle: U8 state.
pub fn led_state(out: &mut Vec<u8>, state: LedState) {
    rectangle(out, Rect::EMPTY, pseudo::LED_STATE);
    out.put_u8(state.bits());
}

/// A VMware LED State rectangle: U32 state.
pub fn vmware_led_state(out: &mut Vec<u8>, state: LedState) {
    rectangle(out, Rect::EMPTY, pseudo::VMWARE_LED_STATE);
    out.put_u32(u32::from(state.bits()));
}

/// SetColourMapEntries: type 1, padding, U16 first, U16 count, count × 3 × U16.
pub fn set_colour_map_entries(out: &mut Vec<u8>, entries: &[[u16; 3]]) {
    out.put(&[1, 0]);
    out.put_u16(0);
    out.put_u16(u16::try_from(entries.len()).unwrap_or(u16::MAX));
    for v in entries.iter().flatten() {
        out.put_u16(*v);
    }
}

/// EndOfContinuousUpdates: type 150.
pub fn end_of_continuous_updates(out: &mut Vec<u8>) {
    out.put_u8(150);
}

/// ServerFence: type 248, padding, U32 flags, U8 length, data.
pub fn server_fence(out: &mut Vec<u8>, flags: u32, data: &[u8]) {
    out.put(&[248, 0, 0, 0]);
    out.put_u32(flags);
    out.put_u8(u8::try_from(data.len()).unwrap_or(u8::MAX));
    out.put(data);
}

/// What the server says in xvp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Xvp {
    /// It was not done.
    Fail,
    /// Requests are taken.
    Init,
}

/// xvp Server Message (community rfbproto): type 250, padding, U8 version, U8 code.
pub fn xvp(out: &mut Vec<u8>, message: Xvp) {
    let code = match message {
        Xvp::Fail => 0,
        Xvp::Init => 1,
    };
    out.put(&[250, 0, XVP_VERSION, code]);
}

/// A reason: U32 length, text.
pub fn reason(out: &mut Vec<u8>, text: &str) {
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.put(text.as_bytes());
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    let end = (0..=name.len().min(NAME_LIMIT))
        .rev()
        .find(|&n| name.is_char_boundary(n));
    reason(out, name.get(..end.unwrap_or(0)).unwrap_or(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = "é".repeat(3000);
        let mut out = Vec::new();
        server_init(&mut out, Size::new(640, 480), &name);
        assert_eq!(out.len(), 4 + 16 + 4 + 4096);
        assert!(std::str::from_utf8(&out[24..]).is_ok());
    }

    #[test]
    fn led_bits_are_those_of_the_extension_not_of_hid() {
        let state = LedState {
            scroll: false,
            num: true,
            caps: true,
        };
        let mut out = Vec::new();
        led_state(&mut out, state);
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xfb, 6]);
    }
}

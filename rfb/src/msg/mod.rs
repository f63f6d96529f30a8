//! Messages: the numbers, what clients send, what the server sends.

pub mod client;
pub mod clipboard;
pub mod server;
pub mod version;

/// Numbers of the pseudo-encodings (RFC 6143 §7.8, community rfbproto); those of the encodings proper are in
/// [`crate::encoding`].
pub mod pseudo {
    pub const DESKTOP_SIZE: i32 = -223;
    pub const POINTER_MOTION_CHANGE: i32 = -257;
    pub const EXTENDED_KEY_EVENT: i32 = -258;
    pub const LED_STATE: i32 = -261;
    pub const DESKTOP_NAME: i32 = -307;
    pub const EXTENDED_DESKTOP_SIZE: i32 = -308;
    pub const XVP: i32 = -309;
    pub const FENCE: i32 = -312;
    pub const CONTINUOUS_UPDATES: i32 = -313;
    pub const EXTENDED_MOUSE_BUTTONS: i32 = -316;
    pub const VMWARE_LED_STATE: i32 = 0x574d_5668;
    pub const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();

    /// Quality level 0 to 9 is −32 to −23.
    pub const QUALITY: std::ops::RangeInclusive<i32> = -32..=-23;
    /// Compression level 0 to 9 is −256 to −247.
    pub const COMPRESSION: std::ops::RangeInclusive<i32> = -256..=-247;
    /// Fine-grained quality 0 to 100 is −512 to −412.
    pub const FINE_QUALITY: std::ops::RangeInclusive<i32> = -512..=-412;
    /// Chroma subsampling: 4:4:4, 4:2:0, 4:2:2, grey, 8×, 16× are −768 to −763.
    pub const SUBSAMPLING: std::ops::RangeInclusive<i32> = -768..=-763;
}

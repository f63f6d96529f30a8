//! What a connection tells its owner.

use super::{Clipboard, PowerRequest};
use crate::geom::{Point, Size};
use crate::security::rsa_aes::Task;
use crate::security::{Login, Upgrade};

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The stream has to change: send what [`Connection::take_output`](super::Connection::take_output) holds, change it, then call
    /// [`Connection::upgraded`](super::Connection::upgraded). Nothing that was read before may be given to [`Connection::receive`](super::Connection::receive) after it.
    Upgrade(Upgrade),
    /// RSA has to be done, which is slow; its result goes to [`Connection::rsa_done`](super::Connection::rsa_done).
    Rsa(Task),
    /// The client has given what it has to give to be let in. To be answered by [`Connection::admit`](super::Connection::admit) or
    /// [`Connection::deny`](super::Connection::deny); until then nothing more is read from it.
    Login(Login),
    /// The handshake is over. `shared` is the client's wish (TigerVNC sends false by default).
    Ready {
        shared: bool,
    },
    /// The encoding that updates will use from now on, by the client's list and its pixel format. Comes
    /// with the first SetEncodings and whenever it becomes another one.
    EncodingChosen(&'static str),
    Key {
        down: bool,
        keysym: u32,
    },
    /// A key by its XT scancode (prefix 0xe0 as bit 7), with the keysym beside it.
    ExtendedKey {
        down: bool,
        keysym: u32,
        code: u32,
    },
    /// `position` lies in the target's screen of this `size`. Bits of `buttons`: 0 left, 1 middle, 2 right,
    /// 3 to 6 wheel up, down, left, right, 7 back, 8 forward.
    Pointer {
        position: Point,
        size: Size,
        buttons: u16,
    },
    /// A movement in pixels, from a client that was asked for such; `buttons` as in [`Event::Pointer`].
    Motion {
        dx: i16,
        dy: i16,
        buttons: u16,
    },
    /// The machine's power. What cannot be done is to be answered by [`Connection::refuse_power`](super::Connection::refuse_power).
    Power(PowerRequest),
    /// What the client's clipboard holds now. To be kept, and typed only when that is asked for: clients tell it
    /// when their window is entered, too. Text that is only announced comes after
    /// [`Connection::request_clipboard`](super::Connection::request_clipboard).
    Clipboard(Clipboard),
}

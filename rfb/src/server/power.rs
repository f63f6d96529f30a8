//! xvp (community rfbproto, "xvp Pseudo-encoding"): clients ask for something to be done with the machine's power.

use super::session::Session;
use crate::msg::server::{self, Xvp};

impl Session {
    pub(super) fn take_power(&mut self, takes: bool, out: &mut Vec<u8>) {
        self.takes_power = takes;
        self.offer_power(out);
    }

    /// Clients show their buttons from then on, and there is no word to take them away.
    pub(super) fn offer_power(&mut self, out: &mut Vec<u8>) {
        if self.takes_power && self.wants.xvp && !self.told.xvp {
            self.told.xvp = true;
            server::xvp(self.control(out), Xvp::Init);
        }
    }

    /// Says that a request was not met, to a client that knows such an answer.
    pub(super) fn refuse_power(&mut self, out: &mut Vec<u8>) {
        if self.wants.xvp {
            server::xvp(self.control(out), Xvp::Fail);
        }
    }
}

//! The menu in the client's picture.

use super::Session;
use crate::{
    access::Role,
    config::ControlPolicy,
    hid::Input,
    net::{ClientInfo, InputSink, menu::Offer, roster::Standing},
};

impl<I: InputSink> Session<'_, I> {
    /// Shows the newest picture, with what lies over it for this client.
    pub(super) fn show(&mut self) {
        let frame = self.frames.borrow_and_update().clone();
        self.connection.show(self.requests.picture(frame));
    }

    pub(super) fn open_menu(&mut self) {
        let (Some(seat), Some(admitted)) = (&self.seat, &self.admitted) else {
            return;
        };
        let roster = self.server.roster();
        let standing = seat.standing();
        let power = self
            .power_for(admitted)
            .filter(|_| standing == Standing::Controls);
        let power = power.map_or_else(Vec::new, |power| power.actions());
        let people = roster.clients();
        let offer = Offer {
            power,
            one_controls: roster.policy().control != ControlPolicy::Shared,
            is_typing: self.server.edges.typist.is_typing(),
            pointer: *self.pointer_mode.borrow(),
            people: people.iter().map(|info| self.describe(info)).collect(),
            standing,
        };
        self.requests.open_menu(offer);
    }

    fn describe(&self, info: &ClientInfo) -> String {
        let mut line = info.identity.to_string();
        if info.identity.client == self.client {
            line += " (you)";
        }
        line += match (info.controls, info.identity.role) {
            (true, _) => ": has control",
            (false, Role::View) => ": may only watch",
            (false, _) => ": watches",
        };
        line
    }

    /// Presses these keys one after the other, and releases them the other way round.
    pub(super) fn press(&mut self, keysyms: &[u32]) {
        let key = |down: bool| {
            move |keysym: &u32| Input::Key {
                down,
                keysym: *keysym,
            }
        };
        let pressed = keysyms.iter().map(key(true));
        let released = keysyms.iter().rev().map(key(false));
        pressed.chain(released).for_each(|input| self.push(input));
    }
}

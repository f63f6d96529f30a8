//! The menu in the client's picture.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::{Session, Worked};
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
            layout: self.layout.borrow().name.clone(),
            layouts: self.server.edges.layout.choices(),
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

    /// Makes this the target's keyboard layout, for everybody.
    pub(super) fn choose_layout(&mut self, name: Arc<str>) {
        let controls = self.seat.as_ref().is_some_and(|seat| seat.controls());
        let why = match () {
            () if !controls => "you do not have control",
            // It was looked through for what the other one lacks.
            () if self.server.edges.typist.is_typing() => "a text is being typed",
            () if self.working.is_some() => "something else is going on",
            () => {
                let layout = self.server.edges.layout.clone();
                self.working = Some(Box::pin(async move {
                    let chosen = spawn_blocking(move || layout.choose(&name)).await;
                    Worked::Layout(match chosen {
                        Ok(Ok(())) => Ok(()),
                        Ok(Err(error)) => Err(error.to_string()),
                        Err(fault) => Err(format!("rfbridge has a fault: {fault}")),
                    })
                }));
                return;
            }
        };
        self.requests
            .answer(format!("keyboard layout: not changed: {why}"));
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

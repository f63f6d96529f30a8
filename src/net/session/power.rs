//! The target's power, which clients ask for by xvp and in the menu.

use rfb::server::PowerRequest;

use super::{Session, Worked};
use crate::{
    access::Admitted,
    net::InputSink,
    power::{Action, Power, PowerError},
};

/// What came of an action.
pub(super) struct Powered {
    action: Action,
    asked: Asked,
    result: Result<(), PowerError>,
}

/// How the client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// xvp tells it of a failure.
    ByXvp,
    InMenu,
}

impl<I: InputSink> Session<'_, I> {
    /// Whether somebody who was let in like this may ask for anything by xvp.
    pub(super) fn offers_power(&self, admitted: &Admitted) -> bool {
        self.power_for(admitted).is_some_and(|power| {
            let serves = |request| action(power, request).is_some();
            let requests = [
                PowerRequest::Shutdown,
                PowerRequest::Reboot,
                PowerRequest::Reset,
            ];
            requests.into_iter().any(serves)
        })
    }

    /// What switches the target, if somebody who was let in like this may ask for it.
    pub(super) fn power_for(&self, admitted: &Admitted) -> Option<&Power> {
        let power = self.server.edges.power.as_ref();
        power.filter(|power| admitted.role >= power.role())
    }

    /// Does what the client asks for by xvp.
    pub(super) fn power(&mut self, request: PowerRequest) {
        let power = self.server.edges.power.as_ref();
        match power.and_then(|power| action(power, request)) {
            Some(action) => self.start_power(action, Asked::ByXvp),
            None => self.refuse_power("it is not set up", Asked::ByXvp),
        }
    }

    /// Does it if the client may ask: control is needed as for a key.
    pub(super) fn start_power(&mut self, action: Action, asked: Asked) {
        let controls = self.seat.as_ref().is_some_and(|seat| seat.controls());
        let power = self.admitted.as_ref().and_then(|who| self.power_for(who));
        let why = match power.cloned() {
            _ if !controls => "you do not have control",
            _ if self.working.is_some() => "something else is going on",
            None => "it is not set up",
            Some(power) => {
                let who = match self.admitted.as_ref().and_then(|who| who.user.as_deref()) {
                    Some(user) => format!("{user} at {}", self.peer),
                    None => self.peer.to_string(),
                };
                self.working = Some(Box::pin(async move {
                    let result = power.perform(action, &who).await;
                    Worked::Power(Powered {
                        action,
                        asked,
                        result,
                    })
                }));
                return;
            }
        };
        self.refuse_power(why, asked);
    }

    /// Tells the client what came of it.
    pub(super) fn powered(&mut self, powered: Powered) {
        match powered.result {
            Ok(()) => self
                .requests
                .answer(format!("power: {} done", powered.action)),
            Err(error) => self.refuse_power(&error.to_string(), powered.asked),
        }
    }

    fn refuse_power(&mut self, why: &str, asked: Asked) {
        if asked == Asked::ByXvp {
            self.connection.refuse_power();
        }
        self.requests.answer(format!("power: not done: {why}"));
    }
}

/// What is done for a request. A reboot that cannot be asked for is a reset.
fn action(power: &Power, request: PowerRequest) -> Option<Action> {
    let actions = power.actions();
    let wanted: &[Action] = match request {
        PowerRequest::Shutdown => &[Action::Off],
        PowerRequest::Reboot => &[Action::Reboot, Action::Reset],
        PowerRequest::Reset => &[Action::Reset],
    };
    wanted
        .iter()
        .copied()
        .find(|action| actions.contains(action))
}

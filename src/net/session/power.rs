//! The target's power, which clients ask for by xvp.

use std::pin::Pin;

use rfb::server::PowerRequest;

use super::Session;
use crate::{
    access::Admitted,
    net::InputSink,
    power::{Action, Power, PowerError},
};

/// Something that is being done, and what came of it.
pub(super) type Powering = Pin<Box<dyn Future<Output = (Action, Result<(), PowerError>)> + Send>>;

impl<I: InputSink> Session<'_, I> {
    /// Whether somebody who was let in like this may ask for anything.
    pub(super) fn offers_power(&self, admitted: &Admitted) -> bool {
        let power = self.server.edges.power.as_ref();
        power.is_some_and(|power| {
            let serves = |request| action(power, request).is_some();
            let requests = [
                PowerRequest::Shutdown,
                PowerRequest::Reboot,
                PowerRequest::Reset,
            ];
            admitted.role >= power.role() && requests.into_iter().any(serves)
        })
    }

    /// Does what the client asks for, if it may ask: control is needed as for a key.
    pub(super) fn power(&mut self, request: PowerRequest) {
        let controls = self.seat.as_ref().is_some_and(|seat| seat.controls());
        let power = self.server.edges.power.as_ref();
        let found = power.and_then(|power| Some((power.clone(), action(power, request)?)));
        let why = match found {
            _ if !controls => "you do not have control",
            _ if self.powering.is_some() => "another power action is going on",
            None => "it is not set up",
            Some((power, action)) => {
                let who = match self.admitted.as_ref().and_then(|who| who.user.as_deref()) {
                    Some(user) => format!("{user} at {}", self.peer),
                    None => self.peer.to_string(),
                };
                self.powering = Some(Box::pin(async move {
                    let done = power.perform(action, &who).await;
                    (action, done)
                }));
                return;
            }
        };
        self.refuse_power(why);
    }

    /// Tells the client what came of it.
    pub(super) fn powered(&mut self, action: Action, result: Result<(), PowerError>) {
        self.powering = None;
        match result {
            Ok(()) => self.requests.answer(format!("power: {action} done")),
            Err(error) => self.refuse_power(&error.to_string()),
        }
    }

    fn refuse_power(&mut self, why: &str) {
        self.connection.refuse_power();
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

//! Who has control where only one may have it.
//!
//! Somebody has the floor whatever the policy is, so that the policy can change. It goes to the first who comes, and from
//! one who leaves to the one that has been there longest. Who gives it up keeps the right to take it again.

use crate::{access::Role, config::ControlPolicy, hid::ClientId};

/// One of those present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) client: ClientId,
    pub(super) role: Role,
    /// Its role lets it control, and nobody has forbidden it.
    pub(super) may_control: bool,
}

#[derive(Debug, Default)]
pub(super) struct Floor {
    holder: Option<ClientId>,
}

/// Who asks for control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Client,
    /// Somebody at the machine itself.
    Operator,
}

/// Why control is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    #[error("it is shared: everybody who may control does")]
    Shared,
    #[error("this client may only watch")]
    MayNot,
    #[error("the first one keeps it until it leaves or gives it up")]
    Held,
    #[error("there is no such client")]
    NoClient,
}

impl Floor {
    pub(super) fn holder(&self) -> Option<ClientId> {
        self.holder
    }

    pub(super) fn controls(&self, member: &Member, policy: ControlPolicy) -> bool {
        let has_floor = policy == ControlPolicy::Shared || self.holder == Some(member.client);
        member.may_control && has_floor
    }

    /// Somebody came, left, or may now do something else. `present`: in the order in which they came.
    pub(super) fn settle(&mut self, present: &[Member], newcomer: Option<ClientId>) {
        let may = |client: &ClientId| {
            let member = present.iter().find(|member| member.client == *client);
            member.is_some_and(|member| member.may_control)
        };
        self.holder = match self.holder {
            Some(holder) if may(&holder) => Some(holder),
            Some(_) => longest(present),
            None => newcomer.filter(may),
        };
    }

    /// Gives control to `client`.
    pub(super) fn take(
        &mut self,
        client: ClientId,
        asker: Asker,
        present: &[Member],
        policy: ControlPolicy,
    ) -> Result<(), TakeError> {
        let member = present.iter().find(|member| member.client == client);
        let member = member.ok_or(TakeError::NoClient)?;
        let is_free = self.holder.is_none_or(|holder| holder == client);
        let may_always = member.role == Role::Admin || asker == Asker::Operator;
        match policy {
            _ if !member.may_control => Err(TakeError::MayNot),
            ControlPolicy::Shared => Err(TakeError::Shared),
            ControlPolicy::First if !is_free && !may_always => Err(TakeError::Held),
            ControlPolicy::First | ControlPolicy::Exclusive => {
                self.holder = Some(client);
                Ok(())
            }
        }
    }

    /// Passes control on if `client` has it: to the one among the others that has been there longest, else to nobody.
    pub(super) fn give_up(&mut self, client: ClientId, present: &[Member]) -> bool {
        let had_it = self.holder == Some(client);
        if had_it {
            let others = present.iter().filter(|member| member.client != client);
            let others: Vec<_> = others.copied().collect();
            self.holder = longest(&others);
        }
        had_it
    }
}

fn longest(present: &[Member]) -> Option<ClientId> {
    let first = present.iter().find(|member| member.may_control);
    first.map(|member| member.client)
}

//! The clients that are in: who they are, which of them have control, and a way to tell each something.
//!
//! All of it is one table under a lock that is held for moments. Control changes hands while it is held, in this order:
//! nothing more of who loses it is passed on ([`Permit`]), its keys are released, and only then another's are passed on.
//! So no key of a client without control is ever down.

mod activity;
mod entry;
mod floor;
mod permit;
mod seat;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::watch, time::Instant};

use super::{InputSink, News, Tell, audit};
use crate::{
    access::Role,
    config::{ControlPolicy, Sessions, Share},
    hid::ClientId,
};
use activity::Activity;
use entry::Entry;
use floor::{Asker, Floor, Member};

pub(super) use entry::Standing;
pub use entry::{ClientInfo, Dismissal, Identity};
pub use floor::TakeError;
pub(super) use permit::Permit;
pub(super) use seat::Seat;

/// All clients that are in. `I`: where their keys are released.
pub struct Roster<I> {
    input: I,
    tell: Tell,
    table: Mutex<Table>,
}

struct Table {
    policy: Sessions,
    floor: Floor,
    /// Of whom it was told last that it has control.
    told: Option<ClientId>,
    /// In the order in which they came.
    entries: Vec<Entry>,
}

/// A newcomer finds somebody who may more, where one client at a time is served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is connected, and one client at a time is served.")]
pub(super) struct Occupied(String);

/// Why a client cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewOnlyError {
    #[error("there is no such client")]
    NoClient,
    #[error("its role lets it only watch")]
    Role,
}

impl<I: InputSink> Roster<I> {
    pub(super) fn new(input: I, policy: Sessions, tell: Tell) -> Self {
        let table = Table {
            policy,
            floor: Floor::default(),
            told: None,
            entries: Vec::new(),
        };
        Self {
            input,
            tell,
            table: Mutex::new(table),
        }
    }

    pub fn policy(&self) -> Sessions {
        self.table().policy
    }

    /// From now on clients share the target like this. The times hold for those that come later.
    pub fn set_policy(&self, policy: Sessions) {
        let mut table = self.table();
        table.policy = policy;
        self.apply(&mut table);
    }

    /// Whether somebody of this role may come in.
    pub(super) fn check(&self, role: Role) -> Result<(), Occupied> {
        self.table().check(role)
    }

    /// Lets somebody in, and sends away whom that calls for. `shared`: it does not mind others.
    pub(super) fn join(
        &self,
        identity: Identity,
        shared: bool,
        permit: Permit,
    ) -> Result<Seat<'_, I>, Occupied> {
        let mut table = self.table();
        table.check(identity.role)?;
        let Identity { client, role, .. } = identity;
        let dismissal = match table.policy.share {
            Share::Client if !shared && role >= Role::Control => {
                Some(Dismissal::AskedToBeAlone(identity.to_string()))
            }
            Share::Never => Some(Dismissal::OneAtATime(identity.to_string())),
            Share::Always | Share::Client => None,
        };
        if let Some(dismissal) = dismissal {
            for entry in &table.entries {
                if entry.identity.role <= role {
                    entry.dismiss(&dismissal);
                }
            }
        }
        let now = Instant::now();
        let activity = Arc::new(Mutex::new(Activity::new(now)));
        let (standing, told) = watch::channel(Standing::Watches);
        table.entries.push(Entry {
            identity,
            since: now,
            view_only: false,
            permit,
            activity: Arc::clone(&activity),
            standing,
        });
        self.settle(&mut table, Some(client));
        Ok(Seat::new(self, client, told, activity))
    }

    fn leave(&self, client: ClientId) {
        let mut table = self.table();
        table
            .entries
            .retain(|entry| entry.identity.client != client);
        self.settle(&mut table, None);
    }

    /// Gives control to a client.
    pub fn take(&self, client: ClientId) -> Result<(), TakeError> {
        self.take_for(client, Asker::Operator)
    }

    fn take_for(&self, client: ClientId, asker: Asker) -> Result<(), TakeError> {
        let mut table = self.table();
        let (present, policy) = (table.present(), table.policy.control);
        table.floor.take(client, asker, &present, policy)?;
        self.apply(&mut table);
        Ok(())
    }

    /// Whether it had control.
    fn give_up(&self, client: ClientId) -> bool {
        let mut table = self.table();
        let present = table.present();
        let had_it = table.floor.give_up(client, &present);
        self.apply(&mut table);
        had_it
    }

    /// Lets a client only watch, or do again what its role lets it do.
    pub fn set_view_only(&self, client: ClientId, view_only: bool) -> Result<(), ViewOnlyError> {
        let mut table = self.table();
        let entry = table.entry(client).ok_or(ViewOnlyError::NoClient)?;
        if entry.identity.role < Role::Control {
            return Err(ViewOnlyError::Role);
        }
        entry.view_only = view_only;
        audit::view_only(&entry.identity, view_only);
        self.settle(&mut table, Some(client));
        Ok(())
    }

    /// Sends a client away. Its keys are up when this returns. False if there is none of this number.
    pub fn kick(&self, client: ClientId, reason: Option<&str>) -> bool {
        let mut table = self.table();
        let Some(entry) = table.entry(client) else {
            return false;
        };
        audit::kicked(&entry.identity, reason);
        entry.dismiss(&match reason {
            None => Dismissal::Kicked,
            Some(reason) => Dismissal::KickedFor(reason.to_owned()),
        });
        self.settle(&mut table, None);
        true
    }

    /// Who has control, where only one has.
    pub fn holder(&self) -> Option<Identity> {
        self.table().holder()
    }

    /// Everybody who is in, in the order in which they came.
    pub fn clients(&self) -> Vec<ClientInfo> {
        let table = self.table();
        let now = Instant::now();
        let present = table.entries.iter().filter(|entry| !entry.is_dismissed());
        present
            .map(|entry| entry.info(table.controls(entry), now))
            .collect()
    }

    /// Control after a change in who is there or may control.
    fn settle(&self, table: &mut Table, newcomer: Option<ClientId>) {
        let present = table.present();
        table.floor.settle(&present, newcomer);
        self.apply(table);
    }

    /// Makes everybody's standing what it is to be now.
    fn apply(&self, table: &mut Table) {
        let (mut gaining, mut losing) = (Vec::new(), Vec::new());
        for entry in &table.entries {
            match table.controls(entry) {
                true => gaining.push(entry),
                false => losing.push(entry),
            }
        }
        for entry in losing {
            if entry.permit.revoke() {
                self.input.leave(entry.identity.client);
            }
        }
        for entry in gaining {
            entry.permit.grant();
        }
        for entry in &table.entries {
            let standing = table.standing(entry);
            entry.standing.send_if_modified(|known| {
                let changes = !matches!(known, Standing::Dismissed(_)) && *known != standing;
                if changes {
                    *known = standing;
                }
                changes
            });
        }
        let holder = table.holder();
        let client = holder.as_ref().map(|holder| holder.client);
        if table.told != client {
            table.told = client;
            audit::control(holder.as_ref());
            (self.tell)(News::Control { holder });
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn check(&self, role: Role) -> Result<(), Occupied> {
        let present = self.entries.iter().filter(|entry| !entry.is_dismissed());
        let mut above = present.filter(|entry| entry.identity.role > role);
        match (self.policy.share, above.next()) {
            (Share::Never, Some(entry)) => Err(Occupied(entry.identity.to_string())),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, client: ClientId) -> Option<&mut Entry> {
        let mut present = self.entries.iter_mut().filter(|e| !e.is_dismissed());
        present.find(|entry| entry.identity.client == client)
    }

    fn present(&self) -> Vec<Member> {
        self.entries.iter().map(Entry::member).collect()
    }

    fn controls(&self, entry: &Entry) -> bool {
        let policy = self.policy.control;
        self.floor.controls(&entry.member(), policy)
    }

    /// Who has control, where only one has.
    fn holder(&self) -> Option<Identity> {
        let only_one = self.policy.control != ControlPolicy::Shared;
        let holder = self.floor.holder().filter(|_| only_one)?;
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.identity.client == holder)?;
        Some(entry.identity.clone())
    }

    fn standing(&self, entry: &Entry) -> Standing {
        let member = entry.member();
        if self.controls(entry) {
            Standing::Controls
        } else if member.may_control {
            let may_take = self.policy.control == ControlPolicy::Exclusive
                || member.role == Role::Admin
                || self.floor.holder().is_none();
            Standing::Waits {
                holder: self.holder().map(|holder| holder.to_string()),
                may_take,
            }
        } else {
            Standing::Watches
        }
    }
}

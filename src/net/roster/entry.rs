//! One of the clients that are in.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{Activity, Permit, floor::Member};
use crate::{access::Role, hid::ClientId};

pub(super) struct Entry {
    pub(super) identity: Identity,
    pub(super) since: Instant,
    /// An operator lets it only watch.
    pub(super) view_only: bool,
    pub(super) permit: Permit,
    pub(super) activity: Arc<Mutex<Activity>>,
    pub(super) standing: watch::Sender<Standing>,
}

/// Somebody who is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub client: ClientId,
    pub peer: SocketAddr,
    /// Who logged in, where users have names.
    pub user: Option<Arc<str>>,
    pub role: Role,
}

/// As others know it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => f.write_str(user),
            None => self.peer.ip().to_canonical().fmt(f),
        }
    }
}

/// What a client may do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::net) enum Standing {
    /// Types and points.
    Controls,
    /// Watches while this one has control, or nobody.
    Waits {
        holder: Option<String>,
        may_take: bool,
    },
    /// May only watch.
    Watches,
    /// Has to go.
    Dismissed(Dismissal),
}

/// Why a client has to go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dismissal {
    #[error("sent away by an operator")]
    Kicked,
    #[error("sent away by an operator: {0}")]
    KickedFor(String),
    #[error("{0} came, who asked to be alone")]
    AskedToBeAlone(String),
    #[error("{0} came, and one client at a time is served")]
    OneAtATime(String),
}

/// What is known of a client.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    pub identity: Identity,
    pub encoding: Option<&'static str>,
    /// Since it came in.
    pub connected: Duration,
    /// Since it typed or pointed last.
    pub idle: Option<Duration>,
    /// What it types reaches the target.
    pub controls: bool,
    /// It may only watch, by its role or because an operator says so.
    pub view_only: bool,
    pub bytes_sent: u64,
    /// Bytes a second, of late.
    pub rate: u64,
    pub round_trip: Option<Duration>,
    /// Bytes that it is not known to have.
    pub in_flight: usize,
}

impl Entry {
    /// Its session ends as soon as it looks; till then it does nothing any more.
    pub(super) fn dismiss(&self, why: &Dismissal) {
        self.standing.send_replace(Standing::Dismissed(why.clone()));
    }

    pub(super) fn is_dismissed(&self) -> bool {
        matches!(*self.standing.borrow(), Standing::Dismissed(_))
    }

    pub(super) fn member(&self) -> Member {
        let Identity { client, role, .. } = self.identity;
        let allowed = role >= Role::Control && !self.view_only;
        Member {
            client,
            role,
            may_control: allowed && !self.is_dismissed(),
        }
    }

    pub(super) fn info(&self, controls: bool, now: Instant) -> ClientInfo {
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let ago = |then: Instant| now.saturating_duration_since(then);
        ClientInfo {
            identity: self.identity.clone(),
            encoding: activity.encoding,
            connected: ago(self.since),
            idle: activity.last_input.map(ago),
            controls,
            view_only: !self.member().may_control,
            bytes_sent: activity.sent,
            rate: activity.rate(now),
            round_trip: activity.round_trip,
            in_flight: activity.in_flight,
        }
    }
}

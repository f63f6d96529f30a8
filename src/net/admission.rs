//! How many may be here at once.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// Connections that have not logged in yet (check 69).
const STRANGERS: usize = 16;
/// Clients that have.
const CLIENTS: usize = 32;

/// Counts connections. Strangers cannot use up what clients need, and one address cannot use up what other
/// strangers need.
#[derive(Debug, Default)]
pub(super) struct Admission {
    hall: Mutex<Hall>,
}

#[derive(Debug, Default)]
struct Hall {
    next: u64,
    /// Oldest first.
    strangers: Vec<Stranger>,
    clients: usize,
}

#[derive(Debug)]
struct Stranger {
    number: u64,
    ip: IpAddr,
    evicted: CancellationToken,
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Arc<Admission>,
    evicted: CancellationToken,
    /// The stranger's number; `None` for a client.
    stranger: Option<u64>,
}

/// All places for clients are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{CLIENTS} clients are connected, more are not served")]
pub(super) struct Full;

impl Admission {
    /// Lets a connection in. If there are too many strangers, the oldest one of the address that has the most
    /// goes.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr) -> Place {
        let mut hall = self.hall();
        if hall.strangers.len() >= STRANGERS {
            hall.evict();
        }
        let number = hall.next;
        hall.next += 1;
        let evicted = CancellationToken::new();
        hall.strangers.push(Stranger {
            number,
            ip: ip.to_canonical(),
            evicted: evicted.clone(),
        });
        Place {
            admission: Arc::clone(self),
            evicted,
            stranger: Some(number),
        }
    }

    /// Whether there is a place for one more client.
    pub(super) fn check(&self) -> Result<(), Full> {
        self.hall().check()
    }

    /// How many clients there are.
    pub(super) fn clients(&self) -> usize {
        self.hall().clients
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    fn check(&self) -> Result<(), Full> {
        if self.clients < CLIENTS {
            Ok(())
        } else {
            Err(Full)
        }
    }

    fn evict(&mut self) {
        let of = |ip: IpAddr| self.strangers.iter().filter(|s| s.ip == ip).count();
        // Of equals `max_by_key` gives the last, which is the oldest when counted backwards.
        let victim = self
            .strangers
            .iter()
            .enumerate()
            .rev()
            .max_by_key(|(_, stranger)| of(stranger.ip))
            .map(|(index, _)| index);
        if let Some(index) = victim {
            self.strangers.remove(index).evicted.cancel();
        }
    }
}

impl Place {
    /// Ends when this connection has to make room for another.
    pub(super) fn evicted(&self) -> WaitForCancellationFuture<'_> {
        self.evicted.cancelled()
    }

    /// The stranger logged in.
    pub(super) fn promote(&mut self) -> Result<(), Full> {
        let mut hall = self.admission.hall();
        hall.check()?;
        if let Some(number) = self.stranger.take() {
            hall.strangers.retain(|s| s.number != number);
            hall.clients += 1;
            // A stranger that was evicted at this very moment has made it.
            self.evicted = CancellationToken::new();
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut hall = self.admission.hall();
        match self.stranger {
            Some(number) => hall.strangers.retain(|s| s.number != number),
            None => hall.clients -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn is_evicted(place: &Place) -> bool {
        place.evicted.is_cancelled()
    }

    #[test]
    fn a_flood_from_one_address_pushes_out_itself() {
        let admission = Arc::<Admission>::default();
        let operator = admission.enter(ip(1));
        let flood: Vec<_> = (0..100).map(|_| admission.enter(ip(2))).collect();
        assert!(!is_evicted(&operator));
        let left = flood.iter().filter(|p| !is_evicted(p)).count();
        assert_eq!(left, STRANGERS - 1);
        assert!(!is_evicted(&flood[99]), "the newest stays");
        assert!(is_evicted(&flood[0]), "the oldest goes first");
        let another = admission.enter(ip(3));
        assert!(!is_evicted(&another) && !is_evicted(&operator));
    }

    #[test]
    fn clients_are_not_strangers() {
        let admission = Arc::<Admission>::default();
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let mut place = admission.enter(ip(1));
                place.promote().expect("a place");
                place
            })
            .collect();
        assert_eq!(admission.check(), Err(Full));
        let mut late = admission.enter(ip(1));
        assert_eq!(late.promote(), Err(Full));
        clients.pop();
        assert_eq!(admission.check(), Ok(()));
        assert_eq!(late.promote(), Ok(()));
        let strangers: Vec<_> = (0..100).map(|_| admission.enter(ip(1))).collect();
        assert!(!clients.iter().any(is_evicted) && !is_evicted(&late));
        drop((clients, late, strangers));
        let hall = admission.hall();
        assert_eq!((hall.clients, hall.strangers.len()), (0, 0));
    }
}

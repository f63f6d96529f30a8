//! How many may be here at once.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::throttle::network;
use crate::config::Limits;

/// Counts connections. Strangers cannot use up what clients need, and one address cannot use up what other
/// strangers need.
#[derive(Debug)]
pub(super) struct Admission {
    hall: Mutex<Hall>,
}

#[derive(Debug)]
struct Hall {
    limits: Limits,
    /// Of strangers.
    most: usize,
    next: u64,
    /// Oldest first.
    strangers: Vec<Stranger>,
    /// The network of each client.
    clients: Vec<IpAddr>,
}

#[derive(Debug)]
struct Stranger {
    number: u64,
    /// Its network.
    ip: IpAddr,
    /// Somebody logged in from there before.
    is_proven: bool,
    evicted: CancellationToken,
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    ip: IpAddr,
    evicted: CancellationToken,
    /// The stranger's number; `None` for a client.
    stranger: Option<u64>,
}

/// All places for clients are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("{0} clients are connected, more are not served")]
    Everywhere(usize),
    #[error("{0} clients are connected from this address, more are not served")]
    Here(usize),
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Self::with(limits, limits.strangers.count())
    }

    /// Where nobody ever logs in, and so many may be.
    pub(super) fn of_strangers(most: usize) -> Arc<Self> {
        Self::with(Limits::default(), most)
    }

    fn with(limits: Limits, most: usize) -> Arc<Self> {
        Arc::new(Self {
            hall: Mutex::new(Hall {
                limits,
                most,
                next: 0,
                strangers: Vec::new(),
                clients: Vec::new(),
            }),
        })
    }

    /// Lets a connection in. If there are too many strangers, the oldest one of the address that has the most
    /// goes; of an address from which somebody logged in before only if there are no others.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr, is_proven: bool) -> Place {
        let mut hall = self.hall();
        if hall.strangers.len() >= hall.most {
            hall.evict();
        }
        let number = hall.next;
        hall.next += 1;
        let evicted = CancellationToken::new();
        hall.strangers.push(Stranger {
            number,
            ip: network(ip),
            is_proven,
            evicted: evicted.clone(),
        });
        Place {
            admission: Arc::clone(self),
            ip: network(ip),
            evicted,
            stranger: Some(number),
        }
    }

    /// Whether there is a place for one more client from here.
    pub(super) fn check(&self, ip: IpAddr) -> Result<(), Full> {
        self.hall().check(network(ip))
    }

    /// How many clients there are.
    pub(super) fn clients(&self) -> usize {
        self.hall().clients.len()
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    fn check(&self, ip: IpAddr) -> Result<(), Full> {
        let most = self.limits.clients.count();
        if self.clients.len() >= most {
            return Err(Full::Everywhere(most));
        }
        let most = self.limits.clients_per_address.count();
        let here = self.clients.iter().filter(|client| **client == ip).count();
        // Behind loopback are many: who comes through a tunnel.
        match here >= most && !ip.is_loopback() {
            true => Err(Full::Here(most)),
            false => Ok(()),
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
            .max_by_key(|(_, stranger)| (!stranger.is_proven, of(stranger.ip)))
            .map(|(index, _)| index);
        if let Some(index) = victim {
            self.strangers.remove(index).evicted.cancel();
        }
    }
}

impl Place {
    /// Ends when this connection has to make room for another.
    pub fn evicted(&self) -> WaitForCancellationFuture<'_> {
        self.evicted.cancelled()
    }

    /// The stranger logged in.
    pub(super) fn promote(&mut self) -> Result<(), Full> {
        let mut hall = self.admission.hall();
        hall.check(self.ip)?;
        if let Some(number) = self.stranger.take() {
            hall.strangers.retain(|s| s.number != number);
            hall.clients.push(self.ip);
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
            None => {
                let index = hall.clients.iter().position(|client| *client == self.ip);
                index.map(|index| hall.clients.swap_remove(index));
            }
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

    fn admission() -> Arc<Admission> {
        Admission::new(Limits::default())
    }

    fn client(admission: &Arc<Admission>, ip: IpAddr) -> Result<Place, Full> {
        let mut place = admission.enter(ip, false);
        place.promote().map(|()| place)
    }

    #[test]
    fn a_flood_from_one_address_pushes_out_itself() {
        let admission = admission();
        let operator = admission.enter(ip(1), false);
        let flood: Vec<_> = (0..100).map(|_| admission.enter(ip(2), false)).collect();
        assert!(!is_evicted(&operator));
        let left = flood.iter().filter(|p| !is_evicted(p)).count();
        assert_eq!(left, 15);
        assert!(!is_evicted(&flood[99]), "the newest stays");
        assert!(is_evicted(&flood[0]), "the oldest goes first");
        let another = admission.enter(ip(3), false);
        assert!(!is_evicted(&another) && !is_evicted(&operator));
    }

    #[test]
    fn a_flood_from_many_addresses_does_not_push_out_who_was_in_before() {
        let admission = admission();
        let operator = admission.enter(ip(1), true);
        let flood: Vec<_> = (2..200).map(|n| admission.enter(ip(n), false)).collect();
        assert!(!is_evicted(&operator));
        assert_eq!(flood.iter().filter(|p| !is_evicted(p)).count(), 15);
    }

    #[test]
    fn clients_are_not_strangers() {
        let admission = admission();
        let enter = |n: u8| client(&admission, ip(n % 4)).expect("a place");
        let mut clients: Vec<_> = (0..32).map(enter).collect();
        assert_eq!(admission.check(ip(9)), Err(Full::Everywhere(32)));
        let mut late = admission.enter(ip(9), false);
        assert_eq!(late.promote(), Err(Full::Everywhere(32)));
        clients.pop();
        assert_eq!(admission.check(ip(9)), Ok(()));
        assert_eq!(late.promote(), Ok(()));
        let strangers: Vec<_> = (0..100).map(|_| admission.enter(ip(1), false)).collect();
        assert!(!clients.iter().any(is_evicted) && !is_evicted(&late));
        drop((clients, late, strangers));
        let hall = admission.hall();
        assert_eq!((hall.clients.len(), hall.strangers.len()), (0, 0));
    }

    #[test]
    fn one_address_cannot_take_all_places_but_a_tunnel_can() {
        let admission = admission();
        let mut here: Vec<_> = (0..16)
            .map(|_| client(&admission, ip(1)).expect("a place"))
            .collect();
        assert_eq!(client(&admission, ip(1)).err(), Some(Full::Here(16)));
        assert_eq!(admission.check(ip(1)), Err(Full::Here(16)));
        let there = client(&admission, ip(2)).expect("a place");
        here.pop();
        here.push(client(&admission, ip(1)).expect("a place again"));
        drop((here, there));
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let tunnel: Vec<_> = (0..32).map(|_| client(&admission, loopback)).collect();
        assert!(tunnel.iter().all(Result::is_ok));
    }
}

//! Guessing passwords is made slow, per address, and nobody is ever locked out for good.
//!
//! The first failures cost next to nothing, so that a mistyped password does not hurt. From the fifth on
//! the answer is held back, twice as long each time, and further connections from the same address are
//! heard one after the other, no faster than that, so that guessing in parallel gains nothing. Other
//! addresses notice nothing.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::flood::Flood;

/// Failures that are answered (almost) at once.
const FREE: u32 = 4;
/// The answer to a wrong password takes so long at least, as it does elsewhere.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(16);
/// Who would have to wait longer for a turn is refused.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so long without a failure an address is forgotten.
const MEMORY: Duration = Duration::from_secs(600);
/// Addresses that are remembered; the oldest failure gives way.
const ADDRESSES: usize = 1024;

/// Failed logins by address, and of all addresses.
#[derive(Debug)]
pub(super) struct Throttle {
    table: Mutex<HashMap<IpAddr, Record>>,
    flood: Mutex<Flood>,
}

#[derive(Debug)]
struct Record {
    failures: u32,
    last_failure: Instant,
    /// When the next connection may be heard.
    next_turn: Instant,
}

/// It is not this address's turn for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSoon {
    pub(super) wait: Duration,
}

impl Throttle {
    /// `interval` is between two failures at the rate that all addresses together may have.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            table: Mutex::default(),
            flood: Mutex::new(Flood::new(interval)),
        }
    }

    /// Whether somebody logged in from here before.
    pub(super) fn is_proven(&self, ip: IpAddr) -> bool {
        self.flood().is_proven(network(ip))
    }

    /// When a new connection from `ip` may be heard; at once unless its address failed often.
    pub(super) fn turn(&self, ip: IpAddr, now: Instant) -> Result<Instant, TooSoon> {
        let earliest = now + self.flood().delay(network(ip), now);
        let mut table = self.table();
        let Some(record) = table.get_mut(&network(ip)) else {
            return Ok(earliest);
        };
        let delay = delay(record.failures);
        if delay.is_zero() || record.is_forgotten(now) {
            return Ok(earliest);
        }
        let turn = record.next_turn.max(now);
        let wait = turn - now;
        if wait > PATIENCE {
            return Err(TooSoon { wait });
        }
        record.next_turn = turn + delay;
        Ok(turn.max(earliest))
    }

    /// Takes note of a wrong password; gives how long to hold the answer back.
    pub(super) fn failed(&self, ip: IpAddr, now: Instant) -> Duration {
        let key = network(ip);
        let crowded = {
            let mut flood = self.flood();
            flood.failed(now);
            flood.delay(key, now)
        };
        let mut table = self.table();
        if table.len() >= ADDRESSES && !table.contains_key(&key) {
            make_room(&mut table, now);
        }
        let record = table
            .entry(key)
            .and_modify(|record| {
                if record.is_forgotten(now) {
                    record.failures = 0;
                }
            })
            .or_insert(Record {
                failures: 0,
                last_failure: now,
                next_turn: now,
            });
        record.failures = record.failures.saturating_add(1);
        record.last_failure = now;
        let delay = delay(record.failures);
        record.next_turn = record.next_turn.max(now + delay);
        delay.max(crowded).max(SHORTEST)
    }

    /// Takes note of a right password: this address is where the operator sits.
    pub(super) fn succeeded(&self, ip: IpAddr, now: Instant) {
        self.table().remove(&network(ip));
        self.flood().succeeded(network(ip), now);
    }

    fn flood(&self) -> MutexGuard<'_, Flood> {
        self.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<IpAddr, Record>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn is_forgotten(&self, now: Instant) -> bool {
        now.duration_since(self.last_failure) >= MEMORY
    }
}

fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(exponent) => Duration::from_secs(1)
            .saturating_mul(1 << exponent.min(16))
            .min(LONGEST),
    }
}

/// Whoever has one IPv6 address has 2⁶⁴ of them.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip => ip,
    }
}

fn make_room(table: &mut HashMap<IpAddr, Record>, now: Instant) {
    table.retain(|_, record| !record.is_forgotten(now));
    if table.len() >= ADDRESSES
        && let Some(oldest) = table
            .iter()
            .min_by_key(|(_, record)| record.last_failure)
            .map(|(ip, _)| *ip)
    {
        table.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const SECOND: Duration = Duration::from_secs(1);
    /// Never reached here.
    const RATE: Duration = Duration::ZERO;

    fn failed(times: u32, now: Instant) -> Throttle {
        let throttle = Throttle::new(RATE);
        for _ in 0..times {
            throttle.failed(HERE, now);
        }
        throttle
    }

    #[test]
    fn a_few_mistakes_cost_nothing_and_many_cost_more_each() {
        let now = Instant::now();
        let throttle = Throttle::new(RATE);
        let waits: Vec<_> = (0..11).map(|_| throttle.failed(HERE, now)).collect();
        assert_eq!(waits[..4], [SHORTEST; 4]);
        let seconds: Vec<_> = waits[4..].iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(failed(FREE, now).turn(HERE, now), Ok(now));
    }

    /// Check 13: others are served, and the right password works when the time is over.
    #[test]
    fn only_the_address_that_failed_waits_and_only_for_a_while() {
        let now = Instant::now();
        let throttle = failed(7, now);
        assert_eq!(throttle.turn(THERE, now), Ok(now));
        assert_eq!(throttle.turn(HERE, now), Ok(now + 4 * SECOND));
        throttle.succeeded(HERE, now);
        assert_eq!(throttle.turn(HERE, now), Ok(now));
    }

    #[test]
    fn connections_in_parallel_take_turns_and_too_many_are_refused() {
        let now = Instant::now();
        let throttle = failed(8, now);
        let turns: Vec<_> = (0..4).map(|_| throttle.turn(HERE, now)).collect();
        assert_eq!(turns[0], Ok(now + 8 * SECOND));
        assert_eq!(turns[1], Ok(now + 16 * SECOND));
        let wait = 24 * SECOND;
        assert_eq!(turns[2..], [Err(TooSoon { wait }); 2]);
        let later = now + 10 * SECOND;
        assert_eq!(throttle.turn(HERE, later), Ok(now + 24 * SECOND));
    }

    #[test]
    fn failures_are_forgotten() {
        let now = Instant::now();
        let throttle = failed(20, now);
        let later = now + MEMORY;
        assert_eq!(throttle.turn(HERE, later), Ok(later));
        assert_eq!(throttle.failed(HERE, later), SHORTEST);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(network(ip("2001:db8::1")), network(ip("2001:db8::ffff:2")));
        assert_ne!(network(ip("2001:db8::1")), network(ip("2001:db8:0:1::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), HERE);
    }

    #[test]
    fn the_table_is_bounded() {
        let now = Instant::now();
        let throttle = failed(9, now);
        for n in 0..ADDRESSES as u32 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 | n));
            throttle.failed(ip, now + SECOND);
        }
        assert_eq!(throttle.table().len(), ADDRESSES);
        assert!(!throttle.table().contains_key(&HERE), "the oldest gave way");
    }
}

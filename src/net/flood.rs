//! Guessing from many addresses at once is made slow, too, and the console is never locked.
//!
//! The throttle of each address does not help against somebody who has thousands. When all together fail more often than a rate
//! allows, whoever never logged in waits, a few seconds at most, to be heard and for a "no". An address from which somebody
//! logged in before does not wait, and the right password lets in from everywhere. There is no count for each user: with one,
//! an attacker could make a user wait.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use tokio::time::Instant;

/// So many seconds' worth of failures go by without anybody waiting.
const BURST: Duration = Duration::from_secs(60);
/// Well below the time that a handshake may take.
const LONGEST: Duration = Duration::from_secs(8);
/// Addresses that are remembered; the one that logged in longest ago gives way.
const PROVEN: usize = 1024;

/// Failed logins from all addresses, and the addresses that are known better.
#[derive(Debug)]
pub(super) struct Flood {
    /// Between two failures, at the rate that is allowed.
    interval: Duration,
    /// When the failures until now would be over at that rate.
    over: Option<Instant>,
    proven: HashMap<IpAddr, Instant>,
}

impl Flood {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            over: None,
            proven: HashMap::new(),
        }
    }

    pub(super) fn is_proven(&self, network: IpAddr) -> bool {
        self.proven.contains_key(&network)
    }

    /// How long somebody from here has to wait.
    pub(super) fn delay(&self, network: IpAddr, now: Instant) -> Duration {
        let ahead = self.over.map_or(Duration::ZERO, |over| over - now);
        match self.is_proven(network) {
            true => Duration::ZERO,
            false => ahead.saturating_sub(BURST).min(LONGEST),
        }
    }

    pub(super) fn failed(&mut self, now: Instant) {
        let over = self.over.map_or(now, |over| over.max(now)) + self.interval;
        // However long it lasted, a minute after its end it is forgotten.
        self.over = Some(over.min(now + BURST + LONGEST));
    }

    pub(super) fn succeeded(&mut self, network: IpAddr, now: Instant) {
        if self.proven.len() >= PROVEN
            && !self.is_proven(network)
            && let Some(oldest) = self.proven.iter().min_by_key(|(_, at)| **at)
        {
            let oldest = *oldest.0;
            self.proven.remove(&oldest);
        }
        self.proven.insert(network, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ip(n: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(n))
    }

    #[test]
    fn strangers_wait_when_all_together_fail_too_often_and_never_long() {
        let now = Instant::now();
        let mut flood = Flood::new(2 * SECOND);
        flood.succeeded(ip(7), now);
        let delays: Vec<_> = (0..100)
            .map(|_| {
                flood.failed(now);
                flood.delay(ip(1), now).as_secs()
            })
            .collect();
        assert_eq!(delays[..30], [0; 30], "a minute's worth");
        assert_eq!(delays[30..34], [2, 4, 6, 8]);
        assert!(delays[34..].iter().all(|delay| *delay == 8));
        assert_eq!(
            flood.delay(ip(7), now),
            Duration::ZERO,
            "one who was in before"
        );
        assert_eq!(flood.delay(ip(1), now + 5 * SECOND), 3 * SECOND);
        assert_eq!(flood.delay(ip(1), now + 8 * SECOND), Duration::ZERO);
    }

    #[test]
    fn failures_at_the_rate_that_is_allowed_make_nobody_wait() {
        let mut now = Instant::now();
        let mut flood = Flood::new(2 * SECOND);
        for _ in 0..1000 {
            flood.failed(now);
            now += 2 * SECOND;
            assert_eq!(flood.delay(ip(1), now), Duration::ZERO);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let now = Instant::now();
        let mut flood = Flood::new(SECOND);
        for n in 0..2 * PROVEN as u32 {
            flood.succeeded(ip(n), now + SECOND * n);
        }
        assert_eq!(flood.proven.len(), PROVEN);
        assert!(!flood.is_proven(ip(0)) && flood.is_proven(ip(2 * PROVEN as u32 - 1)));
    }
}

//! What a client's line carries, and when it was last used for typing and pointing.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(in crate::net) struct Activity {
    /// The encoding of its updates, once that is chosen.
    pub(in crate::net) encoding: Option<&'static str>,
    /// The shortest way there and back that was measured.
    pub(in crate::net) round_trip: Option<Duration>,
    /// Bytes that it is not known to have.
    pub(in crate::net) in_flight: usize,
    pub(super) last_input: Option<Instant>,
    pub(super) sent: u64,
    /// Bytes sent, of which older ones count less and less.
    recent: f64,
    counted: Instant,
}

impl Activity {
    /// Bytes of so long ago count about a third.
    const MEMORY: Duration = Duration::from_secs(2);

    pub(super) fn new(now: Instant) -> Self {
        Self {
            encoding: None,
            round_trip: None,
            in_flight: 0,
            last_input: None,
            sent: 0,
            recent: 0.0,
            counted: now,
        }
    }

    /// So many bytes were written.
    pub(in crate::net) fn sent(&mut self, bytes: usize, now: Instant) {
        self.recent = self.recent(now) + bytes as f64;
        self.counted = now;
        self.sent += bytes as u64;
    }

    /// A key or the pointer was used.
    pub(in crate::net) fn input(&mut self, now: Instant) {
        self.last_input = Some(now);
    }

    /// Bytes a second, of late.
    pub(super) fn rate(&self, now: Instant) -> u64 {
        (self.recent(now) / Self::MEMORY.as_secs_f64()).round() as u64
    }

    fn recent(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.counted).as_secs_f64();
        self.recent * (-age / Self::MEMORY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut now = Instant::now();
        let mut activity = Activity::new(now);
        assert_eq!(activity.rate(now), 0);
        for _ in 0..1000 {
            now += Duration::from_millis(10);
            activity.sent(500, now);
        }
        assert_eq!(activity.sent, 500_000);
        let rate = activity.rate(now);
        assert!((49_000..=51_000).contains(&rate), "{rate}");
        assert_eq!(activity.rate(now + Duration::from_secs(60)), 0);
    }
}

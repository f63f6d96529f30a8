//! For how long a client may stay.
//!
//! Who types and points is not idle. Who may not do so cannot be, and stays until the longest time is over.

use std::time::Duration;

use tokio::time::Instant;

/// So long before the end the client is told, or after half of the time if that is later.
const NOTICE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Stay {
    began: Instant,
    /// When the client typed or pointed, or when it began to be able to.
    active: Option<Instant>,
    /// Zero for never, here and below.
    idle: Duration,
    longest: Duration,
    warned: bool,
}

/// Why a stay is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Over {
    #[error("no key and no movement for {} s", .0.as_secs())]
    Idle(Duration),
    #[error("connected for {} s, which is the longest time", .0.as_secs())]
    Long(Duration),
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Telling the client that it will be disconnected.
    Warn(String),
    End(Over),
}

impl Stay {
    /// `may_control`: whether the client can type and point at all.
    pub(super) fn new(idle: Duration, longest: Duration, may_control: bool, now: Instant) -> Self {
        Self {
            began: now,
            active: may_control.then_some(now),
            idle,
            longest,
            warned: false,
        }
    }

    /// A key or the pointer was used. Whether a warning is out that is void now.
    pub(super) fn input(&mut self, now: Instant) -> bool {
        let was_idle = matches!(self.end(), Some((_, Over::Idle(_))));
        if let Some(active) = &mut self.active {
            *active = now;
        }
        was_idle && std::mem::replace(&mut self.warned, false)
    }

    /// When there is something to do if nothing comes until then.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let (at, over) = self.end()?;
        match self.warned {
            true => Some(at),
            false => at.checked_sub(notice(over)),
        }
    }

    /// What has to be done now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        self.due_at().filter(|at| *at <= now)?;
        let (at, over) = self.end()?;
        if at <= now {
            return Some(Due::End(over));
        }
        self.warned = true;
        let seconds = notice(over).as_secs();
        Some(Due::Warn(match over {
            Over::Idle(_) => format!("disconnecting in {seconds} s unless you type or point"),
            Over::Long(_) => format!("disconnecting in {seconds} s, the time is over"),
        }))
    }

    /// When the stay ends if nothing comes until then.
    fn end(&self) -> Option<(Instant, Over)> {
        let idle = self.active.filter(|_| !self.idle.is_zero());
        let idle = idle.map(|active| (active + self.idle, Over::Idle(self.idle)));
        let long = (!self.longest.is_zero())
            .then(|| (self.began + self.longest, Over::Long(self.longest)));
        [long, idle].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

fn notice(over: Over) -> Duration {
    let (Over::Idle(all) | Over::Long(all)) = over;
    NOTICE.min(all / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn who_does_nothing_is_warned_and_then_goes() {
        let start = Instant::now();
        let mut stay = Stay::new(seconds(600), seconds(0), true, start);
        assert_eq!(stay.due_at(), Some(start + seconds(540)));
        assert_eq!(stay.due(start + seconds(539)), None);
        let due = stay.due(start + seconds(540));
        assert!(
            matches!(&due, Some(Due::Warn(text)) if text.contains("60 s unless")),
            "{due:?}"
        );
        assert_eq!(stay.due(start + seconds(541)), None, "warned once");
        assert!(stay.input(start + seconds(550)), "the warning is void");
        assert!(!stay.input(start + seconds(551)));
        assert_eq!(stay.due_at(), Some(start + seconds(1091)));
        assert!(stay.due(start + seconds(1091)).is_some());
        let end = Some(Due::End(Over::Idle(seconds(600))));
        assert_eq!(stay.due(start + seconds(1151)), end);
    }

    #[test]
    fn the_longest_time_is_over_whatever_one_does() {
        let start = Instant::now();
        let mut stay = Stay::new(seconds(50), seconds(100), true, start);
        stay.input(start + seconds(40));
        assert_eq!(stay.due_at(), Some(start + seconds(65)), "idle by 90");
        stay.input(start + seconds(60));
        assert_eq!(stay.due_at(), Some(start + seconds(50)), "100 comes first");
        assert!(matches!(
            stay.due(start + seconds(60)),
            Some(Due::Warn(text)) if text.contains("50 s, the time")
        ));
        assert!(!stay.input(start + seconds(99)), "that warning stands");
        let end = Some(Due::End(Over::Long(seconds(100))));
        assert_eq!(stay.due(start + seconds(100)), end);
    }

    #[test]
    fn who_may_only_watch_is_not_idle_and_zero_is_never() {
        let start = Instant::now();
        let watcher = Stay::new(seconds(50), seconds(100), false, start);
        assert_eq!(watcher.due_at(), Some(start + seconds(50)));
        let watcher = Stay::new(seconds(50), seconds(0), false, start);
        assert_eq!(watcher.due_at(), None);
        let free = Stay::new(seconds(0), seconds(0), true, start);
        assert_eq!(free.due_at(), None);
    }
}

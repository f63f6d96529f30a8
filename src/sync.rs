//! Locks for what threads share: the standard library's, or those of a scheduler that tries the orders in which threads can
//! run (`contrib/ci/schedules.sh`).

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(feature = "shuttle"))]
pub(crate) use tokio::sync::Notify;

/// Tokio's, before each use of which other threads may run.
#[cfg(feature = "shuttle")]
#[derive(Debug, Default)]
pub(crate) struct Notify {
    inner: tokio::sync::Notify,
    point: shuttle::sync::atomic::AtomicBool,
}

#[cfg(feature = "shuttle")]
impl Notify {
    pub(crate) fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.others_may_run();
        self.inner.notified()
    }

    pub(crate) fn notify_waiters(&self) {
        self.others_may_run();
        self.inner.notify_waiters();
    }

    fn others_may_run(&self) {
        self.point.load(std::sync::atomic::Ordering::SeqCst);
    }
}

/// Runs a test of several threads in many orders; the seed of one that fails is printed.
#[cfg(all(test, feature = "shuttle"))]
pub(crate) fn in_many_orders(test: impl Fn() + Send + Sync + Clone + 'static) {
    const ORDERS: usize = 20_000;
    shuttle::check_random(test.clone(), ORDERS);
    // Orders in which one thread is left behind at three points: what is rare by chance.
    shuttle::check_pct(test, ORDERS, 3);
}

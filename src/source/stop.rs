//! How a thread that waits is told to end.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// A flag that is set once, and that can be waited for.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub fn set(&self) {
        let (flag, changed) = &*self.0;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    pub fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `time`, or until the flag is set; whether it is set.
    pub fn wait(&self, time: Duration) -> bool {
        let (flag, changed) = &*self.0;
        let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
        *changed
            .wait_timeout_while(flag, time, |set| !*set)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Waits until the flag is set.
    pub fn wait_for_ever(&self) {
        let (flag, changed) = &*self.0;
        let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(flag, |set| !*set));
    }
}

//! Updates are encoded off the runtime, on several cores, and once for all clients that need the same.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rfb::{
    frame::FrameSeq,
    server::{Encoded, EncodedUpdate, Part, Plan, Task, UpdateJob, UpdateKey},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::{JoinError, spawn_blocking},
};

/// Encodes what the sessions have to send.
pub(super) struct Encoders {
    /// Threads that encode at the same time; more would only take each other's turns.
    turns: Arc<Semaphore>,
    shared: Mutex<Shared>,
}

/// Updates of the newest frames.
#[derive(Default)]
struct Shared {
    updates: Vec<(UpdateKey, Arc<OnceCell<Arc<Encoded>>>)>,
}

impl Shared {
    /// Frames before the newest of which updates are still kept: a client may be that late.
    const LATE: u64 = 1;
    /// Clients that all need something else find nothing here anyway.
    const MOST: usize = 32;

    /// Where the update with this key is or will be.
    fn cell(&mut self, key: UpdateKey) -> Arc<OnceCell<Arc<Encoded>>> {
        if let Some((_, cell)) = self.updates.iter().find(|(known, _)| *known == key) {
            return Arc::clone(cell);
        }
        let oldest = FrameSeq(key.frame().0.saturating_sub(Self::LATE));
        self.updates.retain(|(known, _)| known.frame() >= oldest);
        if self.updates.len() >= Self::MOST {
            self.updates.remove(0);
        }
        let cell = Arc::<OnceCell<_>>::default();
        self.updates.push((key, Arc::clone(&cell)));
        cell
    }
}

impl Encoders {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
            shared: Mutex::default(),
        }
    }

    /// Encodes a job, unless that has been done already or is being done for another client.
    pub(super) async fn encode(&self, job: UpdateJob) -> Result<EncodedUpdate, JoinError> {
        let cell = self
            .shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cell(job.key());
        let task = job.task();
        let encoded = cell.get_or_try_init(|| self.work(task)).await?;
        Ok(job.with(Arc::clone(encoded)))
    }

    async fn work(&self, task: Task) -> Result<Arc<Encoded>, JoinError> {
        enum Planned {
            Done(Encoded),
            Large(Box<Plan>),
        }
        // The semaphore is never closed; without a turn the work is done all the same.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        let planned = spawn_blocking(move || {
            let plan = task.plan();
            match plan.is_large() {
                true => Planned::Large(Box::new(plan)),
                false => Planned::Done(plan.encode_all()),
            }
        });
        let encoded = match planned.await? {
            Planned::Done(encoded) => encoded,
            Planned::Large(plan) => self.encode_together(*plan).await?,
        };
        drop(turn);
        Ok(Arc::new(encoded))
    }

    /// Encodes the pieces of a plan on this turn's core and on all that nobody uses.
    async fn encode_together(&self, plan: Plan) -> Result<Encoded, JoinError> {
        let (plan, next) = (Arc::new(plan), Arc::new(AtomicUsize::new(0)));
        let mut threads = Vec::new();
        for number in 0..plan.len() {
            let turn = Arc::clone(&self.turns).try_acquire_owned().ok();
            if number > 0 && turn.is_none() {
                break;
            }
            let (plan, next) = (Arc::clone(&plan), Arc::clone(&next));
            threads.push(spawn_blocking(move || {
                let take =
                    || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < plan.len());
                let parts: Vec<(usize, Part)> =
                    std::iter::from_fn(|| take().map(|index| (index, plan.encode(index))))
                        .collect();
                drop(turn);
                parts
            }));
        }
        let mut parts = Vec::with_capacity(plan.len());
        for thread in threads {
            parts.extend(thread.await?);
        }
        parts.sort_unstable_by_key(|(index, _)| *index);
        let parts = parts.into_iter().map(|(_, part)| part).collect();
        let Some(plan) = Arc::into_inner(plan) else {
            unreachable!("the threads have ended and let go of the plan");
        };
        Ok(plan.complete(parts))
    }
}

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
    time::Instant,
};

use crate::metrics::Metrics;

/// Encodes what the sessions have to send.
pub(super) struct Encoders {
    /// Threads that encode at the same time; more would only take each other's turns.
    turns: Arc<Semaphore>,
    shared: Mutex<Shared>,
    metrics: Metrics,
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
    pub(super) fn new(metrics: Metrics) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
            shared: Mutex::default(),
            metrics,
        }
    }

    /// Encodes a job, unless that has been done already or is being done for another client.
    pub(super) async fn encode(&self, job: UpdateJob) -> Result<EncodedUpdate, JoinError> {
        if job.key().frame().is_private() {
            let encoded = self.work(job.task()).await?;
            return Ok(job.with(encoded));
        }
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
        let began = Instant::now();
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
        self.metrics.encoded(began.elapsed());
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rfb::{
        frame::Frame,
        geom::Size,
        server::Connection,
        testing::{Client, client::request},
    };

    use super::*;

    const SIZE: Size = Size::new(512, 384);

    /// Noise: many pieces, none of them small.
    fn noise() -> Frame {
        let mut state = 1u32;
        let bgrx: Vec<u8> = (0..SIZE.area() * 4)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        Frame::from_bgrx(FrameSeq(1), SIZE, &bgrx, usize::from(SIZE.width) * 4, None)
    }

    /// A client that lists these encodings and has asked for the whole picture.
    fn client(frame: &Frame, encodings: &[i32]) -> Connection {
        let mut connection = Connection::new(Arc::default(), [0; 16], frame.clone());
        let mut bytes = b"RFB 003.008\n\x01\x01".to_vec();
        bytes.extend(Client::new(SIZE).set_encodings(encodings));
        bytes.extend(request(false, SIZE.rect()));
        connection.receive(&bytes).expect("a client");
        connection.admit().expect("a client");
        connection.take_output();
        connection
    }

    async fn update(encoders: &Encoders, connection: &mut Connection) -> Vec<Bytes> {
        let job = connection.plan_update().expect("a job");
        let update = encoders.encode(job).await.expect("no panic");
        connection.finish_update(update)
    }

    #[tokio::test]
    async fn clients_that_need_the_same_are_sent_the_very_same_bytes() {
        let (frame, encoders) = (noise(), Encoders::new(Metrics::default()));
        let mut clients = [&[7, 1][..], &[7, 1], &[16, 1]].map(|list| client(&frame, list));
        let mut sent = Vec::new();
        for client in &mut clients {
            sent.push(update(&encoders, client).await);
        }
        let places = |pieces: &[Bytes]| -> Vec<_> {
            // The message's header is each client's own.
            pieces[1..].iter().map(|piece| piece.as_ptr()).collect()
        };
        assert_eq!(places(&sent[0]), places(&sent[1]), "encoded once");
        assert_ne!(places(&sent[0]), places(&sent[2]));
    }

    #[tokio::test]
    async fn pieces_that_were_encoded_side_by_side_are_in_order() {
        let frame = noise();
        for encoding in [7, -260, 2] {
            let together = update(
                &Encoders::new(Metrics::default()),
                &mut client(&frame, &[encoding]),
            )
            .await;
            let mut alone = client(&frame, &[encoding]);
            let job = alone.plan_update().expect("a job");
            assert!(job.task().plan().is_large());
            let alone = alone.finish_update(job.encode());
            assert!(together.concat() == alone.concat(), "{encoding}");
        }
    }

    #[tokio::test]
    async fn what_one_client_alone_is_shown_takes_no_room() {
        let (frame, encoders) = (noise(), Encoders::new(Metrics::default()));
        for (seq, kept) in [(FrameSeq::private(), 0), (FrameSeq(7), 1)] {
            let mut client = client(&frame.clone().with_seq(seq), &[7]);
            assert!(!update(&encoders, &mut client).await.is_empty());
            assert_eq!(
                encoders.shared.lock().expect("no panic").updates.len(),
                kept
            );
        }
    }

    #[test]
    fn updates_of_old_frames_are_not_kept() {
        let encoders = Encoders::new(Metrics::default());
        let key = |seq: u64| {
            let frame = noise().with_seq(FrameSeq(seq));
            client(&frame, &[7]).plan_update().expect("a job").key()
        };
        let kept = |seq: u64| {
            let mut shared = encoders.shared.lock().expect("no panic");
            shared.cell(key(seq));
            shared.updates.len()
        };
        assert_eq!([1, 2, 3, 9, 9].map(kept), [1, 2, 2, 1, 1]);
    }
}

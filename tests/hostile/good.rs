//! The good client: it sees one picture after the other and notes how long each took to come.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    screen::{Screen, is_shown},
    viewer::Viewer,
};

/// Between two pictures.
const INTERVAL: Duration = Duration::from_millis(30);

pub struct GoodClient {
    stop: Arc<AtomicBool>,
    /// From the moment when a picture was fed until it was on the client's screen.
    latencies: Arc<Mutex<Vec<Duration>>>,
    thread: Option<JoinHandle<()>>,
}

impl GoodClient {
    /// Takes part as long as this lives. A picture that does not come ends it, and with it the test.
    pub fn watch(mut screen: Screen, mut viewer: Viewer) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let latencies = Arc::new(Mutex::new(Vec::new()));
        let (ends, noted) = (Arc::clone(&stop), Arc::clone(&latencies));
        let watch = move || {
            viewer.encodings(&[7, -23, -224, -308]);
            let mut number = 0;
            while !ends.load(Ordering::Relaxed) {
                number += 1;
                let fed = Instant::now();
                screen.show(number);
                while !is_shown(&viewer, number) {
                    viewer.request(true);
                    viewer.next();
                }
                noted.lock().expect("no panic").push(fed.elapsed());
                thread::sleep(INTERVAL);
            }
        };
        Self {
            stop,
            latencies,
            thread: Some(thread::spawn(watch)),
        }
    }

    /// Waits until so many more pictures have come.
    pub fn sees(&mut self, pictures: usize) {
        let before = self.seen();
        while self.seen() < before + pictures {
            if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
                self.end();
                panic!("the good client has left");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// How long the pictures took that came since this was asked last.
    pub fn latencies(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.noted())
    }

    fn seen(&self) -> usize {
        self.noted().len()
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for GoodClient {
    fn drop(&mut self) {
        self.end();
    }
}

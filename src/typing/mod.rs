//! Types a text at the target: from a client's clipboard, or from a file through the control socket.
//!
//! One text at a time. Before its first key all of it is looked through for characters that the layout does not have
//! ([`Text`]). Then each character goes the way of a client's keys, a few ahead of what the target has taken, so the
//! target sets the pace, cancelling stops within a few characters, and what is said to be typed was.

mod job;
mod text;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::hid::{ClientId, HidHandle, TargetLayout};

pub use text::{LIMIT, Text, Untypable};

/// Types texts; one for the whole server, clones are the same.
#[derive(Clone, Debug)]
pub struct Typist {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    hid: HidHandle,
    layout: TargetLayout,
    delay: Duration,
    stop: CancellationToken,
    jobs: Mutex<Jobs>,
    status: watch::Sender<Option<Progress>>,
}

#[derive(Debug, Default)]
struct Jobs {
    begun: u64,
    /// Ends the one that runs.
    running: Option<CancellationToken>,
}

/// How a text is to be typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Between two characters; what the server was set to if it is not given.
    pub delay: Option<Duration>,
    /// Leave out what cannot be typed.
    pub skip: bool,
}

/// Why a text is not typed. Nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("another text is being typed; wait for its end or cancel it")]
    Busy,
    #[error("the text has {0} bytes; {LIMIT} are the limit, so type it in parts")]
    TooLong(usize),
    #[error("the layout cannot type {}", list(.0))]
    Untypable(Vec<Untypable>),
}

/// So many of the characters that cannot be typed are named in a sentence.
const NAMED: usize = 8;

fn list(untypable: &[Untypable]) -> String {
    let named = untypable.iter().take(NAMED).map(ToString::to_string);
    let mut text = named.collect::<Vec<_>>().join(", ");
    if untypable.len() > NAMED {
        text += &format!(" and {} other characters", untypable.len() - NAMED);
    }
    text
}

/// How far a text has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Characters that the target took.
    pub typed: usize,
    pub of: usize,
    /// How it ended, if it has.
    pub end: Option<End>,
}

impl Progress {
    fn new(length: usize) -> Self {
        Self {
            typed: 0,
            of: length,
            end: None,
        }
    }
}

/// How a text ended; in each case all its keys are up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Cancelled,
    /// What the target did: "is offline: …".
    Lost(Arc<str>),
    Stopping,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { typed, of, end } = self;
        match end {
            None => write!(f, "typing {typed}/{of}"),
            Some(End::Done) => write!(f, "typed {of} characters"),
            Some(End::Cancelled) => write!(f, "cancelled after {typed} of {of} characters"),
            Some(End::Lost(why)) => {
                write!(
                    f,
                    "ended after {typed} of {of} characters: the target {why}"
                )
            }
            Some(End::Stopping) => {
                write!(
                    f,
                    "ended after {typed} of {of} characters: rfbridge is stopping"
                )
            }
        }
    }
}

/// A text that is being typed. Dropping it cancels.
#[derive(Debug)]
pub struct Job {
    progress: watch::Receiver<Progress>,
    cancel: DropGuard,
}

impl Job {
    /// The newest state, and a way to wait for the next one.
    pub fn progress(&mut self) -> &mut watch::Receiver<Progress> {
        &mut self.progress
    }

    /// Asks for the end, which comes within a few characters, with everything released.
    pub fn cancel(&self) {
        self.cancel.token().cancel();
    }
}

impl Typist {
    /// `delay` is that between two characters where nobody asks for another; `stop` ends all that is typed.
    pub fn new(
        hid: HidHandle,
        layout: TargetLayout,
        delay: Duration,
        stop: CancellationToken,
    ) -> Self {
        let shared = Shared {
            hid,
            layout,
            delay,
            stop,
            jobs: Mutex::default(),
            status: watch::Sender::new(None),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Looks through a text.
    pub fn examine(&self, text: &str) -> Result<Text, Refusal> {
        match text.len() {
            0..=LIMIT => Ok(Text::new(text, &self.shared.layout.now().layout)),
            length => Err(Refusal::TooLong(length)),
        }
    }

    /// Begins to type `text`, unless something in it cannot be typed. Must be called inside a tokio runtime.
    pub fn start(&self, text: &str, manner: Manner) -> Result<Job, Refusal> {
        let text = self.examine(text)?;
        if !manner.skip && !text.untypable.is_empty() {
            return Err(Refusal::Untypable(text.untypable));
        }
        let cancel = self.shared.stop.child_token();
        let client = self.shared.begin(&cancel, text.len())?;
        let (sender, progress) = watch::channel(Progress::new(text.len()));
        let job = job::Job {
            hid: self.shared.hid.clone(),
            client,
            delay: manner.delay.unwrap_or(self.shared.delay),
            cancel: cancel.clone(),
            stop: self.shared.stop.clone(),
            progress: job::Progresses {
                job: sender,
                server: self.shared.status.clone(),
            },
        };
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let end = job.run(&text.characters).await;
            tracing::info!("text: {end}");
            shared.end(|| job.progress.tell(&end));
        });
        Ok(Job {
            progress,
            cancel: cancel.drop_guard(),
        })
    }

    /// Ends what is being typed, whoever began it; false if there is nothing.
    pub fn cancel(&self) -> bool {
        let jobs = self.shared.jobs();
        let running = jobs.running.as_ref();
        running.map(CancellationToken::cancel).is_some()
    }

    /// Whether a text is being typed now.
    pub fn is_typing(&self) -> bool {
        let status = self.shared.status.borrow();
        status
            .as_ref()
            .is_some_and(|progress| progress.end.is_none())
    }

    /// The text that is being typed, or was last, for everyone who wants to show that.
    pub fn status(&self) -> watch::Receiver<Option<Progress>> {
        self.shared.status.subscribe()
    }
}

impl Shared {
    /// Takes the one place for a text; gives the client that it is typed as.
    fn begin(&self, cancel: &CancellationToken, length: usize) -> Result<ClientId, Refusal> {
        let mut jobs = self.jobs();
        if jobs.running.is_some() {
            return Err(Refusal::Busy);
        }
        jobs.running = Some(cancel.clone());
        self.status.send_replace(Some(Progress::new(length)));
        // Sessions are numbered from 1.
        let client = ClientId(u64::MAX - jobs.begun);
        jobs.begun += 1;
        Ok(client)
    }

    /// Gives the place back and tells the end, so that who heard of it may begin another text, of which nothing was
    /// told before.
    fn end(&self, tell: impl FnOnce()) {
        let mut jobs = self.jobs();
        jobs.running = None;
        tell();
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

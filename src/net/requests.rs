//! What a client asks of rfbridge itself, by hotkeys, and what it is told of that in the desktop's name.
//!
//! The client's clipboard is kept here and typed when a hotkey says so, never by itself: viewers send it whenever their
//! window is entered. Every client that knows DesktopName sees in its title that a text is being typed and how far it is,
//! whoever began it; who asked is told there, too, why something is not done.

use std::{sync::Arc, time::Duration};

use rfb::server::{Clipboard, Connection, Millis};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::hotkey::{Command, Detector, Key, Verdict};
use crate::{
    config::Leader,
    hid::{ClientId, Input, PointerMode},
    typing::{Job, Manner, Progress, Refusal, Typist},
};

/// A viewer that has not given its clipboard by then does not want to; people have moved on, too.
const FETCH: Duration = Duration::from_secs(5);

/// The requests of one client.
pub(super) struct Requests<'a> {
    client: ClientId,
    typist: &'a Typist,
    detector: Detector,
    buttons: u16,
    clipboard: Clipboard,
    /// The client was asked for its clipboard; what it gives until then is typed.
    fetching: Option<Instant>,
    /// The text that this client had typed last. It ends when the client leaves.
    job: Option<Job>,
    title: Title,
}

impl<'a> Requests<'a> {
    pub(super) fn new(client: ClientId, typist: &'a Typist, leader: Leader, name: &str) -> Self {
        Self {
            client,
            typist,
            detector: Detector::new(leader),
            buttons: 0,
            clipboard: Clipboard::Empty,
            fetching: None,
            job: None,
            title: Title::new(name, typist.status()),
        }
    }

    /// What of an input is meant for the target; does what it asks for if it is a hotkey.
    pub(super) fn input(
        &mut self,
        input: Input,
        now: Millis,
        connection: &mut Connection,
    ) -> Option<Input> {
        let (down, key) = match input {
            Input::Key { down, keysym } => (down, Key { keysym, code: 0 }),
            Input::ExtendedKey { down, keysym, code } => (down, Key { keysym, code }),
            Input::Pointer { buttons, .. } | Input::Motion { buttons, .. } => {
                if std::mem::replace(&mut self.buttons, buttons) != buttons {
                    self.detector.interrupt();
                }
                return Some(input);
            }
            other => return Some(other),
        };
        match self.detector.key(down, key, now) {
            Verdict::Pass => return Some(input),
            Verdict::Swallow => {}
            Verdict::Act(Command::TypeClipboard) => self.type_clipboard(connection),
            Verdict::Act(Command::TogglePointerMode) => return Some(Input::TogglePointerMode),
            Verdict::Act(Command::CancelTyping) => self.cancel(),
        }
        None
    }

    /// Another of the target's pointers is used from now on.
    pub(super) fn pointer_changed(&mut self, mode: PointerMode) {
        self.title.answer(match mode {
            PointerMode::Absolute => "absolute pointer".to_owned(),
            PointerMode::Relative => "relative mouse".to_owned(),
        });
    }

    /// The client tells what its clipboard holds.
    pub(super) fn clipboard(&mut self, clipboard: Clipboard) {
        if self.fetching.is_some() && clipboard != Clipboard::Announced {
            self.fetching = None;
            if let Clipboard::Text(text) = clipboard {
                // It stays with the client: the next time it is asked again.
                return self.type_text(&text);
            }
            self.say_why_not(&clipboard);
        }
        self.clipboard = clipboard;
    }

    fn type_clipboard(&mut self, connection: &mut Connection) {
        match std::mem::replace(&mut self.clipboard, Clipboard::Empty) {
            Clipboard::Text(text) => {
                self.type_text(&text);
                self.clipboard = Clipboard::Text(text);
            }
            other => {
                if other == Clipboard::Announced && connection.request_clipboard() {
                    self.fetching = Some(Instant::now() + FETCH);
                } else {
                    self.say_why_not(&other);
                }
                self.clipboard = other;
            }
        }
    }

    fn type_text(&mut self, text: &str) {
        let client = self.client.0;
        match self.typist.start(text, Manner::default()) {
            Ok(job) => {
                tracing::info!(client, bytes = text.len(), "typing the clipboard");
                self.job = Some(job);
            }
            Err(refusal) => {
                let why = match &refusal {
                    // Parts of a text, of which the log is to hold nothing.
                    Refusal::Untypable(list) => {
                        format!("the layout lacks {} of its characters", list.len())
                    }
                    other => other.to_string(),
                };
                tracing::warn!(client, why, "the clipboard is not typed");
                self.title.answer(format!("not typed: {refusal}"));
            }
        }
    }

    fn say_why_not(&mut self, clipboard: &Clipboard) {
        let why = match clipboard {
            Clipboard::TooLong => "the clipboard holds more text than is taken",
            Clipboard::Announced => "the viewer does not give its clipboard",
            Clipboard::Empty | Clipboard::Text(_) => "there is no text in the viewer's clipboard",
        };
        tracing::info!(client = self.client.0, why, "nothing is typed");
        self.title.answer(format!("not typed: {why}"));
    }

    fn cancel(&mut self) {
        let was_fetching = self.fetching.take().is_some();
        if !self.typist.cancel() && !was_fetching {
            self.title.answer("nothing is being typed".to_owned());
        }
    }

    /// The desktop's name, if it is to become another one now.
    pub(super) fn new_name(&mut self) -> Option<String> {
        let now = Instant::now();
        if self.fetching.is_some_and(|until| until <= now) {
            self.fetching = None;
            self.say_why_not(&Clipboard::Announced);
        }
        self.title.new_name(now)
    }

    /// Waits until [`Requests::new_name`] may give something. Cancel-safe.
    pub(super) async fn wake(&mut self) {
        let fetching = self.fetching;
        tokio::select! {
            () = self.title.wake() => {}
            () = async { sleep_until(fetching.unwrap_or_else(Instant::now)).await },
                if fetching.is_some() => {}
        }
    }
}

/// The desktop's name with what there is to say behind it.
struct Title {
    name: Arc<str>,
    status: watch::Receiver<Option<Progress>>,
    /// An answer to this client. It comes first.
    answer: Option<Passing>,
    /// The text that is being typed, or how the last one ended.
    progress: Option<Passing>,
    shown: String,
    /// There is an answer that was not looked at yet.
    unseen: bool,
    /// When something else may be shown.
    not_before: Instant,
}

/// Something that is said for a while.
struct Passing {
    text: String,
    /// For as long as there is no other news if there is no end.
    until: Option<Instant>,
}

impl Title {
    /// So long can a message be read.
    const STANDS: Duration = Duration::from_secs(4);
    /// Viewers draw their titles anew, some of them slowly.
    const PACE: Duration = Duration::from_millis(500);

    fn new(name: &str, mut status: watch::Receiver<Option<Progress>>) -> Self {
        let running = |progress: &Progress| progress.end.is_none();
        if status.borrow_and_update().as_ref().is_some_and(running) {
            status.mark_changed();
        }
        Self {
            name: name.into(),
            status,
            answer: None,
            progress: None,
            shown: name.to_owned(),
            unseen: false,
            not_before: Instant::now(),
        }
    }

    fn answer(&mut self, text: String) {
        let now = Instant::now();
        self.answer = Some(Passing {
            text,
            until: Some(now + Self::STANDS),
        });
        self.unseen = true;
        self.not_before = now;
    }

    fn new_name(&mut self, now: Instant) -> Option<String> {
        if now < self.not_before {
            return None;
        }
        self.unseen = false;
        if self.status.has_changed().unwrap_or(false) {
            let progress = self.status.borrow_and_update().clone();
            self.progress = progress.map(|progress| Passing {
                text: progress.to_string(),
                until: progress.end.is_some().then(|| now + Self::STANDS),
            });
        }
        for passing in [&mut self.answer, &mut self.progress] {
            passing.take_if(|passing| passing.until.is_some_and(|until| until <= now));
        }
        let name = match self.answer.as_ref().or(self.progress.as_ref()) {
            None => self.name.to_string(),
            Some(passing) => format!("{} - {}", self.name, passing.text),
        };
        if name == self.shown {
            return None;
        }
        self.not_before = now + Self::PACE;
        self.shown.clone_from(&name);
        Some(name)
    }

    /// Waits until there may be another name. Cancel-safe.
    async fn wake(&mut self) {
        let not_before = self.not_before;
        let passing = [&self.answer, &self.progress].into_iter().flatten();
        let until = passing.filter_map(|passing| passing.until).min();
        let until = until.map(|until| if self.unseen { not_before } else { until });
        let news = async {
            sleep_until(not_before).await;
            if self.status.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            // Seen and not taken: that is for `new_name`.
            self.status.mark_changed();
        };
        tokio::select! {
            () = news => {}
            () = async { sleep_until(until.unwrap_or(not_before).max(not_before)).await },
                if until.is_some() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typing::End;

    fn progress(typed: usize, end: Option<End>) -> Option<Progress> {
        Some(Progress { typed, of: 9, end })
    }

    /// Waits, on a clock that jumps, until another name is to be shown.
    async fn next(title: &mut Title) -> String {
        loop {
            title.wake().await;
            if let Some(name) = title.new_name(Instant::now()) {
                return name;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_name_tells_of_a_text_and_is_then_what_it_was() {
        let (status, seen) = watch::channel(progress(9, Some(End::Done)));
        let mut title = Title::new("box", seen);
        assert_eq!(title.new_name(Instant::now()), None, "that is long over");
        for typed in 0..5 {
            status.send_replace(progress(typed, None));
        }
        assert_eq!(next(&mut title).await, "box - typing 4/9");
        let shown = Instant::now();
        status.send_replace(progress(5, None));
        status.send_replace(progress(6, None));
        assert_eq!(title.new_name(Instant::now()), None, "not so often");
        assert_eq!(next(&mut title).await, "box - typing 6/9");
        assert!(shown.elapsed() >= Title::PACE);
        title.answer("not typed: busy".to_owned());
        assert_eq!(next(&mut title).await, "box - not typed: busy");
        status.send_replace(progress(6, Some(End::Cancelled)));
        assert_eq!(
            next(&mut title).await,
            "box - cancelled after 6 of 9 characters"
        );
        assert_eq!(next(&mut title).await, "box");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_later_sees_what_goes_on() {
        let (_status, seen) = watch::channel(progress(3, None));
        let mut title = Title::new("box", seen);
        assert_eq!(next(&mut title).await, "box - typing 3/9");
    }
}

//! The desktop's name with what there is to say behind it.
//!
//! Every client that knows DesktopName sees in its title that a text is being typed and how far it is, whoever began it,
//! and what concerns itself.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::typing::Progress;

pub(super) struct Title {
    name: Arc<str>,
    status: watch::Receiver<Option<Progress>>,
    /// An answer to this client. It comes first.
    answer: Option<Passing>,
    /// That it will be disconnected.
    warning: Option<String>,
    /// The text that is being typed, or how the last one ended.
    progress: Option<Passing>,
    /// What holds until there is something else to say.
    notice: Option<String>,
    shown: String,
    /// There is something that was not looked at yet.
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

    pub(super) fn new(name: &str, mut status: watch::Receiver<Option<Progress>>) -> Self {
        let running = |progress: &Progress| progress.end.is_none();
        if status.borrow_and_update().as_ref().is_some_and(running) {
            status.mark_changed();
        }
        Self {
            name: name.into(),
            status,
            answer: None,
            warning: None,
            progress: None,
            notice: None,
            shown: name.to_owned(),
            unseen: false,
            not_before: Instant::now(),
        }
    }

    pub(super) fn answer(&mut self, text: String) {
        let now = Instant::now();
        self.answer = Some(Passing {
            text,
            until: Some(now + Self::STANDS),
        });
        self.unseen = true;
        self.not_before = now;
    }

    /// Says for as long as it holds that the client will be disconnected.
    pub(super) fn warn(&mut self, text: Option<String>) {
        self.unseen |= self.warning != text;
        self.warning = text;
    }

    /// What is said while there is nothing else.
    pub(super) fn notice(&mut self, text: Option<String>) {
        self.unseen |= self.notice != text;
        self.notice = text;
    }

    pub(super) fn new_name(&mut self, now: Instant) -> Option<String> {
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
        let passing = |passing: &Option<Passing>| passing.as_ref().map(|p| p.text.clone());
        let text = passing(&self.answer)
            .or_else(|| self.warning.clone())
            .or_else(|| passing(&self.progress))
            .or_else(|| self.notice.clone());
        let name = match text {
            None => self.name.to_string(),
            Some(text) => format!("{} - {text}", self.name),
        };
        if name == self.shown {
            return None;
        }
        self.not_before = now + Self::PACE;
        self.shown.clone_from(&name);
        Some(name)
    }

    /// Waits until there may be another name. Cancel-safe.
    pub(super) async fn wake(&mut self) {
        let not_before = self.not_before;
        let passing = [&self.answer, &self.progress].into_iter().flatten();
        let until = passing.filter_map(|passing| passing.until).min();
        let until = if self.unseen { Some(not_before) } else { until };
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
    async fn a_notice_stands_behind_all_else_and_a_warning_before_all_but_answers() {
        let (status, seen) = watch::channel(progress(3, None));
        let mut title = Title::new("box", seen);
        title.notice(Some("anna has control".to_owned()));
        assert_eq!(next(&mut title).await, "box - typing 3/9");
        title.warn(Some("disconnecting".to_owned()));
        assert_eq!(next(&mut title).await, "box - disconnecting");
        title.answer("no".to_owned());
        assert_eq!(next(&mut title).await, "box - no");
        assert_eq!(next(&mut title).await, "box - disconnecting");
        title.warn(None);
        status.send_replace(None);
        assert_eq!(next(&mut title).await, "box - anna has control");
        title.notice(None);
        assert_eq!(next(&mut title).await, "box");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_later_sees_what_goes_on() {
        let (_status, seen) = watch::channel(progress(3, None));
        let mut title = Title::new("box", seen);
        assert_eq!(next(&mut title).await, "box - typing 3/9");
    }
}

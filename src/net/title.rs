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

    pub(super) fn new(name: &str, mut status: watch::Receiver<Option<Progress>>) -> Self {
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

    pub(super) fn answer(&mut self, text: String) {
        let now = Instant::now();
        self.answer = Some(Passing {
            text,
            until: Some(now + Self::STANDS),
        });
        self.unseen = true;
        self.not_before = now;
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
    pub(super) async fn wake(&mut self) {
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

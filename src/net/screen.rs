//! What there is to show becomes one frame for all sessions: the target's screen, or a slate.

use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
};
use tokio::sync::watch;

use crate::video::{Signal, slate};

/// The size of the slate while nobody knows the target's.
const DEFAULT_SIZE: Size = Size::new(1280, 720);

/// Follows `signals` until told to stop by dropping the returned future; the frames come out of the receiver.
/// `size` is that of the first slate, if it is known.
///
/// The last frame stays when the signals end.
pub fn frames(
    signals: watch::Receiver<Signal>,
    size: Option<Size>,
) -> (watch::Receiver<Frame>, Screen) {
    let mut painter = Painter {
        size: size.unwrap_or(DEFAULT_SIZE),
        seq: FrameSeq(0),
    };
    let mut signals = signals;
    let first = painter.paint(signals.borrow_and_update().clone());
    let (sender, receiver) = watch::channel(first);
    let screen = Screen {
        signals,
        painter,
        sender,
    };
    (receiver, screen)
}

/// The step from signals to frames.
#[derive(Debug)]
pub struct Screen {
    signals: watch::Receiver<Signal>,
    painter: Painter,
    sender: watch::Sender<Frame>,
}

impl Screen {
    /// Runs until the signals end and nobody looks any more.
    pub async fn follow(mut self) {
        while self.signals.changed().await.is_ok() {
            let signal = self.signals.borrow_and_update().clone();
            let before = self.painter.size;
            let frame = match signal {
                // The first frame says so already.
                Signal::Starting => continue,
                Signal::Live(_) => self.painter.paint(signal),
                // Drawing letters takes milliseconds that belong to the sessions.
                _ => {
                    let mut painter = self.painter.clone();
                    match tokio::task::spawn_blocking(move || (painter.paint(signal), painter))
                        .await
                    {
                        Ok((frame, painter)) => {
                            self.painter = painter;
                            frame
                        }
                        Err(error) => {
                            tracing::error!(%error, "the slate could not be drawn");
                            continue;
                        }
                    }
                }
            };
            if frame.size() != before {
                tracing::info!(from = %before, to = %frame.size(), "desktop size changed");
            }
            self.sender.send_replace(frame);
        }
        self.sender.closed().await;
    }
}

/// Numbers frames and remembers the target's size.
#[derive(Clone, Debug)]
struct Painter {
    size: Size,
    seq: FrameSeq,
}

impl Painter {
    fn paint(&mut self, signal: Signal) -> Frame {
        self.seq = FrameSeq(self.seq.0 + 1);
        match signal {
            Signal::Live(frame) => {
                self.size = frame.size();
                frame.with_seq(self.seq)
            }
            signal => slate::for_signal(&signal, self.size, self.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn lost() -> Signal {
        Signal::Lost {
            since: SystemTime::UNIX_EPOCH,
            why: "unplugged".to_owned(),
        }
    }

    #[tokio::test]
    async fn slates_keep_the_size_and_numbers_grow() {
        let (signals, receiver) = watch::channel(Signal::Starting);
        let (mut frames, screen) = frames(receiver, Some(Size::new(800, 600)));
        let task = tokio::spawn(screen.follow());
        let first = frames.borrow_and_update().clone();
        assert_eq!(first.size(), Size::new(800, 600));

        let live = Frame::solid(FrameSeq(1), Size::new(640, 480), 0x123456);
        let mut last = first.seq();
        for signal in [
            Signal::Live(live.clone()),
            lost(),
            Signal::Live(live.clone()),
        ] {
            signals.send_replace(signal);
            frames.changed().await.expect("a frame");
            let frame = frames.borrow_and_update().clone();
            assert!(frame.seq() > last);
            assert_eq!(frame.size(), live.size());
            last = frame.seq();
        }
        assert!(frames.borrow().same_picture(&live));

        drop(signals);
        assert!(frames.borrow().same_picture(&live), "the last frame stays");
        drop(frames);
        task.await.expect("an end");
    }

    #[test]
    fn nothing_known_gives_a_slate_of_a_common_size() {
        let (_signals, receiver) = watch::channel(Signal::Starting);
        let (frames, _screen) = frames(receiver, None);
        assert_eq!(frames.borrow().size(), DEFAULT_SIZE);
    }
}

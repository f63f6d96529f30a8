//! Texts through the real HID thread into a sink that does as it is told.

use super::*;
use crate::hid::{
    self, Input, TargetLayout,
    sink::{Function, Offer, Sink},
};

/// What the sink answers, and the keyboard reports that it took.
#[derive(Debug)]
struct Target {
    answer: Mutex<Offer>,
    taken: watch::Sender<Vec<[u8; 8]>>,
}

struct TestSink(Arc<Target>);

impl Sink for TestSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        let answer = self.0.answer.lock().expect("no panic").clone();
        if answer == Offer::Taken {
            assert_eq!(function, Function::Keyboard);
            let report = report.try_into().expect("8 bytes");
            self.0.taken.send_modify(|taken| taken.push(report));
        }
        answer
    }
}

struct Bench {
    typist: Typist,
    hid: HidHandle,
    target: Arc<Target>,
    stop: CancellationToken,
    _thread: hid::HidThread,
}

impl Bench {
    fn new() -> Self {
        let target = Arc::new(Target {
            answer: Mutex::new(Offer::Taken),
            taken: watch::Sender::new(Vec::new()),
        });
        let options = hid::Options {
            layout: TargetLayout::default(),
            leds: watch::channel(None).1,
            lock_inference: true,
            mouse: hid::MouseOptions::default(),
        };
        let sink = Box::new(TestSink(Arc::clone(&target)));
        let (hid, thread) = hid::spawn(sink, options).expect("a thread");
        let stop = CancellationToken::new();
        let delay = Duration::ZERO;
        Self {
            typist: Typist::new(hid.clone(), TargetLayout::default(), delay, stop.clone()),
            hid,
            target,
            stop,
            _thread: thread,
        }
    }

    fn answer(&self, answer: Offer) {
        *self.target.answer.lock().expect("no panic") = answer;
    }

    fn start(&self, text: &str) -> Job {
        let job = self.typist.start(text, Manner::default());
        job.expect("nothing else is typed")
    }

    /// The characters that were typed, by the US layout; panics unless all is released.
    fn typed(&self) -> String {
        let taken = self.target.taken.borrow();
        assert!(taken.last().is_none_or(|last| *last == [0; 8]), "{taken:?}");
        let key = |report: &[u8; 8]| match (report[0], report[2]) {
            (_, 0) => None,
            (shift, usage @ 0x04..=0x1d) => {
                let letter = char::from(usage - 0x04 + if shift == 0 { b'a' } else { b'A' });
                Some(letter)
            }
            (0, 0x28) => Some('\n'),
            (0, 0x2b) => Some('\t'),
            other => panic!("a letter, not {other:x?}"),
        };
        taken.iter().filter_map(key).collect()
    }

    /// Waits until so many reports were taken.
    async fn taken(&self, reports: usize) {
        let mut taken = self.target.taken.subscribe();
        let enough = taken.wait_for(|taken| taken.len() >= reports);
        drop(enough.await.expect("it lives"));
    }
}

async fn end(job: &mut Job) -> Progress {
    let ended = job.progress().wait_for(|progress| progress.end.is_some());
    ended.await.expect("it tells its end").clone()
}

#[tokio::test]
async fn complaint_18_all_of_a_text_is_typed_at_the_targets_pace() {
    let bench = Bench::new();
    let text = "The quick brown fox\n\tjumps".replace(' ', "\t").repeat(40);
    let mut job = bench.start(&text);
    let all = Progress {
        typed: text.len(),
        of: text.len(),
        end: Some(End::Done),
    };
    assert_eq!(end(&mut job).await, all);
    assert_eq!(bench.typed(), text);
    assert_eq!(*bench.typist.status().borrow(), Some(all));
}

#[tokio::test]
async fn what_the_layout_lacks_is_told_before_the_first_key() {
    let bench = Bench::new();
    let refusal = bench.typist.start("aé€é", Manner::default()).map(drop);
    let text = bench.typist.examine("aé€é").expect("short");
    assert_eq!(refusal, Err(Refusal::Untypable(text.untypable)));
    let told = refusal.expect_err("refused").to_string();
    assert_eq!(
        told,
        "the layout cannot type é (U+00E9) 2 times, first at 1:2, € (U+20AC) at 1:3"
    );
    let many: String = ('α'..='ω').collect();
    let refusal = bench.typist.start(&many, Manner::default()).map(drop);
    let told = refusal.expect_err("refused").to_string();
    assert!(told.ends_with("and 17 other characters"), "{told}");
    let too_long = "x".repeat(LIMIT + 1);
    let refusal = bench.typist.start(&too_long, Manner::default()).map(drop);
    assert_eq!(refusal, Err(Refusal::TooLong(LIMIT + 1)));

    let skip = Manner {
        skip: true,
        ..Manner::default()
    };
    let mut job = bench.typist.start("aé€éb", skip).expect("typed in part");
    assert_eq!(end(&mut job).await.of, 2);
    assert_eq!(bench.typed(), "ab");
}

#[tokio::test]
async fn one_text_at_a_time() {
    let bench = Bench::new();
    bench.answer(Offer::Busy);
    let mut first = bench.start("first");
    let second = bench.typist.start("second", Manner::default()).map(drop);
    assert_eq!(second, Err(Refusal::Busy));
    bench.answer(Offer::Taken);
    assert_eq!(end(&mut first).await.end, Some(End::Done));
    let mut third = bench.start("third");
    assert_eq!(end(&mut third).await.end, Some(End::Done));
    assert_eq!(bench.typed(), "firstthird");
}

/// However it is cancelled, it ends within a few characters and with everything released.
#[tokio::test]
async fn a_cancelled_text_ends_soon_and_released() {
    for way in [
        "by its job",
        "by anybody",
        "by dropping it",
        "by the end of rfbridge",
    ] {
        let bench = Bench::new();
        let text = "abcdefgh".repeat(1000);
        let slowly = Manner {
            delay: Some(Duration::from_millis(1)),
            skip: false,
        };
        let mut job = bench.typist.start(&text, slowly).expect("room");
        let mut progress = job.progress().clone();
        bench.taken(21).await;
        match way {
            "by its job" => job.cancel(),
            "by anybody" => assert!(bench.typist.cancel()),
            "by dropping it" => drop(job),
            _ => bench.stop.cancel(),
        }
        let ended = progress.wait_for(|progress| progress.end.is_some());
        let ended = ended.await.expect("it tells its end").clone();
        let expected = if bench.stop.is_cancelled() {
            End::Stopping
        } else {
            End::Cancelled
        };
        assert_eq!(ended.end, Some(expected), "{way}");
        assert!((10..text.len()).contains(&ended.typed), "{way}: {ended:?}");
        assert_eq!(bench.typed(), text[..ended.typed], "{way}");
        assert!(!bench.typist.cancel(), "{way}: it is over");
    }
}

#[tokio::test]
async fn a_target_that_goes_away_ends_the_text_and_says_after_how_many_characters() {
    for (answer, why) in [
        (Offer::Offline("no cable".into()), "is offline: no cable"),
        (
            Offer::Busy,
            "fetches no reports (asleep, or firmware without this device)",
        ),
    ] {
        let bench = Bench::new();
        let slowly = Manner {
            delay: Some(Duration::from_millis(1)),
            skip: false,
        };
        let mut job = bench
            .typist
            .start(&"ab".repeat(5000), slowly)
            .expect("room");
        bench.taken(11).await;
        bench.answer(answer);
        let progress = end(&mut job).await;
        assert_eq!(progress.end, Some(End::Lost(why.into())));
        bench.answer(Offer::Taken);
        let told = progress.to_string();
        let typed = progress.typed;
        let expected = format!("ended after {typed} of 10000 characters: the target {why}");
        assert_eq!(told, expected);
        // It is back: what was down is released, and a new text begins with its first character.
        let before = bench.target.taken.borrow().len();
        let mut job = bench.start("z");
        assert_eq!(end(&mut job).await.end, Some(End::Done));
        let after: Vec<_> = bench.target.taken.borrow()[before..].to_vec();
        let pressed: Vec<u8> = after
            .iter()
            .map(|report| report[2])
            .filter(|key| *key != 0)
            .collect();
        assert_eq!(pressed, [0x1d], "{after:?}");
        bench.typed();
    }
}

#[tokio::test]
async fn a_text_is_exact_whatever_others_hold() {
    let bench = Bench::new();
    let shift = Input::Key {
        down: true,
        keysym: 0xffe1,
    };
    bench.hid.send(ClientId(1), shift).await;
    let mut job = bench.start("aB");
    assert_eq!(end(&mut job).await.end, Some(End::Done));
    bench.hid.leave(ClientId(1));
    let mut job = bench.start("c");
    end(&mut job).await;
    assert_eq!(bench.typed(), "aBc");
}

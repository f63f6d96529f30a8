//! The commands over a real socket, typing into the real HID thread.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    sync::Mutex,
};

use super::*;
use crate::hid::{
    self,
    sink::{Function, Offer, Sink},
};

/// Takes reports as long as it is told to.
struct Valve(Arc<Mutex<Offer>>);

impl Sink for Valve {
    fn offer(&mut self, _: Function, _: &[u8]) -> Offer {
        self.0.lock().expect("no panic").clone()
    }
}

struct Bench {
    path: PathBuf,
    valve: Arc<Mutex<Offer>>,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    _hid: hid::HidThread,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("control.sock");
        let valve = Arc::new(Mutex::new(Offer::Taken));
        let options = hid::Options {
            layout: Arc::default(),
            leds: tokio::sync::watch::channel(None).1,
            lock_inference: true,
            mouse: hid::MouseOptions::default(),
        };
        let sink = Box::new(Valve(Arc::clone(&valve)));
        let (handle, thread) = hid::spawn(sink, options).expect("a thread");
        let stop = CancellationToken::new();
        let typist = Typist::new(handle, Arc::default(), Duration::ZERO, stop.clone());
        let status = || Status {
            version: "0".to_owned(),
            clients: 3,
            view_only: false,
            pointer: Pointer::Relative,
            leds: None,
            typing: None,
        };
        let context = Context {
            typist,
            status: Box::new(status),
        };
        let socket = Socket::open(path.clone()).expect("a socket");
        let serving = tokio::spawn(socket.serve(context, stop.clone()));
        Self {
            path,
            valve,
            stop,
            serving,
            _hid: thread,
            _directory: directory,
        }
    }

    fn connect(&self) -> Peer {
        let stream = UnixStream::connect(&self.path).expect("a server");
        Peer(BufReader::new(stream))
    }
}

/// A program that writes its JSON by hand.
struct Peer(BufReader<UnixStream>);

impl Peer {
    fn say(&mut self, line: &str) {
        let stream = self.0.get_mut();
        stream.write_all(line.as_bytes()).expect("an open socket");
        stream.write_all(b"\n").expect("an open socket");
    }

    /// The next line; empty at the end.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The last line of an answer.
    fn result(&mut self) -> String {
        loop {
            let line = self.hear();
            if line.is_empty() || line.contains("\"done\"") || line.contains("\"error\"") {
                return line;
            }
            assert!(line.starts_with("{\"typed\":"), "{line}");
        }
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.result()
    }
}

/// Runs what blocks beside the server.
async fn blocking(test: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(test).await.expect("no panic");
}

#[tokio::test]
async fn a_text_is_typed_and_its_progress_told() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    blocking(move || {
        let done = r#"{"typed":3,"of":3,"done":true}"#;
        assert_eq!(peer.ask(r#"{"command":"type","text":"a\r\nb"}"#), done);
        let empty = r#"{"typed":0,"of":0,"done":true}"#;
        assert_eq!(peer.ask(r#"{"command":"type","text":""}"#), empty);
        let untypable = r#""untypable":[{"character":"é","count":2,"line":1,"column":2}],"untypable_characters":1}"#;
        let refused = format!(
            r#"{{"error":"the layout cannot type é (U+00E9) 2 times, first at 1:2",{untypable}"#
        );
        assert_eq!(peer.ask("{\"command\":\"type\",\"text\":\"aéé\"}"), refused);
        let dry = peer.ask(r#"{"command":"type","text":"a\u00e9é","dry_run":true}"#);
        assert_eq!(dry, format!(r#"{{"of":1,"done":true,{untypable}"#));
        let skipped = r#"{"typed":1,"of":1,"done":true}"#;
        let request = r#"{"command":"type","text":"aé","skip":true,"delay_ms":1}"#;
        assert_eq!(peer.ask(request), skipped);
        peer.say(r#"{"command":"status"}"#);
        let status = r#"{"version":"0","clients":3,"view_only":false,"pointer":"relative","leds":null,"typing":null}"#;
        assert_eq!(peer.hear(), status);
    })
    .await;
}

/// Garbage is answered, and the connection goes on where the next line is known to begin.
#[tokio::test]
async fn what_is_no_request_is_answered() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    blocking(move || {
        for (line, words) in [
            ("hello", "not a request"),
            ("", "not a request"),
            ("[]", "not a request"),
            (
                r#"{"command":"kick"}"#,
                "expected one of `type`, `cancel`, `status`",
            ),
            (r#"{"command":"type"}"#, "missing field `text`"),
            (r#"{"command":"type","text":7}"#, "not a request"),
            (
                r#"{"command":"type","text":"a","delay_ms":1001}"#,
                "at most 1000",
            ),
            (
                r#"{"command":"type","text":"a","delay_ms":-1}"#,
                "not a request",
            ),
        ] {
            let answer = peer.ask(line);
            assert!(
                answer.starts_with("{\"error\":") && answer.contains(words),
                "{line}: {answer}"
            );
        }
        let long = "x".repeat(crate::typing::LIMIT + 1);
        let answer = peer.ask(&format!("{{\"command\":\"type\",\"text\":\"{long}\"}}"));
        assert!(answer.contains("1048576 are the limit"), "{answer}");
        let nothing = r#"{"done":true,"cancelled":false}"#;
        assert_eq!(peer.ask(r#"{"command":"cancel"}"#), nothing);
    })
    .await;
}

#[tokio::test]
async fn a_line_that_does_not_end_is_refused_and_not_held() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    blocking(move || {
        let mebibyte = vec![b'x'; 1 << 20];
        let sent = (0..8).try_for_each(|_| peer.0.get_mut().write_all(&mebibyte));
        assert!(sent.is_err(), "the server takes no 8 MiB");
        let answer = peer.hear();
        assert!(answer.contains("a line is longer than"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_second_text_is_refused_and_anybody_may_cancel() {
    let bench = Bench::new();
    *bench.valve.lock().expect("no panic") = Offer::Busy;
    let (mut first, mut second) = (bench.connect(), bench.connect());
    let valve = Arc::clone(&bench.valve);
    blocking(move || {
        first.say(r#"{"command":"type","text":"abc"}"#);
        // An answer to this shows that the first request was taken.
        let busy = first.ask(r#"{"command":"type","text":"x"}"#);
        assert!(busy.contains("on this connection"), "{busy}");
        let busy = second.ask(r#"{"command":"type","text":"x"}"#);
        assert!(busy.contains("another text is being typed"), "{busy}");
        let cancelled = second.ask(r#"{"command":"cancel"}"#);
        assert_eq!(cancelled, r#"{"done":true,"cancelled":true}"#);
        *valve.lock().expect("no panic") = Offer::Taken;
        let end = first.result();
        // All three were on their way already, or some were not: both are an end that is told.
        assert!(
            end.contains("cancelled after") || end.contains("\"done\":true"),
            "{end}"
        );
        let done = r#"{"typed":1,"of":1,"done":true}"#;
        assert_eq!(second.ask(r#"{"command":"type","text":"x"}"#), done);
    })
    .await;
}

#[tokio::test]
async fn closing_the_connection_cancels() {
    let bench = Bench::new();
    let (mut first, mut second) = (bench.connect(), bench.connect());
    blocking(move || {
        let text = "a".repeat(10_000);
        first.say(&format!(
            "{{\"command\":\"type\",\"text\":\"{text}\",\"delay_ms\":1000}}"
        ));
        assert!(first.hear().starts_with("{\"typed\":1,"));
        drop(first);
        // Until the server noticed, there is no room for another.
        loop {
            let answer = second.ask(r#"{"command":"type","text":"b"}"#);
            if answer.contains("\"done\"") {
                break;
            }
            assert!(answer.contains("another text is being typed"), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_server_ends_a_text_and_removes_the_socket() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    let stop = bench.stop.clone();
    blocking(move || {
        let text = "a".repeat(10_000);
        peer.say(&format!(
            "{{\"command\":\"type\",\"text\":\"{text}\",\"delay_ms\":1000}}"
        ));
        assert!(peer.hear().starts_with("{\"typed\":1,"));
        stop.cancel();
        let end = peer.result();
        assert!(end.contains("rfbridge is stopping"), "{end}");
        assert_eq!(peer.hear(), "");
    })
    .await;
    bench.serving.await.expect("it ends");
    assert!(!bench.path.exists());
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_are_told_so() {
    let bench = Bench::new();
    let mut peers: Vec<_> = (0..=CONNECTIONS).map(|_| bench.connect()).collect();
    blocking(move || {
        let mut last = peers.pop().expect("a peer");
        let refusal = last.hear();
        assert!(refusal.contains("too many connections"), "{refusal}");
        let status = peers[0].ask(r#"{"command":"cancel"}"#);
        assert!(status.contains("done"), "{status}");
    })
    .await;
}

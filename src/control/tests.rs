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

/// Has the clients 1 and 2, of which 2 may only watch.
#[derive(Debug)]
struct Server {
    done: Mutex<Vec<String>>,
    events: broadcast::Sender<Event>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            done: Mutex::default(),
            events: broadcast::channel(4).0,
        }
    }
}

impl Server {
    fn did(&self, what: String) {
        self.done.lock().expect("no panic").push(what);
    }
}

impl Operations for Server {
    fn status(&self) -> Status {
        Status {
            version: "0".to_owned(),
            clients: 3,
            view_only: false,
            pointer: Pointer::Relative,
            layout: "de".to_owned(),
            leds: None,
            typing: None,
            picture: self.picture(),
            usb: None,
            power: None,
            share: "always".to_owned(),
            control: "first".to_owned(),
            controller: Some(1),
        }
    }

    fn picture(&self) -> Picture {
        Picture {
            state: PictureState::Live,
            width: Some(640),
            height: Some(480),
            why: None,
        }
    }

    fn clients(&self) -> Vec<ClientStatus> {
        let client = |id| ClientStatus {
            id,
            address: "192.0.2.7:40000".to_owned(),
            user: (id == 1).then(|| "anna".to_owned()),
            role: "control".to_owned(),
            encoding: None,
            controls: id == 1,
            view_only: false,
            connected_seconds: 60,
            idle_seconds: Some(5),
            bytes_sent: 1000,
            bytes_per_second: 100,
            round_trip_ms: None,
            bytes_in_flight: 0,
        };
        vec![client(1), client(2)]
    }

    fn kick(&self, client: u64, reason: Option<&str>) -> bool {
        self.did(format!("kick {client} {reason:?}"));
        client <= 2
    }

    fn set_view_only(&self, client: u64, on: bool) -> Result<(), String> {
        self.did(format!("view-only {client} {on}"));
        Ok(())
    }

    fn take(&self, client: u64) -> Result<(), String> {
        match client {
            1 => Ok(()),
            _ => Err("this client may only watch".to_owned()),
        }
    }

    fn power(&self, action: PowerAction, who: &str) -> Answering {
        self.did(format!("{action} for {who}"));
        Box::pin(async { Ok(()) })
    }

    fn connect(&self, viewer: Viewer) -> Answering {
        self.did(format!("connect {viewer}"));
        Box::pin(async { Err("nobody listens".to_owned()) })
    }

    fn reload(&self) -> Vec<(&'static str, Result<(), String>)> {
        let broken = Err("line 3 has no role".to_owned());
        vec![("sessions", Ok(())), ("users", broken)]
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

struct Bench {
    path: PathBuf,
    valve: Arc<Mutex<Offer>>,
    server: Arc<Server>,
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
            layout: hid::TargetLayout::default(),
            leds: tokio::sync::watch::channel(None).1,
            lock_inference: true,
            mouse: hid::MouseOptions::default(),
        };
        let sink = Box::new(Valve(Arc::clone(&valve)));
        let (handle, thread) = hid::spawn(sink, options).expect("a thread");
        let stop = CancellationToken::new();
        let typist = Typist::new(
            handle,
            hid::TargetLayout::default(),
            Duration::ZERO,
            stop.clone(),
        );
        let server = Arc::<Server>::default();
        let context = Context {
            typist,
            operations: Arc::clone(&server) as Arc<dyn Operations>,
        };
        let socket = Socket::open(path.clone()).expect("a socket");
        let serving = tokio::spawn(socket.serve(context, stop.clone()));
        Self {
            path,
            valve,
            server,
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
        let status = r#"{"version":"0","clients":3,"view_only":false,"pointer":"relative","layout":"de","leds":null,"typing":null,"picture":{"state":"live","width":640,"height":480},"usb":null,"power":null,"share":"always","control":"first","controller":1}"#;
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
                r#"{"command":"reboot"}"#,
                "expected one of `type`, `cancel`, `status`",
            ),
            (r#"{"command":"kick"}"#, "name the clients to send away"),
            (r#"{"command":"kick","clients":[1],"all":true}"#, "not both"),
            (
                r#"{"command":"kick","clients":[1],"reason":"a\nb"}"#,
                "no control characters",
            ),
            (r#"{"command":"kick","clients":[-1]}"#, "not a request"),
            (
                r#"{"command":"view-only","client":1}"#,
                "missing field `on`",
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
async fn clients_are_listed_and_told_what_an_operator_wants() {
    let bench = Bench::new();
    let (mut peer, server) = (bench.connect(), Arc::clone(&bench.server));
    blocking(move || {
        peer.say(r#"{"command":"clients"}"#);
        let first = r#"{"clients":[{"id":1,"address":"192.0.2.7:40000","user":"anna","role":"control","encoding":null,"controls":true,"view_only":false,"connected_seconds":60,"idle_seconds":5,"bytes_sent":1000,"bytes_per_second":100,"round_trip_ms":null,"bytes_in_flight":0},{"id":2,"#;
        let answer = peer.hear();
        assert!(answer.starts_with(first), "{answer}");
        let kicked = peer.ask(r#"{"command":"kick","clients":[2,7,8],"reason":"lunch"}"#);
        assert_eq!(kicked, r#"{"error":"there is no client 7, 8","kicked":[2]}"#);
        let kicked = peer.ask(r#"{"command":"kick","all":true}"#);
        assert_eq!(kicked, r#"{"done":true,"kicked":[1,2]}"#);
        let done = r#"{"done":true}"#;
        assert_eq!(peer.ask(r#"{"command":"view-only","client":1,"on":true}"#), done);
        let expected = [
            r#"kick 2 Some("lunch")"#,
            r#"kick 7 Some("lunch")"#,
            r#"kick 8 Some("lunch")"#,
            "kick 1 None",
            "kick 2 None",
            "view-only 1 true",
        ];
        assert_eq!(*server.done.lock().expect("no panic"), expected);
        assert_eq!(peer.ask(r#"{"command":"take","client":1}"#), done);
        let refused = r#"{"error":"client 2: this client may only watch"}"#;
        assert_eq!(peer.ask(r#"{"command":"take","client":2}"#), refused);
        let reloaded = r#"{"error":"users stays as it was: line 3 has no role","reloaded":["sessions"]}"#;
        assert_eq!(peer.ask(r#"{"command":"reload"}"#), reloaded);
    })
    .await;
}

#[tokio::test]
async fn events_are_told_until_the_peer_goes_and_who_is_slow_misses_the_oldest() {
    let bench = Bench::new();
    let (mut peer, server) = (bench.connect(), Arc::clone(&bench.server));
    blocking(move || {
        peer.say(r#"{"command":"events"}"#);
        let picture = r#"{"event":"picture","state":"live","width":640,"height":480}"#;
        assert_eq!(peer.hear(), picture);
        let left = |client| Event::Disconnected {
            client,
            address: "[::1]:9".to_owned(),
            why: "x".repeat(4000),
        };
        server.events.send(left(1)).expect("a subscriber");
        let first = peer.hear();
        let begins = r#"{"event":"disconnected","client":1,"address":"[::1]:9","why":"x"#;
        assert!(first.starts_with(begins), "{first}");
        // More than the socket holds, so that some have to be given up.
        let sent = 2000;
        for client in 0..sent {
            server.events.send(left(client)).expect("a subscriber");
        }
        let (mut heard, mut missed) = (0, 0);
        while heard + missed < sent {
            match serde_json::from_str(&peer.hear()).expect("an event") {
                Event::Missed { count } => missed += count,
                Event::Disconnected { client, .. } => {
                    assert_eq!(client, heard + missed, "in order");
                    heard += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(missed > 0 && heard > 0, "{missed} of {sent}");
        let busy = peer.ask(r#"{"command":"status"}"#);
        assert!(
            busy.contains("events are told on this connection"),
            "{busy}"
        );
        drop(peer);
        while server.events.receiver_count() > 0 {
            std::thread::yield_now();
        }
    })
    .await;
    bench.stop.cancel();
    bench.serving.await.expect("it ends");
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

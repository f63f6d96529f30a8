//! Sessions over streams in memory, on a clock that jumps when everyone waits.

use std::{sync::Arc, time::Duration};

use rfb::{
    frame::{Frame, FrameSeq},
    geom::Size,
    security::vnc_auth::Password,
    testing::{
        Client,
        client::{self, key},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::super::{Edges, InputSink, Server};
use crate::{
    access::{self, Access, Role},
    config::{Hotkey, Leader, Limits, Password as KnownPassword, Passwords, Sessions},
    hid::{self, ClientId, Input, Leds, PointerMode, TargetLayout, keymap::Layout, sink::NullSink},
    metrics::Metrics,
    power::Power,
    typing::Typist,
};

pub(super) const SIZE: Size = Size::new(320, 200);
pub(super) const PASSWORD: &[u8] = b"secret";

/// Takes every input, after a while.
#[derive(Clone)]
pub(super) struct Recorder {
    inputs: mpsc::UnboundedSender<Input>,
    pace: Duration,
}

impl InputSink for Recorder {
    async fn send(&self, client: ClientId, input: Input) {
        assert_ne!(client, ClientId(0));
        if !self.pace.is_zero() {
            tokio::time::sleep(self.pace).await;
        }
        self.inputs.send(input).expect("the test listens");
    }

    fn leave(&self, _: ClientId) {
        // A session may outlive the test's interest in it.
        let _ = self.inputs.send(Input::Leave);
    }
}

pub(super) struct Bench {
    pub(super) server: Arc<Server<Recorder>>,
    pub(super) inputs: mpsc::UnboundedReceiver<Input>,
    pub(super) frames: watch::Sender<Frame>,
    leds: watch::Sender<Option<Leds>>,
    pub(super) pointer_mode: watch::Sender<PointerMode>,
    stop: CancellationToken,
}

/// What a server is like if nothing else is said.
#[derive(Default)]
pub(super) struct Setup<'a> {
    pub(super) password: Option<&'a [u8]>,
    /// What the target takes for each input.
    pub(super) pace: Duration,
    pub(super) key_expiry: Duration,
    pub(super) sessions: Sessions,
    pub(super) hotkey: Option<Hotkey>,
    pub(super) power: Option<Power>,
}

impl Bench {
    pub(super) fn new(password: Option<&[u8]>) -> Self {
        Self::with(Setup {
            password,
            ..Setup::default()
        })
    }

    /// A target that takes so long for each input.
    pub(super) fn with_pace(password: Option<&[u8]>, pace: Duration) -> Self {
        Self::with(Setup {
            password,
            pace,
            ..Setup::default()
        })
    }

    /// Where keys expire after so long.
    pub(super) fn with_expiry(key_expiry: Duration) -> Self {
        Self::with(Setup {
            key_expiry,
            ..Setup::default()
        })
    }

    pub(super) fn with(setup: Setup<'_>) -> Self {
        let (recorded, inputs) = mpsc::unbounded_channel();
        let (frames, shown) = watch::channel(Frame::solid(FrameSeq(1), SIZE, 0x00ff00));
        let (leds, lit) = watch::channel(None);
        let (pointer_mode, used) = watch::channel(PointerMode::Absolute);
        let stop = CancellationToken::new();
        let layout = TargetLayout::new("of-the-bench", Layout::us());
        let passwords = Passwords {
            password: setup.password.map(KnownPassword::new),
            ..Passwords::default()
        };
        let access = Arc::new(Access::new(&passwords, Role::Admin));
        let edges = Edges {
            frames: shown,
            leds: lit,
            pointer_mode: used,
            key_expiry: setup.key_expiry,
            input: Recorder {
                inputs: recorded,
                pace: setup.pace,
            },
            typist: typist(layout.clone(), &stop),
            layout,
            hotkey: setup.hotkey.unwrap_or(Hotkey {
                leader: Leader::default(),
                menu: true,
            }),
            sessions: setup.sessions,
            limits: Limits::default(),
            tell: Arc::new(|_| {}),
            tls: None,
            host_key: None,
            power: setup.power,
            metrics: Metrics::default(),
        };
        Self {
            server: Server::new("bench".to_owned(), access, edges, stop.clone()),
            inputs,
            frames,
            leds,
            pointer_mode,
            stop,
        }
    }

    /// A connection whose stream holds `room` bytes in each direction.
    pub(super) fn connect(&self, room: usize) -> DuplexStream {
        self.connect_from([192, 0, 2, 7], room)
    }

    pub(super) fn connect_from(&self, ip: [u8; 4], room: usize) -> DuplexStream {
        let (ours, theirs) = duplex(room);
        let peer = (ip, 40_000).into();
        let means = self.server.access.means();
        let offer = access::offer(None, means).expect("an offer");
        let config = self.server.connection_config(offer);
        self.server.start_session(theirs, peer, Arc::new(config));
        ours
    }

    /// Waits until every session is over.
    pub(super) async fn all_gone(&self) {
        self.server.tasks.close();
        self.server.tasks.wait().await;
    }

    /// What the clients did until now.
    pub(super) fn inputs(&mut self) -> Vec<Input> {
        std::iter::from_fn(|| self.inputs.try_recv().ok()).collect()
    }
}

/// Types into nothing.
fn typist(layout: TargetLayout, stop: &CancellationToken) -> Typist {
    let options = hid::Options {
        layout: layout.clone(),
        leds: watch::channel(None).1,
        lock_inference: true,
        mouse: hid::MouseOptions::default(),
    };
    let (handle, _) = hid::spawn(Box::new(NullSink), options).expect("a thread");
    Typist::new(handle, layout, Duration::ZERO, stop.clone())
}

pub(super) async fn read(stream: &mut DuplexStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.expect("bytes");
    bytes
}

pub(super) async fn write(stream: &mut DuplexStream, bytes: &[u8]) {
    stream.write_all(bytes).await.expect("an open stream");
}

/// RFB 3.8 up to the security type; gives the type's number.
pub(super) async fn greet(stream: &mut DuplexStream) -> u8 {
    assert_eq!(read(stream, 12).await, b"RFB 003.008\n");
    write(stream, b"RFB 003.008\n").await;
    let offered = read(stream, 2).await;
    assert_eq!(offered[0], 1);
    write(stream, &offered[1..]).await;
    offered[1]
}

pub(super) async fn initialise(stream: &mut DuplexStream, shared: bool) {
    assert_eq!(read(stream, 4).await, [0; 4], "SecurityResult OK");
    write(stream, &[u8::from(shared)]).await;
    let init = read(stream, 24 + 5).await;
    assert_eq!(init[..4], [1, 64, 0, 200]);
}

pub(super) async fn enter(stream: &mut DuplexStream) {
    assert_eq!(greet(stream).await, 1);
    initialise(stream, true).await;
}

/// Logs in with `password` and gives SecurityResult.
pub(super) async fn log_in(stream: &mut DuplexStream, password: &[u8]) -> u32 {
    assert_eq!(greet(stream).await, 2);
    let challenge = read(stream, 16).await.try_into().expect("16 bytes");
    let response = Password::new(password).respond(&challenge);
    write(stream, &response).await;
    let result = read(stream, 4).await;
    u32::from_be_bytes(result.try_into().expect("4 bytes"))
}

pub(super) fn request(incremental: bool) -> Vec<u8> {
    client::request(incremental, SIZE.rect())
}

pub(super) const A: [Input; 2] = [
    Input::Key {
        down: true,
        keysym: 0x61,
    },
    Input::Key {
        down: false,
        keysym: 0x61,
    },
];

#[tokio::test(start_paused = true)]
async fn a_client_sees_the_frame_and_then_what_changes() {
    let bench = Bench::new(None);
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    let mut client = Client::new(SIZE);
    for (colour, incremental) in [(0x00ff00, false), (0xff0000, true), (0x0000ff, true)] {
        write(&mut stream, &request(incremental)).await;
        if incremental {
            let frame = Frame::solid(FrameSeq(colour.into()), SIZE, colour);
            bench.frames.send_replace(frame);
        }
        let mut buffer = [0; 4096];
        while client.decoder.rgb().iter().any(|pixel| *pixel != colour) {
            let n = stream.read(&mut buffer).await.expect("bytes");
            assert_ne!(n, 0);
            client.receive(&buffer[..n]).expect("a valid update");
        }
    }
}

/// Check 69.
#[tokio::test(start_paused = true)]
async fn a_slow_handshake_ends_at_the_deadline() {
    let bench = Bench::new(None);
    let begun = Instant::now();
    let mut stream = bench.connect(4096);
    read(&mut stream, 12).await;
    for byte in b"RFB" {
        write(&mut stream, &[*byte]).await;
        tokio::time::sleep(Duration::from_secs(9)).await;
    }
    assert_eq!(stream.read(&mut [0]).await.expect("an end"), 0);
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_in_may_be_silent() {
    let bench = Bench::new(None);
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    write(&mut stream, &request(false)).await;
    assert_eq!(read(&mut stream, 1).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_behind_a_picture() {
    let mut bench = Bench::new(None);
    let mut stream = bench.connect(64);
    enter(&mut stream).await;
    write(&mut stream, &request(false)).await;
    // The picture has begun and gets stuck, because nothing more is read.
    assert_eq!(read(&mut stream, 1).await, [0]);
    write(&mut stream, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
}

/// Check 68, and check 64 for this way of leaving.
#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_dropped_in_the_end() {
    let mut bench = Bench::new(None);
    let mut stream = bench.connect(64);
    enter(&mut stream).await;
    write(&mut stream, &key(true, 0x61)).await;
    write(&mut stream, &request(false)).await;
    assert_eq!(read(&mut stream, 1).await, [0]);
    let begun = Instant::now();
    for colour in 0..20 {
        let frame = Frame::solid(FrameSeq(2 + u64::from(colour)), SIZE, colour);
        bench.frames.send_replace(frame);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    bench.all_gone().await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert_eq!(bench.inputs(), [A[0], Input::Leave]);
}

/// Check 64: whoever types and hangs up at once has typed, and then holds nothing.
#[tokio::test(start_paused = true)]
async fn leaving_comes_after_what_was_typed_and_once() {
    let mut bench = Bench::with_pace(None, Duration::from_millis(100));
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    write(&mut stream, &key(true, 0x61)).await;
    write(&mut stream, &key(false, 0x61)).await;
    drop(stream);
    bench.all_gone().await;
    assert_eq!(bench.inputs(), [A[0], A[1], Input::Leave]);
}

/// Check 28: what the client is told is that the connection ends.
#[tokio::test(start_paused = true)]
async fn an_unknown_message_ends_the_session_and_releases_keys() {
    let mut bench = Bench::new(None);
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    write(&mut stream, &key(true, 0x61)).await;
    write(&mut stream, &[0x42]).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
    assert_eq!(bench.inputs.recv().await, Some(Input::Leave));
    assert_eq!(stream.read(&mut [0]).await.expect("an end"), 0);
    drop(stream);
    bench.all_gone().await;
    assert_eq!(bench.inputs(), []);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_every_session_at_once() {
    let mut bench = Bench::new(None);
    let begun = Instant::now();
    let mut inside = bench.connect(4096);
    enter(&mut inside).await;
    write(&mut inside, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
    let _outside = bench.connect(4096);
    let mut stuck = bench.connect(64);
    enter(&mut stuck).await;
    write(&mut stuck, &request(false)).await;
    bench.stop.cancel();
    bench.all_gone().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(bench.inputs(), [Input::Leave; 3]);
}

/// Check 55: lock LEDs go to who asked for them, when they change.
#[tokio::test(start_paused = true)]
async fn lock_leds_reach_the_client() {
    let bench = Bench::new(None);
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    let mut client = Client::new(SIZE);
    write(&mut stream, &client.set_encodings(&[0, -261])).await;
    write(&mut stream, &request(false)).await;
    let mut pseudo = Vec::new();
    let mut pixels = 0;
    let mut buffer = [0; 4096];
    while pseudo.is_empty() {
        let n = stream.read(&mut buffer).await.expect("bytes");
        for message in client.receive(&buffer[..n]).expect("a valid update") {
            for rectangle in message.rectangles() {
                pixels += usize::from(rectangle.encoding == 0);
                pseudo.extend_from_slice(&rectangle.pseudo);
            }
        }
        if pixels == 1 && pseudo.is_empty() && client.is_between_messages() {
            pixels += 1;
            let caps = Leds {
                caps: true,
                ..Leds::default()
            };
            bench.leds.send_replace(Some(caps));
            write(&mut stream, &request(true)).await;
        }
    }
    assert_eq!(pseudo, [4]);
}

//! Several clients at one target: who has control, who has to go, and for how long one may stay.

use std::time::Duration;

use rfb::testing::{
    Client,
    client::{self, key},
};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream},
    time::{Instant, sleep, timeout},
};

use super::tests::{A, Bench, SIZE, Setup, enter, request, write};
use crate::{
    config::{Config, Settings},
    hid::{ClientId, Input},
};

const LEADER: u32 = 0xffe4;
/// What does not come within this, on a clock that jumps, does not come.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A server that runs with this section.
fn bench(section: &str) -> Bench {
    let text = format!("[sessions]\n{section}");
    let settings: Settings = toml::from_str(&text).expect("settings");
    Bench::with(Setup {
        sessions: Config::new(settings).expect("a configuration").sessions,
        ..Setup::default()
    })
}

async fn come(bench: &Bench) -> DuplexStream {
    let mut stream = bench.connect(4096);
    enter(&mut stream).await;
    stream
}

/// The leader twice, then a command.
fn hotkey(command: char) -> Vec<u8> {
    let taps = [LEADER, LEADER, command.into()];
    let taps = taps.map(|keysym| [key(true, keysym), key(false, keysym)].concat());
    taps.concat()
}

/// Asks for a picture and waits for its beginning: what was sent before is done then.
async fn settle(stream: &mut DuplexStream) {
    write(stream, &request(false)).await;
    let mut client = Client::new(SIZE);
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).await.expect("bytes");
        assert_ne!(n, 0, "the session goes on");
        if !client.receive(&buffer[..n]).expect("an update").is_empty() {
            return;
        }
    }
}

/// Reads until the server closes.
async fn end(stream: &mut DuplexStream) {
    let mut buffer = [0; 4096];
    let end = async { while stream.read(&mut buffer).await.expect("an end") > 0 {} };
    timeout(PATIENCE, end).await.expect("it ends");
}

/// A client that is shown names, and what it was shown last.
struct Viewer {
    stream: DuplexStream,
    client: Client,
}

impl Viewer {
    async fn come(bench: &Bench) -> Self {
        let (mut stream, mut client) = (come(bench).await, Client::new(SIZE));
        write(&mut stream, &client.set_encodings(&[0, -307])).await;
        Self { stream, client }
    }

    /// The next name that it is shown.
    async fn name(&mut self) -> String {
        let mut buffer = [0; 4096];
        loop {
            if self.client.is_between_messages() {
                write(&mut self.stream, &request(true)).await;
            }
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
            let n = read.expect("another name").expect("bytes");
            assert_ne!(n, 0, "the session goes on");
            let messages = self.client.receive(&buffer[..n]).expect("updates");
            if let Some(name) = messages.iter().find_map(name) {
                return name;
            }
        }
    }
}

fn name(message: &client::Message) -> Option<String> {
    let mut names = message.rectangles().iter().filter(|r| r.encoding == -307);
    let name = &names.next()?.pseudo;
    Some(String::from_utf8_lossy(name.get(4..)?).into_owned())
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_control_finds_the_others_keys_up() {
    let mut bench = bench("control = 'exclusive'");
    let (mut first, mut second) = (come(&bench).await, come(&bench).await);
    write(&mut first, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
    write(&mut second, &key(true, 0x62)).await;
    write(&mut second, &key(false, 0x62)).await;
    settle(&mut second).await;
    assert_eq!(bench.inputs(), [], "it watches");
    write(&mut second, &hotkey('t')).await;
    write(&mut second, &key(true, 0x62)).await;
    let b = Input::Key {
        down: true,
        keysym: 0x62,
    };
    assert_eq!(bench.inputs.recv().await, Some(Input::Leave));
    assert_eq!(bench.inputs.recv().await, Some(b));
    write(&mut first, &key(false, 0x61)).await;
    write(&mut first, &key(true, 0x63)).await;
    settle(&mut first).await;
    assert_eq!(bench.inputs(), [], "it watches now");
    write(&mut second, &hotkey('g')).await;
    settle(&mut second).await;
    let given_up = bench.inputs();
    assert_eq!(given_up.last(), Some(&Input::Leave));
    write(&mut first, &key(true, 0x61)).await;
    assert_eq!(
        bench.inputs.recv().await,
        Some(A[0]),
        "it has control again"
    );
}

#[tokio::test(start_paused = true)]
async fn who_watches_is_told_who_has_control_and_how_to_take_it() {
    let bench = bench("control = 'exclusive'");
    let mut first = Viewer::come(&bench).await;
    let mut second = Viewer::come(&bench).await;
    let watches = "bench - 192.0.2.7 has control; tap right-ctrl twice, then t to take it";
    assert_eq!(second.name().await, watches);
    write(&mut second.stream, &hotkey('t')).await;
    assert_eq!(second.name().await, "bench - you have control");
    assert_eq!(second.name().await, "bench");
    assert_eq!(first.name().await, watches);
    write(&mut first.stream, &hotkey('m')).await;
    let why = "bench - not done: you do not have control";
    assert_eq!(first.name().await, why);
    drop(second);
    while first.name().await != "bench" {}
}

#[tokio::test(start_paused = true)]
async fn a_kick_ends_the_session_with_every_key_up() {
    let mut bench = bench("");
    let mut stream = come(&bench).await;
    write(&mut stream, &key(true, 0x61)).await;
    assert_eq!(bench.inputs.recv().await, Some(A[0]));
    assert!(bench.server.roster().kick(ClientId(1), None));
    assert_eq!(
        bench.inputs(),
        [Input::Leave],
        "before anything else is done"
    );
    end(&mut stream).await;
    assert!(!bench.server.roster().kick(ClientId(1), None));
    bench.all_gone().await;
}

/// A stalled client cannot stay by taking nothing.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_kicked_all_the_same() {
    let bench = bench("");
    let mut stream = bench.connect(64);
    enter(&mut stream).await;
    write(&mut stream, &request(false)).await;
    stream.read_exact(&mut [0]).await.expect("a beginning");
    let begun = Instant::now();
    assert!(bench.server.roster().kick(ClientId(1), None));
    bench.all_gone().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_does_nothing_is_warned_and_disconnected() {
    let bench = bench("idle-timeout = 600");
    let mut viewer = Viewer::come(&bench).await;
    let begun = Instant::now();
    let warning = "bench - disconnecting in 60 s unless you type or point";
    assert_eq!(viewer.name().await, warning);
    assert_eq!(begun.elapsed().as_secs(), 540);
    write(&mut viewer.stream, &key(true, 0x61)).await;
    assert_eq!(viewer.name().await, "bench");
    assert_eq!(viewer.name().await, warning);
    end(&mut viewer.stream).await;
    assert_eq!(begun.elapsed().as_secs(), 540 + 600);
    bench.all_gone().await;
}

#[tokio::test(start_paused = true)]
async fn the_longest_time_is_over_for_those_who_type_too() {
    let bench = bench("idle-timeout = 50\nmax-time = 100");
    let mut stream = come(&bench).await;
    let begun = Instant::now();
    for _ in 0..9 {
        sleep(Duration::from_secs(11)).await;
        write(&mut stream, &key(true, 0x61)).await;
    }
    end(&mut stream).await;
    assert_eq!(begun.elapsed().as_secs(), 100);
    bench.all_gone().await;
}

#[tokio::test(start_paused = true)]
async fn trap_45_others_stay_unless_the_policy_is_another() {
    for (section, stays) in [
        ("share = 'always'", true),
        ("share = 'client'", false),
        ("share = 'never'", false),
    ] {
        let bench = bench(section);
        let mut first = come(&bench).await;
        // ClientInit of a client that asks to be alone, as TigerVNC does.
        let mut second = bench.connect(4096);
        super::tests::greet(&mut second).await;
        super::tests::initialise(&mut second, false).await;
        settle(&mut second).await;
        match stays {
            true => settle(&mut first).await,
            false => end(&mut first).await,
        }
        settle(&mut second).await;
    }
}

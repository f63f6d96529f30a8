//! The menu: who opens it sees it, and nobody else; what it takes does not reach the target.

use std::time::Duration;

use rfb::{
    geom::Point,
    testing::{
        Client,
        client::{self, key},
    },
};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream},
    time::timeout,
};

use super::tests::{Bench, SIZE, Setup, enter, request, write};
use crate::{
    config::{Config, Hotkey, Leader, PowerSettings, Settings},
    hid::Input,
    power::Power,
    video::canvas::colours,
};

const LEADER: u32 = 0xffe4;
const ESCAPE: u32 = 0xff1b;
const ENTER: u32 = 0xff0d;
const DOWN: u32 = 0xff54;
/// What every pixel is where nothing lies over it.
const PLAIN: u32 = 0x00ff00;
/// What does not come within this, on a clock that jumps, does not come.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

struct Viewer {
    stream: DuplexStream,
    client: Client,
}

impl Viewer {
    async fn come(bench: &Bench) -> Self {
        let mut stream = bench.connect(64 * 1024);
        enter(&mut stream).await;
        write(&mut stream, &request(false)).await;
        let mut viewer = Self {
            stream,
            client: Client::new(SIZE),
        };
        viewer.wait_until(Self::is_plain).await;
        viewer
    }

    fn is_plain(&self) -> bool {
        self.client
            .decoder
            .rgb()
            .iter()
            .all(|pixel| *pixel == PLAIN)
    }

    fn is_covered(&self) -> bool {
        !self.is_plain()
    }

    /// Whether something lies over the picture in which no row is marked.
    fn is_note(&self) -> bool {
        let pixels = self.client.decoder.rgb().iter();
        let lit = pixels.filter(|pixel| **pixel == colours::ACCENT).count();
        // The marked row of the menu is more than its outline.
        self.is_covered() && lit < 1500
    }

    async fn read(&mut self) {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let n = read.expect("an update").expect("bytes");
        assert_ne!(n, 0, "the session goes on");
        for message in self.client.receive(&buffer[..n]).expect("updates") {
            if matches!(message, client::Message::Update(_)) {
                write(&mut self.stream, &request(true)).await;
            }
        }
    }

    async fn wait_until(&mut self, seen: impl Fn(&Self) -> bool) {
        while !seen(self) {
            self.read().await;
        }
    }

    /// The picture as it is once it is another one.
    async fn next_picture(&mut self) {
        let before = self.client.decoder.rgb().to_vec();
        self.wait_until(|viewer| viewer.client.decoder.rgb() != before)
            .await;
        // The rest of the update.
        while !self.client.is_between_messages() {
            self.read().await;
        }
    }

    async fn tap(&mut self, keysym: u32) {
        write(&mut self.stream, &taps(&[keysym])).await;
    }

    async fn open(&mut self) {
        write(&mut self.stream, &taps(&[LEADER, LEADER])).await;
        self.wait_until(Self::is_covered).await;
    }

    /// Everything that was sent has been acted on.
    async fn settle(&mut self) {
        write(&mut self.stream, &request(false)).await;
        self.read().await;
        while !self.client.is_between_messages() {
            self.read().await;
        }
    }
}

fn taps(keysyms: &[u32]) -> Vec<u8> {
    let tap = |keysym: &u32| [key(true, *keysym), key(false, *keysym)].concat();
    keysyms.iter().flat_map(tap).collect()
}

/// What the target sees of keys that are pressed and released one after the other.
fn inputs(keysyms: &[u32]) -> Vec<Input> {
    let tap = |keysym: &u32| {
        let keysym = *keysym;
        [true, false].map(|down| Input::Key { down, keysym })
    };
    keysyms.iter().flat_map(tap).collect()
}

fn exclusive() -> crate::config::Sessions {
    let settings: Settings = toml::from_str("[sessions]\ncontrol = 'exclusive'").expect("settings");
    Config::new(settings).expect("a configuration").sessions
}

#[tokio::test(start_paused = true)]
async fn who_opens_it_sees_it_and_nobody_else_does() {
    let mut bench = Bench::new(None);
    let (mut first, mut second) = (Viewer::come(&bench).await, Viewer::come(&bench).await);
    first.open().await;
    second.settle().await;
    assert!(second.is_plain());
    first.tap(DOWN).await;
    first.next_picture().await;
    assert!(first.is_covered());
    first.tap(ESCAPE).await;
    first.wait_until(Viewer::is_plain).await;
    assert_eq!(bench.inputs(), inputs(&[LEADER, LEADER]), "no key of it");
    first.tap(0x61).await;
    first.settle().await;
    assert_eq!(bench.inputs(), inputs(&[0x61]));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_below_it_is_seen_around_it_and_behind_it() {
    let bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    let corner = |viewer: &Viewer| viewer.client.decoder.rgb()[0];
    for (seq, colour) in [(2, 0xff0000), (3, 0x0000ff), (4, PLAIN)] {
        let frame = rfb::frame::Frame::solid(rfb::frame::FrameSeq(seq), SIZE, colour);
        bench.frames.send_replace(frame);
        viewer.wait_until(|viewer| corner(viewer) == colour).await;
        let same = |pixel: &u32| *pixel == colour;
        assert!(!viewer.client.decoder.rgb().iter().all(same));
    }
    viewer.tap(ESCAPE).await;
    viewer.wait_until(Viewer::is_plain).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_it_does_not_know_closes_it_and_is_typed() {
    let mut bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    viewer.tap(0x78).await;
    viewer.wait_until(Viewer::is_plain).await;
    assert_eq!(bench.inputs(), inputs(&[LEADER, LEADER, 0x78]));
}

#[tokio::test(start_paused = true)]
async fn it_closes_by_itself() {
    let bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    viewer.wait_until(Viewer::is_plain).await;
}

#[tokio::test(start_paused = true)]
async fn ctrl_alt_del_is_pressed_and_let_go_of_in_order() {
    let mut bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    bench.inputs();
    viewer.tap(ENTER).await;
    viewer.wait_until(Viewer::is_plain).await;
    viewer.settle().await;
    let (ctrl, alt, delete) = (0xffe3, 0xffe9, 0xffff);
    let key = |down, keysym| Input::Key { down, keysym };
    assert_eq!(
        bench.inputs(),
        [
            key(true, ctrl),
            key(true, alt),
            key(true, delete),
            key(false, delete),
            key(false, alt),
            key(false, ctrl),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn why_something_is_not_done_is_read_in_the_picture_for_a_while() {
    let mut bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    assert!(!viewer.is_note());
    viewer.tap('v'.into()).await;
    viewer.wait_until(Viewer::is_note).await;
    bench.inputs();
    viewer.tap(0x61).await;
    viewer.wait_until(Viewer::is_plain).await;
    assert_eq!(bench.inputs(), inputs(&[0x61]), "it is in nobody's way");
    // Asked for without the menu it is told in the title alone.
    let hotkey = Hotkey {
        leader: Leader::default(),
        menu: false,
    };
    let bench = Bench::with(Setup {
        hotkey: Some(hotkey),
        ..Setup::default()
    });
    let mut viewer = Viewer::come(&bench).await;
    write(&mut viewer.stream, &taps(&[LEADER, LEADER, 'v'.into()])).await;
    viewer.settle().await;
    assert!(viewer.is_plain());
}

#[tokio::test(start_paused = true)]
async fn who_waits_takes_control_in_it_and_who_loses_it_finds_it_closed() {
    let mut bench = Bench::with(Setup {
        sessions: exclusive(),
        ..Setup::default()
    });
    let (mut first, mut second) = (Viewer::come(&bench).await, Viewer::come(&bench).await);
    first.open().await;
    second.open().await;
    bench.inputs();
    // The first row is all that it may.
    second.tap(ENTER).await;
    first.wait_until(Viewer::is_plain).await;
    second.wait_until(Viewer::is_plain).await;
    second.tap(0x61).await;
    second.settle().await;
    assert_eq!(
        bench.inputs(),
        [vec![Input::Leave], inputs(&[0x61])].concat()
    );
}

#[tokio::test(start_paused = true)]
async fn a_click_in_it_does_not_reach_the_target() {
    let mut bench = Bench::new(None);
    let mut viewer = Viewer::come(&bench).await;
    viewer.open().await;
    bench.inputs();
    // Beside it.
    let top = Point::new(SIZE.width / 2, 2);
    for buttons in [0, 1, 0, 0] {
        let message = client::pointer(buttons, top.x, top.y);
        write(&mut viewer.stream, &message).await;
    }
    viewer.wait_until(Viewer::is_plain).await;
    viewer.settle().await;
    let left: Vec<u16> = bench.inputs().iter().filter_map(Input::buttons).collect();
    assert_eq!(left, [0], "what was moved after it closed");
}

#[tokio::test]
async fn power_is_switched_in_it_by_whom_it_is_offered_to() {
    let settings: PowerSettings =
        toml::from_str("on = \"command:/bin/true\"\nreset = \"command:/bin/false\"")
            .expect("settings");
    let mut bench = Bench::with(Setup {
        power: Power::new(settings.into()),
        ..Setup::default()
    });
    let mut viewer = Viewer::come(&bench).await;
    for choice in ["po", "pry"] {
        viewer.open().await;
        for letter in choice.chars() {
            viewer.tap(letter.into()).await;
        }
        viewer.wait_until(Viewer::is_note).await;
        viewer.tap(0x61).await;
        viewer.wait_until(Viewer::is_plain).await;
    }
    let typed = inputs(&[LEADER, LEADER, 0x61, LEADER, LEADER, 0x61]);
    assert_eq!(bench.inputs(), typed);
}

#[tokio::test]
async fn the_targets_keyboard_layout_is_changed_for_everybody_and_what_cannot_be_says_why() {
    let bench = Bench::new(None);
    let layout = &bench.server.edges.layout;
    let mut now = layout.subscribe();
    let mut viewer = Viewer::come(&bench).await;
    // The second is the firmware's; the first has a name that XKB does not know.
    viewer.open().await;
    for key in ['l', '2'] {
        viewer.tap(key.into()).await;
    }
    let changed = timeout(PATIENCE, now.changed()).await;
    changed.expect("another layout").expect("a layout");
    assert_eq!(&*now.borrow_and_update().name, "us");
    viewer.wait_until(Viewer::is_note).await;
    viewer.tap(0x61).await;
    viewer.wait_until(Viewer::is_plain).await;
    viewer.open().await;
    for key in ['l', '1'] {
        viewer.tap(key.into()).await;
    }
    viewer.wait_until(Viewer::is_note).await;
    assert_eq!(&*layout.now().name, "us");
}

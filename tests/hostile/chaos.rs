//! Everything else that fails: the source, the disk, the system's limits; and the end, which may come at any moment.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::symlink, net::UnixStream},
    time::{Duration, Instant},
};

use rfb::testing::client::{extended_key, key};

use crate::{
    arena::{Arena, Usage, guarded, log_in},
    attack::{Noise, RELEASED},
    screen::{self, Screen, is_shown},
    server::Server,
    viewer::{Socket, Viewer},
};

pub const ALL: &[(&str, fn())] = &[
    ("source_unplugged_and_back", source_unplugged),
    ("source_sends_garbage", source_sends_garbage),
    ("recording_becomes_garbage", recording_becomes_garbage),
    ("record_on_a_full_disk", record_on_a_full_disk),
    ("out_of_descriptors", out_of_descriptors),
    ("sigterm_in_every_state", sigterm_in_every_state),
];

/// A screen, its server and a client of it.
fn scene() -> (Screen, Server, Viewer) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let screen = Screen::new(dir.path());
    let server = guarded(dir, &screen, &[]);
    let mut viewer = log_in(Socket::connect(server.address));
    viewer.encodings(&[7, -23, -308]);
    (screen, server, viewer)
}

/// Watches until `done`.
fn until(viewer: &mut Viewer, done: impl Fn(&Viewer) -> bool) {
    while !done(viewer) {
        viewer.request(true);
        viewer.next();
    }
}

fn source_unplugged() {
    let (mut screen, server, mut viewer) = scene();
    let mut before = None;
    for number in 1..4 {
        screen.show(number);
        until(&mut viewer, |viewer| is_shown(viewer, number));
        before.get_or_insert(Usage::of(&server));
        screen.unplug();
        until(&mut viewer, |viewer| !is_shown(viewer, number));
        screen.plug_in();
    }
    screen.show(5);
    until(&mut viewer, |viewer| is_shown(viewer, 5));
    let (before, after) = (before.expect("three rounds"), Usage::of(&server));
    assert!(after.files <= before.files, "{before:?}, then {after:?}");
}

fn source_sends_garbage() {
    let (mut screen, server, mut viewer) = scene();
    let mut noise = Noise::new(1);
    // What says that it is a picture, and a large one.
    let huge = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda";
    for number in 1..8 {
        screen.feed(&noise.bytes(100_000));
        screen.feed(&huge.repeat(100));
        screen.feed(b"\xff\xd8\xff\xd9");
        // What looks like the beginning of a segment may swallow 64 KiB of what follows.
        (0..16).for_each(|_| screen.show(number));
        until(&mut viewer, |viewer| is_shown(viewer, number));
    }
    assert!(!server.log().contains("panicked"));
    assert!(server.log().len() < 20_000, "the log is bounded");
}

fn recording_becomes_garbage() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let frames = dir.path().join("frames");
    fs::create_dir(&frames).expect("a directory");
    // Of two pictures each is read again when its turn comes.
    let pictures = [frames.join("1.jpg"), frames.join("2.jpg")];
    let write = |bytes: &[u8]| {
        for picture in &pictures {
            fs::write(picture, bytes).expect("a file");
        }
    };
    let good = screen::jpeg(6);
    write(&good);
    let source = format!("replay:{}", frames.display());
    let server = Server::start_in(dir, &["serve", "--source", &source, "--sink", "null"]);
    let mut viewer = Viewer::connect(server.address);
    viewer.encodings(&[7, -23, -308]);
    until(&mut viewer, |viewer| is_shown(viewer, 6));
    for garbage in [&b"garbage"[..], b"", &good[..good.len() / 2]] {
        write(garbage);
        until(&mut viewer, |viewer| !is_shown(viewer, 6));
        write(&good);
        until(&mut viewer, |viewer| is_shown(viewer, 6));
    }
    assert!(!server.log().contains("panicked"));
}

fn record_on_a_full_disk() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    symlink("/dev/full", dir.path().join("reports")).expect("a link");
    let mut screen = Screen::new(dir.path());
    let mut server = guarded(dir, &screen, &[]);
    let mut viewer = log_in(Socket::connect(server.address));
    viewer.send(&key(true, 'a'.into()));
    server.wait_for("the end of the record to be told", |server| {
        server
            .log()
            .contains("recording of reports ends here")
            .then_some(())
    });
    viewer.send(&key(false, 'a'.into()));
    screen.show(3);
    until(&mut viewer, |viewer| is_shown(viewer, 3));
    assert!(server.terminate().success());
}

fn out_of_descriptors() {
    let mut arena = Arena::new();
    arena.good.sees(5);
    let before = arena.at_rest(None);
    let few = libc::rlimit {
        rlim_cur: before.files as libc::rlim_t + 4,
        rlim_max: 1024,
    };
    let pid = i32::try_from(arena.server.pid()).expect("a process id");
    // SAFETY: sets a limit of a child of ours; reads `few`, which lives, and writes nothing back.
    let set = unsafe {
        libc::prlimit(
            pid,
            libc::RLIMIT_NOFILE,
            &raw const few,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(set, 0, "prlimit");

    let waiting: Vec<Socket> = (0..40)
        .map(|_| Socket::connect(arena.server.address))
        .collect();
    arena.server.wait_for("descriptors to run out", |server| {
        server
            .log()
            .contains("cannot accept connections for now")
            .then_some(())
    });
    arena.good.sees(10);
    drop(waiting);
    let mut late = log_in(Socket::connect(arena.server.address));
    late.request(false);
    late.next();
    drop(late);
    arena.at_rest(Some(before));
    let complaints = arena
        .server
        .log()
        .matches("cannot accept connections")
        .count();
    assert_eq!(complaints, 1, "the log is bounded");
}

/// Everything is let go of and the exit status is 0, whatever is going on.
fn sigterm_in_every_state() {
    type State = fn(&Server) -> Box<dyn std::any::Any>;
    let states: &[(&str, State)] = &[
        ("nobody is there", |_| Box::new(())),
        ("connected, nothing said", |server| {
            Box::new(Socket::connect(server.address))
        }),
        ("half a version", |server| {
            Box::new(said(server, b"RFB 003.0"))
        }),
        ("the types are offered", |server| {
            Box::new(said(server, b"RFB 003.008\n"))
        }),
        ("the challenge is open", |server| {
            Box::new(said(server, b"RFB 003.008\n\x02"))
        }),
        ("the failure is held back", |server| {
            let wrong = [b"RFB 003.008\n\x02", &[0; 16][..]].concat();
            Box::new((0..8).map(|_| said(server, &wrong)).collect::<Vec<_>>())
        }),
        ("updates that nobody reads", |server| {
            let mut viewer = log_in(Socket::connect(server.address));
            for _ in 0..50 {
                viewer.request(false);
            }
            // This one's answer comes when those were looked at.
            let mut other = log_in(Socket::connect(server.address));
            other.request(false);
            other.next();
            Box::new((viewer, other))
        }),
        ("half a message", |server| {
            let mut viewer = log_in(Socket::connect(server.address));
            viewer.send(&[2, 0, 0xff, 0xff]);
            Box::new(viewer)
        }),
        ("keys are down", |server| {
            let mut viewer = log_in(Socket::connect(server.address));
            let held = [0x1d, 0x38, 0x1e].map(|code| extended_key(true, 0, code));
            viewer.send(&held.concat());
            server.wait_for("the keys", |s| {
                s.keyboard()
                    .last()
                    .filter(|r| r.starts_with("050004"))
                    .map(drop)
            });
            Box::new(viewer)
        }),
        ("a text is typed", |server| {
            let mut control =
                UnixStream::connect(server.dir.path().join("control.sock")).expect("the socket");
            let text = "hello world ".repeat(1000);
            writeln!(control, "{{\"command\":\"type\",\"text\":\"{text}\"}}")
                .expect("an open socket");
            server.wait_for("some keys", |s| (s.keyboard().len() > 20).then_some(()));
            Box::new(control)
        }),
        ("a control client that says nothing", |server| {
            let control = UnixStream::connect(server.dir.path().join("control.sock"));
            Box::new(control.expect("the socket"))
        }),
    ];
    let mut slowest = (Duration::ZERO, "");
    for (name, state) in states {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let screen = Screen::new(dir.path());
        let mut server = guarded(dir, &screen, &[]);
        let present = state(&server);
        let began = Instant::now();
        let status = server.terminate();
        slowest = slowest.max((began.elapsed(), name));
        assert!(status.success(), "{name}: {status}; {}", server.log());
        assert!(
            server
                .keyboard()
                .last()
                .is_none_or(|report| report == RELEASED),
            "{name}"
        );
        assert!(!server.dir.path().join("control.sock").exists(), "{name}");
        assert!(
            !server.log().contains("panicked"),
            "{name}: {}",
            server.log()
        );
        drop(present);
    }
    println!(
        "    SIGTERM in {} states: the slowest end took {:.2} s ({})",
        states.len(),
        slowest.0.as_secs_f32(),
        slowest.1
    );
}

fn said(server: &Server, bytes: &[u8]) -> Socket {
    let mut socket = Socket::connect(server.address);
    socket.read(12);
    socket.send(bytes);
    // What it says to that shows that it was heard.
    if bytes.len() >= 12 {
        let mut first = [0];
        socket.0.read_exact(&mut first).expect("an answer");
    }
    socket
}

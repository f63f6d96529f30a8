//! Checks 28, 29, 41 and 67 to 71, and the process itself.

use std::io::{Read, Write};

use rfb::geom::Size;
use rfb::testing::client::{key, set_encodings};

use crate::server::{Server, shows_picture};
use crate::viewer::{Socket, Viewer};

#[test]
fn check_28_41_67_bad_messages_end_their_own_connection_only() {
    let server = Server::still(Size::new(64, 64));
    let mut good = Viewer::connect(server.address);
    for bytes in [
        &[0x42, 0, 0, 0][..],
        &[
            0, 0, 0, 0, 7, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
        ],
        &[6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
        &[6, 0, 0, 0, 0x80, 0, 0, 0],
        &[255, 1, 0, 0],
        &[7, 0, 0, 0],
    ] {
        let mut bad = Viewer::connect(server.address);
        bad.send(bytes);
        assert!(bad.socket.read_to_close().is_empty());
    }
    let mut text = vec![6, 0, 0, 0, 0, 4, 0xb0, 0];
    text.resize(8 + 300 * 1024 + 4096 - 4096, b'x');
    let length = u32::try_from(text.len() - 8).expect("small").to_be_bytes();
    text[4..8].copy_from_slice(&length);
    good.send(&text);
    good.send(&set_encodings(&vec![0x1234_5678; 65535]));
    good.send(&set_encodings(&[]));
    good.request(false);
    good.next();
    assert!(shows_picture(&good));
}

/// Resident memory in KiB and open file descriptors.
fn resources(server: &Server) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("proc");
    let rss = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    let rss = rss
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    let fds = std::fs::read_dir(format!("/proc/{}/fd", server.pid()))
        .expect("proc")
        .count();
    (rss, fds)
}

#[test]
fn check_68_a_client_that_stops_reading_costs_nothing_and_nobody_else() {
    let server = Server::start(&["demo", "--size", "1280x720"]);
    let mut stuck = Viewer::connect(server.address);
    let mut good = Viewer::connect(server.address);
    good.request(false);
    good.next();
    // Far more than any socket buffers: 3.7 MB a time, never read.
    for _ in 0..50 {
        stuck.request(false);
    }
    let (before, _) = resources(&server);
    for _ in 0..50 {
        good.request(false);
        good.next();
    }
    let (after, _) = resources(&server);
    assert!(after < before + 64 * 1024, "{before} KiB, then {after} KiB");
    drop(stuck);
}

#[test]
fn check_69_idle_strangers_do_not_keep_anybody_out() {
    let server = Server::still(Size::new(64, 64));
    let mut inside = Viewer::connect(server.address);
    let strangers: Vec<Socket> = (0..200).map(|_| Socket::connect(server.address)).collect();
    inside.request(false);
    inside.next();
    assert!(shows_picture(&inside));
    drop(strangers);
    let mut late = Viewer::connect(server.address);
    late.request(false);
    late.next();
}

#[test]
fn check_70_leaving_at_any_point_leaves_nothing_behind() {
    let server = Server::still(Size::new(64, 64));
    let steps: [&[u8]; 5] = [
        b"",
        b"RFB 003.0",
        b"RFB 003.008\n",
        b"RFB 003.008\n\x01",
        b"RFB 003.008\n\x01\x01",
    ];
    let round = |steps: &[&[u8]]| {
        for step in steps {
            let mut socket = Socket::connect(server.address);
            socket.send(step);
            drop(socket);
        }
        // Everyone before this one was accepted; the next answer shows that the server goes on.
        let mut viewer = Viewer::connect(server.address);
        viewer.request(false);
        viewer.next();
    };
    round(&steps);
    let (_, fds) = resources(&server);
    for _ in 0..100 {
        round(&steps);
    }
    server.wait_for("all descriptors to be closed", |s| {
        (resources(s).1 <= fds).then_some(())
    });
}

#[test]
fn check_71_noise_in_every_state_is_survived() {
    let server = Server::still(Size::new(64, 64));
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut noise = |n: usize| -> Vec<u8> {
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        std::iter::repeat_with(next).take(n).collect()
    };
    for round in 0..60 {
        let mut socket = Socket::connect(server.address);
        let start: &[u8] = match round % 4 {
            0 => b"",
            1 => b"RFB 003.008\n",
            2 => b"RFB 003.003\n\x01",
            _ => b"RFB 003.008\n\x01\x01",
        };
        // It may hang up before it has read everything.
        let _ = socket
            .0
            .write_all(start)
            .and_then(|()| socket.0.write_all(&noise(300)));
        let _ = socket.0.shutdown(std::net::Shutdown::Write);
        let _ = socket.0.read_to_end(&mut Vec::new());
    }
    let mut viewer = Viewer::connect(server.address);
    viewer.request(false);
    viewer.next();
    assert!(shows_picture(&viewer));
    assert!(!server.log().contains("panicked"));
    assert!(server.log().len() < 100_000, "the log is bounded");
}

#[test]
fn sigterm_releases_all_keys_and_ends_well() {
    let mut server = Server::demo();
    let mut viewer = Viewer::connect(server.address);
    viewer.send(&key(true, 0x61));
    server.wait_for("the key", |s| {
        s.keyboard().last().filter(|r| r.contains("04")).map(drop)
    });
    assert!(server.terminate().success());
    assert_eq!(
        server.keyboard().last().map(String::as_str),
        Some("0000000000000000")
    );
    assert!(viewer.socket.read_to_close().len() < 1 << 20);
}

//! Clients that come and go for as long as `RFBRIDGE_SOAK` says, in seconds: nothing grows.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rfb::{
    pixel::PixelFormat,
    security::{SecurityType, vnc_auth::Password},
    testing::client::{Message, continuous_updates, extended_key, fence, pointer},
};

use crate::{
    arena::{Arena, PASSWORD, Usage},
    attack::{Noise, all_keys_up},
    figures::{self, Row},
    screen::SIZE,
    viewer::{
        Socket, Viewer,
        rsa_aes::{Exchange, Sealed},
        tls::{self, Tls},
    },
};
use tokio_rustls::rustls::{ClientConfig, version::TLS13};

/// With the good client as many as are served.
const CLIENTS: usize = 31;
/// Unless the environment says otherwise.
const SECONDS: usize = 12;
const EVERY: Duration = Duration::from_millis(500);

const ENCODINGS: &[&[i32]] = &[
    &[],
    &[2, 0],
    &[5, 1, 0],
    &[6, -308],
    &[7, -24, -224, -308],
    &[7, 1, -252, -308],
    &[15, -223],
    &[16, -308],
    &[-260, -23],
    &[21, -26, -308],
];

pub fn soak() {
    let seconds = crate::number("RFBRIDGE_SOAK", SECONDS);
    let length = Duration::from_secs(seconds as u64);
    // So many may be on their way in as there are.
    let mut arena = Arena::with(&["--limits-strangers", "64"]);
    arena.good.sees(10);
    let tls = tls::client(arena.server.certificate(), &TLS13);
    let before = arena.at_rest(None);
    let (earlier, _) = arena.worst();

    let (over, came, refused) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let mut samples = Vec::new();
    let mut worst = (Duration::ZERO, 0);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (address, over, came, refused) = (arena.server.address, &over, &came, &refused);
            let tls = &tls;
            scope.spawn(move || {
                let mut noise = Noise::new(number as u64);
                let from = Ipv4Addr::new(127, 100, 0, 1 + number as u8);
                while !over.load(Ordering::Relaxed) {
                    came.fetch_add(1, Ordering::Relaxed);
                    if come(address, from, tls, &mut noise, over).is_none() {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let ends = EndsWhenDropped(&over);
        let began = Instant::now();
        let mut told = 0;
        while began.elapsed() < length {
            thread::sleep(EVERY);
            arena.good.sees(1);
            let (latency, pictures) = arena.worst();
            worst = (worst.0.max(latency), worst.1 + pictures);
            let sample = Usage::of(&arena.server);
            samples.push(sample);
            let minute = began.elapsed().as_secs() / 60;
            if minute > told {
                told = minute;
                let clients = came.load(Ordering::Relaxed);
                println!(
                    "    minute {minute}: {clients} clients came; RSS {:.1} MiB, {} descriptors, {} threads; the good client: {} pictures, worst {:.1} ms",
                    sample.rss_kib as f64 / 1024.0,
                    sample.files,
                    sample.threads,
                    worst.1,
                    worst.0.as_secs_f64() * 1000.0,
                );
            }
        }
        drop(ends);
    });
    let after = arena.at_rest(Some(before));
    arena.worst();
    arena.good.sees(10);
    let (later, _) = arena.worst();
    let (came, refused) = (came.into_inner(), refused.into_inner());
    figures::note(Row {
        name: format!("soak, {seconds} s"),
        connections: came,
        usage: [before, after],
        worst: [earlier, worst.0, later],
        pictures: worst.1,
    });

    // The first quarter starts threads and finds the allocator's size.
    let quarters: Vec<_> = samples.chunks(samples.len().div_ceil(4)).collect();
    let most = |what: fn(&Usage) -> u64| -> Vec<u64> {
        quarters
            .iter()
            .map(|quarter| quarter.iter().map(what).max().expect("samples"))
            .collect()
    };
    let (rss, files, threads) = (
        most(|sample| sample.rss_kib),
        most(|sample| sample.files as u64),
        most(|sample| sample.threads as u64),
    );
    println!(
        "    soak: {seconds} s, {came} clients came, {refused} of them while the places were taken; most in each quarter: \
         RSS {rss:?} KiB, descriptors {files:?}, threads {threads:?}"
    );
    let (early, last) = (rss[1], rss[rss.len() - 1]);
    assert!(
        last <= early + early / 4 + 8 * 1024,
        "RSS grew: {rss:?} KiB"
    );
    let most_files = before.files + CLIENTS + 8;
    assert!(
        files.iter().all(|&files| files <= most_files as u64),
        "descriptors: {files:?}"
    );
    assert!(
        threads[threads.len() - 1] <= threads[1] + 2,
        "threads grew: {threads:?}"
    );
    assert!(!arena.server.log().contains("panicked"));
    all_keys_up(&arena.server);
}

/// The others end when this thread panics, too.
struct EndsWhenDropped<'a>(&'a AtomicBool);

impl Drop for EndsWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Logs in, in clear or in one of two ways encrypted, and looks around; `None` if all places are taken, which they are until
/// somebody who left was noticed.
fn come(
    address: SocketAddr,
    from: Ipv4Addr,
    tls: &Arc<ClientConfig>,
    noise: &mut Noise,
    over: &AtomicBool,
) -> Option<()> {
    let mut socket = Socket::connect_from(from, address);
    if socket.greet().is_empty() {
        return None;
    }
    match noise.below(4) {
        0 => {
            tls::subtypes_behind(&mut socket);
            let x509_vnc = SecurityType::X509Vnc.number();
            socket.send(&x509_vnc.to_be_bytes());
            assert_eq!(socket.read(1), [1]);
            let mut socket = tls::over_tls(socket, tls);
            respond(&mut socket);
            visit(enter(socket)?, noise, over);
        }
        1 => {
            let password = std::str::from_utf8(PASSWORD).expect("UTF-8");
            let exchange = Exchange::choose(socket, SecurityType::Ra2);
            visit(enter(exchange.log_in("", password))?, noise, over);
        }
        _ => {
            socket.send(&[2]);
            respond(&mut socket);
            visit(enter(socket)?, noise, over);
        }
    }
    Some(())
}

fn respond<S: Read + Write>(socket: &mut Socket<S>) {
    let challenge = socket.read(16).try_into().expect("16 bytes");
    socket.send(&Password::new(PASSWORD).respond(&challenge));
}

/// Reads the result of a login.
fn enter<S: Read + Write>(mut socket: Socket<S>) -> Option<Viewer<S>> {
    (socket.read(4) == [0; 4]).then(|| Viewer::init(socket))
}

/// A stream, encrypted or not, over a connection that can be cut.
trait Line: Read + Write {
    fn connection(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn connection(&self) -> &TcpStream {
        self
    }
}

impl Line for Tls {
    fn connection(&self) -> &TcpStream {
        &self.sock
    }
}

impl Line for Sealed {
    fn connection(&self) -> &TcpStream {
        &self.stream
    }
}

/// Does what one of many kinds of clients does, and leaves, at once when all is over.
fn visit<S: Line>(mut viewer: Viewer<S>, noise: &mut Noise, over: &AtomicBool) {
    let goes_on = || !over.load(Ordering::Relaxed);
    let list = ENCODINGS[noise.below(ENCODINGS.len())];
    viewer.encodings(list);
    match noise.below(8) {
        // Only looks in.
        0 => {}
        // Asks, reads a little, and is killed in the middle.
        1 => {
            (0..20).for_each(|_| viewer.request(false));
            viewer
                .socket
                .0
                .read_exact(&mut [0; 500])
                .expect("an answer");
            reset(&viewer);
        }
        // A slow line: more is asked for than is read.
        2 => {
            let mut little = [0; 20_000];
            for _ in (0..20).take_while(|_| goes_on()) {
                viewer.request(false);
                let read = viewer.socket.0.read(&mut little).expect("an answer");
                assert_ne!(read, 0, "it is not sent away");
                thread::sleep(Duration::from_millis(20));
            }
        }
        // Leaves with keys down.
        3 => {
            for _ in 0..20 {
                let code = 0x10 + noise.below(40) as u32;
                viewer.send(&extended_key(true, 0, code));
                viewer.send(&pointer(
                    1,
                    noise.below(640) as u16,
                    noise.below(480) as u16,
                ));
            }
            reset(&viewer);
        }
        4 => {
            viewer.encodings(&[7, -23, -313, -312, -308]);
            viewer.send(&continuous_updates(true, SIZE.rect()));
            let mut updates = 0;
            while updates < 20 && goes_on() {
                match viewer.next() {
                    Message::Update(_) => {
                        updates += 1;
                        pause(noise);
                    }
                    Message::Fence { flags, data } => {
                        viewer.send(&fence(flags & 0x7fff_ffff, &data))
                    }
                    _ => {}
                }
            }
        }
        kind => {
            if kind == 5 {
                let format = viewer.client.set_pixel_format(rgb565());
                viewer.send(&format);
            }
            for update in (0..1 + noise.below(40)).take_while(|_| goes_on()) {
                viewer.request(update > 0);
                viewer.next();
                pause(noise);
            }
        }
    }
}

/// Nobody looks at everything as fast as it comes, least of all on a machine that plays all of them.
fn pause(noise: &mut Noise) {
    thread::sleep(Duration::from_millis(noise.below(250) as u64));
}

fn rgb565() -> PixelFormat {
    let bytes = [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
    let mut reader = rfb::wire::Reader::new(&bytes);
    PixelFormat::read(&mut reader)
        .expect("16 bytes")
        .expect("a format")
}

fn reset<S: Line>(viewer: &Viewer<S>) {
    let socket = socket2::SockRef::from(viewer.socket.0.connection());
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
}

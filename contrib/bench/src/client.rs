//! VNC clients that measure: they find where updates end and decode nothing while the clock runs.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rfb::{
    geom::Size,
    pixel::PixelFormat,
    testing::client::{continuous_updates, fence, request, set_encodings},
};

use crate::{
    Failure,
    lengths::{Lengths, Passed},
};

const TIGHT: i32 = 7;
const COPY_RECT: i32 = 1;
const ZRLE: i32 = 16;
const RAW: i32 = 0;
const LAST_RECT: i32 = -224;
const DESKTOP_SIZE: i32 = -223;
const QUALITY_8: i32 = -24;
const COMPRESSION_2: i32 = -254;
const FENCE: i32 = -312;
const CONTINUOUS_UPDATES: i32 = -313;

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    encodings: &'static [i32],
}

/// Every kind, by the list that it sends.
pub const KINDS: [Kind; 4] = [
    Kind {
        name: "tight-jpeg",
        encodings: &[TIGHT, COPY_RECT, RAW, QUALITY_8, COMPRESSION_2],
    },
    Kind {
        name: "tight",
        encodings: &[TIGHT, COPY_RECT, RAW, COMPRESSION_2],
    },
    Kind {
        name: "zrle",
        encodings: &[ZRLE, COPY_RECT, RAW, COMPRESSION_2],
    },
    Kind {
        name: "raw",
        encodings: &[RAW, COPY_RECT],
    },
];

impl Kind {
    /// What goes into SetEncodings.
    pub fn list(&self, continuous: bool) -> Vec<i32> {
        let mut list = self.encodings.to_vec();
        list.extend([LAST_RECT, DESKTOP_SIZE]);
        if continuous {
            list.extend([FENCE, CONTINUOUS_UPDATES]);
        }
        list
    }
}

/// What the last client got.
pub struct Recording {
    /// The framebuffer's size in ServerInit.
    pub size: Size,
    /// Everything behind ServerInit.
    pub bytes: Vec<u8>,
    /// Where each update ends in `bytes`, and when its last byte was there.
    pub ends: Vec<(usize, Instant)>,
}

/// More than this is not kept: the machine has other things to do with its memory.
const MOST_KEPT: usize = 3 << 30;

/// Clients that read in one thread. The last one to connect, which a server that goes through its clients in
/// order serves last, is recorded.
pub struct Clients {
    thread: JoinHandle<Result<Recording, String>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Of all clients together.
    bytes: AtomicU64,
}

impl Clients {
    /// Connects `count` clients, each of which asks for the next update as soon as one is complete or, if
    /// `continuous`, has the server send updates without being asked.
    pub fn connect(
        address: SocketAddr,
        kind: Kind,
        count: usize,
        continuous: bool,
    ) -> Result<Self, Failure> {
        let list = kind.list(continuous);
        let mut sessions = (0..count)
            .map(|_| Session::connect(address, &list))
            .collect::<Result<Vec<_>, _>>()?;
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("clients".into())
            .spawn(move || read_all(&mut sessions, &inside))?;
        Ok(Self { thread, shared })
    }

    /// Bytes that all clients together have got so far.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Relaxed)
    }

    /// Disconnects.
    pub fn stop(self) -> Result<Recording, Failure> {
        self.shared.stop.store(true, Relaxed);
        let recording = self.thread.join().map_err(|_| "the clients' thread died")?;
        Ok(recording.map_err(|fault| format!("a client stopped: {fault}"))?)
    }
}

struct Session {
    stream: TcpStream,
    lengths: Lengths,
    continuous: bool,
}

fn read_all(sessions: &mut [Session], shared: &Shared) -> Result<Recording, String> {
    let text = |error: std::io::Error| error.to_string();
    let last = sessions.len() - 1;
    let mut recording = Recording {
        size: sessions[last].lengths.size(),
        bytes: Vec::with_capacity(64 << 20),
        ends: Vec::new(),
    };
    for session in &mut *sessions {
        session.request(false).map_err(text)?;
    }
    let mut buffer = vec![0; 1 << 20];
    while !shared.stop.load(Relaxed) {
        for index in readable(sessions)? {
            let count = sessions[index].stream.read(&mut buffer).map_err(text)?;
            let now = Instant::now();
            if count == 0 {
                return Err("the server closed the connection".into());
            }
            shared.bytes.fetch_add(count as u64, Relaxed);
            let updates = sessions[index].take(&buffer[..count])?;
            if index == last {
                if recording.bytes.len() + count > MOST_KEPT {
                    return Err(
                        "its updates outgrow the memory set aside: measure fewer --frames".into(),
                    );
                }
                recording.bytes.extend_from_slice(&buffer[..count]);
                let end = recording.bytes.len();
                recording.ends.extend((0..updates).map(|_| (end, now)));
            }
        }
    }
    Ok(recording)
}

/// Which sessions have something to read; none after a while without any.
fn readable(sessions: &[Session]) -> Result<Vec<usize>, String> {
    let mut places: Vec<PollFd> = sessions
        .iter()
        .map(|session| PollFd::new(session.stream.as_fd(), PollFlags::POLLIN))
        .collect();
    poll(&mut places, PollTimeout::from(50u8)).map_err(|error| error.to_string())?;
    let ready = |place: &PollFd| place.any().unwrap_or(false);
    Ok((0..sessions.len()).filter(|&i| ready(&places[i])).collect())
}

impl Session {
    fn connect(address: SocketAddr, list: &[i32]) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let size = shake_hands(&mut stream)?;
        let mut hello = vec![0, 0, 0, 0];
        PixelFormat::BGRX.write(&mut hello);
        hello.extend(set_encodings(list));
        stream.write_all(&hello)?;
        Ok(Self {
            stream,
            lengths: Lengths::new(size),
            continuous: false,
        })
    }

    fn request(&mut self, incremental: bool) -> std::io::Result<()> {
        let whole = self.lengths.size().rect();
        self.stream.write_all(&request(incremental, whole))
    }

    /// Takes received bytes and answers; gives how many updates ended.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let (mut updates, mut answers) = (0, Vec::new());
        let mut enable = false;
        self.lengths.take(bytes, |passed| match passed {
            Passed::Update => updates += 1,
            Passed::ContinuousUpdates => enable = true,
            Passed::Fence { flags, data } if flags >> 31 == 1 => {
                answers.extend(fence(flags & 0x7, &data));
            }
            Passed::Fence { .. } => {}
        })?;
        let whole = self.lengths.size().rect();
        if enable && !self.continuous {
            self.continuous = true;
            answers.extend(continuous_updates(true, whole));
        }
        if updates > 0 && !self.continuous {
            answers.extend(request(true, whole));
        }
        self.stream
            .write_all(&answers)
            .map_err(|error| error.to_string())?;
        Ok(updates)
    }
}

/// RFB 3.8 without a password; gives the framebuffer's size.
fn shake_hands(stream: &mut TcpStream) -> Result<Size, Failure> {
    let mut version = [0; 12];
    stream.read_exact(&mut version)?;
    stream.write_all(b"RFB 003.008\n")?;
    let [count] = read(stream)?;
    let mut types = vec![0; usize::from(count)];
    stream.read_exact(&mut types)?;
    if !types.contains(&1) {
        return Err(format!("the server offers security types {types:?} and not None").into());
    }
    stream.write_all(&[1])?;
    if read(stream)? != [0; 4] {
        return Err("the server refused the client".into());
    }
    let shared = 1;
    stream.write_all(&[shared])?;
    let init: [u8; 24] = read(stream)?;
    let name = u32::from_be_bytes([init[20], init[21], init[22], init[23]]);
    std::io::copy(&mut stream.take(name.into()), &mut std::io::sink())?;
    let number = |at: usize| u16::from_be_bytes([init[at], init[at + 1]]);
    Ok(Size::new(number(0), number(2)))
}

fn read<const N: usize>(stream: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

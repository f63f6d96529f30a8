//! USB/IP once a device is attached: what a host controller asks of a USB port, over TCP.
//!
//! A message is a header of 48 bytes, all of it big-endian words, and the data of the transfer, if any goes that
//! way. The host submits transfers (`CMD_SUBMIT`) and takes them back (`CMD_UNLINK`); the device answers each
//! once (`RET_SUBMIT`, `RET_UNLINK`). A transfer has a sequence number, which its answer bears:
//!
//!     word   0         1        2       3          4         5        6       7..10   10 and 11
//!     submit command,  number,  device, direction, endpoint, flags,   length, 0...,   setup packet
//!     unlink command,  number,  device, direction, endpoint, number of the transfer to take back, 0...
//!     answer command,  number,  0,      0,         0,        status,  length, 0...
//!
//! The kernel's documentation has it all (`Documentation/usb/usbip_protocol.rst`).
//!
//! A host forgets a transfer that it was told is unlinked, and takes an answer to it for a broken device. Hence
//! one lock lies over the waiting transfers and the sending side of the socket: what is taken from those is
//! answered before anybody else can say anything about it.
//!
//! Linux sends from two queues, submissions and then what is to be taken back, so it may take back a transfer
//! before it submits it. Such an unlink is answered when the transfer comes, which then is not begun: answered at
//! once, the host might not have the transfer on its list yet, and would wait for it for ever.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// The setup packet of a control transfer (USB 2.0, section 9.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) request_type: u8,
    pub(super) request: u8,
    pub(super) value: u16,
    pub(super) index: u16,
}

impl Setup {
    fn parse(bytes: [u8; 8]) -> Self {
        let [request_type, request, value @ .., _, _, _, _] = bytes;
        Self {
            request_type,
            request,
            value: u16::from_le_bytes(value),
            index: u16::from_le_bytes([bytes[4], bytes[5]]),
        }
    }
}

/// The device refuses a control transfer.
#[derive(Debug)]
pub(super) struct Stall;

/// The transfers that a stream of payloads goes into are no more: the cable is out or the stream has ended.
#[derive(Debug)]
pub(super) struct Gone;

/// Why a link ended, other than by the pulling of the cable.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the link to the host broke: {0}")]
    Io(#[from] io::Error),
    #[error("the host sent {0:#010x}, which is no USB/IP command")]
    Command(u32),
    #[error("the host wants to send {0} bytes at once, more than {MAX_OUT}")]
    TooLong(u32),
}

const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;

const HEADER: usize = 48;
const DIRECTION_IN: u32 = 1;

/// Statuses are Linux errors, negative.
const OK: i32 = 0;
const EPIPE: i32 = -32;
const ECONNRESET: i32 = -104;

/// Most that is taken of a host in one transfer.
const MAX_OUT: u32 = 64 * 1024;

/// One attached device, as its threads share it.
pub(super) struct Link {
    socket: Arc<TcpStream>,
    pipe: Mutex<Pipe>,
    changed: Condvar,
}

/// What the one bulk endpoint of the device holds. Whoever writes to the socket holds its lock.
#[derive(Default)]
struct Pipe {
    waiting: VecDeque<Transfer>,
    /// The latest transfer that the host submitted, to any endpoint. The numbers rise.
    latest: u32,
    /// Transfers that were taken back before they came, each with the number of the unlink to answer.
    overtaken: Vec<(u32, u32)>,
    /// How often the endpoint was reset; what was begun before is not sent on after.
    resets: u64,
    closed: bool,
}

struct Transfer {
    number: u32,
    length: usize,
}

impl Link {
    pub(super) fn new(socket: Arc<TcpStream>) -> Self {
        Self {
            socket,
            pipe: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Reads what the host asks until the cable is pulled at either end. `control` answers the control transfers:
    /// with the bytes to send, which are cut to what the host asked for, or with none if it is the host that
    /// sends.
    pub(super) fn serve(
        &self,
        mut control: impl FnMut(Setup, &[u8]) -> Result<Vec<u8>, Stall>,
    ) -> Result<(), LinkError> {
        self.socket.set_nodelay(true)?;
        let mut reader = BufReader::new(&*self.socket);
        while !reader.fill_buf()?.is_empty() {
            let mut header = [0; HEADER];
            reader.read_exact(&mut header)?;
            let number = word(&header, 1);
            match word(&header, 0) {
                CMD_SUBMIT => self.submit(number, &header, &mut reader, &mut control)?,
                CMD_UNLINK => self.unlink(number, word(&header, 5))?,
                other => return Err(LinkError::Command(other)),
            }
        }
        Ok(())
    }

    fn submit(
        &self,
        number: u32,
        header: &[u8; HEADER],
        reader: &mut impl Read,
        control: &mut impl FnMut(Setup, &[u8]) -> Result<Vec<u8>, Stall>,
    ) -> Result<(), LinkError> {
        let (is_in, endpoint) = (word(header, 3) == DIRECTION_IN, word(header, 4));
        let length = word(header, 6);
        let mut sent = Vec::new();
        if !is_in {
            if length > MAX_OUT {
                return Err(LinkError::TooLong(length));
            }
            sent.resize(length as usize, 0);
            reader.read_exact(&mut sent)?;
        }
        if self.is_taken_back(number)? {
            return Ok(());
        }
        let length = length as usize;
        if endpoint == 0 {
            let setup = Setup::parse(std::array::from_fn(|at| header[40 + at]));
            let answer = control(setup, &sent);
            self.answer_control(number, is_in, length, answer)?;
        } else if is_in {
            self.pipe().waiting.push_back(Transfer { number, length });
            self.changed.notify_all();
        } else {
            let mut pipe = self.pipe();
            pipe.answer(&self.socket, number, EPIPE, 0, &[])?;
        }
        Ok(())
    }

    fn answer_control(
        &self,
        number: u32,
        is_in: bool,
        length: usize,
        answer: Result<Vec<u8>, Stall>,
    ) -> io::Result<()> {
        let mut pipe = self.pipe();
        match answer {
            Ok(mut bytes) if is_in => {
                bytes.truncate(length);
                pipe.answer(&self.socket, number, OK, bytes.len(), &bytes)
            }
            Ok(_) => pipe.answer(&self.socket, number, OK, length, &[]),
            Err(Stall) => pipe.answer(&self.socket, number, EPIPE, 0, &[]),
        }
    }

    /// Whether this transfer, which has just come, was unlinked before; answers that unlink.
    fn is_taken_back(&self, number: u32) -> io::Result<bool> {
        let mut pipe = self.pipe();
        pipe.latest = number;
        let known = pipe.overtaken.iter().position(|(it, _)| *it == number);
        let Some(known) = known else {
            return Ok(false);
        };
        let (_, unlink) = pipe.overtaken.swap_remove(known);
        pipe.write(&self.socket, &header(RET_UNLINK, unlink, ECONNRESET, 0))?;
        Ok(true)
    }

    /// Takes a transfer out of the line. One that came and is not there was answered.
    fn unlink(&self, number: u32, victim: u32) -> io::Result<()> {
        let mut pipe = self.pipe();
        if victim.wrapping_sub(pipe.latest).cast_signed() > 0 {
            pipe.overtaken.push((victim, number));
            return Ok(());
        }
        let found = pipe.waiting.iter().position(|it| it.number == victim);
        let status = match found.and_then(|at| pipe.waiting.remove(at)) {
            Some(_) => ECONNRESET,
            None => OK,
        };
        pipe.write(&self.socket, &header(RET_UNLINK, number, status, 0))
    }

    /// Ends whatever is being sent; gives the number that what comes next is sent under.
    pub(super) fn reset(&self) -> u64 {
        let mut pipe = self.pipe();
        pipe.resets += 1;
        self.changed.notify_all();
        pipe.resets
    }

    /// Nothing is sent any more.
    pub(super) fn close(&self) {
        // First, because it frees one who holds the lock and waits for the host to read. It fails if the host has
        // closed the connection.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.pipe().closed = true;
        self.changed.notify_all();
    }

    /// Sends one payload into as many transfers as it takes, waiting for them. As on a USB bus, a transfer that is
    /// not filled says that the payload is whole, and so does `largest`, the size that the host counts up to.
    pub(super) fn send(&self, resets: u64, payload: &[u8], largest: usize) -> Result<(), Gone> {
        let mut rest = payload;
        loop {
            let is_filled;
            (rest, is_filled) = self.fill_next(resets, rest)?;
            if !is_filled || rest.is_empty() && payload.len() == largest {
                return Ok(());
            }
        }
    }

    /// Answers the first transfer in line with as much as it takes; gives the rest and whether it was filled.
    fn fill_next<'b>(&self, resets: u64, bytes: &'b [u8]) -> Result<(&'b [u8], bool), Gone> {
        let mut pipe = self.pipe();
        loop {
            if pipe.closed || pipe.resets != resets {
                return Err(Gone);
            }
            if let Some(Transfer { number, length }) = pipe.waiting.pop_front() {
                let (now, rest) = bytes.split_at(length.min(bytes.len()));
                pipe.answer(&self.socket, number, OK, now.len(), now)
                    .map_err(|_| Gone)?;
                return Ok((rest, now.len() == length));
            }
            let waited = self.changed.wait(pipe);
            pipe = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    fn answer(
        &mut self,
        socket: &TcpStream,
        number: u32,
        status: i32,
        length: usize,
        data: &[u8],
    ) -> io::Result<()> {
        let mut message = Vec::with_capacity(HEADER + data.len());
        message.extend(header(RET_SUBMIT, number, status, length));
        message.extend(data);
        self.write(socket, &message)
    }

    /// A method of what the lock is over, so that nobody writes without it.
    fn write(&mut self, mut socket: &TcpStream, message: &[u8]) -> io::Result<()> {
        socket.write_all(message)
    }
}

fn header(command: u32, number: u32, status: i32, length: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let length = u32::try_from(length).expect("a transfer is not that long");
    for (at, word) in [
        (0, command),
        (1, number),
        (5, status.cast_unsigned()),
        (6, length),
    ] {
        header[at * 4..][..4].copy_from_slice(&word.to_be_bytes());
    }
    header
}

fn word(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|byte| header[at * 4 + byte]))
}

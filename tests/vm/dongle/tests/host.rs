//! A host made of software at the far end of a dongle's cable. It counts transfers as Linux does, and is as
//! unforgiving: every answer has to be to a transfer that is on its list.

use std::{
    collections::{HashMap, VecDeque},
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use super::{Dongle, Plugged};

/// Nothing that is waited for takes this long unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What a host sees of a payload's end.
pub const LARGEST_PAYLOAD: usize = 16 * 1024;

const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;

const EPIPE: i32 = -32;
pub const ECONNRESET: i32 = -104;

pub struct Host {
    socket: TcpStream,
    numbers: u32,
    /// Submitted and not answered, with what was asked for: data of so many bytes, or `None` if the host sent.
    list: HashMap<u32, Option<usize>>,
    /// Unlinks not answered, each with its transfer.
    unlinks: HashMap<u32, u32>,
    /// Answers that came while another was waited for.
    early: VecDeque<Answer>,
    /// What each video transfer asks for.
    pub transfer: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a transfer; `Err` is its status.
    Submit(u32, Result<Vec<u8>, i32>),
    /// To an unlink: whether the transfer was given up.
    Unlink { victim: u32, given_up: bool },
}

/// A frame as it was put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    /// The bit that changes from frame to frame.
    pub id: u8,
    /// How many of its payloads the dongle called damaged, and how many there were.
    pub damaged: (usize, usize),
}

/// A control transfer.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub request_type: u8,
    pub request: u8,
    pub value: u16,
    pub index: u16,
}

impl Host {
    pub fn with(dongle: &Dongle) -> (Host, Plugged) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let far = TcpStream::connect(address).expect("a connection");
        let (socket, _) = listener.accept().expect("its other end");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket.set_nodelay(true).expect("no delay");
        let host = Host {
            socket,
            numbers: 0,
            list: HashMap::new(),
            unlinks: HashMap::new(),
            early: VecDeque::new(),
            transfer: LARGEST_PAYLOAD,
        };
        (host, dongle.plug_in(far))
    }

    /// The next sequence number.
    pub fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    pub fn send(&mut self, words: &[u32], setup: [u8; 8], data: &[u8]) {
        let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        message.resize(40, 0);
        message.extend(setup);
        message.extend(data);
        self.socket.write_all(&message).expect("the link holds");
    }

    /// The dongle waits for the rest.
    pub fn send_part_of_a_message(&mut self) {
        self.socket
            .write_all(&[0, 0, 0, 1])
            .expect("the link holds");
    }

    /// Submits a transfer for video and gives its number.
    pub fn submit(&mut self) -> u32 {
        let number = self.number();
        self.submit_as(number);
        number
    }

    pub fn submit_as(&mut self, number: u32) {
        let length = self.transfer;
        self.list.insert(number, Some(length));
        let words = [CMD_SUBMIT, number, 0x10002, 1, 1, 0, length as u32];
        self.send(&words, [0; 8], &[]);
    }

    /// Takes a transfer back, which may be one that was not submitted yet.
    pub fn unlink(&mut self, victim: u32) {
        let number = self.number();
        self.unlinks.insert(number, victim);
        self.send(&[CMD_UNLINK, number, 0x10002, 0, 0, victim], [0; 8], &[]);
    }

    /// The next answer; `None` if the cable is out. One that a host could not understand ends the test.
    pub fn answer(&mut self) -> Option<Answer> {
        if let Some(answer) = self.early.pop_front() {
            return Some(answer);
        }
        self.read_answer()
    }

    fn read_answer(&mut self) -> Option<Answer> {
        let mut header = [0; 48];
        match self.socket.read(&mut header[..1]) {
            Ok(0) => return None,
            // The same, if the dongle had not read all by then.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            read => read.expect("an answer in time"),
        };
        self.socket.read_exact(&mut header[1..]).expect("a header");
        let word =
            |at: usize| u32::from_be_bytes(header[at * 4..][..4].try_into().expect("four bytes"));
        let (number, status) = (word(1), word(5).cast_signed());
        match word(0) {
            RET_SUBMIT => {
                let asked = self.list.remove(&number);
                let asked = asked.unwrap_or_else(|| panic!("cannot find transfer {number}"));
                let length = word(6) as usize;
                let mut data = Vec::new();
                if let Some(most) = asked {
                    assert!(length <= most, "{length} bytes instead of {most}");
                    data.resize(length, 0);
                    self.socket.read_exact(&mut data).expect("the data");
                }
                let answer = if status == 0 { Ok(data) } else { Err(status) };
                Some(Answer::Submit(number, answer))
            }
            RET_UNLINK => {
                let victim = self.unlinks.remove(&number);
                let victim = victim.unwrap_or_else(|| panic!("cannot find unlink {number}"));
                let is_on_list = self.list.remove(&victim).is_some();
                let given_up = match status {
                    ECONNRESET => true,
                    0 => false,
                    other => panic!("an unlink has status {other}"),
                };
                assert_eq!(given_up, is_on_list, "transfer {victim}, unlinked");
                Some(Answer::Unlink { victim, given_up })
            }
            other => panic!("{other} is no answer"),
        }
    }

    /// A control transfer in which the dongle sends at most `length` bytes; `None` if it stalls.
    pub fn ask(&mut self, request: Request, length: u16) -> Option<Vec<u8>> {
        let number = self.number();
        self.list.insert(number, Some(usize::from(length)));
        let words = [CMD_SUBMIT, number, 0x10002, 1, 0, 0, u32::from(length)];
        self.send(&words, request.setup(length), &[]);
        self.answer_to(number)
    }

    /// A control transfer in which the host sends; `None` if the dongle stalls.
    pub fn tell(&mut self, request: Request, data: &[u8]) -> Option<()> {
        self.send_to(0, request.setup(data.len() as u16), data)
    }

    /// A transfer from the host to any endpoint; `None` if the dongle stalls.
    pub fn send_to(&mut self, endpoint: u32, setup: [u8; 8], data: &[u8]) -> Option<()> {
        let number = self.number();
        self.list.insert(number, None);
        let words = [
            CMD_SUBMIT,
            number,
            0x10002,
            0,
            endpoint,
            0,
            data.len() as u32,
        ];
        self.send(&words, setup, data);
        self.answer_to(number).map(drop)
    }

    fn answer_to(&mut self, number: u32) -> Option<Vec<u8>> {
        loop {
            match self.read_answer().expect("the cable is in") {
                Answer::Submit(it, Ok(data)) if it == number => return Some(data),
                Answer::Submit(it, Err(status)) if it == number => {
                    assert_eq!(status, EPIPE, "a stall");
                    return None;
                }
                other => self.early.push_back(other),
            }
        }
    }

    /// The next whole frame; keeps a few transfers submitted.
    pub fn frame(&mut self) -> Frame {
        let mut frame = Frame {
            bytes: Vec::new(),
            id: 0,
            damaged: (0, 0),
        };
        loop {
            let payload = self.payload();
            let [2, flags, data @ ..] = payload.as_slice() else {
                panic!("a payload without its header: {:02x?}", &payload);
            };
            assert_eq!(flags & 0x80, 0x80, "the header ends");
            let id = flags & 1;
            assert!(frame.damaged.1 == 0 || frame.id == id, "its end is missing");
            frame.id = id;
            frame.bytes.extend(data);
            frame.damaged.0 += usize::from(flags & 0x40 != 0);
            frame.damaged.1 += 1;
            if flags & 2 != 0 {
                return frame;
            }
        }
    }

    /// Transfers up to one that is not filled, or up to the largest size.
    fn payload(&mut self) -> Vec<u8> {
        let mut payload = Vec::new();
        loop {
            while self.list.len() < 5 {
                self.submit();
            }
            match self.answer().expect("the cable is in") {
                Answer::Submit(_, Ok(data)) => {
                    payload.extend(&data);
                    assert!(payload.len() <= LARGEST_PAYLOAD, "too large a payload");
                    if data.len() < self.transfer || payload.len() == LARGEST_PAYLOAD {
                        return payload;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes back what is submitted, as a driver does that ends a stream; gives how many of them were waiting.
    pub fn unlink_all(&mut self) -> usize {
        let victims: Vec<u32> = self.list.keys().copied().collect();
        for &victim in &victims {
            self.unlink(victim);
        }
        let mut given_up = 0;
        while !self.unlinks.is_empty() {
            if let Some(Answer::Unlink { given_up: true, .. }) = self.read_answer() {
                given_up += 1;
            }
        }
        self.early.clear();
        given_up
    }

    /// Proposes a mode by the numbers of its format and size and the interval; gives what the dongle offers instead.
    pub fn probe(&mut self, format: u8, size: u8, interval: u32) -> Vec<u8> {
        self.tell(PROBE.set(), &proposal(format, size, interval))
            .expect("the proposal is taken");
        self.ask(PROBE.get(), 26).expect("an offer")
    }

    /// Starts a stream in the mode that is nearest to this.
    pub fn start(&mut self, format: u8, size: u8, interval: u32) {
        let offer = self.probe(format, size, interval);
        self.tell(COMMIT.set(), &offer).expect("the mode is taken");
    }

    /// Starts MJPEG 640x480 at 60 frames a second.
    pub fn start_fast(&mut self) {
        self.start(1, 5, 166_666);
    }

    /// As a driver ends a bulk stream: the transfers are taken back, the endpoint's halt is cleared.
    pub fn stop(&mut self) {
        self.unlink_all();
        self.tell(CLEAR_HALT, &[]).expect("it is cleared");
    }
}

pub fn proposal(format: u8, size: u8, interval: u32) -> Vec<u8> {
    let mut proposal = vec![1, 0, format, size];
    proposal.extend(interval.to_le_bytes());
    proposal.resize(26, 0);
    proposal
}

/// A control of the class: `entity` 0 is the interface itself.
#[derive(Clone, Copy)]
pub struct Control {
    pub interface: u8,
    pub entity: u8,
    pub selector: u8,
}

pub const PROBE: Control = Control {
    interface: 1,
    entity: 0,
    selector: 1,
};
pub const COMMIT: Control = Control {
    selector: 2,
    ..PROBE
};

impl Control {
    pub fn set(self) -> Request {
        Request {
            request_type: 0x21,
            request: 0x01,
            ..self.get()
        }
    }

    pub fn get(self) -> Request {
        self.read(0x81)
    }

    /// GET_CUR to GET_DEF are 0x81 to 0x87.
    pub fn read(self, request: u8) -> Request {
        Request {
            request_type: 0xa1,
            request,
            value: u16::from_le_bytes([0, self.selector]),
            index: u16::from_le_bytes([self.interface, self.entity]),
        }
    }
}

pub const CLEAR_HALT: Request = Request {
    request_type: 0x02,
    request: 1,
    value: 0,
    index: 0x81,
};

impl Request {
    pub const fn descriptor(kind: u8, number: u8) -> Self {
        Self {
            request_type: 0x80,
            request: 6,
            value: u16::from_le_bytes([number, kind]),
            index: 0,
        }
    }

    fn setup(self, length: u16) -> [u8; 8] {
        let [value, index, length] =
            [self.value, self.index, length].map(|field| field.to_le_bytes());
        [
            self.request_type,
            self.request,
            value[0],
            value[1],
            index[0],
            index[1],
            length[0],
            length[1],
        ]
    }
}

//! A slow link between a client and a server: so many bits a second, so much later.
//!
//! It models a link and not a lake: what it takes from the server before its turn has come is only what fits
//! into a small receive buffer and, on the way, the bytes that are in flight for the delay. Segments are as short
//! as on an Ethernet, so that a small buffer does not stall them.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    str::FromStr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

use crate::Failure;

/// As on the command line: `5:40` is 5 Mbit/s and 40 ms in each direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    pub megabits: f64,
    /// One way.
    pub delay: Duration,
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once(':').and_then(|(rate, delay)| {
            let (rate, delay): (f64, u64) = (rate.parse().ok()?, delay.parse().ok()?);
            (rate > 0.0 && rate.is_finite()).then_some((rate, delay))
        });
        let (megabits, delay) = numbers.ok_or("expected MBITS:MILLISECONDS, such as 5:40")?;
        Ok(Self {
            megabits,
            delay: Duration::from_millis(delay),
        })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} Mbit/s, {} ms each way",
            self.megabits,
            self.delay.as_millis()
        )
    }
}

impl Link {
    /// What the usual bounds are given for.
    pub const SLOW: Self = Self {
        megabits: 5.0,
        delay: Duration::from_millis(40),
    };
}

const SEGMENT: u32 = 1448;
/// The kernel doubles it, for its own needs.
const BUFFER: usize = 8 * 1024;

impl Link {
    /// Lets one client through to `server`; gives the address to connect to.
    pub fn lay(self, server: SocketAddr) -> Result<SocketAddr, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::Builder::new()
            .name("link".into())
            .spawn(move || -> io::Result<()> {
                let (client, _) = listener.accept()?;
                client.set_nodelay(true)?;
                let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
                socket.set_recv_buffer_size(BUFFER)?;
                socket.set_tcp_mss(SEGMENT)?;
                socket.connect(&server.into())?;
                let server = TcpStream::from(socket);
                server.set_nodelay(true)?;
                let (up, down) = (server.try_clone()?, client.try_clone()?);
                // Requests are small: only late.
                thread::spawn(move || carry(client, up, None, self.delay));
                carry(server, down, Some(self.megabits), self.delay);
                Ok(())
            })?;
        Ok(address)
    }
}

/// Carries one direction until either side ends.
fn carry(mut from: TcpStream, to: TcpStream, megabits: Option<f64>, delay: Duration) {
    let (sender, arrivals) = mpsc::channel::<(Instant, Vec<u8>)>();
    let far = thread::spawn(move || deliver(to, &arrivals));
    let mut segment = vec![0; SEGMENT as usize];
    let mut free = Instant::now();
    while let Ok(count @ 1..) = from.read(&mut segment) {
        free = free.max(Instant::now());
        if let Some(megabits) = megabits {
            free += Duration::from_secs_f64(count as f64 * 8.0 / (megabits * 1e6));
            // Not read on before this segment has left.
            thread::sleep(free.saturating_duration_since(Instant::now()));
        }
        if sender
            .send((free + delay, segment[..count].to_vec()))
            .is_err()
        {
            break;
        }
    }
    drop(sender);
    let _ = far.join();
    let _ = from.shutdown(Shutdown::Both);
}

fn deliver(mut to: TcpStream, arrivals: &mpsc::Receiver<(Instant, Vec<u8>)>) {
    let mut waiting = VecDeque::new();
    while let Ok(next) = arrivals.recv() {
        waiting.push_back(next);
        waiting.extend(arrivals.try_iter());
        while let Some((due, bytes)) = waiting.pop_front() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_from_its_numbers() {
        let link: Link = "5:40".parse().expect("a link");
        assert_eq!(link.to_string(), "5 Mbit/s, 40 ms each way");
        assert_eq!(link.delay, Duration::from_millis(40));
        for text in ["", "5", "0:1", "-1:1", "5:x", "inf:1"] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }

    /// Bytes arrive whole and in order, not before the link can have carried them.
    #[test]
    fn a_link_carries_no_faster_than_it_is() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let sent: Vec<u8> = (0..20_000u32).map(|n| (n % 251) as u8).collect();
        let link = Link {
            megabits: 4.0,
            delay: Duration::from_millis(20),
        };
        let address = link
            .lay(server.local_addr().expect("its address"))
            .expect("laid");
        let began = Instant::now();
        let mut client = TcpStream::connect(address).expect("connected");
        let (mut peer, _) = server.accept().expect("a client");
        peer.write_all(&sent).expect("sent");
        peer.shutdown(Shutdown::Write).expect("ended");
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("received");
        assert_eq!(received, sent);
        // 160,000 bits at 4 Mbit/s, and the delay.
        assert!(began.elapsed() >= Duration::from_millis(40 + 20));
    }
}

//! Checks 69 and 70: connections without end.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rfb::security::vnc_auth::Password;

use crate::{
    arena::{self, PASSWORD},
    attack::{Attack, Noise},
    viewer::Socket,
};

/// Connections that may be under way before anybody has logged in.
const STRANGERS: usize = 16;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Idle connections make room for others, and those who know the password get in past them.
pub fn idle(attack: &Attack<'_>) {
    const IDLE: usize = 200;
    let mut strangers: Vec<Socket> = (0..IDLE).map(|_| attack.connect()).collect();
    let operator = attack.fresh_address();
    for _ in 0..10 {
        arena::log_in(attack.connect_from(operator));
    }
    attack.server.wait_for("strangers to be sent away", |_| {
        strangers.retain_mut(|socket| !is_closed(socket));
        (strangers.len() <= STRANGERS).then_some(())
    });
    for _ in 0..10 {
        arena::log_in(attack.connect_from(operator));
    }
}

/// Whether the server has closed it; reads what came before that.
fn is_closed(socket: &mut Socket) -> bool {
    socket.0.set_nonblocking(true).expect("an option");
    loop {
        match socket.0.read(&mut [0; 64]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// A byte now and then, for ever: the deadline is for the whole handshake.
pub fn slow_lorises(attack: &Attack<'_>) {
    let began = Instant::now();
    let mut lorises: Vec<Socket> = (0..STRANGERS - 1).map(|_| attack.connect()).collect();
    let mut bytes = b"RFB 003.00".iter();
    while !lorises.is_empty() {
        assert!(
            began.elapsed() < 2 * HANDSHAKE,
            "{} are left",
            lorises.len()
        );
        let byte = bytes.next().unwrap_or(&b'8');
        lorises.retain_mut(|socket| {
            let _ = socket.0.write(&[*byte]);
            !is_closed(socket)
        });
        thread::sleep(Duration::from_secs(3));
    }
    println!(
        "    slow lorises are gone after {:.0} s",
        began.elapsed().as_secs_f32()
    );
}

/// A whole login, left after each of its bytes, by FIN and by RST.
pub fn leaving(attack: &Attack<'_>) {
    let login = [b"RFB 003.008\n\x02", &[0; 15][..]].concat();
    for _ in 0..crate::number("RFBRIDGE_HOSTILE", 200).div_ceil(2 * login.len()) {
        for said in 0..login.len() {
            for reset in [false, true] {
                let mut socket = attack.connect();
                socket.send(&login[..said]);
                if reset {
                    let socket = socket2::SockRef::from(&socket.0);
                    socket.set_linger(Some(Duration::ZERO)).expect("an option");
                }
            }
        }
    }
    attack.client();
}

pub fn from_one_address(attack: &Attack<'_>) {
    let operator = attack.fresh_address();
    let (logins, refused) = flood(attack, &|| attack.address, operator);
    assert!(logins > 0);
    assert_eq!(refused, 0, "a flood from one address keeps nobody else out");
}

pub fn from_many_addresses(attack: &Attack<'_>) {
    let operator = attack.fresh_address();
    let (logins, refused) = flood(attack, &|| attack.fresh_address(), operator);
    println!(
        "    while strangers of many addresses flooded it: {logins} logins, {refused} that had to be tried again"
    );
    assert!(logins > 0, "the operator gets in");
}

/// Half-open connections and garbage, as many as `RFBRIDGE_HOSTILE` says, while an operator logs in again and again. Gives
/// how often that succeeded, and how often not.
fn flood(
    attack: &Attack<'_>,
    from: &(dyn Fn() -> Ipv4Addr + Sync),
    operator: Ipv4Addr,
) -> (usize, usize) {
    const HALF_OPEN: usize = 200;
    let connections = crate::number("RFBRIDGE_HOSTILE", 300);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let operator = scope.spawn(|| {
            let (mut logins, mut refused) = (0, 0);
            while !over.load(Ordering::Relaxed) || logins == 0 {
                match log_in(attack.connect_from(operator).0) {
                    Ok(()) => logins += 1,
                    Err(_) => refused += 1,
                }
            }
            (logins, refused)
        });
        let mut noise = Noise::new(69);
        let mut half_open = VecDeque::new();
        for number in 0..connections {
            let mut socket = attack.connect_from(from());
            // It may have made room for another before it has said this.
            let mut say = |bytes: &[u8]| drop(socket.0.write_all(bytes));
            match number % 8 {
                0 => {}
                1 => say(b"RFB 003."),
                2 => say(b"RFB 003.008\n\x02"),
                3 => say(&noise.bytes(300)),
                4 => say(b"GET / HTTP/1.1\r\nHost: kvm\r\nUpgrade: websocket\r\n\r\n"),
                5 => say(&[&[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], &noise.bytes(40)[..]].concat()),
                6 => say(b"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04"),
                _ => {
                    let socket = socket2::SockRef::from(&socket.0);
                    socket.set_linger(Some(Duration::ZERO)).expect("an option");
                }
            }
            if number % 8 < 3 {
                half_open.push_back(socket);
            } else {
                let _ = socket.0.shutdown(Shutdown::Write);
            }
            if half_open.len() > HALF_OPEN {
                half_open.pop_front();
            }
        }
        over.store(true, Ordering::Relaxed);
        operator
            .join()
            .expect("the operator's own errors are counted")
    })
}

fn log_in(mut stream: TcpStream) -> io::Result<()> {
    let read = |n: usize| {
        let mut bytes = vec![0; n];
        (&stream).read_exact(&mut bytes).map(|()| bytes)
    };
    let _: SocketAddr = stream.peer_addr()?;
    read(12)?;
    (&stream).write_all(b"RFB 003.008\n")?;
    let types = read(1)?[0];
    read(usize::from(types))?;
    (&stream).write_all(&[2])?;
    let challenge = read(16)?.try_into().expect("16 bytes");
    (&stream).write_all(&Password::new(PASSWORD).respond(&challenge))?;
    if read(4)? != [0; 4] {
        return Err(ErrorKind::PermissionDenied.into());
    }
    stream.write_all(&[1])
}

//! The addresses to listen on: whether they are free, or whose they are. Read off the kernel's tables, never tried.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use super::{
    Examination,
    finding::Verdict,
    machine::Machine,
    processes::{self, Process},
    server,
};

/// The state of a socket that listens: TCP_LISTEN.
const LISTENING: &str = "0A";

pub(super) fn ports(examination: &Examination<'_>) -> Verdict {
    let machine = examination.machine;
    let config = match examination.config() {
        Ok(config) => config,
        Err(skipped) => return skipped,
    };
    let listening = sockets(machine);
    let owners = |socket: &Socket| {
        let socket = format!("socket:[{}]", socket.inode);
        processes::holders(machine, Path::new(&socket))
    };
    let privileged = machine
        .text("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .and_then(|text| text.parse().ok())
        .unwrap_or(1024);
    let (mut free, mut served) = (Vec::new(), Vec::new());
    for wanted in config.addresses() {
        let port = wanted.port();
        let taken = listening.iter().find(|socket| match port {
            // Whichever was free when it started.
            0 => socket.address.ip() == wanted.ip() && owners(socket).iter().any(Process::is_ours),
            _ => socket.takes(wanted),
        });
        let Some(socket) = taken else {
            if port != 0 && port < privileged && !examination.user.is_root() {
                return Verdict::error(
                    format!(
                        "{} may not listen on {wanted}: ports below {privileged} are for root",
                        examination.user.name
                    ),
                    "choose another port in `listen`, such as 5900",
                );
            }
            free.push(wanted.to_string());
            continue;
        };
        let owners = owners(socket);
        if let Some(demo) = owners.iter().find(|process| process.is_demo(machine)) {
            return Verdict::warning(
                format!("{wanted} is served by {demo}, which shows a simulated target"),
                "end that, and serve the real one: sudo rfbridge serve",
            );
        }
        let ours = owners.iter().find(|process| process.is_ours());
        match (ours, &examination.running) {
            (Some(ours), _) => served.push(format!("{} is served by {ours}", socket.address)),
            // Another user's sockets cannot be seen.
            (None, Some(running)) if owners.is_empty() => {
                served.push(format!(
                    "{} is served, it seems by {running}",
                    socket.address
                ));
            }
            _ => {
                let by = match owners.is_empty() {
                    true => "another user's program (sudo rfbridge doctor tells which)".to_owned(),
                    false => processes::list(&owners),
                };
                return Verdict::error(
                    format!("{wanted} is in use by {by}"),
                    "end that program, or choose another port in `listen` (--listen)",
                );
            }
        }
    }
    let free = free.join(", ");
    match (served.is_empty(), &examination.running) {
        (false, _) => Verdict::ok(served.join(", ")),
        (true, Some(running)) => Verdict::note(
            format!("{free} is free, though {running} runs: it was started with another address"),
            "connect where its log says it listens, or start it anew",
        ),
        (true, None) => Verdict::note(
            format!("{free} is free, but rfbridge does not run, so nobody can connect"),
            match server::unit(machine, "rfbridge.service") {
                Some(_) => {
                    "sudo systemctl enable --now rfbridge; if it does not stay up: journalctl -u rfbridge"
                }
                None => "sudo rfbridge serve; or install the service (contrib/systemd)",
            },
        ),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Socket {
    address: SocketAddr,
    inode: String,
}

impl Socket {
    /// Whether nobody else can listen on `wanted`. One on `[::]` mostly takes IPv4 as well.
    fn takes(&self, wanted: SocketAddr) -> bool {
        let (has, wants) = (self.address.ip(), wanted.ip());
        let any = |ip: IpAddr| ip.is_unspecified();
        let is_same_kind = has.is_ipv4() == wants.is_ipv4();
        self.address.port() == wanted.port()
            && (has == wants
                || (is_same_kind && (any(has) || any(wants)))
                || (has.is_ipv6() && any(has)))
    }
}

fn sockets(machine: &Machine) -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.iter().filter_map(|path| machine.text(path));
    tables
        .flat_map(|table| table.lines().filter_map(socket).collect::<Vec<_>>())
        .collect()
}

/// A line such as `0: 0100007F:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 4711 …`: number, local
/// and remote address, state, and as the tenth word the inode.
fn socket(line: &str) -> Option<Socket> {
    let mut words = line.split_whitespace().skip(1);
    let (address, port) = words.next()?.split_once(':')?;
    (words.nth(1)? == LISTENING).then_some(())?;
    let inode = words.nth(5)?.to_owned();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Socket {
        address: SocketAddr::new(ip(address)?, port),
        inode,
    })
}

/// Words of 32 bits in network order, each written as the machine's own number.
fn ip(hex: &str) -> Option<IpAddr> {
    let word = |index: usize| {
        let digits = hex.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, bytes) in bytes.chunks_exact_mut(4).enumerate() {
                bytes.copy_from_slice(&word(index)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernel_s_tables_are_read() {
        let line = "   0: 0100007F:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0";
        let read = socket(line).expect("a socket");
        assert_eq!(
            (read.address.to_string().as_str(), read.inode.as_str()),
            ("127.0.0.1:5900", "4711")
        );
        let established = line.replace(" 0A ", " 01 ");
        assert_eq!(socket(&established), None);
        let v6 = line.replace("0100007F:", "00000000000000000000000001000000:");
        assert_eq!(
            socket(&v6).expect("a socket").address.to_string(),
            "[::1]:5900"
        );
        assert_eq!(
            socket("  sl  local_address rem_address   st tx_queue"),
            None
        );
    }

    #[test]
    fn an_address_is_taken_by_its_own_kind_and_by_all_addresses() {
        let takes = |has: &str, wanted: &str| {
            let socket = Socket {
                address: has.parse().unwrap(),
                inode: String::new(),
            };
            socket.takes(wanted.parse().unwrap())
        };
        assert!(takes("127.0.0.1:5900", "127.0.0.1:5900"));
        assert!(takes("0.0.0.0:5900", "127.0.0.1:5900"));
        assert!(takes("127.0.0.1:5900", "0.0.0.0:5900"));
        assert!(takes("[::]:5900", "0.0.0.0:5900"));
        assert!(!takes("127.0.0.1:5900", "[::]:5900"));
        assert!(!takes("127.0.0.1:5900", "127.0.0.2:5900"));
        assert!(!takes("127.0.0.1:5900", "127.0.0.1:5901"));
    }
}

//! Wake-on-LAN: a datagram that a sleeping network card listens for.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

/// The magic packet: six times 0xff, then sixteen times the card's address.
pub(super) fn packet(mac: [u8; 6]) -> [u8; 102] {
    let mut packet = [0xff; 102];
    let (_, rest) = packet.split_at_mut(6);
    for copy in rest.chunks_exact_mut(6) {
        copy.copy_from_slice(&mac);
    }
    packet
}

/// Sends it three times, as datagrams may be lost.
pub(super) fn send(mac: [u8; 6], to: SocketAddr) -> io::Result<()> {
    let from: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from)?;
    socket.set_broadcast(true)?;
    for _ in 0..3 {
        socket.send_to(&packet(mac), to)?;
    }
    Ok(())
}

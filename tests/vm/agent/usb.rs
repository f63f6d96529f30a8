//! USB cables: sockets that the kernel's USB/IP drivers take over.

use std::{fs, io, net::TcpStream, os::fd::AsRawFd, thread, time::Duration};

/// The host side's attributes.
const HOST: &str = "/sys/devices/platform/vhci_hcd.0";
/// Anything but 0: bus and number that the device has at its owner's.
const DEVICE_ID: u32 = 0x0001_0002;
/// `USB_SPEED_HIGH`.
const HIGH_SPEED: u32 = 3;

/// Gives the connection to vhci_hcd as a device that was plugged in. The driver keeps the socket open itself.
pub fn plug_in(connection: &TcpStream, answer: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let port = free_port()?;
    // From here on every byte of the connection is the driver's.
    answer()?;
    attach(port, connection)
}

fn attach(port: u32, socket: &TcpStream) -> io::Result<()> {
    let fd = socket.as_raw_fd();
    fs::write(
        format!("{HOST}/attach"),
        format!("{port} {fd} {DEVICE_ID} {HIGH_SPEED}"),
    )
}

/// The number of a port of the high-speed hub with nothing in it. A port that was just left is busy for a moment.
fn free_port() -> io::Result<u32> {
    const FREE: &str = "004"; // VDEV_ST_NULL
    for _ in 0..500 {
        let status = fs::read_to_string(format!("{HOST}/status"))?;
        // hub port sta spd dev sockfd local_busid
        let free = status.lines().find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            (fields.len() >= 3 && fields[0] == "hs" && fields[2] == FREE)
                .then(|| fields[1].parse().ok())?
        });
        if let Some(port) = free {
            return Ok(port);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::other("vhci_hcd has no free port"))
}

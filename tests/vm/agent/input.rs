//! The gadget as its host sees it: input devices, by the interface of the gadget that each is.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    net::TcpStream,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::protocol::{Device, Event};

const EV_SYN: u16 = 0;
const EV_MSC: u16 = 4;
const EV_LED: u16 = 0x11;
const KEY_MAX: usize = 0x2ff;
/// `EVIOCGKEY` for a map of all keys: `_IOR('E', 0x18, [u8; 96])`.
const EVIOCGKEY: libc::c_ulong = 0x8060_4518;
/// How long to wait for events before looking for devices that came or left, in milliseconds.
const LOOK: i32 = 2;

/// Sends what happens, as lines of JSON, until the other side closes.
pub fn events(mut connection: &TcpStream) -> io::Result<()> {
    let mut open: BTreeMap<PathBuf, (Device, File)> = BTreeMap::new();
    connection.set_nonblocking(true)?;
    loop {
        let mut seen = Vec::new();
        let there = devices()?;
        open.retain(|path, (device, _)| {
            let stays = there.get(path) == Some(device);
            if !stays {
                seen.push(Event::Left { device: *device });
            }
            stays
        });
        for (path, device) in there {
            if open.contains_key(&path) {
                continue;
            }
            // One that is gone again, or whose node is not there yet.
            let Ok(file) = options().open(&path) else {
                continue;
            };
            seen.push(Event::Came {
                device,
                held: held(&file)?,
            });
            open.insert(path, (device, file));
        }
        wait(&open, connection)?;
        for (device, file) in open.values_mut() {
            read(*device, file, &mut seen);
        }
        let mut lines = Vec::new();
        for event in &seen {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        connection.set_nonblocking(false)?;
        connection.write_all(&lines)?;
        connection.set_nonblocking(true)?;
        match connection.read(&mut [0; 16]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sets a LED of the keyboard, as a host's system does.
pub fn set_led(led: u16, on: bool) -> io::Result<()> {
    let (path, _) = devices()?
        .into_iter()
        .find(|(_, device)| *device == Device::Keyboard)
        .ok_or_else(|| io::Error::other("the host has no keyboard"))?;
    let mut file = options().write(true).open(path)?;
    for (kind, code, value) in [(EV_LED, led, i32::from(on)), (EV_SYN, 0, 0)] {
        file.write_all(&encode(kind, code, value))?;
    }
    Ok(())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    options
}

/// The nodes of the gadget's input devices. `phys` ends in the number of the interface.
fn devices() -> io::Result<BTreeMap<PathBuf, Device>> {
    let mut devices = BTreeMap::new();
    for entry in fs::read_dir("/sys/class/input")?.flatten() {
        let name = entry.file_name();
        let is_event = name.to_str().is_some_and(|name| name.starts_with("event"));
        let attribute = |name| fs::read_to_string(entry.path().join("device").join(name));
        let (Ok(product), Ok(phys)) = (attribute("name"), attribute("phys")) else {
            continue; // It is leaving.
        };
        if !is_event || !product.contains("rfbridge") {
            continue;
        }
        let device = match phys.trim().rsplit('/').next() {
            Some("input0") => Device::Keyboard,
            Some("input1") => Device::Absolute,
            Some("input2") => Device::Relative,
            _ => return Err(io::Error::other(format!("a device at {phys}"))),
        };
        devices.insert(Path::new("/dev/input").join(name), device);
    }
    Ok(devices)
}

/// How many keys are down.
fn held(file: &File) -> io::Result<usize> {
    let mut keys = [0u8; KEY_MAX.div_ceil(8)];
    // SAFETY: the request says that it writes 96 bytes, which is what `keys` has.
    match unsafe { libc::ioctl(file.as_raw_fd(), EVIOCGKEY, keys.as_mut_ptr()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(keys.iter().map(|byte| byte.count_ones() as usize).sum()),
    }
}

fn wait(open: &BTreeMap<PathBuf, (Device, File)>, connection: &TcpStream) -> io::Result<()> {
    let files = open.values().map(|(_, file)| file.as_raw_fd());
    let mut polled: Vec<_> = files
        .chain([connection.as_raw_fd()])
        .map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: as many as there are, and they outlive the call.
    match unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, LOOK) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

const SIZE: usize = size_of::<libc::input_event>();

/// All that there is to read. A device that left has nothing more to say.
fn read(device: Device, file: &mut File, seen: &mut Vec<Event>) {
    let mut bytes = [0; SIZE * 64];
    while let Ok(length) = file.read(&mut bytes) {
        for event in bytes[..length].chunks_exact(SIZE) {
            let number =
                |at: usize| i64::from_ne_bytes(event[at..at + 8].try_into().expect("8 bytes"));
            let short = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
            let value = i32::from_ne_bytes(event[20..24].try_into().expect("4 bytes"));
            let kind = short(16);
            if kind != EV_SYN && kind != EV_MSC {
                seen.push(Event::Input {
                    device,
                    kind,
                    code: short(18),
                    value,
                    at: number(0) * 1_000_000 + number(8),
                });
            }
        }
        if length == 0 {
            return;
        }
    }
}

/// An event as the kernel takes it; it sets the time itself.
fn encode(kind: u16, code: u16, value: i32) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes[16..18].copy_from_slice(&kind.to_ne_bytes());
    bytes[18..20].copy_from_slice(&code.to_ne_bytes());
    bytes[20..24].copy_from_slice(&value.to_ne_bytes());
    bytes
}

//! The gadget as its host sees it: input devices, by the interface of the gadget that each is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    net::TcpStream,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use crate::protocol::{Device, Event};

const EV_SYN: u16 = 0;
const SYN_DROPPED: u16 = 3;
const EV_MSC: u16 = 4;
const EV_LED: u16 = 0x11;
const KEY_MAX: usize = 0x2ff;
/// `EVIOCGKEY` for a map of all keys: `_IOR('E', 0x18, [u8; 96])`.
const EVIOCGKEY: libc::c_ulong = 0x8060_4518;
/// How often to look for devices that came or left.
const LOOK: Duration = Duration::from_millis(10);

/// Sends what happens, as lines of JSON, until the other side closes.
///
/// Reading has a thread of its own: the kernel keeps some twenty events for a reader, and throws all of them away when
/// there are more, so it must not wait for the network.
pub fn events(mut connection: &TcpStream) -> io::Result<()> {
    let (sender, batches) = mpsc::channel();
    thread::spawn(move || read_all(&sender));
    connection.set_nonblocking(true)?;
    loop {
        let mut lines = Vec::new();
        match batches.recv_timeout(LOOK) {
            Ok(batch) => {
                for event in &batch? {
                    serde_json::to_writer(&mut lines, event)?;
                    lines.push(b'\n');
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("no more events")),
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

/// Hands over what happens until nobody takes it any more.
fn read_all(batches: &Sender<io::Result<Vec<Event>>>) {
    // SAFETY: reads one initialised struct. This thread comes before all others.
    unsafe {
        let priority = libc::sched_param { sched_priority: 1 };
        libc::sched_setscheduler(0, libc::SCHED_FIFO, &priority);
    }
    let mut known = Known::new();
    let mut looked: Option<Instant> = None;
    let mut next_batch = || {
        let mut seen = Vec::new();
        if looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            look(&mut known, &mut seen)?;
            looked = Some(Instant::now());
        }
        wait(&known)?;
        known.retain(|_, node| {
            let Some((device, file)) = node else {
                return true;
            };
            let stays = read(*device, file, &mut seen);
            if !stays {
                seen.push(Event::Left { device: *device });
            }
            stays
        });
        Ok(seen)
    };
    while batches.send(next_batch()).is_ok() {}
}

/// The nodes that are there; of those that are the gadget's, which device, and it open.
type Known = BTreeMap<PathBuf, Option<(Device, File)>>;

/// Opens what came and closes what left. Only what is new is looked at closely, which takes long.
fn look(known: &mut Known, seen: &mut Vec<Event>) -> io::Result<()> {
    let names = names()?;
    known.retain(|path, node| {
        let stays = names.contains(path);
        if let (false, Some((device, _))) = (stays, node) {
            seen.push(Event::Left { device: *device });
        }
        stays
    });
    for path in names {
        if known.contains_key(&path) {
            continue;
        }
        let node = match device(&path)? {
            Kind::Unknown => continue,
            Kind::Other => None,
            Kind::Ours(device) => {
                // One that is gone again, or whose node is not there yet.
                let Ok(file) = options().open(&path) else {
                    continue;
                };
                seen.push(Event::Came {
                    device,
                    held: held(&file)?,
                });
                Some((device, file))
            }
        };
        known.insert(path, node);
    }
    Ok(())
}

/// Sets a LED of the keyboard, as a host's system does.
pub fn set_led(led: u16, on: bool) -> io::Result<()> {
    let path = names()?
        .into_iter()
        .find(|path| matches!(device(path), Ok(Kind::Ours(Device::Keyboard))))
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

/// The nodes of all input devices.
fn names() -> io::Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir("/sys/class/input")?.flatten();
    let names = entries.map(|entry| entry.file_name());
    let events = names.filter(|name| name.as_encoded_bytes().starts_with(b"event"));
    Ok(events
        .map(|name| Path::new("/dev/input").join(name))
        .collect())
}

enum Kind {
    Ours(Device),
    Other,
    /// It is coming or leaving.
    Unknown,
}

/// Which of the gadget's a node is, by what it can do.
fn device(node: &Path) -> io::Result<Kind> {
    let folder = Path::new("/sys/class/input").join(node.file_name().unwrap_or_default());
    let attribute = |name| fs::read_to_string(folder.join("device").join(name));
    let Ok(product) = attribute("name") else {
        return Ok(Kind::Unknown);
    };
    if !product.contains("rfbridge") {
        return Ok(Kind::Other);
    }
    // The lowest of the words in which the kernel writes a set of bits, which come from the highest on.
    let lowest = |name| {
        let text = attribute(name).ok()?;
        u64::from_str_radix(text.split_whitespace().last()?, 16).ok()
    };
    let (Some(kinds), Some(absolute), Some(relative)) = (
        lowest("capabilities/ev"),
        lowest("capabilities/abs"),
        lowest("capabilities/rel"),
    ) else {
        return Ok(Kind::Unknown);
    };
    let has_two_axes = |axes| axes & 0b11 == 0b11;
    Ok(Kind::Ours(if kinds & (1 << EV_LED) != 0 {
        Device::Keyboard
    } else if has_two_axes(absolute) {
        Device::Absolute
    } else if has_two_axes(relative) {
        Device::Relative
    } else {
        Device::Consumer
    }))
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

fn wait(known: &Known) -> io::Result<()> {
    let mut polled: Vec<_> = known
        .values()
        .flatten()
        .map(|(_, file)| libc::pollfd {
            fd: file.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: as many as there are, and they outlive the call.
    match unsafe {
        libc::poll(
            polled.as_mut_ptr(),
            polled.len() as libc::nfds_t,
            LOOK.as_millis() as i32,
        )
    } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

const SIZE: usize = size_of::<libc::input_event>();

/// All that there is to read; false if the device left.
fn read(device: Device, file: &mut File, seen: &mut Vec<Event>) -> bool {
    let mut bytes = [0; SIZE * 64];
    loop {
        let length = match file.read(&mut bytes) {
            Ok(length) => length,
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        };
        for event in bytes[..length].chunks_exact(SIZE) {
            let number =
                |at: usize| i64::from_ne_bytes(event[at..at + 8].try_into().expect("8 bytes"));
            let short = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
            let value = i32::from_ne_bytes(event[20..24].try_into().expect("4 bytes"));
            let kind = short(16);
            if kind == EV_SYN && short(18) == SYN_DROPPED {
                seen.push(Event::Dropped { device });
            } else if kind != EV_SYN && kind != EV_MSC {
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
            return true;
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

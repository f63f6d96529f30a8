//! Feeds a v4l2loopback device, as a capture program that writes to it does.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use v4l::{Device, Format, FourCC, video::Output};

/// A device to which pictures are written.
pub struct Sink(Device);

pub fn open(device: &str, fourcc: [u8; 4], (width, height): (u32, u32)) -> io::Result<Sink> {
    let device = Device::with_path(device)?;
    // Programs that are started meanwhile would keep it open.
    // SAFETY: a flag of an open file.
    unsafe { libc::fcntl(device.handle().fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    let wanted = Format::new(width, height, FourCC::new(&fourcc));
    let set = Output::set_format(&device, &wanted)?;
    if (set.fourcc, set.width, set.height) != (wanted.fourcc, width, height) {
        return Err(io::Error::other(format!("the loopback device set {set:?}")));
    }
    Ok(Sink(device))
}

/// Writes the newest picture at each tick until the connection ends.
pub fn feed(mut sink: Sink, reader: &mut impl Read, fps: u32) -> io::Result<()> {
    let newest: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let shown = Arc::downgrade(&newest);
    let writer = thread::spawn(move || -> io::Result<()> {
        let mut next = Instant::now();
        while let Some(newest) = shown.upgrade() {
            let picture = newest.lock().expect("no panic").clone();
            drop(newest);
            if let Some(picture) = picture {
                sink.0.write_all(&picture)?;
            }
            next += Duration::from_secs(1) / fps;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    });
    let mut length = [0; 4];
    while !writer.is_finished() && reader.read_exact(&mut length).is_ok() {
        let mut picture = vec![0; u32::from_be_bytes(length) as usize];
        reader.read_exact(&mut picture)?;
        *newest.lock().expect("no panic") = Some(picture);
    }
    drop(newest);
    writer.join().expect("no panic")
}

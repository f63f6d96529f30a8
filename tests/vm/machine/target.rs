//! The machine at the other end of the cables: a second QEMU, which boots firmware and nothing else. Its only keyboard is
//! the gadget, its screen is what the dongle sees.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use rfb::geom::Size;
use serde_json::json;

use super::{DEADLINE, LOOK, Monitor, Qemu};
use crate::{dongle::Screen, picture::Picture};

pub struct Target {
    qemu: Qemu,
    display: Arc<Mutex<Display>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    Ovmf,
    SeaBios,
}

impl Target {
    /// Boots it; its keyboard comes from usbredirect at this address, as soon as that is there.
    pub fn boot(folder: &Path, firmware: Firmware, keyboard: SocketAddr) -> Target {
        fs::create_dir_all(folder).expect("a folder");
        let mut arguments: Vec<String> = [
            "-m",
            "256",
            "-vga",
            "none",
            "-device",
            "VGA,xres=1280,yres=720",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.extend([
            "-device".to_owned(),
            "qemu-xhci,id=usb".to_owned(),
            "-chardev".to_owned(),
            format!(
                "socket,id=keyboard,host={},port={},reconnect=1",
                keyboard.ip(),
                keyboard.port()
            ),
            "-device".to_owned(),
            "usb-redir,chardev=keyboard,bus=usb.0".to_owned(),
            // The firmware waits for a key.
            "-boot".to_owned(),
            "menu=on,splash-time=65000".to_owned(),
        ]);
        match firmware {
            Firmware::Ovmf => {
                let variables = folder.join("variables");
                fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &variables).expect("OVMF is installed");
                arguments.extend(["-M", "q35,vmport=off,i8042=off"].map(str::to_owned));
                for (file, more) in [
                    ("/usr/share/OVMF/OVMF_CODE_4M.fd", ",readonly=on"),
                    (&variables.display().to_string(), ""),
                ] {
                    arguments.push("-drive".to_owned());
                    arguments.push(format!("if=pflash,format=raw,file={file}{more}"));
                }
            }
            Firmware::SeaBios => {
                arguments.extend(["-M", "q35,vmport=off,i8042=off"].map(str::to_owned));
                // The serial line on which it says what it writes to its screen, as a port number.
                let port = folder.join("serial-port");
                fs::write(&port, 0x3f8_u16.to_le_bytes()).expect("a file");
                arguments.push("-fw_cfg".to_owned());
                arguments.push(format!("name=etc/sercon-port,file={}", port.display()));
                for (number, text) in [(1, "This is the first disk."), (2, SECOND_DISK)] {
                    let disk = folder.join(format!("disk-{number}"));
                    fs::write(&disk, boot_sector(text)).expect("a file");
                    arguments.push("-drive".to_owned());
                    arguments.push(format!("format=raw,media=disk,file={}", disk.display()));
                }
            }
        }
        let mut qemu = Qemu::start(folder, &arguments);
        let display = Display {
            monitor: qemu.monitor(),
            file: fs::canonicalize(folder)
                .expect("a folder")
                .join("screen.ppm"),
        };
        Target {
            qemu,
            display: Arc::new(Mutex::new(display)),
        }
    }

    /// What is on its screen.
    pub fn screen(&self) -> Picture {
        self.display.lock().expect("no panic").picture()
    }

    /// Its screen, for a dongle to see.
    pub fn output(&self) -> Screen {
        let display = Arc::clone(&self.display);
        Screen::live(move |_| {
            let picture = display.lock().expect("no panic").picture();
            crate::dongle::Picture::new(picture.size, picture.rgb())
        })
    }

    /// All that it said on its serial line, which its firmware writes to as to its screen.
    pub fn serial(&self) -> String {
        self.qemu.serial()
    }

    /// Whether it has said this after the first `from` bytes.
    pub fn has_said(&mut self, text: &str, from: usize) -> bool {
        self.qemu.check_alive();
        self.serial()
            .get(from..)
            .is_some_and(|new| new.contains(text))
    }

    /// Waits until it has.
    pub fn says(&mut self, text: &str, from: usize) {
        let began = Instant::now();
        while !self.has_said(text, from) {
            assert!(
                began.elapsed() < 2 * DEADLINE,
                "the target does not say {text:?}"
            );
            thread::sleep(LOOK);
        }
    }
}

/// What the second disk has to say when it is booted.
pub const SECOND_DISK: &str = "This is the second disk.";

/// A disk that writes a text to the screen, through the firmware, and halts.
fn boot_sector(text: &str) -> Vec<u8> {
    #[rustfmt::skip]
    let code = [
        0x31, 0xc0,       //       xor ax, ax
        0x8e, 0xd8,       //       mov ds, ax
        0xbe, 0x18, 0x7c, //       mov si, text
        0xac,             // next: lodsb
        0x84, 0xc0,       //       test al, al
        0x74, 0x09,       //       jz halt
        0xb4, 0x0e,       //       mov ah, 0x0e
        0xbb, 0x07, 0x00, //       mov bx, 7
        0xcd, 0x10,       //       int 0x10
        0xeb, 0xf2,       //       jmp next
        0xf4,             // halt: hlt
        0xeb, 0xfd,       //       jmp halt
    ];
    let mut sector = [&code[..], text.as_bytes()].concat();
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector.resize(1 << 20, 0);
    sector
}

struct Display {
    monitor: Monitor,
    file: PathBuf,
}

impl Display {
    fn picture(&mut self) -> Picture {
        self.monitor
            .execute("screendump", json!({ "filename": self.file }));
        let ppm = fs::read(&self.file).expect("a screen");
        from_ppm(&ppm).expect("a PPM")
    }
}

/// `P6 WIDTH HEIGHT 255`, one white space, and red, green and blue of each pixel.
fn from_ppm(ppm: &[u8]) -> Option<Picture> {
    let mut rest = ppm;
    let mut word = || {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let (word, after) = rest.split_at(end);
        rest = &after[1..];
        std::str::from_utf8(word).ok()
    };
    let header = [word()?, word()?, word()?, word()?];
    let [b"P6", width, height, b"255"] = header.map(str::as_bytes) else {
        return None;
    };
    let side = |digits| std::str::from_utf8(digits).ok()?.parse().ok();
    let size = Size::new(side(width)?, side(height)?);
    let pixel = |[r, g, b]: &[u8; 3]| u32::from_be_bytes([0, *r, *g, *b]);
    let pixels = rest.as_chunks::<3>().0.iter().map(pixel).collect();
    Some(Picture::new(size, pixels))
}

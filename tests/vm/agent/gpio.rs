//! A GPIO chip at USB: an MCP2221A of Microchip's, played over a HID gadget of this kernel's own and driven by its
//! `hid-mcp2221`. Four lines; commands and answers are reports of 64 bytes (data sheet DS20005565).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, Read, Write},
    net::TcpStream,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::protocol::{GpioInput, GpioLine};

const FUNCTION: &str = "/sys/kernel/config/usb_gadget/chip/functions/hid.0";
/// Reports of 64 bytes in both directions, of a page of the vendor's own.
const REPORTS: [u8; 34] = [
    0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x09, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
    0x95, 0x40, 0x81, 0x02, 0x09, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x91,
    0x02, 0xc0,
];

const MAKE: &str = "
    modprobe -a dummy_hcd usb_f_hid hid-mcp2221
    mkdir -p /sys/kernel/config/usb_gadget/chip; cd /sys/kernel/config/usb_gadget/chip
    echo 0x04d8 > idVendor; echo 0x00dd > idProduct
    mkdir -p strings/0x409 configs/c.1 functions/hid.0
    echo MCP2221 > strings/0x409/product
    echo 64 > functions/hid.0/report_length
";
const PLUG_IN: &str = "
    cd /sys/kernel/config/usb_gadget/chip
    ln -s functions/hid.0 configs/c.1/
    echo dummy_udc.0 > UDC
";

/// Commands of the chip.
const STATUS: u8 = 0x10;
const SET_LINES: u8 = 0x50;
const GET_LINES: u8 = 0x51;

/// Plays the chip until the connection ends; tells it of each change, and takes what is at its inputs.
pub fn play(
    connection: &TcpStream,
    reader: impl BufRead + Send + 'static,
    answer: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    shell(MAKE)?;
    fs::write(format!("{FUNCTION}/report_desc"), REPORTS)?;
    shell(PLUG_IN)?;
    let mut port = open()?;
    let lines = [0, 1, 2, 3].map(|number| GpioLine {
        number,
        ..GpioLine::default()
    });
    let lines = Arc::new(Mutex::new(lines));
    let inputs = Arc::clone(&lines);
    thread::spawn(move || take_inputs(reader, &inputs));
    answer()?;
    let (began, mut connection) = (Instant::now(), connection);
    let mut report = [0; 64];
    loop {
        let length = port.read(&mut report)?;
        report[length..].fill(0);
        let mut lines = lines.lock().expect("no panic");
        let before = *lines;
        let reply = obey(&mut lines, report);
        for (before, line) in before.iter().zip(&mut *lines) {
            if before != line {
                line.at = began.elapsed().as_millis() as u64;
                let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
                text.push(b'\n');
                connection.write_all(&text)?;
            }
        }
        drop(lines);
        port.write_all(&reply)?;
    }
}

/// What the chip does for a command, and answers.
fn obey(lines: &mut [GpioLine; 4], command: [u8; 64]) -> [u8; 64] {
    let mut reply = [0; 64];
    reply[0] = command[0];
    for (number, line) in lines.iter_mut().enumerate() {
        match command[0] {
            SET_LINES => {
                let at = 2 + 4 * number;
                if command[at] != 0 {
                    line.level = command[at + 1] != 0;
                }
                if command[at + 2] != 0 {
                    line.is_output = command[at + 3] == 0;
                }
                reply[at..at + 4].copy_from_slice(&command[at..at + 4]);
            }
            GET_LINES => {
                // Level and direction; the driver of Linux 6.1 takes the second for the level (mended in later ones).
                reply[2 + 2 * number..][..2].fill(line.level.into());
            }
            // The clock of its I2C port is taken as it is asked for.
            STATUS => reply[3] = command[3],
            _ => {}
        }
    }
    reply
}

fn take_inputs(reader: impl BufRead, lines: &Mutex<[GpioLine; 4]>) {
    for text in reader.lines() {
        let Ok(input) = text
            .map_err(io::Error::other)
            .and_then(|text| serde_json::from_str::<GpioInput>(&text).map_err(io::Error::other))
        else {
            return;
        };
        let mut lines = lines.lock().expect("no panic");
        let line = &mut lines[usize::from(input.number)];
        if !line.is_output {
            line.level = input.level;
        }
    }
}

/// The chip's end of the cable.
fn open() -> io::Result<File> {
    let numbers = fs::read_to_string(format!("{FUNCTION}/dev"))?;
    let minor = numbers.trim().rsplit(':').next().unwrap_or("0");
    let path = format!("/dev/hidg{minor}");
    for _ in 0..1000 {
        match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                thread::sleep(Duration::from_millis(2));
            }
            opened => return opened,
        }
    }
    Err(io::Error::other(format!("{path} does not come")))
}

fn shell(script: &str) -> io::Result<()> {
    let output = Command::new("/bin/sh").args(["-ec", script]).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

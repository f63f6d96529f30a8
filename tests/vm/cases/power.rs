//! GPIO lines of a chip that the kernel drives: the target's buttons are pressed for their times, its power LED is seen.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use super::input::SCREEN;
use crate::{
    Case,
    bridge::Bridge,
    machine::Machine,
    picture::Picture,
    protocol::{GpioInput, GpioLine},
};

const BUTTON: u8 = 0;
const RESET: u8 = 1;
const LED: u8 = 2;
const SERVER: &str = "--socket /run/control.sock";

/// The chip's end of its lines.
struct Chip(BufReader<TcpStream>);

impl Chip {
    /// Something else holds an input at this level.
    fn put(&mut self, number: u8, level: bool) {
        let mut line = serde_json::to_vec(&GpioInput { number, level }).expect("JSON");
        line.push(b'\n');
        self.0
            .get_ref()
            .write_all(&line)
            .expect("the chip is there");
    }

    /// The next change that the kernel makes.
    fn next(&mut self) -> GpioLine {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a change");
        serde_json::from_str(&line).expect("a line of the chip")
    }

    /// Waits until a line was driven to `active` and back, and gives for how many milliseconds.
    fn pressed(&mut self, number: u8, active: bool) -> u64 {
        let rest = self.next();
        assert_eq!(
            (rest.number, rest.is_output, rest.level),
            (number, true, !active)
        );
        let down = self.next();
        assert_eq!(
            (down.number, down.is_output, down.level),
            (number, true, active)
        );
        let up = self.next();
        assert_eq!((up.number, up.is_output, up.level), (number, true, !active));
        up.at - down.at
    }
}

pub fn gpio(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    let mut chip = Chip(machine.gpio_chip());
    machine.appears("/dev/gpiochip0");
    // As a mainboard pulls it up.
    chip.put(RESET, true);
    machine.run("mkdir /screen");
    machine.write("/screen/1.png", &Picture::test_card(SCREEN, 1).png());
    let bridge = Bridge::serve(
        &machine,
        &[
            "--source",
            "replay:/screen",
            "--sink",
            "null",
            "--control-socket",
            "/run/control.sock",
            "--power-button",
            "gpio:gpiochip0/0",
            "--power-reset",
            "gpio:gpiochip0/1,low,press=300ms",
            "--power-led",
            "gpio:gpiochip0/2",
            "--power-reboot",
            "gpio:gpiochip0/9",
        ],
    );
    let ctl = |command: &str| machine.try_run(&format!("/bin/rfbridge ctl {SERVER} {command}"));
    let done = |command: &str| {
        let (status, text) = ctl(command);
        assert_eq!(status, 0, "{command}: {text}");
        text
    };

    done("power off");
    let short = chip.pressed(BUTTON, true);
    done("power reset");
    let reset = chip.pressed(RESET, false);
    done("power force-off");
    // The line is an output already.
    let (down, up) = (chip.next(), chip.next());
    assert_eq!((down.number, down.level, up.level), (BUTTON, true, false));
    let long = up.at - down.at;
    assert!(short >= 200, "{short} ms");
    assert!(reset >= 300, "{reset} ms");
    assert!(long >= 6000, "{long} ms");

    for on in [true, false, true] {
        chip.put(LED, on);
        // The chip hears of it on a way of its own.
        let wanted = format!("\"on\":{on}");
        let mut seen = String::new();
        let came = (0..100).any(|_| {
            seen = done("status --json");
            seen.replace(' ', "").contains(&wanted)
        });
        assert!(came, "{on}: {seen}; its log: {}", bridge.log());
    }
    let (status, text) = ctl("power reboot");
    assert!(
        status != 0 && text.contains("gpio:gpiochip0/9"),
        "{status}: {text}"
    );
    bridge.terminate();
    format!("pressed for {short}, {reset} (active low) and {long} ms; the LED seen on and off")
}

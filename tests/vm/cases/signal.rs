//! An HDMI receiver (vivid's HDMI input) whose signal changes and goes away.

use std::time::{Duration, Instant, SystemTime};

use rfb::geom::Size;
use rfbridge::video::Signal;

use super::capture::{DECIBELS, SQUARES, squares};
use crate::{
    Case,
    bridge::{Bridge, Client},
    machine::Machine,
};

const NODE: &str = "/dev/video0";
const HD: Size = Size::new(1920, 1080);
const SMALL: Size = Size::new(1280, 720);
/// How long a picture may take to be back, from when the signal is.
const BACK: Duration = Duration::from_secs(2);

/// The target changes its screen mode and goes dark; clients follow and are told why there is no picture.
pub fn changes(case: &Case) -> String {
    let machine = Machine::boot(&case.folder);
    machine.run("modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x3");
    machine.appears(NODE);
    machine.run(&format!("v4l2-ctl -d {NODE} -c {SQUARES}"));
    let timings = Timings::read(&machine);
    timings.select(&machine, HD);
    let bridge = Bridge::serve(&machine, &["--source", "v4l:/dev/video0", "--sink", "null"]);
    let mut client = bridge.client();
    shows(&mut client, HD);

    let mut took = Vec::new();
    for size in [SMALL, HD] {
        timings.select(&machine, size);
        took.push(format!(
            "{size} {:.2} s",
            back(&mut client, size).as_secs_f32()
        ));
    }
    for (state, what, why) in [
        (
            1,
            "no signal",
            format!("nothing comes into {NODE}: is the target on, and its HDMI cable in?"),
        ),
        (
            2,
            "no lock",
            format!(
                "the signal into {NODE} is not stable: try another HDMI cable, or a smaller screen mode on the target"
            ),
        ),
        (
            3,
            "out of range",
            format!(
                "{NODE} cannot capture the target's screen mode: choose another on the target, such as 1920x1080 at 60 Hz"
            ),
        ),
    ] {
        machine.run(&format!(
            "v4l2-ctl -d {NODE} -c dv_timings_signal_mode={state}"
        ));
        let slate = |since: SystemTime| Signal::NoSignal {
            since,
            why: why.clone(),
        };
        client.until_slate(what, slate);
        client.repaint();
        timings.select(&machine, SMALL);
        took.push(format!(
            "{what} {:.2} s",
            back(&mut client, SMALL).as_secs_f32()
        ));
    }
    bridge.terminate();
    format!(
        "each reason on its slate; the picture is back after {}",
        took.join(", ")
    )
}

/// Waits for vivid's pattern in this size.
fn shows(client: &mut Client, size: Size) {
    let wanted = squares(size);
    client.until("the picture", |screen| {
        (screen.psnr(&wanted) >= DECIBELS).then_some(())
    });
}

/// [`shows`], which must not take too long.
fn back(client: &mut Client, size: Size) -> Duration {
    let began = Instant::now();
    shows(client, size);
    let took = began.elapsed();
    assert!(took <= BACK, "{size} is shown after {took:?}");
    took
}

/// The screen modes that vivid can receive, by the numbers of its menu.
struct Timings(Vec<(u32, String)>);

impl Timings {
    fn read(machine: &Machine) -> Timings {
        let menus = machine.run(&format!("v4l2-ctl -d {NODE} --list-ctrls-menus"));
        // `	4: 1280x720p60`, behind the line of the menu's control.
        let (_, menu) = menus
            .split_once("dv_timings 0x")
            .expect("vivid's menu of timings");
        let rows = menu.lines().skip(1).map_while(|line| {
            let (number, name) = line.trim().split_once(": ")?;
            Some((number.parse().ok()?, name.to_owned()))
        });
        Timings(rows.collect())
    }

    fn select(&self, machine: &Machine, size: Size) {
        let name = format!("{}x{}p60", size.width, size.height);
        let (number, _) = self
            .0
            .iter()
            .find(|(_, other)| *other == name)
            .unwrap_or_else(|| panic!("no {name} among {:?}", self.0));
        machine.run(&format!(
            "v4l2-ctl -d {NODE} -c dv_timings={number} && v4l2-ctl -d {NODE} -c dv_timings_signal_mode=4"
        ));
    }
}

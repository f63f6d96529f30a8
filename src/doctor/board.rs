//! The board: whether it can be a device, its power and its temperature.

use super::{Examination, devicetree, finding::Verdict, machine::Machine};

/// From here on a Raspberry Pi slows itself down, in degrees Celsius.
const HOT: i64 = 80;
const POWER_FIX: &str = "use a supply of 5.1 V and 3 A (Pi 5: 5 A) with a short cable, a PoE HAT or the GPIO header, and a \
     hub with its own power for the dongle";

/// A Raspberry Pi model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RaspberryPi {
    /// The sections of `config.txt` that count on it, beside `[all]`.
    pub(super) sections: &'static [&'static str],
    /// The port that can be a device.
    port: Option<&'static str>,
}

/// By a part of the model's name; the first that fits.
const MODELS: [(&str, &[&str], Option<&str>); 20] = {
    const USB_C: Option<&str> = Some("its USB-C port");
    const CARRIER: Option<&str> = Some("the OTG port of its carrier board");
    const ONE_PORT: Option<&str> = Some("its one USB-A port, by an A-to-A cable without 5 V,");
    const MICRO: Option<&str> = Some("the port marked USB");
    [
        ("Pi 500", &["pi5", "pi500"], USB_C),
        ("Pi 5 ", &["pi5"], USB_C),
        ("Compute Module 5", &["pi5", "cm5"], CARRIER),
        ("Pi 400", &["pi4", "pi400"], USB_C),
        ("Pi 4 ", &["pi4"], USB_C),
        ("Compute Module 4S", &["pi4", "cm4s"], CARRIER),
        ("Compute Module 4", &["pi4", "cm4"], CARRIER),
        ("Zero 2", &["pi0", "pi02"], MICRO),
        ("Zero W", &["pi0", "pi0w"], MICRO),
        ("Zero", &["pi0"], MICRO),
        ("Compute Module 3", &["pi3", "cm3"], CARRIER),
        ("3 Model A", &["pi3", "pi3+"], ONE_PORT),
        ("3 Model B Plus", &["pi3", "pi3+"], None),
        ("3 Model B", &["pi3"], None),
        ("2 Model B", &["pi2"], None),
        ("Model A", &["pi1"], ONE_PORT),
        ("Model B", &["pi1"], None),
        ("Compute Module", &["pi1", "cm1"], CARRIER),
        // A newer one than this program knows.
        ("Pi 5", &["pi5"], USB_C),
        ("Raspberry Pi", &[], Some("one of its ports")),
    ]
};

/// `None` for another board.
pub(super) fn raspberry_pi(model: &str) -> Option<RaspberryPi> {
    let mut models = MODELS.iter().filter(|_| model.starts_with("Raspberry Pi"));
    let (_, sections, port) = models.find(|(part, ..)| model.contains(part))?;
    Some(RaspberryPi {
        sections,
        port: *port,
    })
}

pub(super) fn model(examination: &Examination<'_>) -> Verdict {
    let machine = examination.machine;
    let model = devicetree::model(machine);
    let name = model.as_deref().unwrap_or("this machine");
    let has_controller = !machine.names("/sys/class/udc").is_empty();
    let other_board = "use a board with a USB device port, such as a Raspberry Pi 4 or 5, or serve a picture alone with \
         `sink = \"null\"`";
    let verdict = match raspberry_pi(name) {
        Some(RaspberryPi {
            port: Some(port), ..
        }) => Verdict::ok(format!("{name}: {port} can be the keyboard and mouse")),
        // The overlay makes a controller appear all the same, behind which is a hub.
        Some(_) => Verdict::error(
            format!("{name}: none of its USB ports can be a device, so it cannot be a keyboard"),
            other_board,
        ),
        None if has_controller && model.is_none() => {
            Verdict::ok("a machine with a USB device controller")
        }
        None if has_controller || !examination.ports().is_empty() => Verdict::ok(name),
        None => Verdict::error(
            format!(
                "{name} has no USB port that can be a device, so it cannot be a keyboard: nothing is in /sys/class/udc, and no controller for it in a device tree"
            ),
            other_board,
        ),
    };
    match examination.without_gadget() {
        Some(_) if verdict.severity == super::Severity::Error => Verdict::ok(name),
        _ => verdict,
    }
}

pub(super) fn power(examination: &Examination<'_>) -> Verdict {
    let machine = examination.machine;
    if devicetree::model(machine).is_none_or(|model| raspberry_pi(&model).is_none()) {
        return Verdict::skipped("only a Raspberry Pi tells of its power");
    }
    // The kernel's own monitor first: reading the old attribute makes a newer kernel complain in its log.
    let alarm = machine
        .names("/sys/class/hwmon")
        .into_iter()
        .find_map(|sensor| {
            let sensor = format!("/sys/class/hwmon/{sensor}");
            let is_it = machine.text(format!("{sensor}/name")).as_deref() == Some("rpi_volt");
            is_it.then(|| machine.text(format!("{sensor}/in0_lcrit_alarm")))?
        });
    let earlier = machine.kernel_log().map_or(0, |log| {
        let log = log.to_lowercase();
        log.matches("undervoltage detected").count() + log.matches("under-voltage detected").count()
    });
    match (alarm.as_deref(), throttled(machine, alarm.is_none())) {
        (Some("1"), _) => Verdict::warning(
            "the board has too little voltage right now: USB devices drop out and pictures are damaged",
            POWER_FIX,
        ),
        (None, Some(bits)) if bits & 0x000f_000f != 0 => {
            Verdict::warning(throttling(bits), POWER_FIX)
        }
        _ if earlier > 0 => Verdict::warning(
            format!(
                "the board had too little voltage {earlier} times since it started (in the kernel's log)"
            ),
            POWER_FIX,
        ),
        (Some("0"), _) | (None, Some(_)) => Verdict::ok("enough voltage"),
        _ => Verdict::note(
            "the kernel does not tell of the voltage",
            "load its monitor to know: sudo modprobe raspberrypi-hwmon",
        ),
    }
}

/// What the firmware of a Pi told an older kernel, in bits.
fn throttled(machine: &Machine, is_wanted: bool) -> Option<u32> {
    const PLATFORM: &str = "/sys/devices/platform";
    if !is_wanted {
        return None;
    }
    let buses = machine.names(PLATFORM).into_iter();
    let firmware = buses
        .filter(|name| name.starts_with("soc"))
        .flat_map(|soc| {
            let soc = format!("{PLATFORM}/{soc}");
            let devices = machine.names(&soc).into_iter();
            devices
                .filter(|name| name.ends_with(":firmware"))
                .map(move |name| format!("{soc}/{name}/get_throttled"))
        });
    let text = firmware.filter_map(|path| machine.text(path)).next()?;
    u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// Bits 0 to 3: now; the same 16 higher: at some time since the start.
fn throttling(bits: u32) -> String {
    const WORDS: [&str; 4] = [
        "has too little voltage",
        "has its clock capped",
        "is throttled",
        "is at its limit of temperature",
    ];
    let words = |bits: u32| {
        let set = WORDS
            .iter()
            .enumerate()
            .filter(|(bit, _)| bits >> bit & 1 == 1);
        set.map(|(_, words)| *words).collect::<Vec<_>>().join(", ")
    };
    match (words(bits), words(bits >> 16)) {
        (now, _) if !now.is_empty() => format!("the board {now} right now"),
        (_, before) => {
            format!("since it started there was a time of which the board says: it {before}")
        }
    }
}

pub(super) fn temperature(examination: &Examination<'_>) -> Verdict {
    let machine = examination.machine;
    let zones = machine.names("/sys/class/thermal").into_iter();
    let zones = zones.filter(|name| name.starts_with("thermal_zone"));
    let hottest = zones
        .filter_map(|zone| {
            machine
                .text(format!("/sys/class/thermal/{zone}/temp"))?
                .parse::<i64>()
                .ok()
        })
        .max();
    match hottest.map(|thousandths| thousandths / 1000) {
        None => Verdict::skipped("this machine does not tell its temperature"),
        Some(degrees) if degrees >= HOT => Verdict::warning(
            format!("{degrees} °C: the board slows itself down from {HOT} °C on"),
            "give it a heat sink or a fan, and air",
        ),
        Some(degrees) => Verdict::ok(format!("{degrees} °C")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_told_apart() {
        for (model, sections, has_port) in [
            ("Raspberry Pi 4 Model B Rev 1.4", &["pi4"][..], true),
            ("Raspberry Pi 400 Rev 1.0", &["pi4", "pi400"], true),
            ("Raspberry Pi 5 Model B Rev 1.0", &["pi5"], true),
            (
                "Raspberry Pi Compute Module 4 Rev 1.1",
                &["pi4", "cm4"],
                true,
            ),
            ("Raspberry Pi Zero 2 W Rev 1.0", &["pi0", "pi02"], true),
            ("Raspberry Pi 3 Model B Rev 1.2", &["pi3"], false),
            (
                "Raspberry Pi 3 Model B Plus Rev 1.3",
                &["pi3", "pi3+"],
                false,
            ),
            (
                "Raspberry Pi 3 Model A Plus Rev 1.0",
                &["pi3", "pi3+"],
                true,
            ),
            ("Raspberry Pi 2 Model B Rev 1.1", &["pi2"], false),
            ("Raspberry Pi Model B Plus Rev 1.2", &["pi1"], false),
        ] {
            let pi = raspberry_pi(model).expect(model);
            assert_eq!(
                (pi.sections, pi.port.is_some()),
                (sections, has_port),
                "{model}"
            );
        }
        assert_eq!(raspberry_pi("Orange Pi Zero"), None);
    }

    #[test]
    fn throttling_is_put_into_words() {
        assert_eq!(
            throttling(0x5_0005),
            "the board has too little voltage, is throttled right now"
        );
        assert!(throttling(0x8_0000).ends_with("it is at its limit of temperature"));
    }
}

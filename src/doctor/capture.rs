//! The capture device: which it is, whether it may be used, what it offers and what it sends.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Examination, Watched,
    finding::Verdict,
    processes,
    usb::{self, Dongle},
    user::User,
};
use crate::{
    config,
    source::{Description, Wishes},
    video::Layout,
};

/// For how long frames are looked at.
const WATCH: Duration = Duration::from_secs(3);
/// Which part of the frames of a mode should arrive.
const ENOUGH: f64 = 0.6;
/// A longer text with all modes would hide the rest.
const MAX_OFFERS: usize = 300;

/// A video node of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    path: PathBuf,
    /// The driver's name for it.
    card: Option<String>,
    dongle: Option<Dongle>,
    description: Result<Description, String>,
}

pub(super) fn device(examination: &Examination<'_>) -> Verdict {
    let path = match examination.source() {
        config::Source::V4l(path) => path,
        other => return Verdict::skipped(format!("the configuration has `source = \"{other}\"`")),
    };
    let nodes = nodes(examination);
    if let Some(node) = chosen(examination) {
        let more = usb::dongles(nodes.iter().filter_map(|node| node.dongle.as_ref()));
        let others = match more.len() {
            0 | 1 => String::new(),
            _ if path.is_some() => String::new(),
            count => format!("; the first of {count}, choose with `source`"),
        };
        return Verdict::ok(format!("{}{others}", node.words()));
    }
    let there: Vec<_> = nodes.iter().map(Node::words).collect();
    if let Some(path) = path {
        let there = match there.is_empty() {
            true => "no video device is there".to_owned(),
            false => format!("there are: {}", there.join(", ")),
        };
        return Verdict::error(
            format!(
                "{} of the configuration is not there; {there}",
                path.display()
            ),
            "plug the dongle in, or set `source = \"v4l\"` to take the first one",
        );
    }
    if let Some(dongle) = usb::without_driver(examination.machine) {
        return Verdict::error(
            format!("{dongle} is plugged in, but its driver has made no /dev/videoN"),
            "sudo modprobe uvcvideo; if the kernel has no such module, install one that does",
        );
    }
    match there.is_empty() {
        true => Verdict::error(
            "there is no capture device: no /dev/videoN, no USB dongle",
            "plug the HDMI dongle into a USB-A port of the board; try another port",
        ),
        false => Verdict::error(
            format!("no video device captures; there are: {}", there.join(", ")),
            "plug the HDMI dongle into a USB-A port of the board; try another port",
        ),
    }
}

pub(super) fn access(examination: &Examination<'_>) -> Verdict {
    let Some(node) = usable(examination) else {
        return skipped(examination);
    };
    let name = node.path.display();
    let user = &examination.user;
    // An access control list, such as a desktop's, may allow what the mode does not.
    let was_asked = examination.user == examination.caller && node.description.is_ok();
    if was_asked || may_use(examination, user, node) {
        return Verdict::ok(format!("{} may use {name}", user.name));
    }
    Verdict::error(
        format!("{} may not use {name}", user.name),
        format!(
            "sudo usermod -aG video {}, then log in anew or restart the service",
            user.name
        ),
    )
}

fn may_use(examination: &Examination<'_>, user: &User, node: &Node) -> bool {
    let metadata = examination.machine.metadata(&node.path);
    metadata.is_some_and(|metadata| user.may_read_and_write(&metadata))
}

pub(super) fn modes(examination: &Examination<'_>) -> Verdict {
    let Some(node) = usable(examination) else {
        return skipped(examination);
    };
    match &node.description {
        Err(why) => {
            if let Some(skipped) = examination.without(&["capture-access"]) {
                return skipped;
            }
            if !may_use(examination, &examination.caller, node) {
                return Verdict::skipped(
                    "it can only be asked with more rights: sudo rfbridge doctor",
                );
            }
            let (what, fix) = halves(why, "plug the dongle in anew");
            Verdict::error(what, fix)
        }
        Ok(Description { modes: 0, .. }) => Verdict::error(
            format!(
                "{} captures nothing: a dongle often has a second node for other data",
                node.path.display()
            ),
            "set `source = \"v4l\"` to take the first one that does",
        ),
        Ok(Description {
            chosen: Err(why),
            offers,
            ..
        }) => Verdict::error(
            format!(
                "{}: {}",
                node.path.display(),
                why.split("; it offers").next().unwrap_or(why)
            ),
            format!(
                "leave `format`, `size` and `fps` out of the configuration, or choose from: {}",
                cut(offers)
            ),
        ),
        Ok(Description {
            chosen: Ok(chosen),
            offers,
            ..
        }) => Verdict::ok(format!("{chosen} is taken; it offers {}", cut(offers))),
    }
}

pub(super) fn usb(examination: &Examination<'_>) -> Verdict {
    let Some(node) = usable(examination) else {
        return skipped(examination);
    };
    match &node.dongle {
        None => Verdict::skipped("it is not a USB device"),
        Some(dongle) => {
            let all = nodes(examination)
                .iter()
                .filter_map(|node| node.dongle.as_ref());
            usb::speed(dongle, &usb::dongles(all))
        }
    }
}

pub(super) fn picture(examination: &Examination<'_>) -> Verdict {
    let Some(node) = usable(examination) else {
        return skipped(examination);
    };
    if let Some(skipped) = examination.without(&["capture-modes"]) {
        return skipped;
    }
    let holders = processes::holders(examination.machine, &node.path);
    let name = node.path.display();
    if let Some(ours) = holders.iter().find(|process| process.is_ours()) {
        return Verdict::ok(format!(
            "{name} is in use by {ours}; what it sees is in its log"
        ));
    }
    if !examination.options.capture {
        return Verdict::skipped("left out (--no-capture)");
    }
    (examination.progress)(&format!(
        "looking at the picture of {name} for {} seconds",
        WATCH.as_secs()
    ));
    match examination
        .machine
        .camera
        .watch(&node.path, wishes(examination), WATCH)
    {
        Ok(watched) => judge(&watched, promised(node)),
        Err(why) if why.contains("in use") => {
            // Only root sees what files others have open.
            if let (true, Some(running)) = (holders.is_empty(), &examination.running) {
                return Verdict::ok(format!("{name} is in use, it seems by {running}"));
            }
            let by = match holders.is_empty() {
                true => "another user's program (sudo rfbridge doctor tells which)".to_owned(),
                false => processes::list(&holders),
            };
            Verdict::error(format!("{name} is in use by {by}"), "end that program")
        }
        Err(why) => {
            let (what, fix) = halves(&why, "switch the target on and check the HDMI cable");
            Verdict::error(what, fix)
        }
    }
}

/// The frames a second of the mode that is taken, if the driver says.
fn promised(node: &Node) -> Option<f64> {
    let chosen = node.description.as_ref().ok()?.chosen.as_ref().ok()?;
    chosen.rsplit_once('@')?.1.parse().ok()
}

fn judge(watched: &Watched, promised: Option<f64>) -> Verdict {
    let Watched {
        pictures,
        damaged,
        damage,
        per_second,
        size,
        only_colour,
    } = watched;
    let damage = damage.as_deref().unwrap_or_default();
    const BUS: &str =
        "try another USB port or cable, a hub with its own power, or a smaller `size`";
    if *pictures == 0 {
        return Verdict::error(format!("only damaged pictures arrive ({damage})"), BUS);
    }
    let rate = format!("{size} at {per_second:.0} frames a second");
    match only_colour {
        _ if *damaged > pictures / 10 => Verdict::warning(
            format!(
                "{rate}, but {damaged} of {} pictures are damaged ({damage})",
                pictures + damaged
            ),
            BUS,
        ),
        Some(colour) => Verdict::warning(
            format!(
                "{rate}, but the picture is one colour all over (#{colour:06x}): what a dongle shows without a signal, and a screen that is off"
            ),
            "switch the target on, wake it by a key, and check that its HDMI cable is in the dongle",
        ),
        _ if promised.is_some_and(|promised| *per_second < promised * ENOUGH) => Verdict::warning(
            format!(
                "only {rate}, where the mode has {:.0}",
                promised.unwrap_or_default()
            ),
            BUS,
        ),
        None => Verdict::ok(rate),
    }
}

fn skipped(examination: &Examination<'_>) -> Verdict {
    let skipped = examination.without(&["capture-device"]);
    skipped.unwrap_or_else(|| Verdict::skipped("there is no capture device"))
}

/// The node that would be used, if `device` has found one.
fn usable<'e>(examination: &'e Examination<'_>) -> Option<&'e Node> {
    match examination.without(&["capture-device"]) {
        Some(_) => None,
        None => chosen(examination),
    }
}

fn chosen<'e>(examination: &'e Examination<'_>) -> Option<&'e Node> {
    let nodes = nodes(examination);
    if let config::Source::V4l(Some(path)) = examination.source() {
        return nodes.iter().find(|node| node.path == path);
    }
    let captures = |node: &&Node| match &node.description {
        Ok(description) => description.modes > 0 && description.chosen.is_ok(),
        Err(_) => false,
    };
    let wanted_in_vain = |node: &&Node| node.description.as_ref().is_ok_and(|d| d.modes > 0);
    // One that cannot be asked counts if it is a dongle's.
    let refuses = |node: &&Node| node.description.is_err() && node.dongle.is_some();
    nodes
        .iter()
        .find(captures)
        .or_else(|| nodes.iter().find(wanted_in_vain))
        .or_else(|| nodes.iter().find(refuses))
}

fn nodes<'e>(examination: &'e Examination<'_>) -> &'e [Node] {
    examination.captures.get_or_init(|| {
        let machine = examination.machine;
        let number = |name: &str| name.strip_prefix("video")?.parse::<u32>().ok();
        let names = machine.names("/dev").into_iter();
        let mut numbered: Vec<_> = names
            .filter_map(|name| Some((number(&name)?, name)))
            .collect();
        numbered.sort();
        let mut paths: Vec<_> = numbered
            .into_iter()
            .map(|(_, name)| Path::new("/dev").join(name))
            .collect();
        // A link by the device's place on the bus, such as /dev/v4l/by-path/….
        if let config::Source::V4l(Some(path)) = examination.source()
            && !paths.contains(&path)
            && machine.has(&path)
        {
            paths.push(path);
        }
        let node = |path: PathBuf| {
            let real = machine.resolved(&path).unwrap_or_else(|| path.clone());
            let name = real
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let class = format!("/sys/class/video4linux/{name}");
            Node {
                card: machine.text(format!("{class}/name")),
                dongle: usb::dongle(machine, &format!("{class}/device")),
                description: machine.camera.describe(&path, wishes(examination)),
                path,
            }
        };
        paths.into_iter().map(node).collect()
    })
}

impl Node {
    fn words(&self) -> String {
        let path = self.path.display();
        match (&self.dongle, &self.card) {
            (Some(dongle), _) => format!("{path}, {dongle}"),
            (None, Some(card)) => format!("{path}, {card}"),
            (None, None) => path.to_string(),
        }
    }
}

fn wishes(examination: &Examination<'_>) -> Wishes {
    match &examination.config {
        None => Wishes::default(),
        Some(config) => Wishes {
            format: config.format.map(Layout::from),
            size: config.size.map(|size| size.0),
            fps: config.fps.map(|fps| fps.per_second().into()),
        },
    }
}

/// What is wrong and what to do, of a text that says both.
fn halves(why: &str, otherwise: &str) -> (String, String) {
    match why.split_once(": ") {
        Some((what, fix)) => (what.to_owned(), fix.to_owned()),
        None => (why.to_owned(), otherwise.to_owned()),
    }
}

fn cut(offers: &str) -> String {
    match offers.char_indices().nth(MAX_OFFERS) {
        Some((end, _)) => format!("{}…", &offers[..end]),
        None => offers.to_owned(),
    }
}

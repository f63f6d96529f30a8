//! What the USB device controllers say of the target: `/sys/class/udc/*/state`, and whether it sleeps.
//!
//! Some controllers' drivers go on saying `configured` when the target suspends the bus; the gadget framework then
//! still knows, in the attribute `suspended` of the gadget device beside the controller (`/sys/class/udc/*/device/gadget*`).
//!
//! A target that sleeps is woken by the attribute `srp`: a `1` there has the controller signal remote wake-up, if its driver
//! can and the target allowed it when it went to sleep (USB 2.0, section 9.1.1.6). The kernel does not say whether it did.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The state of a target that sleeps.
pub const SUSPENDED: &str = "suspended";

/// The controllers below one directory, their files kept open.
#[derive(Debug)]
pub(super) struct UdcStates {
    root: Option<PathBuf>,
    /// The only one that counts, if the gadget's is known.
    only: Option<String>,
    controllers: Vec<Controller>,
}

#[derive(Debug)]
struct Controller {
    srp: PathBuf,
    state: File,
    /// Of the gadgets on it; a gadget that is bound anew has another.
    suspended: Vec<File>,
    device: PathBuf,
}

impl UdcStates {
    pub(super) fn new(root: Option<&Path>) -> Self {
        Self {
            root: root.map(Path::to_owned),
            only: None,
            controllers: Vec::new(),
        }
    }

    /// From now on only the controller of this name counts, or each if it is `None`.
    pub(super) fn look_at(&mut self, only: Option<&str>) {
        if self.only.as_deref() != only {
            self.only = only.map(str::to_owned);
            self.controllers.clear();
        }
    }

    /// Asks those that are suspended to wake the target.
    pub(super) fn wake(&mut self) -> io::Result<()> {
        for controller in &mut self.controllers {
            if controller.state().as_deref() == Some(SUSPENDED) {
                fs::write(&controller.srp, "1").map_err(|error| {
                    let text = format!("{}: {error}", controller.srp.display());
                    io::Error::new(error.kind(), text)
                })?;
            }
        }
        Ok(())
    }

    /// The state of the controllers if it can be read and none is `configured` and awake, such as `not attached` or `suspended`.
    pub(super) fn not_configured(&mut self) -> Option<String> {
        if self.controllers.is_empty() {
            self.find();
        }
        let states = self.controllers.iter_mut().map(Controller::state);
        let Some(states) = states.collect::<Option<Vec<String>>>() else {
            self.controllers.clear(); // One went away; look again next time.
            return None;
        };
        let configured = states.is_empty() || states.iter().any(|state| state == "configured");
        (!configured).then(|| states.join(", "))
    }

    fn find(&mut self) {
        let entries = self
            .root
            .as_deref()
            .and_then(|root| fs::read_dir(root).ok());
        let entries = entries.into_iter().flatten().flatten();
        let is_meant =
            |name: &std::ffi::OsStr| self.only.as_deref().is_none_or(|only| name == only);
        let controllers = entries
            .filter(|entry| is_meant(&entry.file_name()))
            .filter_map(|entry| Controller::open(&entry.path()));
        self.controllers = controllers.collect();
    }
}

/// What a controller says of the target.
pub fn state(controllers: &Path, name: &str) -> Option<String> {
    Controller::open(&controllers.join(name))?.state()
}

/// Where the kernel tells of them.
pub const CONTROLLERS: &str = "/sys/class/udc";

/// The controllers that there are, each with what it says of the target, in order of their names.
pub fn states(controllers: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(controllers).into_iter().flatten().flatten();
    let mut states: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let state = state(controllers, &name)?;
            Some((name, state))
        })
        .collect();
    states.sort_unstable();
    states
}

impl Controller {
    fn open(path: &Path) -> Option<Self> {
        Some(Self {
            srp: path.join("srp"),
            state: File::open(path.join("state")).ok()?,
            suspended: Vec::new(),
            device: path.join("device"),
        })
    }

    fn state(&mut self) -> Option<String> {
        let state = read(&self.state)?;
        if state != "configured" {
            self.suspended.clear();
            return Some(state);
        }
        let is_asleep = |file: &File| read(file).map(|answer| answer == "1");
        if self.suspended.is_empty() || self.suspended.iter().any(|file| is_asleep(file).is_none())
        {
            self.suspended = suspended_files(&self.device);
        }
        let asleep = self
            .suspended
            .iter()
            .any(|file| is_asleep(file) == Some(true));
        Some(if asleep { SUSPENDED.to_owned() } else { state })
    }
}

fn suspended_files(device: &Path) -> Vec<File> {
    let entries = fs::read_dir(device).into_iter().flatten().flatten();
    let gadgets =
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"gadget"));
    gadgets
        .filter_map(|gadget| File::open(gadget.path().join("suspended")).ok())
        .collect()
}

/// sysfs makes the text anew for each read at offset 0.
fn read(file: &File) -> Option<String> {
    let mut text = [0; 64];
    let length = file.read_at(&mut text, 0).ok()?;
    let text = text.get(..length)?;
    Some(String::from_utf8_lossy(text).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_configured_controller_is_enough_and_none_says_nothing() {
        let root = tempfile::tempdir().unwrap();
        let state = |name: &str, state: &str| {
            fs::create_dir_all(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("state"), state).unwrap();
        };
        let mut states = UdcStates::new(Some(root.path()));
        assert_eq!(states.not_configured(), None);
        state("a", "not attached\n");
        assert_eq!(states.not_configured().as_deref(), Some("not attached"));
        state("a", "configured\n");
        assert_eq!(states.not_configured(), None);
        state("a", "suspended\n");
        state("b", "configured\n");
        assert_eq!(UdcStates::new(Some(root.path())).not_configured(), None);
        assert_eq!(UdcStates::new(None).not_configured(), None);
    }

    #[test]
    fn only_the_gadgets_controller_counts_and_only_one_that_sleeps_is_told_to_wake_the_target() {
        let root = tempfile::tempdir().unwrap();
        for (name, state) in [("a", "configured\n"), ("b", "suspended\n")] {
            fs::create_dir_all(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("state"), state).unwrap();
            fs::write(root.path().join(name).join("srp"), "").unwrap();
        }
        let srp = |name: &str| fs::read_to_string(root.path().join(name).join("srp")).unwrap();
        let mut states = UdcStates::new(Some(root.path()));
        assert_eq!(states.not_configured(), None);
        states.look_at(Some("b"));
        assert_eq!(states.not_configured().as_deref(), Some(SUSPENDED));
        states.wake().unwrap();
        assert_eq!((srp("a").as_str(), srp("b").as_str()), ("", "1"));
        fs::remove_file(root.path().join("b/srp")).unwrap();
        fs::create_dir(root.path().join("b/srp")).unwrap();
        assert!(states.wake().unwrap_err().to_string().contains("b/srp"));
    }

    #[test]
    fn a_target_that_sleeps_is_noticed_where_the_controller_goes_on_saying_configured() {
        let root = tempfile::tempdir().unwrap();
        let gadget = root.path().join("a/device/gadget.0");
        fs::create_dir_all(&gadget).unwrap();
        fs::write(root.path().join("a/state"), "configured\n").unwrap();
        let mut states = UdcStates::new(Some(root.path()));
        assert_eq!(states.not_configured(), None, "an old kernel does not say");
        for (suspended, state) in [("0", None), ("1", Some("suspended")), ("0", None)] {
            fs::write(gadget.join("suspended"), format!("{suspended}\n")).unwrap();
            assert_eq!(states.not_configured().as_deref(), state);
        }
    }
}

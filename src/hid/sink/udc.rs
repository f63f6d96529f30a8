//! What the UDC drivers say of the cable: `/sys/class/udc/*/state`.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The state files below one directory, kept open.
#[derive(Debug)]
pub(super) struct UdcStates {
    root: Option<PathBuf>,
    files: Vec<File>,
}

impl UdcStates {
    pub(super) fn new(root: Option<&Path>) -> Self {
        Self {
            root: root.map(Path::to_owned),
            files: Vec::new(),
        }
    }

    /// The state of the UDCs if it can be read and none is `configured`, such as `not attached` or `suspended`.
    pub(super) fn not_configured(&mut self) -> Option<String> {
        if self.files.is_empty() {
            self.find();
        }
        let states: Option<Vec<String>> = self.files.iter().map(read).collect();
        let Some(states) = states else {
            self.files.clear(); // A controller went away; look again next time.
            return None;
        };
        let configured = states.is_empty() || states.iter().any(|state| state == "configured");
        (!configured).then(|| states.join(", "))
    }

    fn find(&mut self) {
        let Some(entries) = self
            .root
            .as_deref()
            .and_then(|root| fs::read_dir(root).ok())
        else {
            return;
        };
        self.files = entries
            .flatten()
            .filter_map(|entry| File::open(entry.path().join("state")).ok())
            .collect();
    }
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
}

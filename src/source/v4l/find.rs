//! The capture devices of this machine.

use std::path::{Path, PathBuf};

use super::{device::Device, mode};
use crate::source::{SourceError, Wishes};

/// The first device that captures and has a mode to choose, by the numbers of the nodes.
///
/// Looked for anew at each opening, so a dongle may come back under another number. What only encodes or
/// decodes (a Pi has several of those) and the second node of a dongle are passed over.
pub(super) fn first(wishes: Wishes) -> Result<PathBuf, SourceError> {
    let captures = |path: &PathBuf| {
        let device = Device::open(path).ok()?;
        let offers = match device.is_capture().ok()? {
            true => device.modes(wishes).ok()?,
            false => return None,
        };
        (!offers.is_empty() && mode::choose(&offers, Wishes::default()).is_ok()).then_some(())
    };
    nodes(Path::new("/dev"))
        .into_iter()
        .find(|path| captures(path).is_some())
        .ok_or_else(|| {
            SourceError::Lost(format!(
                "there is no capture device: plug the dongle in, or name one with --source v4l:/dev/videoN ({})",
                list()
            ))
        })
}

/// The nodes of this machine, for messages.
pub(super) fn list() -> String {
    let nodes = nodes(Path::new("/dev"));
    if nodes.is_empty() {
        return "no /dev/video* is there".to_owned();
    }
    let names: Vec<_> = nodes
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    format!("found: {}", names.join(", "))
}

/// The `videoN` of a folder in the order of their numbers.
fn nodes(dev: &Path) -> Vec<PathBuf> {
    let entries = dev.read_dir().into_iter().flatten().flatten();
    let mut numbered: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry
                .file_name()
                .to_str()?
                .strip_prefix("video")?
                .parse()
                .ok()?;
            Some((number, entry.path()))
        })
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_in_the_order_of_their_numbers() {
        let dev = tempfile::tempdir().expect("a directory");
        for name in ["video10", "video2", "video", "video-by-id", "v4l", "video0"] {
            std::fs::write(dev.path().join(name), "").expect("a file");
        }
        let names: Vec<_> = nodes(dev.path())
            .iter()
            .map(|path| path.file_name().expect("a name").to_owned())
            .collect();
        assert_eq!(names, ["video0", "video2", "video10"]);
        assert!(nodes(&dev.path().join("missing")).is_empty());
    }
}

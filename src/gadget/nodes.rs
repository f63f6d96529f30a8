//! Finds a device node by its number.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The hidg node in `devices` whose number is `major:minor`.
pub(super) fn find(devices: &Path, number: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(devices).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let is_hidg = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("hidg"));
        is_hidg
            && fs::metadata(path).is_ok_and(|metadata| {
                metadata.file_type().is_char_device() && text(metadata.rdev()) == number
            })
    })
}

fn text(device: u64) -> String {
    format!("{}:{}", libc::major(device), libc::minor(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_by_number_and_only_among_hidg_nodes() {
        let directory = tempfile::tempdir().unwrap();
        // A character device that every machine has: /dev/null is 1:3.
        std::os::unix::fs::symlink("/dev/null", directory.path().join("hidg7")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", directory.path().join("zero")).unwrap();
        fs::write(directory.path().join("hidg0"), "").unwrap();
        assert_eq!(
            find(directory.path(), "1:3"),
            Some(directory.path().join("hidg7"))
        );
        assert_eq!(find(directory.path(), "1:5"), None);
    }
}

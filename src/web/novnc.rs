//! noVNC's files, as the system's package or npm put them there.

use std::path::PathBuf;

use hyper::StatusCode;
use tokio::task::spawn_blocking;

use super::answer::{self, Answer};

/// What makes a directory noVNC's.
const LIBRARY: &str = "core/rfb.js";
/// The largest file that is given; noVNC's largest has 300 KB.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The directory that holds it. Looked for each time, so that it can be installed while the server runs.
pub(super) async fn find(places: Vec<PathBuf>) -> Option<PathBuf> {
    let there = move || {
        let mut places = places.into_iter();
        places.find(|place| place.join(LIBRARY).is_file())
    };
    spawn_blocking(there).await.ok().flatten()
}

/// A file of it.
pub(super) async fn file(places: Vec<PathBuf>, name: &str) -> Answer {
    let (true, Some(kind)) = (is_plain(name), kind(name)) else {
        return answer::not_found();
    };
    let Some(directory) = find(places).await else {
        let why = "noVNC is not installed; see the page for how.";
        return answer::refusal(StatusCode::NOT_FOUND, why);
    };
    let path = directory.join(name);
    let read = move || {
        let is_right = std::fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= LARGEST);
        is_right.then(|| std::fs::read(path).ok()).flatten()
    };
    match spawn_blocking(read).await {
        Ok(Some(bytes)) => answer::revalidated(answer::content(kind, bytes)),
        _ => answer::not_found(),
    }
}

/// Names of files and directories below, and nothing that leads out.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut segments = name.split('/');
    segments.all(|segment| {
        !segment.is_empty() && !segment.starts_with('.') && segment.chars().all(plain)
    })
}

fn kind(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_own_files_are_given() {
        let directory = tempfile::tempdir().expect("a directory");
        let novnc = directory.path().join("novnc");
        std::fs::create_dir_all(novnc.join("core")).expect("directories");
        std::fs::write(novnc.join(LIBRARY), "export default 1;").expect("a file");
        std::fs::write(novnc.join("notes.txt"), "no").expect("a file");
        std::fs::write(directory.path().join("secret.js"), "secret").expect("a file");
        let status = async |name: &str| file(vec![novnc.clone()], name).await.status();
        assert_eq!(status(LIBRARY).await, StatusCode::OK);
        for other in [
            "../secret.js",
            "core/../../secret.js",
            "core/%2e%2e/rfb.js",
            "/secret.js",
            "core//rfb.js",
            "core",
            "core.js",
            "notes.txt",
            "",
        ] {
            assert_eq!(status(other).await, StatusCode::NOT_FOUND, "{other}");
        }
        std::fs::remove_file(novnc.join(LIBRARY)).expect("gone");
        assert_eq!(find(vec![novnc]).await, None);
    }
}

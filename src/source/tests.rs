use std::{io::Write, os::unix::ffi::OsStrExt, path::Path};

use super::*;

const SCREENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/screens");

fn fifo(directory: &Path) -> PathBuf {
    let path = directory.join("frames");
    let name = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a C string is passed.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    path
}

fn pipe_opener(path: &Path) -> Box<dyn Opener> {
    opener(&config::Source::Pipe(path.to_owned()), Wishes::default())
}

/// The first two pictures of a recorded screen.
fn two_pictures() -> (Vec<u8>, Vec<u8>) {
    let bytes = std::fs::read(format!("{SCREENS}/console-typing.mjpeg")).unwrap();
    let end = |bytes: &[u8]| crate::video::jpeg::header::walk(bytes).unwrap().end;
    let first = end(&bytes);
    let second = first + end(&bytes[first..]);
    (bytes[..first].to_vec(), bytes[first..second].to_vec())
}

#[test]
fn a_fifo_that_was_closed_can_be_opened_and_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let mut opener = pipe_opener(&path);
    let (first, second) = two_pictures();
    for picture in [&first, &second] {
        let mut source = opener.open().unwrap();
        let mut writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        // More than a pipe holds at once.
        let bytes = [b"garbage", picture.as_slice()].concat();
        let writing = std::thread::spawn(move || writer.write_all(&bytes).unwrap());
        assert_eq!(source.next().unwrap().bytes, picture);
        writing.join().unwrap();
        assert!(
            matches!(source.next(), Err(SourceError::Ended(why)) if why.ends_with("was closed"))
        );
    }
}

#[test]
fn the_newest_picture_in_a_pipe_wins_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let mut source = pipe_opener(&path).open().unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    // Small pictures: both lie in the pipe before it is read.
    let small = |byte| [0xff, 0xd8, 0xff, 0xda, 0, 2, byte, 0xff, 0xd9];
    writer.write_all(&small(1)).unwrap();
    writer.write_all(&small(2)).unwrap();
    assert_eq!(source.next().unwrap().bytes, small(2));
    // Nothing new, but the writer is still there.
    assert_eq!(source.next().unwrap().bytes, small(2));
}

#[test]
fn a_pipe_without_a_writer_has_no_signal_and_stops_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let mut opener = pipe_opener(&path);
    let stop = Stop::default();
    opener.stop_with(stop.clone());
    let mut source = opener.open().unwrap();
    stop.set();
    assert!(source.next().is_err());
}

#[test]
fn what_is_no_fifo_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: &Path| pipe_opener(path).open().err().unwrap().to_string();
    let missing = open(&directory.path().join("none"));
    assert!(missing.contains("mkfifo"), "{missing}");
    let file = open(Path::new(&format!("{SCREENS}/desktop.mjpeg")));
    assert!(file.contains("replay:"), "{file}");
}

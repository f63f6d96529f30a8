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
        assert_eq!(source.next().unwrap().captured.bytes, picture);
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
    assert_eq!(source.next().unwrap().captured.bytes, small(2));
    // Nothing new, but the writer is still there.
    assert_eq!(source.next().unwrap().captured.bytes, small(2));
}

#[test]
fn raw_frames_come_through_a_pipe_whole_and_the_newest_wins() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let size = Size::new(64, 64);
    let wishes = Wishes {
        format: Some(Layout::Nv12),
        size: Some(size),
        fps: None,
    };
    let mut source = opener(&config::Source::Pipe(path.clone()), wishes)
        .open()
        .unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let frame = |fill| vec![fill; 64 * 96];
    let [first, second, third] = [1, 2, 3].map(frame);
    // Two and a half lie in the pipe before it is read.
    writer.write_all(&first).unwrap();
    writer.write_all(&second).unwrap();
    writer.write_all(&third[..3000]).unwrap();
    let lent = source.next().unwrap();
    assert!(lent.captured.bytes == second);
    assert_eq!(
        (lent.captured.layout, lent.captured.size),
        (Layout::Nv12, size)
    );
    assert_eq!(lent.captured.stride, 64);
    writer.write_all(&third[3000..]).unwrap();
    assert!(source.next().unwrap().captured.bytes == third);
    // What was begun is no picture.
    writer.write_all(&first[..6000]).unwrap();
    drop(writer);
    assert!(matches!(source.next(), Err(SourceError::Ended(_))));
}

#[test]
fn a_picture_of_a_pipe_can_be_kept_while_the_next_ones_come() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let mut source = pipe_opener(&path).open().unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let small = |byte| [0xff, 0xd8, 0xff, 0xda, 0, 2, byte, 0xff, 0xd9];
    let mut kept = Vec::new();
    for byte in 0..9 {
        writer.write_all(&small(byte)).unwrap();
        let lent = source.next().unwrap();
        let shared = lent.shared.expect("shared bytes");
        assert_eq!(shared.as_ptr(), lent.captured.bytes.as_ptr());
        kept.push(shared);
    }
    for (byte, kept) in (0..9).zip(kept) {
        assert_eq!(kept, small(byte).as_slice());
    }
}

#[test]
fn raw_frames_without_a_size_are_refused_with_the_remedy() {
    let wishes = Wishes {
        format: Some(Layout::Yuyv),
        ..Wishes::default()
    };
    let mut opener = opener(&config::Source::Pipe("/none".into()), wishes);
    match opener.open() {
        Err(SourceError::Ended(why)) => assert!(why.contains("YUYV") && why.contains("--size")),
        other => panic!("{:?}", other.err()),
    }
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

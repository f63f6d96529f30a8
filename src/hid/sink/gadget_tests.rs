use super::*;
use std::{ffi::CString, fs, io::Read, os::unix::ffi::OsStrExt};

/// A FIFO behaves like a hidg node: it fills up, its reader goes away, it is made anew.
struct Fifo {
    path: PathBuf,
}

impl Fifo {
    fn make(path: PathBuf) -> Self {
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: `name` is a valid C string.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        Self { path }
    }

    fn reader(&self) -> File {
        OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.path)
            .unwrap()
    }
}

fn sink(
    nodes: impl IntoIterator<Item = (Function, PathBuf)>,
) -> (GadgetSink, watch::Receiver<Option<Leds>>) {
    let (sender, receiver) = watch::channel(None);
    let gadget = GadgetNodes {
        leds: None,
        udc_root: None,
        ..GadgetNodes::new(nodes)
    };
    (GadgetSink::new(gadget, sender), receiver)
}

/// Offers until the back-off lets it through.
fn until_taken(sink: &mut GadgetSink, report: &[u8]) {
    while sink.offer(Function::Keyboard, report) != Offer::Taken {
        std::thread::yield_now();
    }
}

#[test]
fn a_full_node_is_busy_and_takes_again_what_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("hidg0"));
    let mut reader = fifo.reader();
    let (mut sink, _leds) = sink([(Function::Keyboard, fifo.path.clone())]);
    let report = [2, 0, 4, 0, 0, 0, 0, 0];
    let mut taken = 0;
    while sink.offer(Function::Keyboard, &report) == Offer::Taken {
        taken += 1;
    }
    assert!(taken > 0);
    assert_eq!(sink.offer(Function::Keyboard, &report), Offer::Busy);
    let mut all = vec![0; taken * 8];
    reader.read_exact(&mut all).unwrap();
    assert!(all.chunks(8).all(|bytes| bytes == report));
    assert_eq!(sink.offer(Function::Keyboard, &report), Offer::Taken);
}

#[test]
fn a_reader_that_goes_is_offline_and_one_that_comes_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("hidg0"));
    let (mut sink, _leds) = sink([(Function::Keyboard, fifo.path.clone())]);
    let offline = |offer| match offer {
        Offer::Offline(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(offline(sink.offer(Function::Keyboard, &[0; 8])).contains("hidg0"));
    let reader = fifo.reader();
    until_taken(&mut sink, &[0; 8]);
    drop(reader);
    offline(sink.offer(Function::Keyboard, &[0; 8]));
    let mut reader = fifo.reader();
    until_taken(&mut sink, &[7; 8]);
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, [7; 8]);
}

#[test]
fn a_node_made_anew_is_opened_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hidg0");
    let old = Fifo::make(path.clone());
    let _old_reader = old.reader();
    let (mut sink, _leds) = sink([(Function::Keyboard, path.clone())]);
    assert_eq!(sink.offer(Function::Keyboard, &[1; 8]), Offer::Taken);
    fs::remove_file(&path).unwrap();
    assert!(
        matches!(sink.offer(Function::Keyboard, &[2; 8]), Offer::Offline(why) if why.contains("gadget up"))
    );
    let mut reader = Fifo::make(path).reader();
    assert_eq!(sink.offer(Function::Keyboard, &[3; 8]), Offer::Taken);
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, [3; 8]);
}

#[test]
fn wrong_lengths_and_missing_functions_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("hidg0"));
    let mut reader = fifo.reader();
    let (mut sink, _leds) = sink([(Function::Keyboard, fifo.path.clone())]);
    assert!(matches!(
        sink.offer(Function::Keyboard, &[0; 7]),
        Offer::Offline(_)
    ));
    assert!(matches!(
        sink.offer(Function::Consumer, &[0; 2]),
        Offer::Offline(_)
    ));
    assert_eq!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Taken);
    let mut bytes = [0; 9];
    assert_eq!(reader.read(&mut bytes).unwrap(), 8);
}

#[tokio::test]
async fn leds_are_unknown_then_known_then_unknown_when_the_cable_is_out() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("leds"));
    let udc = directory.path().join("udc");
    fs::create_dir_all(udc.join("dummy")).unwrap();
    fs::write(udc.join("dummy/state"), "configured\n").unwrap();
    let keyboard = Fifo::make(directory.path().join("hidg0"));
    let _reader = keyboard.reader();
    let gadget = GadgetNodes {
        nodes: vec![(Function::Keyboard, keyboard.path.clone())],
        leds: Some(fifo.path.clone()),
        udc_root: Some(udc.clone()),
    };
    let (sender, mut leds) = watch::channel(None);
    let mut sink = GadgetSink::new(gadget, sender);
    assert_eq!(*leds.borrow(), None);
    // Both ways, so that opening does not depend on the reading thread's being there.
    let mut target = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&fifo.path)
        .unwrap();
    target.write_all(&[0x02]).unwrap();
    leds.changed().await.unwrap();
    let caps = Leds {
        caps: true,
        ..Leds::default()
    };
    assert_eq!(*leds.borrow_and_update(), Some(caps));
    fs::write(udc.join("dummy/state"), "not attached\n").unwrap();
    assert!(
        matches!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Offline(why) if why.contains("not attached"))
    );
    leds.changed().await.unwrap();
    assert_eq!(*leds.borrow(), None);
    fs::write(udc.join("dummy/state"), "configured\n").unwrap();
    until_taken(&mut sink, &[0; 8]);
}

#[tokio::test]
async fn leds_are_read_from_a_node_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hidg0");
    let (sender, mut leds) = watch::channel(None);
    let gadget = GadgetNodes {
        nodes: Vec::new(),
        leds: Some(path.clone()),
        udc_root: None,
    };
    let _sink = GadgetSink::new(gadget, sender);
    // Both stay open: nothing else tells that the old node is over.
    let mut targets = Vec::new();
    for (report, name) in [(0x02, "old"), (0x01, "new")] {
        let fifo = Fifo::make(directory.path().join(name));
        let mut target = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&fifo.path)
            .unwrap();
        target.write_all(&[report]).unwrap();
        fs::rename(&fifo.path, &path).unwrap();
        let known = Some(Leds::from_report(report));
        leds.wait_for(|leds| *leds == known).await.unwrap();
        targets.push(target);
    }
}

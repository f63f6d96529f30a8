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
    let nodes = nodes
        .into_iter()
        .map(|(function, path)| (function, Place::Path(path)))
        .collect();
    let gadget = GadgetNodes {
        nodes,
        leds: false,
        places: places(Path::new("/nonexistent")),
    };
    (GadgetSink::new(gadget, sender), receiver)
}

fn places(root: &Path) -> Places {
    Places {
        gadgets: root.join("gadgets"),
        controllers: root.join("udc"),
        devices: root.join("dev"),
    }
}

fn offline(offer: Offer) -> String {
    match offer {
        Offer::Offline(why) => why,
        other => panic!("{other:?}"),
    }
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
fn complaint_14_a_reader_that_goes_is_offline_and_one_that_comes_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("hidg0"));
    let (mut sink, _leds) = sink([(Function::Keyboard, fifo.path.clone())]);
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
fn complaint_13_a_node_made_anew_is_opened_at_once() {
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
    let fifo = Fifo::make(directory.path().join("hidg0"));
    let udc = directory.path().join("udc");
    fs::create_dir_all(udc.join("dummy")).unwrap();
    fs::write(udc.join("dummy/state"), "configured\n").unwrap();
    let gadget = GadgetNodes {
        nodes: vec![(Function::Keyboard, Place::Path(fifo.path.clone()))],
        leds: true,
        places: places(directory.path()),
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
        nodes: vec![(Function::Keyboard, Place::Path(path.clone()))],
        leds: true,
        places: places(directory.path()),
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

/// A gadget of ours as configfs shows it, its nodes FIFOs that stand behind symlinks to character devices: what is looked
/// for is a number, what is written to would be a device, so only the finding is shown here.
struct Configfs {
    root: tempfile::TempDir,
}

impl Configfs {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["gadgets/rfbridge/functions", "udc/a.usb", "dev"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let machine = Self { root };
        machine.set("gadgets/rfbridge/UDC", "a.usb\n");
        machine.set("udc/a.usb/state", "configured\n");
        machine.set("udc/a.usb/srp", "");
        machine
    }

    fn set(&self, path: &str, text: &str) {
        fs::write(self.root.path().join(path), text).unwrap();
    }

    /// Adds a function whose node is that of a device which takes anything, or refuses everything.
    fn function(&self, function: Function, report_length: usize, node: &str, device: &str) {
        let directory = format!("gadgets/rfbridge/functions/hid.{function}");
        fs::create_dir_all(self.root.path().join(&directory)).unwrap();
        let number = match device {
            "/dev/null" => "1:3",
            "/dev/full" => "1:7",
            _ => "1:5",
        };
        self.set(&format!("{directory}/dev"), &format!("{number}\n"));
        self.set(
            &format!("{directory}/report_length"),
            &format!("{report_length}\n"),
        );
        let node = self.root.path().join("dev").join(node);
        let _ = fs::remove_file(&node);
        std::os::unix::fs::symlink(device, node).unwrap();
    }

    fn sink(&self) -> GadgetSink {
        let gadget = GadgetNodes {
            leds: false,
            places: places(self.root.path()),
            ..GadgetNodes::default()
        };
        GadgetSink::new(gadget, watch::channel(None).0)
    }
}

#[test]
fn nodes_are_those_of_our_gadget_whatever_their_names_are() {
    let machine = Configfs::new();
    // The node of that name is somebody else's, and refuses everything.
    std::os::unix::fs::symlink("/dev/full", machine.root.path().join("dev/hidg0")).unwrap();
    machine.function(Function::Keyboard, 8, "hidg3", "/dev/null");
    let mut sink = machine.sink();
    assert_eq!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Taken);
    assert!(sink.has(Function::Keyboard) && !sink.has(Function::Absolute));
    let why = offline(sink.offer(Function::Absolute, &[0; 7]));
    assert!(
        why.contains("no absolute function") && why.contains("gadget profile"),
        "{why}"
    );
}

#[test]
fn another_profile_is_noticed_at_the_next_report() {
    let machine = Configfs::new();
    machine.function(Function::Keyboard, 8, "hidg0", "/dev/null");
    machine.function(Function::Absolute, 7, "hidg1", "/dev/zero");
    let mut sink = machine.sink();
    assert_eq!(sink.offer(Function::Absolute, &[0; 7]), Offer::Taken);
    // The node's name goes to another device, and the function with it.
    let functions = machine.root.path().join("gadgets/rfbridge/functions");
    fs::remove_dir_all(functions.join("hid.absolute")).unwrap();
    machine.function(Function::Relative, 3, "hidg1", "/dev/full");
    let why = offline(sink.offer(Function::Absolute, &[0; 7]));
    assert!(why.contains("no absolute function"), "{why}");
    assert!(!sink.has(Function::Absolute) && sink.has(Function::Relative));
}

#[test]
fn a_gadget_that_is_not_plugged_in_keeps_what_it_has() {
    let machine = Configfs::new();
    machine.function(Function::Keyboard, 8, "hidg0", "/dev/null");
    machine.function(Function::Absolute, 7, "hidg1", "/dev/zero");
    let mut sink = machine.sink();
    assert!(sink.has(Function::Absolute) && !sink.has(Function::Relative));
    machine.set("gadgets/rfbridge/UDC", "\n");
    fs::remove_dir_all(machine.root.path().join("gadgets/rfbridge/functions")).unwrap();
    sink.locator.doubt();
    assert!(sink.has(Function::Absolute) && !sink.has(Function::Relative));
}

#[test]
fn a_report_is_cut_to_what_the_function_takes() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = Fifo::make(directory.path().join("hidg1"));
    let mut reader = fifo.reader();
    let (mut sink, _leds) = sink([(Function::Relative, fifo.path.clone())]);
    sink.nodes
        .push(Node::new(Function::Relative, fifo.path.clone()));
    let report = [1, 2, 3, 4, 5];
    for length in 3..=5 {
        assert_eq!(sink.nodes[0].offer(&report[..length]), Offer::Taken);
        let mut bytes = [0; 6];
        assert_eq!(reader.read(&mut bytes).unwrap(), length);
        assert_eq!(bytes[..length], report[..length]);
    }
    // Another function's node.
    let machine = Configfs::new();
    machine.function(Function::Keyboard, 6, "hidg0", "/dev/null");
    let why = offline(machine.sink().offer(Function::Keyboard, &[0; 8]));
    assert!(
        why.contains("6 bytes") && why.contains("--gadget-keyboard"),
        "{why}"
    );
}

#[test]
fn complaint_20_a_press_wakes_a_target_that_sleeps_and_is_not_kept_for_it() {
    let machine = Configfs::new();
    machine.function(Function::Keyboard, 8, "hidg0", "/dev/null");
    machine.function(Function::Absolute, 7, "hidg1", "/dev/zero");
    machine.set("udc/a.usb/state", "suspended\n");
    let srp = || fs::read_to_string(machine.root.path().join("udc/a.usb/srp")).unwrap();
    let mut sink = machine.sink();
    // Neither a release nor a move.
    offline(sink.offer(Function::Keyboard, &[0; 8]));
    offline(sink.offer(Function::Absolute, &[0, 1, 1, 1, 1, 0, 0]));
    assert_eq!(srp(), "");
    let why = offline(sink.offer(Function::Absolute, &[1, 1, 1, 1, 1, 0, 0]));
    assert!(why.contains("asked to wake up"), "{why}");
    assert_eq!(srp(), "1");
    // Not again at once.
    machine.set("udc/a.usb/srp", "");
    offline(sink.offer(Function::Keyboard, &[0, 0, 4, 0, 0, 0, 0, 0]));
    assert_eq!(srp(), "");
    machine.set("udc/a.usb/state", "configured\n");
    assert_eq!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Taken);
}

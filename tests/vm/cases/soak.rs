//! Hours of work in minutes: clients come and go, keys are typed, the dongle is pulled, and nothing grows.

use std::{
    env,
    fs::File,
    io::Write,
    time::{Duration, Instant},
};

use rfb::geom::Size;

use crate::{
    Case,
    bridge::Bridge,
    cases::{dongle::plug_in, input::ALL_DEVICES},
    dongle::{Dongle, Screen},
    host::Host,
    machine::Machine,
    picture::Picture,
    protocol::Usage,
};

const SIZE: Size = Size::new(1280, 720);
/// How long, unless `RFBRIDGE_SOAK` says otherwise, in seconds.
const SECONDS: u64 = 120;
/// How often the dongle is pulled: each so many rounds.
const PULLED: usize = 10;

/// What rfbridge uses with no client connected.
#[derive(Clone, Copy, Debug)]
struct Sample {
    rss_kib: u64,
    files: usize,
    threads: usize,
}

pub fn soak(case: &Case) -> String {
    let seconds = env::var("RFBRIDGE_SOAK").map_or(SECONDS, |text| {
        text.parse().expect("RFBRIDGE_SOAK is a number of seconds")
    });
    let machine = Machine::boot(&case.folder);
    machine.run(
        "modprobe -a dummy_hcd vhci-hcd uvcvideo; /bin/rfbridge gadget up --controller dummy_udc.0",
    );
    let host = Host::watch(&machine);
    host.has_devices(&ALL_DEVICES);
    let dongle = Dongle::new();
    let jpegs: Vec<_> = (0..8)
        .map(|number| Picture::test_card(SIZE, number).jpeg())
        .collect();
    let pictures: Vec<_> = jpegs.iter().map(|jpeg| Picture::from_jpeg(jpeg)).collect();
    dongle.show(Screen::Jpegs(jpegs.into()));
    let mut plugged = Some(plug_in(&machine, &dongle));
    let bridge = Bridge::serve(
        &machine,
        &[
            "--source",
            "v4l:/dev/video0",
            "--size",
            "1280x720",
            "--fps",
            "30",
        ],
    );

    let is_live = |screen: &Picture| pictures.contains(screen).then_some(());
    let began = Instant::now();
    // For a look at how it went.
    let mut table = File::create(case.folder.join("samples.csv")).expect("a table");
    writeln!(table, "seconds,rss_kib,files,threads").expect("a row");
    let mut samples = Vec::new();
    let mut clients = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        let round = samples.len();
        if round % PULLED == PULLED - 1 {
            drop(plugged.take());
            machine.disappears("/dev/video0");
            plugged = Some(plug_in(&machine, &dongle));
        }
        // One without and one with JPEG, one that leaves with a key down, one that only says hello.
        let mut lossless = bridge.client();
        lossless.until("a picture", is_live);
        let mut with_jpeg = bridge.client_of(&[7, -23, -308]);
        with_jpeg.until("a picture", is_live);
        let mut leaves = bridge.client();
        leaves.key(true, 0x1e);
        host.until("a key", |event| is_key(event, 1));
        drop(leaves);
        host.until("its release", |event| is_key(event, 0));
        drop(bridge.client());
        for _ in 0..20 {
            with_jpeg.update();
        }
        clients += 4;
        drop((lossless, with_jpeg));
        samples.push(at_rest(&bridge, samples.first()));
        let Sample {
            rss_kib,
            files,
            threads,
        } = samples[round];
        let at = began.elapsed().as_secs();
        writeln!(table, "{at},{rss_kib},{files},{threads}").expect("a row");
    }
    let (first, last) = (samples.len() / 4, samples.len() * 3 / 4);
    assert!(first > 0, "{seconds} s are too short");
    // After a first quarter in which threads start and the allocator finds its size.
    let (early, late) = (&samples[first..last], &samples[last..]);
    let most = |samples: &[Sample], what: fn(&Sample) -> u64| {
        samples.iter().map(what).max().expect("samples")
    };
    let rss = [early, late].map(|samples| most(samples, |sample| sample.rss_kib));
    let threads = [early, late].map(|samples| most(samples, |sample| sample.threads as u64));
    let files = [early, late].map(|samples| most(samples, |sample| sample.files as u64));
    // A thread of the encoders' pool may still start late, and the allocator keeps a heap for each. What leaked with each
    // client would be more by far.
    assert!(rss[1] <= rss[0] + rss[0] / 4, "RSS grew: {rss:?} KiB");
    assert!(threads[1] <= threads[0] + 2, "threads grew: {threads:?}");
    assert!(files[1] <= files[0], "open files grew: {files:?}");
    bridge.terminate();
    format!(
        "{seconds} s, {clients} clients, the dongle pulled {} times; RSS at most {} MiB, then {} MiB; \
         at most {} open files, {} threads",
        samples.len() / PULLED,
        rss[0] / 1024,
        rss[1] / 1024,
        files[1],
        threads[1]
    )
}

fn is_key(event: &crate::protocol::Event, wanted: i32) -> bool {
    matches!(event, crate::protocol::Event::Input { kind: crate::host::EV_KEY, value, .. } if *value == wanted)
}

/// Waits until no more files are open than at first, which is when all clients are gone.
fn at_rest(bridge: &Bridge, first: Option<&Sample>) -> Sample {
    let mut sample = None;
    bridge.waits_for("its clients are gone", |bridge| {
        let Usage::Running {
            rss_kib,
            files,
            threads,
        } = bridge.machine.usage(bridge.process)
        else {
            return false;
        };
        sample = Some(Sample {
            rss_kib,
            files,
            threads,
        });
        let gone = bridge.log().matches("disconnected").count();
        gone == bridge.log().matches("ready client").count()
            && first.is_none_or(|first| files <= first.files)
    });
    sample.expect("a sample")
}

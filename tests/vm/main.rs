//! rfbridge against the real kernel: Debian's, in a QEMU, with the drivers of dongles and gadgets, the same binary
//! that users run inside it, and a VNC client out here.
//!
//! ```text
//!  this program                              │ the machine (Linux in QEMU)
//!                                            │
//!  dongle ──────────── USB/IP ───────────────┼─→ vhci_hcd → uvcvideo ─→ /dev/video0 ┐
//!  feed ───────────────────────────→ agent ──┼─→ v4l2loopback ────────→ /dev/video0 ┤
//!                                            │   vivid ───────────────→ /dev/video0 ┤
//!  client ←──────────── RFB ─────────────────┼─────────────────────────────────── rfbridge
//!                                            │        f_hid ←───────── /dev/hidg0-2 ┘
//!  host ←──────── what it sees ─────── agent ┼─ evdev ← usbhid ← dummy_hcd
//! ```
//!
//! The machine's first process is this same program again, as the [`agent`]. Each case boots a machine of its
//! own; its logs and pictures are left in `target/vm/CASE`.
//!
//! Everything here needs the image that `contrib/ci/vm-image.sh` builds, so the cases are ignored unless asked for:
//! `cargo test --release --test vm -- --ignored [CASE]`. `contrib/ci/vm.sh` installs what is needed and runs them.

mod agent;
mod bridge;
mod cases;
#[allow(dead_code, reason = "its own tests use the rest")]
mod dongle;
mod host;
mod machine;
mod picture;
mod protocol;
#[path = "../viewer/mod.rs"]
#[allow(dead_code, reason = "the tests over TCP use the rest")]
mod viewer;

use std::{env, fs, path::PathBuf, process::ExitCode, time::Instant};

use libtest_mimic::{Arguments, Trial};

/// What a case is given.
pub struct Case {
    pub name: &'static str,
    /// A folder of its own.
    pub folder: PathBuf,
}

/// Panics if something is not as it should be; says what was seen.
type Run = fn(&Case) -> String;

fn main() -> ExitCode {
    if std::process::id() == 1 && env::args_os().next().is_some_and(|name| name == "/init") {
        agent::run();
    }
    let mut arguments = Arguments::from_args();
    // They measure time, and a machine each is enough.
    arguments.test_threads = Some(1);
    let trials = cases::ALL.iter().map(|&(name, run)| {
        let conduct = move || {
            conduct(name, run);
            Ok(())
        };
        Trial::test(name, conduct).with_ignored_flag(true)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn conduct(name: &'static str, run: Run) {
    let folder = folder().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let began = Instant::now();
    let seen = run(&Case { name, folder });
    println!(
        "    {name}: {seen} ({:.1} s)",
        began.elapsed().as_secs_f32()
    );
}

/// Where logs and pictures are left.
fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    target.join("vm")
}

//! Peers that mean harm, devices that fail and hours of use, against the running binary, while a good client keeps
//! measuring that its picture comes and how soon.
//!
//! ```text
//!  screen ── pictures through a FIFO ──→ rfbridge ──→ good client: does each picture come, after how long?
//!                                           ↑  └────→ /proc: memory, descriptors, threads; --record: keys left down
//!                                        attack
//! ```
//!
//! An attack is a function and a row of [`cases::ALL`]. Each is made twice on a server of its own: what it takes once
//! (buffers, threads) it may keep; what the second time takes on top of that leaks.
//!
//! `cargo test --test hostile` is the short form. `contrib/ci/hostile.sh` runs longer ones, with the release build, and says
//! how to run all of it in full; its table is that of `contrib/doc/SECURITY.md`.

mod arena;
mod attack;
mod cases;
mod chaos;
mod figures;
mod good;
mod screen;
#[path = "../wire/server.rs"]
#[allow(dead_code, reason = "the tests over TCP use the rest")]
mod server;
mod soak;
#[path = "../viewer/mod.rs"]
#[allow(dead_code, reason = "the tests over TCP use the rest")]
mod viewer;

use std::{env, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most wait for answers that the server holds back.
    arguments.test_threads.get_or_insert(4);
    let mut trials = Vec::new();
    for (number, case) in cases::ALL.iter().enumerate() {
        let conduct = move || {
            attack::conduct(case, number);
            Ok(())
        };
        trials.push(Trial::test(case.name, conduct).with_ignored_flag(case.only_in_full));
    }
    for &(name, run) in chaos::ALL {
        let conduct = move || {
            run();
            Ok(())
        };
        trials.push(Trial::test(name, conduct));
    }
    trials.push(Trial::test("soak", || {
        soak::soak();
        Ok(())
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    figures::print();
    conclusion.exit_code()
}

/// A number that the environment gives, for the full forms.
fn number(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}"))
    })
}

//! What is shown to hold, by subject.

mod capture;
mod doctor;
mod dongle;
mod input;
mod signal;
mod soak;
mod story;
mod target;

use crate::Run;

pub const ALL: &[(&str, Run)] = &[
    ("capture_vivid", capture::vivid),
    ("capture_loopback", capture::loopback),
    ("dongle_modes", dongle::modes),
    ("dongle_rests", dongle::rests),
    ("dongle_unplugged", dongle::unplugged),
    ("dongle_faulty", dongle::faulty),
    ("signal_changes", signal::changes),
    ("input_keyboard", input::keyboard),
    ("input_pointer", input::pointer),
    ("target_asleep", target::asleep),
    ("target_gone", target::gone),
    ("target_rebound", target::rebound),
    ("target_made_anew", target::made_anew),
    ("story_uefi", story::uefi),
    ("story_seabios", story::seabios),
    ("doctor", doctor::doctor),
    ("soak", soak::soak),
];

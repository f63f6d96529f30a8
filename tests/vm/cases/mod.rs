//! What is shown to hold, by subject.

mod capture;

use crate::Run;

pub const ALL: &[(&str, Run)] = &[
    ("capture_vivid", capture::vivid),
    ("capture_loopback", capture::loopback),
];

//! What is shown to hold, by subject.

mod capture;
mod clock;
mod doctor;
mod dongle;
mod gadget;
mod input;
mod mouse;
mod power;
mod signal;
mod soak;
mod story;
mod target;
mod typing;

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
    ("gadget_profiles", gadget::profiles),
    ("gadget_switched", gadget::switched),
    ("media", gadget::media),
    ("story_uefi", story::uefi),
    ("story_uefi_bios", story::uefi_bios),
    ("story_uefi_nvr", story::uefi_nvr),
    ("story_uefi_mac", story::uefi_mac),
    ("story_uefi_media", story::uefi_media),
    ("story_seabios", story::seabios),
    ("doctor", doctor::doctor),
    ("story_seabios_bios", story::seabios_bios),
    ("story_seabios_nvr", story::seabios_nvr),
    ("story_seabios_mac", story::seabios_mac),
    ("typing_uefi", typing::uefi),
    ("typing_linux", typing::linux),
    ("mouse_profiles", mouse::profiles),
    ("jiggle", mouse::jiggle),
    ("power_gpio", power::gpio),
    ("clock_jumps", clock::jumps),
    ("soak", soak::soak),
];

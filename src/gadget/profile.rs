//! What each profile shows to the target.
//!
//! | Profile | Functions, in the order of their interfaces | For |
//! |---|---|---|
//! | `full` | keyboard, absolute and relative pointer with AC Pan, consumer keys | whatever runs a system |
//! | `bios` | boot keyboard, boot mouse | firmware: some looks at the first HID interface only, some gives up on a device with anything it does not know |
//! | `nvr` | keyboard, absolute and relative pointer without AC Pan | video recorders and old firmware, whose pointer jumps or dies with a horizontal wheel |
//! | `mac` | keyboard, absolute pointer with AC Pan, consumer keys | macOS has one cursor for all pointers and accelerates a relative one, which then is somewhere else than the viewer's |

use crate::{
    config::Profile,
    hid::{
        descriptor::{
            ABSOLUTE, ABSOLUTE_PLAIN, BOOT_MOUSE, CONSUMER, Descriptor, KEYBOARD, RELATIVE,
            RELATIVE_PLAIN,
        },
        sink::Function,
    },
};

/// `R` of [`device_release`]: to be raised with every change of a descriptor.
const REVISION: u16 = 2;

impl Profile {
    /// Its functions, in the order of their interfaces.
    pub fn functions(self) -> &'static [(Function, &'static Descriptor)] {
        use Function::{Absolute, Consumer, Keyboard, Relative};
        match self {
            Profile::Full => &[
                (Keyboard, &KEYBOARD),
                (Absolute, &ABSOLUTE),
                (Relative, &RELATIVE),
                (Consumer, &CONSUMER),
            ],
            Profile::Bios => &[(Keyboard, &KEYBOARD), (Relative, &BOOT_MOUSE)],
            Profile::Nvr => &[
                (Keyboard, &KEYBOARD),
                (Absolute, &ABSOLUTE_PLAIN),
                (Relative, &RELATIVE_PLAIN),
            ],
            Profile::Mac => &[
                (Keyboard, &KEYBOARD),
                (Absolute, &ABSOLUTE),
                (Consumer, &CONSUMER),
            ],
        }
    }

    /// Attributes of the gadget and its configuration that are the profile's.
    pub(super) fn attributes(self) -> [(&'static str, &'static str); 3] {
        match self {
            // As a keyboard of the days of that firmware: USB 1.1 at full speed. Most kernels say 2.00 to the target whatever
            // is written here, so the speed is what makes the difference; a device that says 1.1 at high speed would be
            // against USB 2.0, section 9.6.1. 100 mA is what any port gives before it is asked.
            Profile::Bios => [
                ("bcdUSB", "0x0110"),
                ("max_speed", "full-speed"),
                ("configs/c.1/MaxPower", "100"),
            ],
            Profile::Full | Profile::Nvr | Profile::Mac => [
                ("bcdUSB", "0x0200"),
                ("max_speed", "super-speed-plus"),
                ("configs/c.1/MaxPower", "250"),
            ],
        }
    }
}

/// `bcdDevice` of a gadget of this profile (`None`: of no functions of ours) with these other functions, such as `acm.usb0`.
///
/// Windows and some others keep the descriptors that they read once under vendor, product and this number, so it differs
/// wherever descriptors do. It is `RPEE` in decimal digits: the revision of this program's descriptors; the profile, 1 to 4
/// in the order of [`Profile::ALL`] or 9 for none; and the extra functions, 00 for none, 01 for virtual media alone,
/// else 10 to 99 by a checksum of their kinds in their order.
pub(super) fn device_release<'a>(
    profile: Option<Profile>,
    extra: impl IntoIterator<Item = &'a str>,
) -> String {
    let place = profile.and_then(|profile| Profile::ALL.iter().position(|p| *p == profile));
    let digit = place.map_or(9, |place| place + 1);
    let kinds: Vec<_> = extra.into_iter().map(kind).collect();
    let extra = match kinds[..] {
        [] => 0,
        ["mass_storage"] => 1,
        _ => 10 + checksum(&kinds) % 90,
    };
    format!("0x{REVISION}{digit}{extra:02}")
}

/// What stands before the dot of a function's name.
pub(super) fn kind(function: &str) -> &str {
    function.split('.').next().unwrap_or(function)
}

/// FNV-1a, 32 bits.
fn checksum(kinds: &[&str]) -> u32 {
    let bytes = kinds
        .iter()
        .flat_map(|kind| kind.bytes().chain(std::iter::once(b'.')));
    bytes.fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyboard_is_first_and_firmware_gets_boot_functions_alone() {
        for profile in Profile::ALL {
            let functions = profile.functions();
            assert_eq!(functions[0], (Function::Keyboard, &KEYBOARD), "{profile}");
            // The kernel has four numbers for such functions (HIDG_MINORS).
            assert!(functions.len() <= 4);
            for (function, descriptor) in functions {
                assert!(function.takes(descriptor.report_length), "{profile}");
            }
        }
        let boot = Profile::Bios.functions().iter();
        assert!(boot.clone().all(|(_, descriptor)| descriptor.subclass == 1));
        assert_eq!(
            boot.map(|(_, d)| d.report_length).collect::<Vec<_>>(),
            [8, 3]
        );
    }

    #[test]
    fn the_release_tells_profiles_and_extra_functions_apart() {
        let sets: [&[&str]; 5] = [
            &[],
            &["mass_storage.media"],
            &["acm.usb0"],
            &["acm.usb0", "mass_storage.media"],
            &["acm.usb0", "ecm.usb0"],
        ];
        let mut all = Vec::new();
        for profile in Profile::ALL.map(Some).into_iter().chain([None]) {
            for set in sets {
                all.push(device_release(profile, set.iter().copied()));
            }
        }
        assert_eq!(all[0], "0x2100");
        assert!(all.iter().all(|text| text.len() == 6));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        // The name of an instance is nothing that the target sees.
        assert_eq!(
            device_release(None, ["acm.usb0"]),
            device_release(None, ["acm.console"])
        );
    }
}

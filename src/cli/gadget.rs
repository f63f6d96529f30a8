//! `rfbridge gadget` and `rfbridge media`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::config::Profile;

/// What is to become of the USB gadget.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum GadgetCommand {
    /// Create the gadget, plug it in and print the device of each function
    Up {
        /// What the target is shown: full, bios, nvr or mac [default: what the gadget is, else full]
        #[arg(long, value_name = "NAME")]
        profile: Option<Profile>,
        /// Device controller, as in /sys/class/udc [default: the first free one]
        #[arg(long, value_name = "NAME")]
        controller: Option<String>,
    },
    /// Make the gadget another one; the target sees it unplugged and plugged in again
    #[command(after_help = "\
        full  keyboard, absolute and relative mouse, media keys\n\
        bios  boot keyboard and boot mouse at full speed (12 Mbit/s), for firmware that is particular\n\
        nvr   keyboard, absolute and relative mouse without horizontal wheel, for video recorders\n\
        mac   keyboard, absolute mouse, media keys")]
    Profile {
        #[arg(value_name = "NAME")]
        profile: Profile,
    },
    /// Unplug the gadget and remove it; functions that others put into it stay
    Down {
        /// Remove what others put into it as well
        #[arg(long)]
        all: bool,
    },
    /// Show the gadget, its controller and what is wrong with them
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What is to become of the virtual drive.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum MediaCommand {
    /// Put an image into the drive, read-only unless told otherwise
    Insert {
        /// Image file or block device
        #[arg(value_name = "FILE")]
        image: PathBuf,
        /// Show it as a CD-ROM [default for .iso files and ISO 9660 images]
        #[arg(long, conflicts_with_all = ["disk", "rw"])]
        cdrom: bool,
        /// Show it as a disk [default for all others]
        #[arg(long)]
        disk: bool,
        /// Let the target write to it; then it is a disk
        #[arg(long)]
        rw: bool,
    },
    /// Take the image out, even if the target has it locked
    Eject,
    /// Take the drive itself away from the target
    Remove,
    /// Show what is in the drive
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse_from};

    fn parse(line: &str) -> Result<Command, String> {
        let words: Vec<_> = line.split(' ').collect();
        parse_from(&words).map_err(|(text, _)| text)
    }

    #[test]
    fn what_may_be_done_to_the_gadget() {
        let gadget = |line: &str| parse(&format!("rfbridge gadget {line}"));
        let up = |profile, controller: Option<&str>| {
            let controller = controller.map(str::to_owned);
            Ok(Command::Gadget(GadgetCommand::Up {
                profile,
                controller,
            }))
        };
        assert_eq!(gadget("up"), up(None, None));
        assert_eq!(
            gadget("up --controller fe980000.usb --profile bios"),
            up(Some(Profile::Bios), Some("fe980000.usb"))
        );
        for profile in Profile::ALL {
            let command = GadgetCommand::Profile { profile };
            assert_eq!(
                gadget(&format!("profile {profile}")),
                Ok(Command::Gadget(command))
            );
        }
        let error = gadget("profile usb").expect_err("no such profile");
        assert!(error.contains("full, bios, nvr, mac"), "{error}");
        for (line, all) in [("down", false), ("down --all", true)] {
            let command = GadgetCommand::Down { all };
            assert_eq!(gadget(line), Ok(Command::Gadget(command)));
        }
        for (line, json) in [("status", false), ("status --json", true)] {
            let command = GadgetCommand::Status { json };
            assert_eq!(gadget(line), Ok(Command::Gadget(command)));
        }
    }

    #[test]
    fn what_may_be_done_to_the_drive() {
        let media = |line: &str| parse(&format!("rfbridge media {line}"));
        let insert = |cdrom, disk, rw| {
            Ok(Command::Media(MediaCommand::Insert {
                image: "/i".into(),
                cdrom,
                disk,
                rw,
            }))
        };
        assert_eq!(media("insert /i"), insert(false, false, false));
        assert_eq!(media("insert /i --cdrom"), insert(true, false, false));
        assert_eq!(media("insert /i --disk --rw"), insert(false, true, true));
        for line in [
            "insert",
            "insert /i --cdrom --disk",
            "insert /i --cdrom --rw",
        ] {
            assert!(media(line).is_err(), "{line}");
        }
        for (line, command) in [
            ("eject", MediaCommand::Eject),
            ("remove", MediaCommand::Remove),
            ("status --json", MediaCommand::Status { json: true }),
        ] {
            assert_eq!(media(line), Ok(Command::Media(command)));
        }
    }
}

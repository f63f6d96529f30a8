//! What can go wrong with a gadget, and what to do then.

use std::{io, path::PathBuf};

use crate::hid::sink::{Function, configfs::GADGET};

#[derive(Debug, thiserror::Error)]
pub enum GadgetError {
    #[error(
        "{0} is not there: load the module (`modprobe libcomposite`) and mount configfs on /sys/kernel/config"
    )]
    NoConfigfs(PathBuf),
    #[error(
        "no USB device controller in {0}: this machine has no port that can be a gadget, or its driver is not in that mode (Raspberry Pi: dtoverlay=dwc2,dr_mode=peripheral)"
    )]
    NoController(PathBuf),
    #[error("there is no USB device controller `{wanted}`; there are: {there}")]
    UnknownController { wanted: String, there: String },
    #[error(
        "the USB device controller {controller} is taken by the gadget `{gadget}`: unplug that first (`echo > {}`), or choose another with --controller",
        udc.display()
    )]
    TakenByGadget {
        controller: String,
        gadget: String,
        udc: PathBuf,
    },
    #[error(
        "the USB device controller {controller} is taken by the kernel's driver `{driver}`: unload its module (`rmmod {driver}`), or choose another with --controller"
    )]
    TakenByModule { controller: String, driver: String },
    #[error("there is no gadget: create it (`rfbridge gadget up`)")]
    NoGadget,
    #[error(
        "the gadget cannot be plugged into {controller}: {error}; does the controller have the endpoints for all of its functions? `rfbridge gadget profile bios` needs the fewest, and the kernel's log (`dmesg`) says more"
    )]
    Bind {
        controller: String,
        error: io::Error,
    },
    #[error(
        "the gadget would need {needs} endpoints ({list}) and {controller} ({driver}) has {has}: choose a smaller profile (`rfbridge gadget profile bios` needs 2), take the drive out (`rfbridge media remove`), or take a function of others out"
    )]
    Endpoints {
        controller: String,
        driver: String,
        needs: usize,
        has: usize,
        list: String,
    },
    #[error(
        "the gadget would need {needs} HID functions and the kernel has {free} left of 4; others have: {others}. Remove those, or choose a smaller profile (`rfbridge gadget profile bios` needs 2)"
    )]
    HidFunctions {
        needs: usize,
        free: usize,
        others: String,
    },
    #[error("cannot {what} {}: {error}; only root may change gadgets (sudo)", path.display())]
    NotAllowed {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error(
        "the kernel has no function `{kind}` for gadgets: load its module (`modprobe usb_f_{kind}`); {} cannot be created",
        path.display()
    )]
    NoSuchFunction { kind: String, path: PathBuf },
    #[error("no device node for {0} appeared in {1}: is udev or devtmpfs running?")]
    NoNode(Function, PathBuf),
    #[error("the drive holds {} already: take it out first (`rfbridge media eject`)", .0.display())]
    DriveIsFull(PathBuf),
    #[error(
        "{error}. Making the gadget what it was failed as well: {then}; `rfbridge gadget down` and `rfbridge gadget up` make it anew"
    )]
    NotUndone {
        error: Box<GadgetError>,
        then: Box<GadgetError>,
    },
    #[error(
        "our functions are removed, but the gadget `{GADGET}` with what others put into it cannot be plugged in again: {0}"
    )]
    NotPluggedAgain(Box<GadgetError>),
}

//! The USB gadget in the kernel's configfs, `usb_gadget/rfbridge`: created, changed while it is used, and removed.
//!
//! A gadget is described as a value, and every change is one from a description to another: unplug, make,
//! plug in. If that fails the one before is made again, so a target that had a keyboard still has it. Functions that
//! others put into our gadget stay in it. `rfbridge serve` needs to be told nothing: it finds the functions where they are.

mod budget;
mod configfs;
mod controller;
mod error;
mod media;
mod profile;
mod shape;
mod status;

use std::{io, path::PathBuf};

use configfs::{Calls, Directory, Kernel};
use media::Drive;
use shape::Shape;

pub use crate::hid::sink::configfs::Places;
use crate::{config::Profile, hid::sink::Function};
pub use budget::{Endpoints, Limit};
pub use error::GadgetError;
pub use media::{Image, ImageError, Kind};
pub use status::{MediaStatus, Status};

/// The gadget in configfs, plugged into a controller or not.
#[derive(Debug)]
pub struct Gadget {
    places: Places,
    directory: Directory,
}

/// What is left of a gadget that was taken down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    /// The gadget with these functions, which others put into it.
    Others(Vec<String>),
}

impl Gadget {
    /// Makes sure that there is a gadget of this profile, plugged into the controller of this name. Without a profile
    /// it is the one that is there already, or `full`; without a controller the one that it has, or the first free one.
    pub fn up(
        places: Places,
        profile: Option<Profile>,
        controller: Option<&str>,
    ) -> Result<Self, GadgetError> {
        Self::up_with(Box::new(Kernel), places, profile, controller)
    }

    fn up_with(
        calls: Box<dyn Calls>,
        places: Places,
        profile: Option<Profile>,
        controller: Option<&str>,
    ) -> Result<Self, GadgetError> {
        if !places.gadgets.is_dir() {
            return Err(GadgetError::NoConfigfs(places.gadgets));
        }
        let gadget = Self::at(calls, places);
        let before = gadget.controller();
        let controller = match (controller, &before) {
            (None, Some(controller)) => controller.clone(),
            (wanted, _) => controller::choose(&gadget.places, wanted)?,
        };
        let is_new = !gadget.exists();
        if is_new {
            gadget.directory.make("")?;
        }
        let now = Shape::read(&gadget.directory);
        let profile = profile.or(now.profile()).unwrap_or_default();
        let wanted = Shape::new(Some(profile), now.drive.clone(), now.others.clone());
        gadget.turn_into(&wanted, &now, Some(&controller), is_new)?;
        Ok(gadget)
    }

    /// The gadget that is there, if it is.
    pub fn existing(places: Places) -> Result<Self, GadgetError> {
        Self::existing_with(Box::new(Kernel), places)
    }

    fn existing_with(calls: Box<dyn Calls>, places: Places) -> Result<Self, GadgetError> {
        let gadget = Self::at(calls, places);
        if gadget.exists() {
            Ok(gadget)
        } else {
            Err(GadgetError::NoGadget)
        }
    }

    fn at(calls: Box<dyn Calls>, places: Places) -> Self {
        Self {
            directory: Directory::new(places.gadget(), calls),
            places,
        }
    }

    /// Makes it another profile, and plugs it in again if it was.
    pub fn set_profile(&self, profile: Profile) -> Result<(), GadgetError> {
        let now = Shape::read(&self.directory);
        let wanted = Shape::new(Some(profile), now.drive.clone(), now.others.clone());
        self.reshape(&now, &wanted)
    }

    /// Unplugs the gadget and removes it, or only what is ours of it if others have functions there and not `all` is
    /// to be removed.
    pub fn down(self, all: bool) -> Result<Left, GadgetError> {
        let controller = self.controller();
        let others = shape::functions_of_others(&self.directory);
        let now = Shape::read(&self.directory);
        self.unplug()?;
        if all || others.is_empty() {
            shape::demolish(&self.directory)?;
            return Ok(Left::Nothing);
        }
        let is_used = !now.others.is_empty();
        Shape::new(None, None, now.others).make(&self.directory)?;
        if let Some(controller) = controller.filter(|_| is_used) {
            self.plug_in(&controller)
                .map_err(|error| GadgetError::NotPluggedAgain(Box::new(error)))?;
        }
        Ok(Left::Others(others))
    }

    /// Puts an image into the drive. Only a drive of this kind that is there already makes it possible without
    /// unplugging the gadget for a moment.
    pub fn insert(&self, image: &Image) -> Result<(), GadgetError> {
        let now = Shape::read(&self.directory);
        let wanted = Drive::with(image);
        match &now.drive {
            Some(drive) if *drive == wanted => Ok(()),
            Some(Drive {
                file: Some(file), ..
            }) => Err(GadgetError::DriveIsFull(file.clone())),
            Some(drive) if drive.kind == wanted.kind => {
                wanted.write_kind(&self.directory)?;
                wanted.insert(&self.directory)
            }
            _ => self.reshape(&now, &now.with_drive(Some(wanted))),
        }
    }

    /// Takes the image out of the drive, even if the target has it locked; gives what it was.
    pub fn eject(&self) -> Result<Option<PathBuf>, GadgetError> {
        let now = Shape::read(&self.directory);
        let Some(drive @ Drive { file: Some(_), .. }) = now.drive.clone() else {
            return Ok(None);
        };
        match media::eject(&self.directory) {
            // An older kernel leaves it in while the target has it locked: unplugged, there is no target.
            Err(GadgetError::Io { error, .. }) if error.raw_os_error() == Some(libc::EBUSY) => {
                let empty = Drive {
                    file: None,
                    ..drive.clone()
                };
                self.reshape(&now, &now.with_drive(Some(empty)))?;
            }
            ejected => ejected?,
        }
        Ok(drive.file)
    }

    /// Takes the drive away; whether there was one.
    pub fn remove_drive(&self) -> Result<bool, GadgetError> {
        let now = Shape::read(&self.directory);
        let has_drive = now.drive.is_some();
        if has_drive {
            self.reshape(&now, &now.with_drive(None))?;
        }
        Ok(has_drive)
    }

    /// Each function's device node.
    pub fn nodes(&self) -> Result<Vec<(Function, PathBuf)>, GadgetError> {
        let shape = Shape::read(&self.directory);
        let find = |(function, _): &(Function, _)| {
            let node = self.places.hid_function(*function);
            let node = node.and_then(|found| self.places.node(&found.number));
            node.map(|node| (*function, node))
                .ok_or_else(|| GadgetError::NoNode(*function, self.places.devices.clone()))
        };
        shape.hid.iter().map(find).collect()
    }

    fn reshape(&self, now: &Shape, wanted: &Shape) -> Result<(), GadgetError> {
        self.turn_into(wanted, now, self.controller().as_deref(), false)
    }

    /// Makes it what is wanted, plugged into this controller, or leaves it as it was; a new one is gone again then.
    fn turn_into(
        &self,
        wanted: &Shape,
        now: &Shape,
        controller: Option<&str>,
        is_new: bool,
    ) -> Result<(), GadgetError> {
        let before = self.controller();
        if before.as_deref() == controller && wanted.is_made(&self.directory) {
            return Ok(());
        }
        let change = || {
            if let Some(controller) = controller {
                budget::check(&self.places, &self.directory, wanted, controller)?;
            }
            self.change(wanted, controller)
        };
        let Err(error) = change() else {
            return Ok(());
        };
        let undone = if is_new {
            self.unplug()
                .and_then(|()| shape::demolish(&self.directory))
        } else if before.as_deref() == self.controller().as_deref() && now.is_made(&self.directory)
        {
            Ok(()) // Nothing was changed yet.
        } else {
            self.change(now, before.as_deref())
        };
        match undone {
            Ok(()) => Err(error),
            Err(then) => Err(GadgetError::NotUndone {
                error: Box::new(error),
                then: Box::new(then),
            }),
        }
    }

    fn change(&self, wanted: &Shape, controller: Option<&str>) -> Result<(), GadgetError> {
        self.unplug()?;
        wanted.make(&self.directory)?;
        controller.map_or(Ok(()), |controller| self.plug_in(controller))
    }

    fn plug_in(&self, controller: &str) -> Result<(), GadgetError> {
        let refused = |error| GadgetError::Bind {
            controller: controller.to_owned(),
            error,
        };
        match self.directory.write("UDC", controller) {
            Err(GadgetError::Io { error, .. }) if error.raw_os_error() == Some(libc::EBUSY) => {
                controller::free(&self.places, controller)?;
                Err(refused(error))
            }
            Err(GadgetError::Io { error, .. }) => Err(refused(error)),
            written => written,
        }
    }

    fn unplug(&self) -> Result<(), GadgetError> {
        if self.controller().is_none() {
            return Ok(());
        }
        match self.directory.write("UDC", "\n") {
            // The controller may be gone by itself.
            Err(GadgetError::Io { error, .. }) if is_no_device(&error) => Ok(()),
            written => written,
        }
    }

    fn controller(&self) -> Option<String> {
        self.places.controller()
    }

    fn exists(&self) -> bool {
        self.directory.path.is_dir()
    }
}

fn is_no_device(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENODEV)
}

#[cfg(test)]
mod tests;

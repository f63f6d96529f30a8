//! `rfbridge gadget` and `rfbridge media`: what is done, and what is said of it.

use super::{StartError, print};
use crate::{
    cli::{GadgetCommand, MediaCommand},
    gadget::{Gadget, Image, Kind, Left, MediaStatus, Places, Status},
};

pub(super) fn gadget(command: GadgetCommand) -> Result<(), StartError> {
    let places = Places::default();
    match command {
        GadgetCommand::Up {
            profile,
            controller,
        } => {
            let gadget = Gadget::up(places, profile, controller.as_deref())?;
            print(&nodes(&gadget)?)
        }
        GadgetCommand::Profile { profile } => {
            let gadget = Gadget::existing(places.clone())?;
            gadget.set_profile(profile)?;
            let is_plugged = Status::read(&places).controller.is_some();
            if is_plugged {
                print(&nodes(&gadget)?)
            } else {
                print("the gadget is not plugged in; `rfbridge gadget up` does that\n")
            }
        }
        GadgetCommand::Down { all } => match Gadget::existing(places) {
            Err(_) => print("there is no gadget\n"),
            Ok(gadget) => match gadget.down(all)? {
                Left::Nothing => Ok(()),
                Left::Others(functions) => print(&format!(
                    "the gadget stays with what others put into it: {}; `rfbridge gadget down --all` removes that as well\n",
                    functions.join(", ")
                )),
            },
        },
        GadgetCommand::Status { json } => {
            let status = Status::read(&places);
            print(&if json {
                status.to_json() + "\n"
            } else {
                status.to_string()
            })
        }
    }
}

pub(super) fn media(command: MediaCommand) -> Result<(), StartError> {
    let places = Places::default();
    match command {
        MediaCommand::Insert {
            image,
            cdrom,
            disk,
            rw,
        } => {
            let gadget = Gadget::existing(places.clone())?;
            let kind = match (cdrom, disk) {
                (true, _) => Some(Kind::Cdrom),
                (_, true) => Some(Kind::Disk),
                _ => None,
            };
            let image = Image::open(&image, kind, rw)?;
            gadget.insert(&image)?;
            let notes = image
                .notes()
                .into_iter()
                .map(|note| format!("note: {note}\n"));
            print(&format!(
                "{}\n{}",
                MediaStatus::read(&places),
                notes.collect::<String>()
            ))
        }
        MediaCommand::Eject => match Gadget::existing(places)?.eject()? {
            Some(file) => print(&format!("{} is out\n", file.display())),
            None => print("the drive is empty\n"),
        },
        MediaCommand::Remove => {
            let was_there = Gadget::existing(places)?.remove_drive()?;
            print(if was_there {
                "the drive is gone\n"
            } else {
                "there is no drive\n"
            })
        }
        MediaCommand::Status { json } => {
            let status = MediaStatus::read(&places);
            print(&if json {
                status.to_json() + "\n"
            } else {
                format!("{status}\n")
            })
        }
    }
}

/// A line for each function.
fn nodes(gadget: &Gadget) -> Result<String, StartError> {
    let nodes = gadget.nodes()?.into_iter();
    Ok(nodes
        .map(|(function, path)| format!("{function} {}\n", path.display()))
        .collect())
}

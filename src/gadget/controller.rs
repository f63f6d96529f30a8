//! USB device controllers, and who has them.

use std::path::Path;

use super::{GadgetError, configfs::names};
use crate::hid::sink::configfs::{GADGET, Places, attribute};

/// The controller of this name, or the first one that nobody else has.
pub(super) fn choose(places: &Places, wanted: Option<&str>) -> Result<String, GadgetError> {
    let there = names(&places.controllers);
    if there.is_empty() {
        return Err(GadgetError::NoController(places.controllers.clone()));
    }
    match wanted {
        Some(name) if !there.iter().any(|there| there == name) => {
            Err(GadgetError::UnknownController {
                wanted: name.to_owned(),
                there: there.join(", "),
            })
        }
        Some(name) => free(places, name).map(|()| name.to_owned()),
        None => {
            let is_free = |name: &&String| free(places, name).is_ok();
            if let Some(name) = there.iter().find(is_free) {
                return Ok(name.clone());
            }
            free(places, &there[0]).map(|()| there[0].clone())
        }
    }
}

/// Whether nobody but our gadget has it.
pub(super) fn free(places: &Places, controller: &str) -> Result<(), GadgetError> {
    let has_it = |gadget: &Path| attribute(&gadget.join("UDC")).as_deref() == Some(controller);
    let gadgets = names(&places.gadgets).into_iter();
    let other = gadgets
        .filter(|name| name != GADGET)
        .find(|name| has_it(&places.gadgets.join(name)));
    let controller = controller.to_owned();
    if let Some(gadget) = other {
        let udc = places.gadgets.join(&gadget).join("UDC");
        return Err(GadgetError::TakenByGadget {
            controller,
            gadget,
            udc,
        });
    }
    // The kernel's older gadgets are modules, and not in configfs.
    let driver = attribute(&places.controllers.join(&controller).join("function"));
    match driver.filter(|driver| !driver.is_empty() && driver != GADGET) {
        Some(driver) => Err(GadgetError::TakenByModule { controller, driver }),
        None => Ok(()),
    }
}

/// The driver of a controller, such as `dwc2`.
pub(super) fn driver(places: &Places, controller: &str) -> Option<String> {
    let link = places.controllers.join(controller).join("device/driver");
    let to = std::fs::read_link(link).ok()?;
    Some(to.file_name()?.to_str()?.to_owned())
}

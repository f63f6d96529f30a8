//! Whether a controller has the endpoints that a gadget needs, and the kernel the numbers: known before anything is
//! changed, since the kernel says only that it did not work.

use std::{fmt, ops::Add};

use super::{
    GadgetError,
    configfs::{Directory, names},
    controller,
    profile::kind,
    shape::Shape,
};
use crate::hid::sink::configfs::{GADGET, Places};

/// `HIDG_MINORS` of the kernel's `f_hid`: how many HID functions all gadgets of a machine have together.
const HID_FUNCTIONS: usize = 4;

/// Endpoints besides endpoint 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub input: usize,
    pub output: usize,
}

impl Endpoints {
    /// Those of a function such as `acm.usb0`, as its driver in the kernel claims them. Only HID functions take the second
    /// one or not, by their attribute `no_out_endpoint`.
    pub fn of(function: &str, has_out: impl FnOnce() -> bool) -> Self {
        let (input, output) = match kind(function) {
            "hid" => (1, usize::from(has_out())),
            "mass_storage" | "gser" | "obex" | "eem" | "geth" | "midi" | "printer"
            | "SourceSink" | "Loopback" | "uac1_legacy" => (1, 1),
            "acm" | "ecm" | "ncm" | "rndis" => (2, 1),
            "uac1" | "uac2" => (2, 1),
            "uvc" => (2, 0),
            // FunctionFS and what is not known: as it likes.
            _ => (0, 0),
        };
        Self { input, output }
    }
}

impl Add for Endpoints {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
        }
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} IN and {} OUT", self.input, self.output)
    }
}

/// What a controller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    each: Endpoints,
    /// Of both directions together.
    total: usize,
}

impl Limit {
    /// What controllers with this driver have, where that is known.
    pub fn of(driver: &str) -> Option<Self> {
        let found = LIMITS.iter().find(|(name, _)| *name == driver);
        found.map(|(_, limit)| *limit)
    }

    pub fn fits(self, needs: Endpoints) -> bool {
        needs.input <= self.each.input
            && needs.output <= self.each.output
            && needs.input + needs.output <= self.total
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} together", self.each, self.total)
    }
}

/// What is known of controllers, by their drivers. Others have what the kernel finds when it binds the gadget.
///
/// Of dwc2 it is what the one in Raspberry Pis has: seven endpoints in each direction, and memory for nine queues, so that
/// more never worked together.
const LIMITS: [(&str, Limit); 1] = [(
    "dwc2",
    Limit {
        each: Endpoints {
            input: 7,
            output: 7,
        },
        total: 9,
    },
)];

/// Checks a gadget that is to be on a controller.
pub(super) fn check(
    places: &Places,
    gadget: &Directory,
    wanted: &Shape,
    controller: &str,
) -> Result<(), GadgetError> {
    check_hid_functions(places, gadget, wanted)?;
    let others = wanted.others.iter().map(|(_, function)| function.clone());
    let functions: Vec<_> = wanted.ours().chain(others).collect();
    let (mut all, mut list) = (Endpoints::default(), Vec::new());
    for function in &functions {
        // Ours are told to do without the second; those of others say so.
        let has_out = || {
            let no_out_endpoint = gadget.read(&format!("functions/{function}/no_out_endpoint"));
            no_out_endpoint.as_deref() == Some("0")
        };
        let one = Endpoints::of(function, has_out);
        all = all + one;
        list.push(format!("{function} {}", one.input + one.output));
    }
    let Some(driver) = controller::driver(places, controller) else {
        return Ok(());
    };
    let Some(limit) = Limit::of(&driver).filter(|limit| !limit.fits(all)) else {
        return Ok(());
    };
    Err(GadgetError::Endpoints {
        controller: controller.to_owned(),
        driver,
        needs: all.input + all.output,
        has: limit.total,
        list: list.join(", "),
    })
}

fn check_hid_functions(
    places: &Places,
    gadget: &Directory,
    wanted: &Shape,
) -> Result<(), GadgetError> {
    let others_here = super::shape::functions_of_others(gadget);
    let here = others_here
        .iter()
        .map(|function| format!("{GADGET}/{function}"));
    let elsewhere = names(&places.gadgets)
        .into_iter()
        .filter(|name| name != GADGET);
    let elsewhere = elsewhere.flat_map(|name| {
        let functions = names(&places.gadgets.join(&name).join("functions"));
        functions
            .into_iter()
            .map(move |function| format!("{name}/{function}"))
    });
    let is_hid = |path: &String| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| kind(name) == "hid")
    };
    let others: Vec<_> = here.chain(elsewhere).filter(is_hid).collect();
    let free = HID_FUNCTIONS.saturating_sub(others.len());
    if wanted.hid.len() <= free {
        return Ok(());
    }
    Err(GadgetError::HidFunctions {
        needs: wanted.hid.len(),
        free,
        others: others.join(", "),
    })
}

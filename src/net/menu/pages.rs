//! What the menu's pages hold.

use std::sync::Arc;

use crate::{
    config::PowerAction,
    hid::PointerMode,
    net::{hotkey::Command, roster::Standing},
};

/// What there is to choose from for one client, as it was when its menu was opened.
#[derive(Clone, Debug)]
pub(in crate::net) struct Offer {
    pub(in crate::net) standing: Standing,
    /// Only one client at a time has control.
    pub(in crate::net) one_controls: bool,
    /// A text is being typed.
    pub(in crate::net) is_typing: bool,
    pub(in crate::net) pointer: PointerMode,
    /// The target's keyboard layout, and those that it can become.
    pub(in crate::net) layout: Arc<str>,
    pub(in crate::net) layouts: Vec<Arc<str>>,
    /// What this client may do with the target's power.
    pub(in crate::net) power: Vec<PowerAction>,
    /// Who is connected, a line for each.
    pub(in crate::net) people: Vec<String>,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::net) enum Choice {
    Command(Command),
    /// Keys that are pressed in this order and released the other way round, by their keysyms.
    Press(&'static [u32]),
    Power(PowerAction),
    /// The target's keyboard layout.
    Layout(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Main,
    Keys,
    FunctionKeys,
    Layouts,
    People,
    Power,
    /// Asks whether this is really meant.
    Sure(PowerAction),
}

/// What becomes of choosing a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Choose(Choice),
    Turn(Name),
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What is pressed for it.
    pub(super) letter: Option<char>,
    pub(super) label: String,
    /// None if there is nothing to choose.
    pub(super) step: Option<Step>,
}

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) name: Name,
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

const CTRL: u32 = 0xffe3;
const ALT: u32 = 0xffe9;
const F1: u32 = 0xffbe;

/// What viewers, or the systems that they run on, keep to themselves.
const KEYS: [(char, &str, &[u32]); 9] = [
    ('1', "Windows key", &[0xffeb]),
    ('2', "Alt+Tab", &[ALT, 0xff09]),
    ('3', "Alt+F4", &[ALT, F1 + 3]),
    ('4', "Ctrl+Alt+F1", &[CTRL, ALT, F1]),
    ('5', "Ctrl+Alt+F2", &[CTRL, ALT, F1 + 1]),
    ('6', "Ctrl+Alt+Backspace", &[CTRL, ALT, 0xff08]),
    ('7', "Print Screen", &[0xff61]),
    ('8', "Insert", &[0xff63]),
    ('9', "Delete", &[0xffff]),
];

/// Keyboards without these are common; firmware that asks for one is, too.
const FUNCTION_KEYS: [(char, &str, &[u32]); 12] = [
    ('1', "F1", &[F1]),
    ('2', "F2", &[F1 + 1]),
    ('3', "F3", &[F1 + 2]),
    ('4', "F4", &[F1 + 3]),
    ('5', "F5", &[F1 + 4]),
    ('6', "F6", &[F1 + 5]),
    ('7', "F7", &[F1 + 6]),
    ('8', "F8", &[F1 + 7]),
    ('9', "F9", &[F1 + 8]),
    ('0', "F10", &[F1 + 9]),
    ('a', "F11", &[F1 + 10]),
    ('b', "F12", &[F1 + 11]),
];

/// The keys of [`Command::CtrlAltDel`].
pub(in crate::net) const CTRL_ALT_DEL: &[u32] = &[CTRL, ALT, 0xffff];

impl Row {
    fn new(letter: char, label: impl Into<String>, step: Step) -> Self {
        Self {
            letter: Some(letter),
            label: label.into(),
            step: Some(step),
        }
    }

    fn command(command: Command, label: &str) -> Self {
        Self::new(
            command.letter(),
            label,
            Step::Choose(Choice::Command(command)),
        )
    }

    fn key((letter, label, keysyms): (char, &'static str, &'static [u32])) -> Self {
        Self::new(letter, label, Step::Choose(Choice::Press(keysyms)))
    }
}

impl Page {
    pub(super) fn new(name: Name, offer: &Offer) -> Self {
        let (title, rows) = match name {
            Name::Main => ("rfbridge".to_owned(), main(offer)),
            Name::Keys => (
                "Keys".to_owned(),
                KEYS.into_iter()
                    .map(Row::key)
                    .chain([Row::new(
                        'f',
                        "F1 to F12 ...",
                        Step::Turn(Name::FunctionKeys),
                    )])
                    .collect(),
            ),
            Name::FunctionKeys => (
                "F1 to F12".to_owned(),
                FUNCTION_KEYS.into_iter().map(Row::key).collect(),
            ),
            Name::Layouts => ("The target's keyboard layout".to_owned(), layouts(offer)),
            Name::People => ("Who is connected".to_owned(), people(offer)),
            Name::Power => ("Power".to_owned(), power(offer)),
            Name::Sure(action) => (
                format!("{}: really?", label(action)),
                vec![
                    Row::new('n', "No", Step::Turn(Name::Power)),
                    Row::new('y', "Yes", Step::Choose(Choice::Power(action))),
                ],
            ),
        };
        Self { name, title, rows }
    }

    /// Where Escape leads.
    pub(super) fn parent(&self) -> Option<Name> {
        match self.name {
            Name::Main => None,
            Name::Keys | Name::Layouts | Name::People | Name::Power => Some(Name::Main),
            Name::FunctionKeys => Some(Name::Keys),
            Name::Sure(_) => Some(Name::Power),
        }
    }
}

fn main(offer: &Offer) -> Vec<Row> {
    let mut rows = Vec::new();
    if offer.standing == Standing::Controls {
        rows.push(Row::command(Command::CtrlAltDel, "Ctrl+Alt+Del"));
        rows.push(Row::new('k', "Other keys ...", Step::Turn(Name::Keys)));
        rows.push(match offer.is_typing {
            true => Row::command(Command::CancelTyping, "Stop typing"),
            false => Row::command(Command::TypeClipboard, "Type what you copied"),
        });
        rows.push(Row::command(
            Command::TogglePointerMode,
            match offer.pointer {
                PointerMode::Absolute => "Use the relative mouse",
                PointerMode::Relative => "Use the absolute pointer",
            },
        ));
        let layout = format!("Keyboard layout ({}) ...", offer.layout);
        rows.push(Row::new('l', layout, Step::Turn(Name::Layouts)));
    }
    match &offer.standing {
        Standing::Controls if offer.one_controls => {
            rows.push(Row::command(Command::GiveUpControl, "Give up control"));
        }
        Standing::Waits { may_take: true, .. } => {
            rows.push(Row::command(Command::TakeControl, "Take control"));
        }
        _ => {}
    }
    let who = format!("Who is connected ({}) ...", offer.people.len());
    rows.push(Row::new('w', who, Step::Turn(Name::People)));
    if !offer.power.is_empty() {
        rows.push(Row::new('p', "Power ...", Step::Turn(Name::Power)));
    }
    rows
}

fn layouts(offer: &Offer) -> Vec<Row> {
    let row = |(number, name): (u32, &Arc<str>)| Row {
        letter: char::from_digit(number, 10),
        label: match (*name == offer.layout, &**name) {
            (true, name) => format!("{name}, as it is now"),
            (false, "us") => "us, which firmware has".to_owned(),
            (false, name) => name.to_owned(),
        },
        step: Some(Step::Choose(Choice::Layout(Arc::clone(name)))),
    };
    (1..).zip(&offer.layouts).map(row).collect()
}

fn people(offer: &Offer) -> Vec<Row> {
    let line = |line: &String| Row {
        letter: None,
        label: line.clone(),
        step: None,
    };
    offer.people.iter().map(line).collect()
}

fn power(offer: &Offer) -> Vec<Row> {
    let row = |action: &PowerAction| {
        let step = match action {
            PowerAction::On => Step::Choose(Choice::Power(*action)),
            other => Step::Turn(Name::Sure(*other)),
        };
        Row::new(letter(*action), label(*action), step)
    };
    offer.power.iter().map(row).collect()
}

fn letter(action: PowerAction) -> char {
    match action {
        PowerAction::On => 'o',
        PowerAction::Off => 's',
        PowerAction::ForceOff => 'f',
        PowerAction::Reset => 'r',
        PowerAction::Reboot => 'b',
    }
}

fn label(action: PowerAction) -> &'static str {
    match action {
        PowerAction::On => "Switch on",
        PowerAction::Off => "Shut down",
        PowerAction::ForceOff => "Force off",
        PowerAction::Reset => "Reset",
        PowerAction::Reboot => "Reboot",
    }
}

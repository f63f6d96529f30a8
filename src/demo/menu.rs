//! What can be seen and chosen on the target's screen, and how keys move through it.

use super::us_layout::Key;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Main,
    Boot,
    Text,
    Log,
    Motion,
}

impl Page {
    pub const ALL: [Page; 5] = [Page::Main, Page::Boot, Page::Text, Page::Log, Page::Motion];

    pub fn title(self) -> &'static str {
        match self {
            Page::Main => "Main",
            Page::Boot => "Boot",
            Page::Text => "Text",
            Page::Log => "Log",
            Page::Motion => "Motion",
        }
    }
}

/// Something with a value that can be chosen from a list.
pub struct Choice {
    pub label: &'static str,
    pub values: &'static [&'static str],
    pub help: &'static str,
    initial: usize,
    chosen: usize,
}

impl Choice {
    const fn new(
        label: &'static str,
        initial: usize,
        values: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            label,
            values,
            help,
            initial,
            chosen: initial,
        }
    }

    pub fn value(&self) -> &'static str {
        self.values.get(self.chosen).copied().unwrap_or_default()
    }
}

const SWITCH: &[&str] = &["Disabled", "Enabled"];
const DRIVES: &[&str] = &[
    "NVMe: system",
    "USB: installer",
    "Network (PXE)",
    "Disabled",
];
const ORDER_HELP: &str = "Which device is tried at this place. Enter opens the list.";

/// The open list of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Popup {
    pub item: usize,
    pub entry: usize,
}

/// What a key or click on the menu asks the target to do beyond moving about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Changed,
    /// Keep the typed line.
    KeepLine,
    /// Start or stop what the page shows (log, motion).
    Toggle,
}

pub struct Menu {
    page: Page,
    selected: usize,
    popup: Option<Popup>,
    main: Vec<Choice>,
    boot: Vec<Choice>,
}

impl Menu {
    pub(super) fn new() -> Self {
        Self {
            page: Page::Main,
            selected: 0,
            popup: None,
            main: vec![
                Choice::new(
                    "Quiet boot",
                    0,
                    SWITCH,
                    "Enabled hides the messages of the power-on self test.",
                ),
                Choice::new(
                    "Fan profile",
                    1,
                    &["Silent", "Balanced", "Full speed"],
                    "How eagerly the fans follow the temperature.",
                ),
                Choice::new(
                    "After power loss",
                    2,
                    &["Stay off", "Power on", "Last state"],
                    "What the machine does when mains power returns.",
                ),
            ],
            boot: vec![
                Choice::new("Boot option #1", 1, DRIVES, ORDER_HELP),
                Choice::new("Boot option #2", 0, DRIVES, ORDER_HELP),
                Choice::new("Boot option #3", 2, DRIVES, ORDER_HELP),
                Choice::new(
                    "Fast boot",
                    0,
                    SWITCH,
                    "Skips devices that were absent at the last start.",
                ),
                Choice::new(
                    "Secure boot",
                    1,
                    SWITCH,
                    "Starts only loaders with a known signature.",
                ),
                Choice::new(
                    "Prompt timeout",
                    1,
                    &["0 s", "3 s", "10 s", "For ever"],
                    "How long the machine waits for the setup key.",
                ),
            ],
        }
    }

    pub fn page(&self) -> Page {
        self.page
    }

    /// The selected item; 0 is the text field or the switch on pages that have one.
    pub fn selected(&self) -> usize {
        self.selected
    }

    pub fn popup(&self) -> Option<Popup> {
        self.popup
    }

    pub fn choices(&self) -> &[Choice] {
        match self.page {
            Page::Main => &self.main,
            Page::Boot => &self.boot,
            _ => &[],
        }
    }

    /// Items of this page: its text field or switch, if it has one, then its choices.
    pub(super) fn item_count(&self) -> usize {
        self.first_choice() + self.choices().len()
    }

    /// The item that the first choice is.
    pub(super) fn first_choice(&self) -> usize {
        usize::from(self.page != Page::Boot)
    }

    pub fn choice(&self, item: usize) -> Option<&Choice> {
        let index = item.checked_sub(self.first_choice())?;
        self.choices().get(index)
    }

    /// Whether typed characters go to the text field here.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self.page, Page::Main | Page::Text) && self.popup.is_none()
    }

    pub(super) fn open_page(&mut self, page: Page) -> Action {
        self.page = page;
        self.selected = 0;
        self.popup = None;
        Action::Changed
    }

    /// The text field becomes the selected item.
    pub(super) fn select_text(&mut self) {
        self.selected = 0;
    }

    pub(super) fn key(&mut self, key: Key) -> Action {
        if let Some(popup) = self.popup {
            return self.popup_key(popup, key);
        }
        let items = self.item_count();
        match key {
            Key::Right => self.neighbour(1),
            Key::Left => self.neighbour(Page::ALL.len() - 1),
            Key::Down | Key::Tab => self.select((self.selected + 1) % items),
            Key::Up => self.select((self.selected + items - 1) % items),
            Key::Home => self.select(0),
            Key::End => self.select(items - 1),
            Key::Escape => self.open_page(Page::Main),
            Key::Enter => self.enter(),
            Key::Char(' ') if matches!(self.page, Page::Log | Page::Motion) => Action::Toggle,
            Key::Function(9) => {
                for choice in self.main.iter_mut().chain(&mut self.boot) {
                    choice.chosen = choice.initial;
                }
                Action::Changed
            }
            _ => Action::None,
        }
    }

    /// A click on an item selects it and does what Enter does, but never ends a line.
    pub(super) fn click_item(&mut self, item: usize) -> Action {
        self.select(item);
        match self.enter() {
            Action::KeepLine => Action::Changed,
            other => other,
        }
    }

    /// A click on an entry of the open list, or beside the list, which closes it.
    pub(super) fn click_entry(&mut self, entry: Option<usize>) -> Action {
        if let (Some(popup), Some(entry)) = (self.popup, entry) {
            self.choose(Popup { entry, ..popup });
        }
        self.popup = None;
        Action::Changed
    }

    fn popup_key(&mut self, popup: Popup, key: Key) -> Action {
        let count = self.choice(popup.item).map_or(1, |c| c.values.len());
        let entry = match key {
            Key::Down => (popup.entry + 1) % count,
            Key::Up => (popup.entry + count - 1) % count,
            Key::Home => 0,
            Key::End => count - 1,
            Key::Enter => {
                self.choose(popup);
                self.popup = None;
                return Action::Changed;
            }
            Key::Escape => {
                self.popup = None;
                return Action::Changed;
            }
            _ => return Action::None,
        };
        self.popup = Some(Popup { entry, ..popup });
        Action::Changed
    }

    fn choose(&mut self, popup: Popup) {
        let index = popup.item.wrapping_sub(self.first_choice());
        let choices = match self.page {
            Page::Main => &mut self.main,
            _ => &mut self.boot,
        };
        if let Some(choice) = choices.get_mut(index) {
            choice.chosen = popup.entry;
        }
    }

    fn enter(&mut self) -> Action {
        let item = self.selected;
        if let Some(choice) = self.choice(item) {
            let entry = choice.chosen;
            self.popup = Some(Popup { item, entry });
            return Action::Changed;
        }
        match self.page {
            Page::Log | Page::Motion => Action::Toggle,
            _ => Action::KeepLine,
        }
    }

    fn select(&mut self, item: usize) -> Action {
        self.selected = item;
        Action::Changed
    }

    fn neighbour(&mut self, steps: usize) -> Action {
        let at = Page::ALL.iter().position(|page| *page == self.page);
        let next = (at.unwrap_or(0) + steps) % Page::ALL.len();
        self.open_page(Page::ALL[next])
    }
}

//! A Linux machine with an XKB layout, as far as its keyboard goes: it reads boot reports as the kernel's `usbhid` does,
//! runs XKB forwards, one key at a time, and composes what follows a dead key as X11's Compose file says. It shares no
//! table with the code that is tested.

use std::collections::{BTreeMap, HashMap};

use kbvm::{
    Components, Keycode, Keysym,
    lookup::LookupTable,
    state_machine::{Direction, Event, State, StateMachine},
    xkb::{
        Context,
        diagnostic::{Diagnostic, DiagnosticHandler},
        rmlvo::Group,
    },
};

/// A layout, compiled, and what dead keys do.
pub struct Layout {
    machine: StateMachine,
    table: LookupTable,
    compose: HashMap<(u32, u32), char>,
}

pub struct Host<'a> {
    layout: &'a Layout,
    state: State,
    components: Components,
    modifiers: u8,
    keys: Vec<u8>,
    dead: Option<u32>,
    /// What was typed.
    pub text: String,
}

const LOCK: u32 = 0x02;

impl Layout {
    pub fn new(layout: &str, variant: &str) -> Self {
        let keymap = Context::default().keymap_from_names(
            Silent,
            Some("evdev"),
            Some("pc105"),
            Some(&[Group { layout, variant }]),
            Some(&[]),
        );
        let builder = keymap.to_builder();
        Self {
            machine: builder.build_state_machine(),
            table: builder.build_lookup_table(),
            compose: compose_table(),
        }
    }

    pub fn host(&self) -> Host<'_> {
        Host {
            layout: self,
            state: self.machine.create_state(),
            components: Components::default(),
            modifiers: 0,
            keys: Vec::new(),
            dead: None,
            text: String::new(),
        }
    }

    /// Every character that one key types under any of Shift and the keys that choose a level, and the reports that
    /// do it: a modifier byte and keys, in the order in which they go down.
    pub fn single_strokes(&self) -> BTreeMap<char, (u8, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for (modifiers, before) in self.levels() {
            for usage in typing_usages() {
                let mut host = self.host();
                let mut keys = before.clone();
                host.read(modifiers, &keys);
                keys.push(usage);
                host.read(modifiers, &keys);
                let mut typed = host.text.chars();
                if let (Some(character), None) = (typed.next(), typed.next())
                    && !before.contains(&usage)
                {
                    found.entry(character).or_insert((modifiers, keys));
                }
            }
        }
        found
    }

    /// Every dead key that the layout has at any level.
    pub fn dead_keys(&self) -> Vec<u32> {
        let mut found = Vec::new();
        for (modifiers, before) in self.levels() {
            for usage in typing_usages().filter(|usage| !before.contains(usage)) {
                let mut host = self.host();
                let mut keys = before.clone();
                host.read(modifiers, &keys);
                keys.push(usage);
                host.read(modifiers, &keys);
                found.extend(host.dead.filter(|dead| !found.contains(dead)));
            }
        }
        found
    }

    /// What a dead key makes of a character.
    pub fn composed(&self, dead: u32, base: char) -> Option<char> {
        let base = character_keysym(Keysym::from_char(base).0);
        self.compose.get(&(dead, base)).copied()
    }

    /// Ways to hold Shift and the keys that choose a level: a modifier byte and other keys.
    fn levels(&self) -> Vec<(u8, Vec<u8>)> {
        let level_keys = (0x04..=0xe7).filter(|usage| {
            let code = linux_code(*usage);
            let lookup = code.map(|code| {
                let none = Components::default();
                self.table.lookup(none.group, none.mods, code)
            });
            let keysyms = lookup.into_iter().flatten();
            keysyms
                .into_iter()
                .any(|props| matches!(props.keysym().0, 0xfe03 | 0xfe11))
        });
        let level_keys: Vec<u8> = level_keys.collect();
        let mut levels: Vec<(u8, Vec<u8>)> = Vec::new();
        for set in 0..1_u32 << level_keys.len() {
            for shift in [0, 0x02_u8] {
                let chosen = (0..)
                    .zip(&level_keys)
                    .filter(|(bit, _)| set >> bit & 1 != 0);
                let chosen: Vec<u8> = chosen.map(|(_, usage)| *usage).collect();
                let modifiers = chosen.iter().filter(|usage| **usage >= 0xe0);
                let modifiers = modifiers.fold(shift, |all, usage| all | 1 << (usage - 0xe0));
                let keys = chosen.into_iter().filter(|usage| *usage < 0xe0).collect();
                levels.push((modifiers, keys));
            }
        }
        levels.sort_by_key(|(modifiers, keys)| modifiers.count_ones() as usize + keys.len());
        levels
    }
}

impl Host<'_> {
    pub fn read_report(&mut self, report: &[u8]) {
        let keys: Vec<u8> = report[2..].iter().copied().filter(|k| *k != 0).collect();
        self.read(report[0], &keys);
    }

    /// As usbhid does: the modifier byte bit by bit, then keys that went up, then keys that went down.
    fn read(&mut self, modifiers: u8, keys: &[u8]) {
        for bit in 0..8 {
            let is_down = modifiers >> bit & 1 != 0;
            if is_down != (self.modifiers >> bit & 1 != 0) {
                self.key(0xe0 + bit, is_down);
            }
        }
        self.modifiers = modifiers;
        let before = std::mem::replace(&mut self.keys, keys.to_vec());
        for usage in before.iter().filter(|usage| !keys.contains(usage)) {
            self.key(*usage, false);
        }
        for usage in keys.iter().filter(|usage| !before.contains(usage)) {
            self.key(*usage, true);
        }
    }

    pub fn caps_is_on(&self) -> bool {
        self.components.mods_locked.0 & LOCK != 0
    }

    /// The modifier byte and the keys that are down.
    pub fn held(&self) -> (u8, &[u8]) {
        (self.modifiers, &self.keys)
    }

    fn key(&mut self, usage: u8, is_down: bool) {
        let Some(code) = linux_code(usage) else {
            panic!("usage {usage:#x} is of no key that Linux knows");
        };
        let direction = if is_down {
            Direction::Down
        } else {
            Direction::Up
        };
        let mut events = Vec::new();
        self.layout
            .machine
            .handle_key(&mut self.state, &mut events, code, direction);
        for event in events {
            if let Event::KeyDown(code) = event {
                let Components { group, mods, .. } = self.components;
                for props in self.layout.table.lookup(group, mods, code) {
                    self.keysym(props.keysym());
                }
            }
            self.components.apply_event(event);
        }
    }

    fn keysym(&mut self, keysym: Keysym) {
        if keysym.is_modifier() || keysym.0 == 0 {
            return;
        }
        if let Some(dead) = self.dead.take() {
            let sequence = (dead, character_keysym(keysym.0));
            match self.layout.compose.get(&sequence) {
                Some(composed) => self.text.push(*composed),
                None => self.text.push('\u{fffd}'),
            }
        } else if (0xfe50..0xfea0).contains(&keysym.0) {
            self.dead = Some(keysym.0);
        } else if let Some(character) = keysym.char() {
            self.text.push(character);
        }
    }
}

/// Keys that type characters whatever Num Lock says.
fn typing_usages() -> impl Iterator<Item = u8> {
    (0x04..=0x38)
        .chain([0x64, 0x87, 0x89])
        .filter(|usage| *usage != 0x32)
}

/// One number for each character.
fn character_keysym(keysym: u32) -> u32 {
    Keysym(keysym)
        .char()
        .map_or(keysym, |c| 0x0100_0000 + u32::from(c))
}

/// The sequences of a dead key and a character in X11's Compose file for UTF-8.
fn compose_table() -> HashMap<(u32, u32), char> {
    let text = std::fs::read_to_string(super::COMPOSE).expect("a Compose file");
    let mut table = HashMap::new();
    for line in text.lines().filter(|line| line.starts_with("<dead_")) {
        let Some((sequence, result)) = line.split_once(':') else {
            continue;
        };
        let mut names = sequence.split_whitespace();
        let (Some(dead), Some(base), None) = (names.next(), names.next(), names.next()) else {
            continue;
        };
        let named = |name: &str| {
            let name = name.trim_matches(['<', '>']);
            let keysym = Keysym::from_str(name)?;
            Some(character_keysym(keysym.0))
        };
        let Some(result) = result.split('"').nth(1) else {
            continue;
        };
        let mut characters = result.chars().filter(|c| *c != '\\');
        if let (Some(dead), Some(base), Some(composed), None) = (
            named(dead),
            named(base),
            characters.next(),
            characters.next(),
        ) {
            table.insert((dead, base), composed);
        }
    }
    table
}

/// The kernel's `hid_keyboard` table: the Linux code of each usage of the keyboard page.
fn linux_code(usage: u8) -> Option<Keycode> {
    #[rustfmt::skip]
    const CODES: [u8; 0x95] = [
          0,  0,  0,  0, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38,
         50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44,  2,  3,
          4,  5,  6,  7,  8,  9, 10, 11, 28,  1, 14, 15, 57, 12, 13, 26,
         27, 43, 43, 39, 40, 41, 51, 52, 53, 58, 59, 60, 61, 62, 63, 64,
         65, 66, 67, 68, 87, 88, 99, 70,119,110,102,104,111,107,109,106,
        105,108,103, 69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71,
         72, 73, 82, 83, 86,127,116,117,183,184,185,186,187,188,189,190,
        191,192,193,194,134,138,130,132,128,129,131,137,133,135,136,113,
        115,114,  0,  0,  0,121,  0, 89, 93,124, 92, 94, 95,  0,  0,  0,
        122,123, 90, 91, 85,
    ];
    const MODIFIERS: [u8; 8] = [29, 42, 56, 125, 97, 54, 100, 126];
    let code = match usage {
        0xe0..=0xe7 => MODIFIERS[usize::from(usage - 0xe0)],
        _ => *CODES.get(usize::from(usage))?,
    };
    (code != 0).then(|| Keycode::from_evdev(code.into()))
}

struct Silent;

impl DiagnosticHandler for Silent {
    fn handle(&mut self, _: Diagnostic) {}
}

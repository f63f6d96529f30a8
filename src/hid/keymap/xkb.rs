//! Layouts from the machine's XKB data, compiled by kbvm. Nothing else knows about XKB.

use std::{collections::BTreeSet, fs, path::Path};

use kbvm::{
    GroupIndex, Keycode, Keysym, ModifierMask,
    lookup::LookupTable,
    state_machine::{Direction, StateMachine},
    xkb::{
        Context, Keymap,
        diagnostic::{Diagnostic, DiagnosticHandler, DiagnosticKind},
        rmlvo::Group,
    },
};

use super::{Modifiers, Usage, scancode::from_linux, typing::Place};

/// Where xkb-data puts its files, unless `$XKB_CONFIG_ROOT` says otherwise.
pub(super) const DIRECTORY: &str = "/usr/share/X11/xkb";

/// A layout as its files describe it.
pub(super) struct Compiled {
    pub(super) places: Vec<Place>,
    /// The keys that choose the third and the fifth level, if there are such.
    pub(super) level_keys: [Option<Usage>; 2],
    /// The key in Caps Lock's place is Caps Lock.
    pub(super) caps_locks: bool,
    /// Keys of the keypad whose keysym differs between layouts.
    pub(super) keypad: Vec<(u32, Usage)>,
}

/// The character that a keysym stands for, by any of its numbers: Latin-1, 0x01000000 + code point, or a number of
/// `keysymdef.h`. Control characters and keys that happen to have a character do not count.
pub(super) fn character(keysym: u32) -> Option<char> {
    match keysym {
        // Those of the keypad, by which some layouts name the digits of the main block.
        0xffaa..=0xffb9 | 0xffbd => {}
        0xfd00..=0xffff => return None,
        _ => {}
    }
    Keysym(keysym).char().filter(|c| !c.is_control())
}

/// Compiles a layout from the files in `directory`, or where XKB looks by itself; `None` if there is no such layout or
/// variant, or no files at all.
pub(super) fn compile(directory: Option<&Path>, layout: &str, variant: &str) -> Option<Compiled> {
    let mut builder = Context::builder();
    if let Some(directory) = directory {
        builder.clear();
        builder.enable_environment(false);
        builder.append_path(directory);
    }
    let groups = [Group { layout, variant }];
    // Complaints about the files are for their authors; whether there is such a layout shows in what it types.
    let keymap = builder.build().keymap_from_names(
        Silent,
        Some("evdev"),
        Some("pc105"),
        Some(&groups),
        Some(&[]),
    );
    let compiled = Compiled::new(&keymap);
    let types_letters = |place: &Place| (0x04..=0x1d).contains(&place.usage.0);
    compiled
        .places
        .iter()
        .any(types_letters)
        .then_some(compiled)
}

impl Compiled {
    fn new(keymap: &Keymap) -> Self {
        let builder = keymap.to_builder();
        let host = Host {
            machine: builder.build_state_machine(),
            table: builder.build_lookup_table(),
        };
        let level_key = |wanted: u32| {
            let candidates = host
                .keys()
                .filter(|(code, _)| host.keysym(*code, ModifierMask::NONE) == Some(wanted));
            // Right Alt is AltGr where it can be.
            candidates
                .map(|(_, usage)| usage)
                .min_by_key(|usage| (usage.modifier() == 0, *usage))
        };
        const ISO_LEVEL3_SHIFT: u32 = 0xfe03;
        const ISO_LEVEL5_SHIFT: u32 = 0xfe11;
        let level_keys = [level_key(ISO_LEVEL3_SHIFT), level_key(ISO_LEVEL5_SHIFT)];
        const KP_SEPARATOR: u32 = 0xffac;
        const KP_DECIMAL: u32 = 0xffae;
        let keypad = host.keys().filter_map(|(code, usage)| {
            let keysym = host.keysym(code, ModifierMask::NUM_LOCK)?;
            let differs = matches!(keysym, KP_SEPARATOR | KP_DECIMAL);
            differs.then_some((keysym, usage))
        });
        Self {
            places: host.places(level_keys),
            level_keys,
            caps_locks: host.locks(Usage::CAPS_LOCK).contains(ModifierMask::LOCK),
            keypad: keypad.collect(),
        }
    }
}

/// A machine with this layout.
struct Host {
    machine: StateMachine,
    table: LookupTable,
}

impl Host {
    /// What every key types at every level.
    fn places(&self, level_keys: [Option<Usage>; 2]) -> Vec<Place> {
        let mut places = Vec::new();
        for shift in [None, Some(Usage(0xe1))] {
            for third in [None, level_keys[0]] {
                for fifth in [None, level_keys[1]] {
                    let keys: BTreeSet<Usage> =
                        [shift, third, fifth].into_iter().flatten().collect();
                    let mask = self.pressed(&keys);
                    let modifiers = keys
                        .iter()
                        .fold(0, |all, usage| all | modifier(*usage, level_keys));
                    if places
                        .iter()
                        .any(|place: &Place| place.modifiers == modifiers)
                    {
                        continue; // There is no such level key.
                    }
                    for caps in [ModifierMask::NONE, ModifierMask::LOCK] {
                        places.extend(self.keys().filter_map(|(code, usage)| {
                            Some(Place {
                                usage,
                                modifiers,
                                caps: caps == ModifierMask::LOCK,
                                keysym: self.keysym(code, mask | caps)?,
                            })
                        }));
                    }
                }
            }
        }
        // What the keypad's digits type depends on Num Lock.
        let types = |place: &Place| {
            modifier(place.usage, level_keys) == 0
                && !matches!(place.usage.0, 0x59..=0x63 | 0x85 | 0x8c)
        };
        places.retain(types);
        places
    }

    /// The keys that reports can name.
    fn keys(&self) -> impl Iterator<Item = (Keycode, Usage)> + use<> {
        (1..=127).filter_map(|code| Some((Keycode::from_evdev(code), from_linux(code)?)))
    }

    /// What a key types; `None` if nothing, or more than one keysym, or if Caps Lock makes a capital of it without the
    /// layout saying so: by rules in which hosts differ (`µ`, `ı`, `ß`).
    fn keysym(&self, code: Keycode, modifiers: ModifierMask) -> Option<u32> {
        let mut keysyms = self
            .table
            .lookup(GroupIndex(0), modifiers, code)
            .into_iter();
        let first = keysyms.next()?;
        let keysym = first.keysym().0;
        let is_sure = keysyms.next().is_none() && !first.did_caps_transform();
        (is_sure && keysym != 0).then_some(keysym)
    }

    /// The modifiers while these keys are down.
    fn pressed(&self, keys: &BTreeSet<Usage>) -> ModifierMask {
        let (mut state, mut events) = (self.machine.create_state(), Vec::new());
        let mut components = kbvm::Components::default();
        let mut keys: Vec<_> = self.keys().filter(|(_, u)| keys.contains(u)).collect();
        // A host reads a report's modifier byte first, bit by bit.
        keys.sort_by_key(|(_, usage)| (usage.modifier() == 0, *usage));
        for (code, _) in keys {
            self.machine
                .handle_key(&mut state, &mut events, code, Direction::Down);
        }
        for event in events {
            components.apply_event(event);
        }
        components.mods
    }

    /// The modifiers that stay after this key was tapped.
    fn locks(&self, key: Usage) -> ModifierMask {
        let (mut state, mut events) = (self.machine.create_state(), Vec::new());
        let mut components = kbvm::Components::default();
        for (code, _) in self.keys().filter(|(_, usage)| *usage == key) {
            for direction in [Direction::Down, Direction::Up] {
                self.machine
                    .handle_key(&mut state, &mut events, code, direction);
            }
        }
        for event in events {
            components.apply_event(event);
        }
        components.mods_locked
    }
}

/// The bit of a key among the modifiers of a layout with these level keys.
pub(super) fn modifier(usage: Usage, level_keys: [Option<Usage>; 2]) -> Modifiers {
    let own = || {
        let index = level_keys.iter().position(|key| *key == Some(usage));
        index.map_or(0, |index| 0x100 << index)
    };
    match usage.modifier() {
        0 => own(),
        bit => bit.into(),
    }
}

struct Silent;

impl DiagnosticHandler for Silent {
    fn filter(&self, _: DiagnosticKind, _: bool) -> bool {
        false
    }

    fn handle(&mut self, _: Diagnostic) {}
}

/// What the rules file in `directory` lists, as `(name, description)`.
pub(super) fn listed_layouts(directory: &Path) -> Vec<(String, String)> {
    section(directory, "layout")
        .into_iter()
        .map(|(name, description)| (name, description.trim().to_owned()))
        .collect()
}

/// The variants of a layout that the rules file lists.
pub(super) fn listed_variants(directory: &Path, layout: &str) -> Vec<String> {
    let lines = section(directory, "variant").into_iter();
    lines
        .filter(|(_, rest)| rest.trim().split(':').next() == Some(layout))
        .map(|(name, _)| name)
        .collect()
}

/// The lines of a section of `rules/evdev.lst`: a name and the rest. Empty if there is no such file.
fn section(directory: &Path, section: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(directory.join("rules/evdev.lst")).unwrap_or_default();
    let lines = text
        .lines()
        .skip_while(|line| line.strip_prefix("! ") != Some(section))
        .skip(1)
        .take_while(|line| !line.starts_with('!'));
    lines
        .filter_map(|line| line.trim().split_once(char::is_whitespace))
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}

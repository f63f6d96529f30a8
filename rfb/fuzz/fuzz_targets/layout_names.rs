//! The names of layouts and variants, and what is typed on those that there are.
//!
//! An input is `layout NUL variant NUL text`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfbridge::hid::keymap::Layout;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let (name, variant, typed) = (next(), next(), next());
    match Layout::xkb(name, variant) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(layout) => {
            let is_path = |name: &str| name.contains(['/', '\0']) || name.contains("..");
            assert!(!is_path(name) && !is_path(variant), "a path is no name");
            for character in typed.chars() {
                let typing = layout.typing(character, false);
                // Enter, Tab and the like have keys of their own.
                if typing.is_some() || !character.is_control() {
                    assert_eq!(layout.can_type(character), typing.is_some());
                }
            }
        }
    }
});

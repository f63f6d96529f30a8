//! Which of the target's two pointers is used.

use super::{PointerMode, pending::Change, sink::Function};
use crate::config::MouseMode;

impl PointerMode {
    /// The function that this mode works with.
    pub(super) fn function(self) -> Function {
        match self {
            Self::Absolute => Function::Absolute,
            Self::Relative => Function::Relative,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Absolute => Self::Relative,
            Self::Relative => Self::Absolute,
        }
    }
}

/// The mode that is set, what somebody switched to since, and what the target has.
#[derive(Debug)]
pub(super) struct ModeChoice {
    setting: MouseMode,
    switched_to: Option<PointerMode>,
    mode: PointerMode,
    absolute: bool,
    relative: bool,
}

impl Default for ModeChoice {
    fn default() -> Self {
        Self::new(MouseMode::Auto)
    }
}

impl ModeChoice {
    pub(super) fn new(setting: MouseMode) -> Self {
        let mode = match setting {
            MouseMode::Auto | MouseMode::Absolute => PointerMode::Absolute,
            MouseMode::Relative => PointerMode::Relative,
        };
        Self {
            setting,
            switched_to: None,
            mode,
            absolute: true,
            relative: true,
        }
    }

    pub(super) fn mode(&self) -> PointerMode {
        self.mode
    }

    pub(super) fn has(&self, mode: PointerMode) -> bool {
        match mode {
            PointerMode::Absolute => self.absolute,
            PointerMode::Relative => self.relative,
        }
    }

    /// Learns which functions the target has now; a gadget can change what it is. What somebody switched to stays
    /// until the target has it no more. Where it has neither, as while a gadget is made anew, all stays as it is.
    pub(super) fn look(&mut self, mut has: impl FnMut(Function) -> bool) {
        self.absolute = has(Function::Absolute);
        self.relative = has(Function::Relative);
        if !self.absolute && !self.relative {
            return;
        }
        self.switched_to = self.switched_to.filter(|mode| self.has(*mode));
        let set = match self.setting {
            MouseMode::Auto if self.absolute => PointerMode::Absolute,
            MouseMode::Auto | MouseMode::Relative => PointerMode::Relative,
            MouseMode::Absolute => PointerMode::Absolute,
        };
        self.mode = self.switched_to.unwrap_or(set);
    }

    /// Switches to the other mode, if the target has it.
    pub(super) fn toggle(&mut self) -> Change {
        let other = self.mode.other();
        if !self.has(other) {
            return Change::NoPointer(other);
        }
        self.switched_to = Some(other);
        self.mode = other;
        Change::Pointer(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PointerMode = PointerMode::Absolute;
    const R: PointerMode = PointerMode::Relative;

    #[test]
    fn complaint_12_without_an_absolute_pointer_the_mouse_is_used() {
        for (setting, has, mode) in [
            (MouseMode::Auto, vec![A, R], A),
            (MouseMode::Auto, vec![A], A),
            (MouseMode::Auto, vec![R], R),
            (MouseMode::Absolute, vec![R], A),
            (MouseMode::Relative, vec![A, R], R),
            (MouseMode::Relative, vec![A], R),
            (MouseMode::Relative, vec![], R),
        ] {
            let mut choice = ModeChoice::new(setting);
            choice.look(|function| has.iter().any(|mode| mode.function() == function));
            assert_eq!(choice.mode(), mode, "{setting:?} {has:?}");
        }
    }

    #[test]
    fn what_was_switched_to_stays_until_the_target_has_it_no_more() {
        let mut choice = ModeChoice::new(MouseMode::Auto);
        choice.look(|_| true);
        assert_eq!(choice.toggle(), Change::Pointer(R));
        choice.look(|_| true);
        assert_eq!(choice.mode(), R);
        choice.look(|_| false);
        assert_eq!(choice.mode(), R, "the gadget is away for a moment");
        choice.look(|function| function == Function::Absolute);
        assert_eq!(choice.mode(), A);
        assert_eq!(choice.toggle(), Change::NoPointer(R));
        choice.look(|_| true);
        assert_eq!(choice.mode(), A, "forgotten");
        assert_eq!(choice.toggle(), Change::Pointer(R));
        assert_eq!(choice.toggle(), Change::Pointer(A));
    }
}

//! The bytes of one report, and how each function's are laid out.

use super::{keymap::Usage, sink::Function};

/// One input report, exactly as long as its function's descriptor says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Report {
    function: Function,
    bytes: [u8; 8],
}

impl Report {
    /// The modifiers (bit 0 is usage 0xe0) and at most six keys.
    pub fn keyboard(modifiers: u8, keys: &[Usage]) -> Self {
        let mut bytes = [0; 8];
        bytes[0] = modifiers;
        for (byte, key) in bytes[2..].iter_mut().zip(keys) {
            *byte = key.0;
        }
        Self {
            function: Function::Keyboard,
            bytes,
        }
    }

    /// Buttons in HID order (bit 0 left, 1 right, 2 middle), a position in 0..=32767, wheel steps (up and
    /// right are positive).
    pub fn absolute(buttons: u8, x: u16, y: u16, wheel: i8, pan: i8) -> Self {
        let ([x0, x1], [y0, y1]) = (x.to_le_bytes(), y.to_le_bytes());
        let [wheel, pan] = [wheel, pan].map(|steps| steps.to_le_bytes()[0]);
        Self {
            function: Function::Absolute,
            bytes: [buttons, x0, x1, y0, y1, wheel, pan, 0],
        }
    }

    /// Like [`Report::absolute`] with a movement in the target's own counts.
    pub fn relative(buttons: u8, dx: i8, dy: i8, wheel: i8, pan: i8) -> Self {
        let [dx, dy, wheel, pan] = [dx, dy, wheel, pan].map(|steps| steps.to_le_bytes()[0]);
        Self {
            function: Function::Relative,
            bytes: [buttons, dx, dy, wheel, pan, 0, 0, 0],
        }
    }

    /// One consumer usage, 0 for none.
    pub fn consumer(usage: u16) -> Self {
        let [low, high] = usage.to_le_bytes();
        Self {
            function: Function::Consumer,
            bytes: [low, high, 0, 0, 0, 0, 0, 0],
        }
    }

    pub fn function(&self) -> Function {
        self.function
    }

    /// What goes to the kernel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.function.descriptor().report_length]
    }

    /// Whether a key or button is down in it; steps and positions do not count.
    pub fn holds(&self) -> bool {
        holds(self.function, self.bytes())
    }

    /// What stays true after the report was taken: all but its steps.
    pub fn state(&self) -> Self {
        let mut state = *self;
        match self.function {
            Function::Absolute => state.bytes[5..].fill(0),
            Function::Relative => state.bytes[1..].fill(0),
            Function::Keyboard | Function::Consumer => {}
        }
        state
    }

    /// Nothing down, no step; the absolute pointer stays where it is.
    pub fn release(&self) -> Self {
        let mut release = self.state();
        match self.function {
            Function::Absolute => release.bytes[0] = 0,
            _ => release.bytes.fill(0),
        }
        release
    }
}

/// Whether a key or button is down in these bytes of a report.
pub(super) fn holds(function: Function, bytes: &[u8]) -> bool {
    let held = match function {
        Function::Keyboard | Function::Consumer => bytes,
        Function::Absolute | Function::Relative => &bytes[..bytes.len().min(1)],
    };
    held.iter().any(|byte| *byte != 0)
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:02x?}", self.function, self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_descriptors() {
        assert_eq!(
            Report::keyboard(0x02, &[Usage(4), Usage(5)]).bytes(),
            [2, 0, 4, 5, 0, 0, 0, 0]
        );
        assert_eq!(
            Report::absolute(1, 0x1234, 32767, -1, 1).bytes(),
            [1, 0x34, 0x12, 0xff, 0x7f, 0xff, 1]
        );
        assert_eq!(Report::relative(4, -1, 2, 0, 0).bytes(), [4, 0xff, 2, 0, 0]);
        assert_eq!(Report::consumer(0x00e9).bytes(), [0xe9, 0]);
    }

    #[test]
    fn releasing_the_absolute_pointer_leaves_it_in_place() {
        let held = Report::absolute(3, 100, 200, 1, 0);
        assert!(held.holds());
        assert_eq!(held.release(), Report::absolute(0, 100, 200, 0, 0));
        assert!(!Report::absolute(0, 5, 5, 1, 0).holds());
        assert!(!Report::relative(0, 5, 5, 1, 0).holds());
        assert!(Report::consumer(1).holds());
    }
}

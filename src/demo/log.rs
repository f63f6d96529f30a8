//! The lines of the log page: what the target received, and a boot text that can be set running.

use std::{collections::VecDeque, time::Duration};

/// Older lines are forgotten.
const MOST_LINES: usize = 1000;

/// Time between two lines of the running boot text.
const PACE: Duration = Duration::from_millis(50);

/// Lines with a view that follows the end unless it was scrolled away.
#[derive(Default)]
pub struct Log {
    lines: VecDeque<String>,
    /// How many lines lie below the view.
    below: usize,
    /// When the next line of the boot text is due, while it runs.
    due: Option<Duration>,
    written: usize,
}

impl Log {
    pub(super) fn push(&mut self, now: Duration, text: &str) {
        let line = format!("[{:5}.{:03}] {text}", now.as_secs(), now.subsec_millis());
        self.lines.push_back(line);
        if self.below > 0 {
            self.below += 1;
        }
        if self.lines.len() > MOST_LINES {
            self.lines.pop_front();
            self.below = self.below.min(self.lines.len());
        }
    }

    pub fn running(&self) -> bool {
        self.due.is_some()
    }

    /// When the next line of the boot text comes, while it runs.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    pub(super) fn toggle(&mut self, now: Duration) {
        self.due = match self.due {
            Some(_) => None,
            None => Some(now),
        };
    }

    /// Writes the boot lines that have come due; says whether there were any.
    pub(super) fn tick(&mut self, now: Duration) -> bool {
        let mut changed = false;
        // After a long pause only the newest lines matter.
        if let Some(due) = self.due
            && now.saturating_sub(due) > PACE * MOST_LINES as u32
        {
            self.due = Some(now.saturating_sub(PACE * MOST_LINES as u32));
        }
        while let Some(due) = self.due
            && due <= now
        {
            self.push(due, &boot_line(self.written));
            self.written += 1;
            self.due = Some(due + PACE);
            changed = true;
        }
        changed
    }

    /// Moves the view up by `lines`, or down if negative, of a view `rows` high.
    pub(super) fn scroll(&mut self, lines: isize, rows: usize) {
        let most = self.lines.len().saturating_sub(rows);
        self.below = self.below.saturating_add_signed(lines).min(most);
    }

    /// The lines in a view `rows` high.
    pub fn view(&self, rows: usize) -> impl Iterator<Item = &str> {
        let below = self.below.min(self.lines.len().saturating_sub(rows));
        let end = self.lines.len() - below;
        self.lines
            .range(end.saturating_sub(rows)..end)
            .map(String::as_str)
    }

    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    pub fn below(&self) -> usize {
        self.below
    }
}

fn boot_line(number: usize) -> String {
    const PARTS: [(&str, &str); 10] = [
        ("pci 0000:00:1f", "BAR assigned, bus master on"),
        ("usb 1-1", "new high-speed device, HID keyboard and pointer"),
        ("sata 2", "link up 6.0 Gb/s, drive answers"),
        ("memory", "region tested, no error"),
        ("nvme 0", "namespace found, 512 byte blocks"),
        ("net eth0", "link is down, waiting for carrier"),
        ("acpi", "table read, checksum right"),
        ("cpu 3", "microcode is current"),
        ("rtc", "time kept since power on"),
        ("fan 1", "1180 turns a minute"),
    ];
    // A fixed scramble, so that neighbouring lines differ but every run is the same.
    let number = (number as u32).wrapping_add(1).wrapping_mul(0x9e37_79b1);
    let scrambled = (number ^ number >> 15).wrapping_mul(0x85eb_ca77);
    let (who, what) = PARTS[(scrambled >> 16) as usize % PARTS.len()];
    format!("{who}: {what} ({scrambled:#010x})")
}

//! All findings, for people and for programs.

use serde::Serialize;

use super::{Finding, Severity};

/// Columns of the text.
const WIDTH: usize = 100;
/// Where the text of a finding begins.
const INDENT: usize = 24;

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    pub unicode: bool,
}

/// What was found, one finding to a check and always in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is an error.
    pub fn is_ok(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// One object; keys and identities stay the same from version to version.
    ///
    /// # Errors
    /// None that a report could lead to.
    pub fn to_json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Object<'r> {
            version: &'static str,
            ok: bool,
            findings: &'r [Finding],
        }
        let object = Object {
            version: env!("CARGO_PKG_VERSION"),
            ok: self.is_ok(),
            findings: &self.findings,
        };
        serde_json::to_string_pretty(&object).map(|text| text + "\n")
    }

    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        let is_alike = |one: &Finding, next: &Finding| {
            let skipped = [one, next].map(|finding| finding.severity == Severity::Skipped);
            one.part == next.part && skipped == [true; 2] && one.what == next.what
        };
        let mut part = "";
        for alike in self.findings.chunk_by(is_alike) {
            let Some(first) = alike.first() else { continue };
            if first.part != part {
                part = first.part;
                let gap = if text.is_empty() { "" } else { "\n" };
                text += &format!("{gap}{part}\n");
            }
            text += &lines(alike, first, style);
        }
        text + "\n" + &self.summary(style)
    }

    fn summary(&self, style: Style) -> String {
        let counts: Vec<String> = [
            (Severity::Error, "error", "errors"),
            (Severity::Warning, "warning", "warnings"),
            (Severity::Note, "note", "notes"),
        ]
        .into_iter()
        .filter_map(|(severity, one, many)| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        })
        .collect();
        let counts = match counts.is_empty() {
            true => "Nothing to mend".to_owned(),
            false => counts.join(", "),
        };
        let find = |severity| {
            self.findings
                .iter()
                .find(|finding| finding.severity == severity)
        };
        let first = find(Severity::Error).or_else(|| find(Severity::Warning));
        let begin = first.map_or_else(String::new, |first| {
            let fix = first.fix.as_deref().unwrap_or_default();
            wrapped(&format!("Do first ({}): {fix}", first.subject), 0) + "\n"
        });
        style.text(&format!("{counts}.\n{begin}"))
    }

    fn count(&self, severity: Severity) -> usize {
        let of_it = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(of_it).count()
    }
}

/// One finding; or several in a row that were skipped for the same reason.
fn lines(alike: &[Finding], first: &Finding, style: Style) -> String {
    let (sign, colour) = sign(first.severity, style);
    let sign = style.paint(sign, colour);
    if alike.len() > 1 {
        let subjects: Vec<_> = alike.iter().map(|finding| finding.subject).collect();
        let text = format!("{}: {}", subjects.join(", "), first.what);
        return format!("  {sign} {}\n", wrapped(&style.text(&text), 4));
    }
    let width = INDENT - 4;
    let what = wrapped(&style.text(&first.what), INDENT);
    let mut text = format!("  {sign} {:<width$}{what}\n", first.subject);
    if let Some(fix) = &first.fix {
        let arrow = if style.unicode { "→ " } else { "> " };
        let fix = wrapped(&style.text(fix), INDENT + 2);
        text += &format!("{:INDENT$}{arrow}{fix}\n", "");
    }
    text
}

impl Style {
    fn paint(self, text: &str, colour: u8) -> String {
        match self.colour {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    /// Names come from devices and files: nothing in them moves the cursor.
    fn text(self, text: &str) -> String {
        let shown = |letter: char| match letter {
            '\n' => letter,
            letter if letter.is_control() => ' ',
            '°' | '…' | '→' if !self.unicode => '~',
            letter if !letter.is_ascii() && !self.unicode => '?',
            letter => letter,
        };
        text.chars().map(shown).collect()
    }
}

fn sign(severity: Severity, style: Style) -> (&'static str, u8) {
    let (unicode, ascii, colour) = match severity {
        Severity::Ok => ("✓", "ok", 32),
        Severity::Skipped => ("-", "-", 90),
        Severity::Note => ("·", ".", 36),
        Severity::Warning => ("!", "!", 33),
        Severity::Error => ("✗", "X", 31),
    };
    (if style.unicode { unicode } else { ascii }, colour)
}

/// Breaks between words, so that lines after the first begin at `indent`. A word that is too long stays whole.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            out += "\n";
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let finding = |subject, severity, what: &str, fix: Option<&str>| Finding {
            id: "id",
            part: "Picture",
            subject,
            severity,
            what: what.to_owned(),
            fix: fix.map(str::to_owned),
        };
        Report {
            findings: vec![
                finding("clock", Severity::Ok, "50 °C\u{1b}[2J", None),
                finding("port", Severity::Skipped, "first mend the clock", None),
                finding(
                    "power",
                    Severity::Warning,
                    &"word ".repeat(40),
                    Some("a hub"),
                ),
                finding(
                    "dongle",
                    Severity::Error,
                    "there is none",
                    Some("plug it in"),
                ),
            ],
        }
    }

    #[test]
    fn the_text_is_aligned_wrapped_and_safe_and_says_where_to_begin() {
        let text = report().to_text(Style {
            colour: false,
            unicode: true,
        });
        assert!(
            text.starts_with("Picture\n  ✓ clock               50 °C [2J\n"),
            "{text}"
        );
        assert!(
            text.contains("  - port                first mend the clock\n"),
            "{text}"
        );
        assert!(text.contains(&format!("\n{:24}→ a hub\n", "")), "{text}");
        assert!(
            text.ends_with("\n1 error, 1 warning.\nDo first (dongle): plug it in\n"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn without_utf_8_it_is_ascii_and_colours_are_asked_for() {
        let text = report().to_text(Style {
            colour: false,
            unicode: false,
        });
        assert!(text.is_ascii(), "{text}");
        let text = report().to_text(Style {
            colour: true,
            unicode: true,
        });
        assert!(text.contains("\u{1b}[31m✗\u{1b}[0m dongle"), "{text:?}");
    }
}

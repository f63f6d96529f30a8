//! What a check has found.

use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not looked at, because of something else that was found or asked for.
    Skipped,
    Ok,
    /// As it is meant to be, perhaps; good to know.
    Note,
    /// It works, but not as well as it could, or not always.
    Warning,
    /// There is no picture, no keyboard or no server because of this.
    Error,
}

/// What one check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) severity: Severity,
    pub(super) what: String,
    pub(super) fix: Option<String>,
}

impl Verdict {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self::new(Severity::Ok, what, None)
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::new(Severity::Skipped, why, None)
    }

    pub(super) fn note(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Note, what, Some(fix.into()))
    }

    pub(super) fn warning(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Warning, what, Some(fix.into()))
    }

    pub(super) fn error(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Error, what, Some(fix.into()))
    }

    fn new(severity: Severity, what: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            severity,
            what: what.into(),
            fix,
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stays the same from version to version: scripts look for it.
    pub id: &'static str,
    /// Of what it is a part: the keyboard and mouse, the picture, the board or the server.
    pub part: &'static str,
    /// The subject as people read it.
    pub subject: &'static str,
    pub severity: Severity,
    /// What is the matter, or why it was skipped.
    pub what: String,
    /// What to do; there is always something for a warning and an error.
    pub fix: Option<String>,
}

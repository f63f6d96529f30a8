//! `rfbridge doctor`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use super::{StartError, print};
use crate::{
    cli::{self, Command, DoctorFlags},
    doctor,
};

/// Without logs: what is found is told in one place.
pub(super) fn examine(flags: DoctorFlags) -> Result<ExitCode, StartError> {
    let options = doctor::Options {
        config: flags.config,
        capture: !flags.no_capture,
        served: |words| match cli::parse_from(words) {
            Ok(Command::Serve { flags, config, .. }) => Some(doctor::Served { flags, config }),
            _ => None,
        },
    };
    let progress = |what: &str| {
        // Nobody need hear it.
        let _ = writeln!(io::stderr(), "{what}…");
    };
    let report = doctor::examine(&doctor::Machine::this(), &options, &progress);
    let text = if flags.json {
        report
            .to_json()
            .map_err(|error| StartError::Output(error.into()))?
    } else {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let locale = locale.unwrap_or_default().to_lowercase();
        report.to_text(doctor::Style {
            colour: io::stdout().is_terminal() && variable("NO_COLOR").is_none(),
            unicode: locale.contains("utf-8") || locale.contains("utf8"),
        })
    };
    print(&text)?;
    Ok(if report.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

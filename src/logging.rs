//! Log lines on standard error. Standard output belongs to what scripts read.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

/// What is logged unless someone asks for something else.
const DEFAULT: &str = "info";

/// A log filter that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log filter {filter:?} (from {from}) is not understood: {error}; write a level (error, warn, info, debug, trace) or MODULE=LEVEL, separated by commas"
)]
pub struct BadFilter {
    filter: String,
    from: &'static str,
    error: tracing_subscriber::filter::ParseError,
}

/// Which filter counts, and where it was written: the flag, else the environment, else the file.
fn choose(
    flag: Option<String>,
    environment: Option<String>,
    file: Option<String>,
) -> (String, &'static str) {
    let given = |filter: Option<String>| filter.filter(|text| !text.trim().is_empty());
    given(flag)
        .map(|filter| (filter, "--log"))
        .or_else(|| given(environment).map(|filter| (filter, "RUST_LOG")))
        .or_else(|| given(file).map(|filter| (filter, "the key `log`")))
        .unwrap_or_else(|| (DEFAULT.to_owned(), "the default"))
}

/// Starts logging; to be called once. `flag` is `--log`, `file` the key `log` of the configuration file.
pub fn start(flag: Option<String>, file: Option<String>) -> Result<(), BadFilter> {
    let (filter, from) = choose(flag, std::env::var("RUST_LOG").ok(), file);
    let parsed = EnvFilter::try_new(&filter).map_err(|error| BadFilter {
        filter,
        from,
        error,
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .log_internal_errors(false);
    // The journal stamps every line itself.
    let started = if std::env::var_os("JOURNAL_STREAM").is_some() {
        lines.without_time().try_init()
    } else {
        lines.try_init()
    };
    // A second start in one process keeps the first logger.
    drop(started);
    Ok(())
}

/// Lines as the journal gets them, for tests that read them.
#[cfg(test)]
pub(crate) fn plain<W>(
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> impl tracing::Subscriber + Send + Sync
where
    W: std::io::Write + 'static,
{
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .without_time()
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_over_the_environment_and_that_over_the_file() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(choose(some("a"), some("b"), some("c")).0, "a");
        assert_eq!(choose(None, some("b"), some("c")).0, "b");
        assert_eq!(choose(None, some(" "), some("c")).0, "c");
        assert_eq!(choose(None, None, None).0, DEFAULT);
    }

    #[test]
    fn a_bad_filter_says_where_it_was_written() {
        let error = start(Some("rfbridge=loud".to_owned()), None).expect_err("no such level");
        let error = error.to_string();
        assert!(
            error.contains("--log") && error.contains("rfbridge=loud"),
            "{error}"
        );
    }
}

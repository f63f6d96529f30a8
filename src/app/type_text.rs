//! `rfbridge type`: has the running server type a text, and shows how far it is.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    string::FromUtf8Error,
};

use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use super::control_socket::{SwitchedOff, places};
use crate::{
    cli::TypeOptions,
    control::{Client, ConnectError, Reply, Request},
    typing::{LIMIT, Untypable},
};

/// What shells know an interrupted program by: 128 and the number of SIGINT.
const CANCELLED: u8 = 130;

#[derive(Debug, thiserror::Error)]
enum TypeError {
    #[error("cannot read {}: {error}", name(path))]
    Read { path: PathBuf, error: io::Error },
    #[error("{} has more than {LIMIT} bytes, which are the limit; type it in parts", name(.0))]
    TooLong(PathBuf),
    #[error(
        "{} is not UTF-8: byte {} does not belong there; convert it, for example with iconv -f LATIN1 -t UTF-8",
        name(path), error.utf8_error().valid_up_to()
    )]
    NotUtf8 { path: PathBuf, error: FromUtf8Error },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Off(#[from] SwitchedOff),
    #[error("the connection to the server broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the server ended the connection")]
    Ended,
    #[error("{0}")]
    Server(String),
    #[error(
        "{0}; nothing was typed. Type the rest with --skip, or give the server the target's layout"
    )]
    Untypable(String),
}

/// Runs the command to its end.
pub(super) fn main(options: &TypeOptions) -> ExitCode {
    let mut errors = io::stderr();
    match run(options) {
        Ok(code) => code,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(errors, "rfbridge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &TypeOptions) -> Result<ExitCode, TypeError> {
    let text = read(&options.file)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut client = Client::connect(&places(options.socket.as_deref())?).await?;
        let delay_ms = options.delay.map(|delay| delay.duration().as_millis());
        let request = Request::Type {
            text,
            delay_ms: delay_ms.and_then(|delay| u16::try_from(delay).ok()),
            skip: options.skip,
            dry_run: options.dry_run,
        };
        // A server that refuses answers and closes without reading all of it.
        let sent = client.send(&request).await;
        let reply = follow(&mut client).await;
        match (&reply, sent) {
            (Err(TypeError::Ended | TypeError::Broken(_)), Err(error)) => Err(error.into()),
            _ => reply,
        }
    })
}

/// The whole text; of one that is too long no more than is needed to know that.
fn read(path: &Path) -> Result<String, TypeError> {
    let failed = |error| TypeError::Read {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Vec::new();
    let most = LIMIT as u64 + 1;
    match path.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    }
    .map_err(failed)?;
    if bytes.len() > LIMIT {
        return Err(TypeError::TooLong(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| TypeError::NotUtf8 {
        path: path.to_owned(),
        error,
    })
}

fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

/// Shows what the server answers until it is over. Ctrl-C cancels, and waits until all keys are up; a second one does
/// not wait.
async fn follow(client: &mut Client) -> Result<ExitCode, TypeError> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut interrupted = false;
    let mut bar = Bar::new();
    loop {
        let reply: Option<Reply> = tokio::select! {
            reply = client.receive() => reply?,
            _ = interrupts.recv() => {
                if interrupted {
                    return Ok(ExitCode::from(CANCELLED));
                }
                interrupted = true;
                client.send(&Request::Cancel).await?;
                continue;
            }
        };
        let reply = reply.ok_or(TypeError::Ended)?;
        if let (Some(typed), Some(of)) = (reply.typed, reply.of) {
            bar.show(typed, of);
        }
        if let Some(error) = reply.error {
            bar.end();
            if reply.cancelled == Some(true) {
                let _ = writeln!(io::stderr(), "rfbridge: {error}");
                return Ok(ExitCode::from(CANCELLED));
            }
            return Err(match reply.untypable.is_empty() {
                true => TypeError::Server(error),
                false => TypeError::Untypable(error),
            });
        }
        if reply.done == Some(true) {
            bar.end();
            if reply.typed.is_none() {
                return print_findings(&reply);
            }
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// What a dry run found: on standard output, one to a line, and nothing if all can be typed.
fn print_findings(reply: &Reply) -> Result<ExitCode, TypeError> {
    let mut text = String::new();
    for finding in &reply.untypable {
        text += &format!("{}\n", Untypable::from(finding));
    }
    let all = reply.untypable_characters.unwrap_or_default();
    if let more @ 1.. = all.saturating_sub(reply.untypable.len()) {
        text += &format!("and {more} other characters\n");
    }
    io::stdout().write_all(text.as_bytes())?;
    let of = reply.of.unwrap_or_default();
    let _ = match all {
        0 => writeln!(io::stderr(), "all {of} characters can be typed"),
        _ => writeln!(
            io::stderr(),
            "{of} characters can be typed, {all} different ones cannot"
        ),
    };
    Ok(match all {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Progress on standard error: a bar on a terminal, else a line at each tenth.
struct Bar {
    is_terminal: bool,
    tenths: usize,
    shown: bool,
}

impl Bar {
    const WIDTH: usize = 40;

    fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            tenths: 0,
            shown: false,
        }
    }

    fn show(&mut self, typed: usize, of: usize) {
        let filled = |of_all: usize| (typed * of_all).checked_div(of).unwrap_or(of_all);
        let mut errors = io::stderr();
        // What cannot be shown is no reason to stop.
        if self.is_terminal {
            self.shown = true;
            let bar = "#".repeat(filled(Self::WIDTH));
            let _ = write!(
                errors,
                "\r[{bar:<width$}] {typed}/{of}",
                width = Self::WIDTH
            );
        } else if filled(10) > self.tenths {
            self.tenths = filled(10);
            let _ = writeln!(errors, "typed {typed} of {of} characters");
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = writeln!(io::stderr());
        }
    }
}

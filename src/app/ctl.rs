//! `rfbridge ctl`: asks the running server about its clients, and tells it what is to become of them.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{runtime::Builder, time::timeout};

use super::control_socket::{SwitchedOff, places};
use crate::{
    cli::{CtlCommand, CtlOptions},
    control::{
        Client, ClientStatus, Clients, ConnectError, Event, PictureState, Reply, Request, Status,
    },
};

/// A server that is there answers sooner.
const PATIENCE: Duration = Duration::from_secs(10);
/// A command that switches the target may take five minutes, and a call is given up sooner.
const POWER: Duration = Duration::from_secs(310);
/// The exit status where no server answers.
const NO_SERVER: u8 = 3;

#[derive(Debug, thiserror::Error)]
pub(super) enum CtlError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Off(#[from] SwitchedOff),
    #[error("the connection to the server broke: {0}")]
    Broken(io::Error),
    #[error("the server ended the connection")]
    Ended,
    #[error("the server does not answer")]
    Silent,
    #[error("{0}")]
    Server(String),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs the command to its end.
pub(super) fn main(options: &CtlOptions) -> ExitCode {
    exit(run(options))
}

/// Says what went wrong.
pub(super) fn exit(result: Result<(), CtlError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read it has enough, as `head` has.
        Err(CtlError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "rfbridge: {error}");
            match error {
                CtlError::Connect(_) | CtlError::Off(_) => ExitCode::from(NO_SERVER),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(options: &CtlOptions) -> Result<(), CtlError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CtlError::Broken)?;
    runtime.block_on(async {
        let mut client = Client::connect(&places(options.socket.as_deref())?).await?;
        let client = &mut client;
        match &options.command {
            CtlCommand::Status { json } => {
                let status: Status = ask(client, &Request::Status).await?;
                show(*json, &status, status_text)
            }
            CtlCommand::Clients { json } => {
                let clients: Clients = ask(client, &Request::Clients).await?;
                show(*json, &clients, |clients| table(&clients.clients))
            }
            CtlCommand::Kick {
                clients,
                all,
                reason,
            } => {
                let request = Request::Kick {
                    clients: clients.clone(),
                    all: *all,
                    reason: reason.clone(),
                };
                let reply: Reply = ask(client, &request).await?;
                let lines = reply
                    .kicked
                    .iter()
                    .map(|id| format!("client {id} was sent away\n"));
                print(&lines.collect::<String>())?;
                finish(reply)
            }
            CtlCommand::ViewOnly { client: id, on } => {
                let request = Request::ViewOnly {
                    client: *id,
                    on: on.is_on(),
                };
                finish(ask(client, &request).await?)
            }
            CtlCommand::Take { client: id } => {
                finish(ask(client, &Request::Take { client: *id }).await?)
            }
            CtlCommand::Power { action } => {
                let request = Request::Power { action: *action };
                finish(ask_patiently(client, &request, POWER).await?)
            }
            CtlCommand::Reload => {
                let reply: Reply = ask(client, &Request::Reload).await?;
                let lines = reply
                    .reloaded
                    .iter()
                    .map(|part| format!("reloaded: {part}\n"));
                print(&lines.collect::<String>())?;
                finish(reply)
            }
            CtlCommand::Events => follow(client).await,
        }
    })
}

pub(super) async fn ask<T: DeserializeOwned>(
    client: &mut Client,
    request: &Request,
) -> Result<T, CtlError> {
    ask_patiently(client, request, PATIENCE).await
}

/// Asks for something that may take so long.
pub(super) async fn ask_patiently<T: DeserializeOwned>(
    client: &mut Client,
    request: &Request,
    patience: Duration,
) -> Result<T, CtlError> {
    let answer = async {
        client.send(request).await?;
        client.receive().await
    };
    let answer = timeout(patience, answer).await;
    let answer: Option<serde_json::Value> = answer
        .map_err(|_| CtlError::Silent)?
        .map_err(CtlError::Broken)?;
    let answer = answer.ok_or(CtlError::Ended)?;
    // A server of another version says in this way what it does not know.
    let refusal = answer.get("error").and_then(|error| error.as_str());
    let refusal = refusal.map(str::to_owned);
    let broken = |error: serde_json::Error| CtlError::Broken(error.into());
    serde_json::from_value(answer).map_err(|error| match refusal {
        Some(refusal) => CtlError::Server(refusal),
        None => broken(error),
    })
}

fn finish(reply: Reply) -> Result<(), CtlError> {
    match reply.error {
        Some(error) => Err(CtlError::Server(error)),
        None => Ok(()),
    }
}

/// Writes a line for each event, as it comes.
async fn follow(client: &mut Client) -> Result<(), CtlError> {
    client
        .send(&Request::Events)
        .await
        .map_err(CtlError::Broken)?;
    loop {
        let event: Option<Event> = client.receive().await.map_err(CtlError::Broken)?;
        let event = event.ok_or(CtlError::Ended)?;
        print(&json(&event)?)?;
    }
}

fn show<T: Serialize>(
    as_json: bool,
    answer: &T,
    text: impl Fn(&T) -> String,
) -> Result<(), CtlError> {
    print(&match as_json {
        true => json(answer)?,
        false => text(answer),
    })
}

fn json(value: &impl Serialize) -> Result<String, CtlError> {
    let mut line = serde_json::to_string(value).map_err(io::Error::from)?;
    line.push('\n');
    Ok(line)
}

fn print(text: &str) -> Result<(), CtlError> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

fn status_text(status: &Status) -> String {
    let picture = &status.picture;
    let why = picture.why.as_deref().unwrap_or_default();
    let picture = match (picture.state, picture.width, picture.height) {
        (PictureState::Live, Some(width), Some(height)) => format!("{width}x{height}"),
        (PictureState::Live, ..) => "there".to_owned(),
        (PictureState::Starting, ..) => "none yet".to_owned(),
        (PictureState::NoSignal, ..) => format!("no signal: {why}"),
        (PictureState::Lost, ..) => format!("the source is gone: {why}"),
    };
    let control = match (status.control.as_str(), status.controller) {
        ("shared", _) => "shared".to_owned(),
        (policy, None) => format!("{policy}; nobody has it"),
        (policy, Some(client)) => format!("{policy}; client {client} has it"),
    };
    let leds = status.leds.map(|leds| {
        let lit = [
            (leds.num, "num"),
            (leds.caps, "caps"),
            (leds.scroll, "scroll"),
        ];
        let lit: Vec<_> = lit.into_iter().filter(|(on, _)| *on).collect();
        match lit.is_empty() {
            true => "off".to_owned(),
            false => lit
                .iter()
                .map(|(_, name)| *name)
                .collect::<Vec<_>>()
                .join(", "),
        }
    });
    let typing = status.typing.as_ref();
    let typing = typing.map(|text| {
        let (typed, of) = (text.typed.unwrap_or_default(), text.of.unwrap_or_default());
        format!("{typed} of {of} characters")
    });
    let power = status.power.as_ref().map(|power| {
        let actions: Vec<_> = power.actions.iter().map(|action| action.name()).collect();
        let lamp = match power.on {
            Some(true) => "on",
            Some(false) => "off",
            None => "unknown",
        };
        format!("{lamp} ({})", actions.join(", "))
    });
    let pointer = format!("{:?}", status.pointer).to_lowercase();
    let rows = [
        ("version", status.version.clone()),
        ("picture", picture),
        ("clients", status.clients.to_string()),
        ("share", status.share.clone()),
        ("control", control),
        (
            "view only",
            if status.view_only { "yes" } else { "no" }.to_owned(),
        ),
        ("pointer", pointer),
        ("layout", status.layout.clone()),
        ("lock LEDs", leds.unwrap_or_else(|| "unknown".to_owned())),
        ("typing", typing.unwrap_or_else(|| "nothing".to_owned())),
        ("USB", status.usb.clone().unwrap_or_else(|| "-".to_owned())),
        ("power", power.unwrap_or_else(|| "-".to_owned())),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<10} {value}");
    }
    text
}

/// One line to a client below a line of headings; columns as wide as what is in them.
fn table(clients: &[ClientStatus]) -> String {
    let headings = [
        "ID",
        "ADDRESS",
        "USER",
        "ROLE",
        "CONTROL",
        "ENCODING",
        "CONNECTED",
        "IDLE",
        "RATE",
        "TRIP",
    ];
    let mut rows = vec![headings.map(str::to_owned)];
    let none = || "-".to_owned();
    rows.extend(clients.iter().map(|client| {
        let control = match (client.controls, client.view_only) {
            (true, _) => "yes",
            (false, true) => "view only",
            (false, false) => "no",
        };
        [
            client.id.to_string(),
            client.address.clone(),
            client.user.clone().unwrap_or_else(none),
            client.role.clone(),
            control.to_owned(),
            client.encoding.clone().unwrap_or_else(none),
            time(client.connected_seconds),
            client.idle_seconds.map_or_else(none, time),
            format!("{}/s", size(client.bytes_per_second)),
            client
                .round_trip_ms
                .map_or_else(none, |ms| format!("{ms} ms")),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..headings.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Seconds for people: 59s, 12m, 3h05m, 2d04h.
fn time(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (minutes, hours, days) {
        (0, ..) => format!("{seconds}s"),
        (_, 0, _) => format!("{minutes}m"),
        (_, _, 0) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_a_table_for_people() {
        let client = |id, user: Option<&str>, controls: bool| ClientStatus {
            id,
            address: format!("192.0.2.{id}:40000"),
            user: user.map(str::to_owned),
            role: "control".to_owned(),
            encoding: controls.then(|| "Tight".to_owned()),
            controls,
            view_only: false,
            connected_seconds: 11_100,
            idle_seconds: controls.then_some(59),
            bytes_sent: 0,
            bytes_per_second: 12_345,
            round_trip_ms: controls.then_some(12),
            bytes_in_flight: 0,
        };
        let expected = "\
ID   ADDRESS            USER  ROLE     CONTROL  ENCODING  CONNECTED  IDLE  RATE       TRIP
9    192.0.2.9:40000    anna  control  yes      Tight     3h05m      59s   12.3 kB/s  12 ms
100  192.0.2.100:40000  -     control  no       -         3h05m      -     12.3 kB/s  -
";
        assert_eq!(
            table(&[client(9, Some("anna"), true), client(100, None, false)]),
            expected
        );
        assert_eq!(table(&[]).lines().count(), 1);
        assert_eq!([time(0), time(3599), time(200_000)], ["0s", "59m", "2d07h"]);
        assert_eq!([size(999), size(2_500_000)], ["999 B", "2.5 MB"]);
    }
}

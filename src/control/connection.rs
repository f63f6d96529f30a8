//! One program that is connected to the control socket.

use std::{io, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    io::AsyncWriteExt as _,
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::broadcast::error::RecvError,
    task::spawn_blocking,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Answering, Context,
    lines::{LineError, Lines},
    protocol::{Clients, Event, Reply, Request},
};
use crate::typing::{End, LIMIT, Manner, Progress, Refusal};

/// Longest request: a text in which every character is escaped as a JSON writer that knows only ASCII does it.
const LINE: usize = 3 * LIMIT + 4096;
/// Progress is told no more often.
const PACE: Duration = Duration::from_millis(100);
/// Longest delay between two characters.
const LONGEST_DELAY: u16 = 1000;
/// Longest reason for sending somebody away, in bytes.
const REASON: usize = 200;
/// Time to take an answer at the end.
const FAREWELL: Duration = Duration::from_millis(200);

struct Connection<'a> {
    context: &'a Context,
    stop: &'a CancellationToken,
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// Answers requests until the peer closes or the server stops.
pub(super) async fn serve(stream: UnixStream, context: &Context, stop: &CancellationToken) {
    let (reader, writer) = stream.into_split();
    let mut connection = Connection {
        context,
        stop,
        lines: Lines::new(reader, LINE),
        writer,
    };
    if let Err(error) = connection.run().await {
        tracing::debug!(%error, "control connection");
    }
}

/// Says why there is no service.
pub(super) async fn refuse(stream: UnixStream, why: &str) {
    let (_reader, mut writer) = stream.into_split();
    // A peer that takes nothing gets nothing.
    let _ = timeout(FAREWELL, write(&mut writer, &Reply::error(why))).await;
}

impl Connection<'_> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            let line = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                line = self.lines.next() => line,
            };
            let Some(request) = self.request(line).await? else {
                return Ok(());
            };
            match request {
                Ok(request) => self.answer(request).await?,
                Err(reply) => self.write(&reply).await?,
            }
        }
    }

    /// Reads a request out of what came; `None` at the end of the connection, of which a peer that said too much is told.
    async fn request(
        &mut self,
        line: Result<Option<Vec<u8>>, LineError>,
    ) -> io::Result<Option<Result<Request, Reply>>> {
        match line {
            Ok(None) => Ok(None),
            Ok(Some(line)) => Ok(Some(serde_json::from_slice(&line).map_err(|error| {
                // Its text names what was expected; the line itself may hold a password.
                Reply::error(format!("not a request: {error}"))
            }))),
            Err(LineError::Io(error)) => Err(error),
            Err(error) => {
                self.write(&Reply::error(error.to_string())).await?;
                Ok(None)
            }
        }
    }

    async fn answer(&mut self, request: Request) -> io::Result<()> {
        match request {
            Request::Type {
                text,
                delay_ms,
                skip,
                dry_run,
            } => {
                let delay_ms = match delay_ms {
                    Some(delay) if delay > LONGEST_DELAY => {
                        let why = format!("delay_ms is {delay}; it is at most {LONGEST_DELAY}");
                        return self.write(&Reply::error(why)).await;
                    }
                    other => other,
                };
                let delay = delay_ms.map(|delay| Duration::from_millis(delay.into()));
                match dry_run {
                    true => self.examine(&text).await,
                    false => self.type_text(&text, Manner { delay, skip }).await,
                }
            }
            Request::Cancel => {
                let cancelled = self.context.typist.cancel();
                let reply = Reply {
                    done: Some(true),
                    cancelled: Some(cancelled),
                    ..Reply::default()
                };
                self.write(&reply).await
            }
            Request::Status => {
                let status = super::status(&self.context.operations).await;
                self.write(&status).await
            }
            Request::Clients => {
                let clients = self.context.operations.clients();
                self.write(&Clients { clients }).await
            }
            Request::Kick {
                clients,
                all,
                reason,
            } => {
                let reply = self.kick(clients, all, reason.as_deref());
                self.write(&reply).await
            }
            Request::ViewOnly { client, on } => {
                let set = self.context.operations.set_view_only(client, on);
                self.write(&done(client, set)).await
            }
            Request::Take { client } => {
                let taken = self.context.operations.take(client);
                self.write(&done(client, taken)).await
            }
            Request::Connect { viewer } => {
                let answering = self.context.operations.connect(viewer);
                self.finish(answering).await
            }
            Request::Power { action } => {
                let answering = self.context.operations.power(action, "the control socket");
                self.finish(answering).await
            }
            Request::Reload => self.reload().await,
            Request::Events => {
                let stop = self.stop;
                tokio::select! {
                    () = stop.cancelled() => Ok(()),
                    told = self.tell_events() => told,
                }
            }
        }
    }

    /// Tells what came of something, when it is over.
    async fn finish(&mut self, answering: Answering) -> io::Result<()> {
        let reply = match answering.await {
            Ok(()) => Reply {
                done: Some(true),
                ..Reply::default()
            },
            Err(error) => Reply::error(error),
        };
        self.write(&reply).await
    }

    fn kick(&self, clients: Vec<u64>, all: bool, reason: Option<&str>) -> Reply {
        let operations = &self.context.operations;
        if reason.is_some_and(|text| text.len() > REASON || text.chars().any(char::is_control)) {
            let rule = format!("a reason has at most {REASON} bytes and no control characters");
            return Reply::error(rule);
        }
        let clients = match (all, clients.is_empty()) {
            (true, true) => operations.clients().iter().map(|c| c.id).collect(),
            (false, false) => clients,
            _ => return Reply::error("name the clients to send away, or all, and not both"),
        };
        let (kicked, missing): (Vec<_>, Vec<_>) = clients
            .into_iter()
            .partition(|client| operations.kick(*client, reason));
        let reply = Reply {
            kicked,
            ..Reply::default()
        };
        match missing.as_slice() {
            [] => Reply {
                done: Some(true),
                ..reply
            },
            missing => {
                let numbers: Vec<_> = missing.iter().map(u64::to_string).collect();
                Reply {
                    error: Some(format!("there is no client {}", numbers.join(", "))),
                    ..reply
                }
            }
        }
    }

    async fn reload(&mut self) -> io::Result<()> {
        let operations = Arc::clone(&self.context.operations);
        let parts = spawn_blocking(move || operations.reload()).await?;
        let mut reply = Reply::default();
        let mut errors = Vec::new();
        for (part, result) in parts {
            match result {
                Ok(()) => reply.reloaded.push(part.to_owned()),
                Err(error) => errors.push(format!("{part} stays as it was: {error}")),
            }
        }
        match errors.is_empty() {
            true => reply.done = Some(true),
            false => reply.error = Some(errors.join("; ")),
        }
        self.write(&reply).await
    }

    /// Tells what happens while the peer stays. Who reads too slowly misses the oldest.
    async fn tell_events(&mut self) -> io::Result<()> {
        let mut events = self.context.operations.events();
        let picture = self.context.operations.picture();
        self.write(&Event::Picture(picture)).await?;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.write(&event).await?,
                    Err(RecvError::Lagged(count)) => self.write(&Event::Missed { count }).await?,
                    Err(RecvError::Closed) => return Ok(()),
                },
                line = self.lines.next() => match self.request(line).await? {
                    None => return Ok(()),
                    Some(Ok(_)) => {
                        let why = "events are told on this connection; use another";
                        self.write(&Reply::error(why)).await?;
                    }
                    Some(Err(reply)) => self.write(&reply).await?,
                },
            }
        }
    }

    async fn examine(&mut self, text: &str) -> io::Result<()> {
        let reply = match self.context.typist.examine(text) {
            Ok(text) => Reply {
                of: Some(text.len()),
                done: Some(true),
                ..Reply::default()
            }
            .with_findings(&text.untypable),
            Err(refusal) => refused(&refusal),
        };
        self.write(&reply).await
    }

    /// Types a text while the peer stays.
    async fn type_text(&mut self, text: &str, manner: Manner) -> io::Result<()> {
        let mut job = match self.context.typist.start(text, manner) {
            Ok(job) => job,
            Err(refusal) => return self.write(&refused(&refusal)).await,
        };
        tracing::info!(bytes = text.len(), "typing a text from the control socket");
        let mut not_before = Instant::now();
        loop {
            tokio::select! {
                changed = job.progress().changed() => {
                    let progress = job.progress().borrow_and_update().clone();
                    if changed.is_err() || progress.end.is_some() {
                        return self.write(&told(&progress)).await;
                    }
                    if Instant::now() >= not_before {
                        self.write(&told(&progress)).await?;
                        not_before = Instant::now() + PACE;
                    }
                }
                // Where the peer is gone, the job goes with it.
                line = self.lines.next() => match self.request(line).await? {
                    None => return Ok(()),
                    Some(Ok(Request::Cancel)) => job.cancel(),
                    Some(Ok(_)) => {
                        let why = "a text is being typed on this connection; cancel it, or use another";
                        self.write(&Reply::error(why)).await?;
                    }
                    Some(Err(reply)) => self.write(&reply).await?,
                },
            }
        }
    }

    async fn write(&mut self, reply: &impl Serialize) -> io::Result<()> {
        write(&mut self.writer, reply).await
    }
}

fn done(client: u64, result: Result<(), String>) -> Reply {
    match result {
        Ok(()) => Reply {
            done: Some(true),
            ..Reply::default()
        },
        Err(error) => Reply::error(format!("client {client}: {error}")),
    }
}

async fn write(writer: &mut OwnedWriteHalf, reply: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

fn refused(refusal: &Refusal) -> Reply {
    let reply = Reply::error(refusal.to_string());
    match refusal {
        Refusal::Untypable(list) => reply.with_findings(list),
        Refusal::Busy | Refusal::TooLong(_) => reply,
    }
}

fn told(progress: &Progress) -> Reply {
    let reply = Reply {
        typed: Some(progress.typed),
        of: Some(progress.of),
        ..Reply::default()
    };
    match &progress.end {
        None => reply,
        Some(End::Done) => Reply {
            done: Some(true),
            ..reply
        },
        Some(end) => Reply {
            error: Some(progress.to_string()),
            cancelled: (*end == End::Cancelled).then_some(true),
            ..reply
        },
    }
}

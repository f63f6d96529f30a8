//! One client: moves bytes between its stream and [`rfb::server::Connection`].
//!
//! Reading, writing and encoding go on side by side, so a key never waits behind a picture that a
//! slow line takes seconds for.

mod ending;
mod entrance;
mod events;
mod menu;
mod power;
mod upgrade;

use std::{
    future::pending,
    io::ErrorKind,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use rfb::{
    security::{Upgrade, rsa_aes::Done},
    server::{Connection, ServerConfig},
};
use tokio::{
    io::AsyncReadExt as _,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    InputSink, News, Server,
    admission::Place,
    audit::{self, Attempt},
    expiry::Expiry,
    input::Inputs,
    outbox::Outbox,
    requests::Requests,
    roster::Seat,
    stay::Stay,
    wire::{Stream, Wire},
};
use crate::{
    access::Admitted,
    hid::{ClientId, Leds, Named, PointerMode},
};
use ending::Ending;
use entrance::{Deciding, welcome};
use events::{led_state, pointer_mode};
use power::Powered;

/// Something that takes time and was asked for by the client, and what came of it.
type Working = Pin<Box<dyn Future<Output = Worked> + Send>>;

enum Worked {
    Power(Powered),
    /// The target's keyboard layout is another one, or why not.
    Layout(Result<(), String>),
}

/// A client that takes not one byte for so long is gone (check 68).
const STALL: Duration = Duration::from_secs(60);

/// Somebody who has connected.
pub(super) struct Visitor {
    pub client: ClientId,
    pub peer: SocketAddr,
    pub place: Place,
}

/// Serves one client from its greeting to its end.
pub(super) async fn serve<I: InputSink>(
    server: Arc<Server<I>>,
    visitor: Visitor,
    stream: impl Stream,
    config: Arc<ServerConfig>,
) {
    let Visitor {
        client,
        peer,
        mut place,
    } = visitor;
    let began = Instant::now();
    audit::connected(client, peer);
    (server.edges.tell)(News::Connected { client, peer });
    let ending = match welcome(&server, peer, config) {
        Ok((connection, turn)) => {
            let mut session = Session::new(&server, client, Wire::new(stream), peer, connection);
            let ending = session.run(&mut place, turn).await;
            session.explain(&ending);
            session.part(&ending, &place).await;
            ending
        }
        Err(ending) => ending,
    };
    if let Ending::Fault(_) | Ending::Random(_) = &ending {
        tracing::error!(client = client.0, %peer, reason = %ending, "a session failed");
    }
    audit::disconnected(client, peer, began.elapsed(), &ending);
    let why = ending.to_string();
    (server.edges.tell)(News::Disconnected { client, peer, why });
}

struct Session<'a, I: InputSink> {
    server: &'a Server<I>,
    client: ClientId,
    peer: SocketAddr,
    connection: Connection,
    wire: Wire,
    outbox: Outbox,
    inputs: Inputs<'a, I>,
    /// From ClientInit on; dropped behind the inputs.
    seat: Option<Seat<'a, I>>,
    stay: Option<Stay>,
    requests: Requests<'a>,
    frames: watch::Receiver<rfb::frame::Frame>,
    leds: watch::Receiver<Option<Leds>>,
    pointer_mode: watch::Receiver<PointerMode>,
    layout: watch::Receiver<Named>,
    expiry: Expiry,
    /// The client chose this, and waits for it.
    upgrade: Option<Upgrade>,
    began_tls: bool,
    rsa: Option<JoinHandle<Done>>,
    deciding: Option<Deciding>,
    /// One thing at a time.
    working: Option<Working>,
    attempt: Attempt,
    admitted: Option<Admitted>,
    /// The last that was chosen.
    encoding: Option<&'static str>,
}

impl<'a, I: InputSink> Session<'a, I> {
    fn new(
        server: &'a Server<I>,
        client: ClientId,
        wire: Wire,
        peer: SocketAddr,
        connection: Connection,
    ) -> Self {
        let edges = &server.edges;
        let mut session = Self {
            server,
            client,
            peer,
            connection,
            wire,
            outbox: Outbox::default(),
            inputs: Inputs::new(&edges.input, client),
            seat: None,
            stay: None,
            requests: Requests::new(client, &edges.typist, edges.hotkey, &server.name),
            frames: edges.frames.clone(),
            leds: edges.leds.clone(),
            pointer_mode: edges.pointer_mode.clone(),
            layout: edges.layout.subscribe(),
            expiry: Expiry::new(edges.key_expiry, Instant::now()),
            upgrade: None,
            began_tls: false,
            rsa: None,
            deciding: None,
            working: None,
            attempt: Attempt::default(),
            admitted: None,
            encoding: None,
        };
        session.frames.mark_changed();
        session.leds.mark_changed();
        // Before the client can be told another one.
        let mode = *session.pointer_mode.borrow_and_update();
        session.connection.set_pointer_mode(pointer_mode(mode));
        session
    }

    /// Runs until there is a reason to end. The client is not heard before `turn`.
    async fn run(&mut self, place: &mut Place, turn: Instant) -> Ending {
        let handshake = self.server.edges.limits.handshake;
        let handshake_ends = Instant::now() + handshake.duration();
        let mut last_progress = Instant::now();
        let mut heard = turn <= last_progress;
        let (mut leds_known, mut mode_known) = (true, true);
        let mut received = vec![0; 16 * 1024];
        let mut encoding = pin!(None);
        loop {
            self.connection.set_now(self.server.now());
            let shaking_hands = !self.connection.is_running();
            if !shaking_hands && let Some(name) = self.requests.new_name() {
                self.connection.set_name(&name);
            }
            if self.requests.has_new_picture() {
                self.show();
            }
            self.outbox.push_control(self.connection.take_output());
            if encoding.is_none() && self.outbox.is_empty() {
                if let Some(job) = self.connection.plan_update() {
                    encoding.set(Some(self.server.encoders.encode(job)));
                }
                let announced = self.connection.take_output();
                if !announced.is_empty() {
                    last_progress = Instant::now();
                    self.outbox.push_control(announced);
                }
            }

            if let Some(upgrade) = self.due_upgrade() {
                match self.change_stream(upgrade, place, handshake_ends).await {
                    Ok(()) => continue,
                    Err(ending) => return ending,
                }
            }

            let changing = self.upgrade.is_some();
            let may_read = heard && !changing && !self.outbox.is_full() && !self.inputs.is_full();
            if !may_read {
                // Nobody can be heard.
                self.expiry.heard(Instant::now());
            }
            let expires_at = self.expiry.due_at();
            let stay_due_at = self.stay.as_ref().and_then(Stay::due_at);
            let wakes_at = self.connection.wakes_at().map(|at| self.server.instant(at));
            tokio::select! {
                () = self.server.stop.cancelled() => return Ending::Stopping,
                () = place.evicted() => return Ending::Evicted,
                () = revoked(self.admitted.as_ref()) => return Ending::Revoked,
                () = sleep_until(turn), if !heard => heard = true,
                () = sleep_until(handshake_ends), if shaking_hands => {
                    return Ending::SlowHandshake(handshake.count());
                }
                () = sleep_until(last_progress + STALL), if !self.outbox.is_empty() => {
                    return Ending::Stalled;
                }
                Ok(()) = self.frames.changed() => self.show(),
                changed = self.leds.changed(), if leds_known => {
                    leds_known = changed.is_ok();
                    let leds = *self.leds.borrow_and_update();
                    self.connection.set_leds(leds.map(led_state));
                }
                () = self.requests.wake(), if !shaking_hands => {}
                changed = self.pointer_mode.changed(), if mode_known => {
                    mode_known = changed.is_ok();
                    let mode = *self.pointer_mode.borrow_and_update();
                    self.connection.set_pointer_mode(pointer_mode(mode));
                    self.requests.pointer_changed(mode);
                }
                Ok(()) = self.layout.changed() => {
                    let name = self.layout.borrow_and_update().name.clone();
                    self.requests.layout_changed(&name);
                }
                () = async { sleep_until(expires_at.unwrap_or(last_progress)).await },
                    if expires_at.is_some() => self.expire(),
                () = async { sleep_until(stay_due_at.unwrap_or(last_progress)).await },
                    if stay_due_at.is_some() => {
                    if let Err(ending) = self.end_stay() {
                        return ending;
                    }
                }
                Some(standing) = async { Some(self.seat.as_mut()?.changed().await) } => {
                    if let Err(ending) = self.stand(standing) {
                        return ending;
                    }
                }
                // Something is due by time alone: the loop looks what.
                () = async { sleep_until(wakes_at.unwrap_or(last_progress)).await },
                    if wakes_at.is_some() && self.outbox.is_empty() => {}
                Some(done) = async { Some(self.rsa.as_mut()?.await) } => {
                    if let Err(ending) = self.rsa_done(done) {
                        return ending;
                    }
                }
                Some(decided) = async { Some(self.deciding.as_mut()?.await) } => {
                    self.deciding = None;
                    let settled = match decided {
                        Ok(verdict) => self.settle(verdict, place),
                        Err(fault) => Err(fault.into()),
                    };
                    if let Err(ending) = settled {
                        return ending;
                    }
                }
                Some(worked) = async { Some(self.working.as_mut()?.await) } => {
                    self.worked(worked);
                }
                () = self.inputs.send_next(), if !self.inputs.is_empty() => {}
                Some(encoded) = async { Some(encoding.as_mut().as_pin_mut()?.await) } => {
                    encoding.set(None);
                    match encoded {
                        Ok(update) => {
                            self.connection.set_now(self.server.now());
                            last_progress = Instant::now();
                            let pieces = self.connection.finish_update(update);
                            self.note_update(&pieces);
                            self.outbox.push_update(pieces);
                        }
                        Err(error) => return error.into(),
                    }
                }
                written = self.outbox.write_to(&mut self.wire.writer), if !self.outbox.is_empty() => {
                    match written {
                        Ok(taken) => {
                            last_progress = Instant::now();
                            self.note_written(taken.bytes());
                            self.outbox.written(taken);
                            if self.outbox.is_empty() {
                                self.connection.set_now(self.server.now());
                                self.connection.update_written();
                            }
                        }
                        Err(error) => return error.into(),
                    }
                }
                read = self.wire.reader.read(&mut received), if may_read => {
                    let bytes = match read {
                        Ok(0) => return Ending::Closed,
                        Ok(n) => received.get(..n).unwrap_or_default(),
                        // Most viewers do not take leave of TLS.
                        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                            return Ending::Closed;
                        }
                        Err(error) => return error.into(),
                    };
                    let was_empty = self.outbox.is_empty();
                    self.expiry.heard(Instant::now());
                    self.connection.set_now(self.server.now());
                    let result = self.connection.receive(bytes).map_err(Ending::from);
                    if let Err(ending) = self.take_events().and(result) {
                        return ending;
                    }
                    if was_empty {
                        last_progress = Instant::now();
                    }
                }
            }
        }
    }
}

/// Ends when who was admitted may no longer be here.
async fn revoked(admitted: Option<&Admitted>) {
    match admitted {
        Some(admitted) => admitted.revoked().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod entrance_tests;
#[cfg(test)]
mod menu_tests;
#[cfg(test)]
mod pointer_tests;
#[cfg(test)]
mod sharing_tests;
#[cfg(test)]
mod tests;

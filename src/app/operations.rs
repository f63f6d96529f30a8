//! What the commands of the control socket do, and the events that they are told.

use std::{fmt, path::Path, sync::Arc};

use rfb::security::SecurityType;
use tokio::sync::{broadcast, watch};

use super::StartError;
use crate::{
    access::{Access, Role},
    config::{Config, PowerAction, Viewer},
    control::{
        self, Answering, ClientStatus, Event, Operations, Picture, PictureState, PowerStatus,
        Reply, Status,
    },
    hid::sink::udc,
    hid::{ClientId, Leds, PointerMode, TargetLayout},
    identity::Tls,
    net::{ClientInfo, InputSink, News, Server, Tell},
    power::Power,
    typing::Typist,
    video::Signal,
};

/// Events that wait for a reader before the oldest is given up.
const EVENTS: usize = 256;

/// Where events come from.
#[derive(Clone)]
pub(super) struct Events(broadcast::Sender<Event>);

/// What the operations look at.
pub(super) struct Bridge<I: InputSink> {
    pub(super) server: Arc<Server<I>>,
    pub(super) typist: Typist,
    pub(super) leds: watch::Receiver<Option<Leds>>,
    pub(super) pointer_mode: watch::Receiver<PointerMode>,
    pub(super) layout: TargetLayout,
    pub(super) signals: watch::Receiver<Signal>,
    pub(super) view_only: bool,
    pub(super) events: Events,
    /// The security types that viewers are offered which are called.
    pub(super) reverse: Vec<SecurityType>,
    pub(super) power: Option<Power>,
    /// Where the USB device controllers are, if the target is reached through one.
    pub(super) controllers: Option<&'static Path>,
    /// Each with its name, in the order in which they are reloaded.
    pub(super) reloads: Vec<(&'static str, Reload)>,
}

/// Reads one part of the configuration again; keeps what there is if that fails.
pub(super) type Reload = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Reads the whole configuration again; not given where none is read.
pub(super) type Reread = Box<dyn Fn() -> Result<Config, StartError> + Send + Sync>;

/// The reload of `[sessions]`.
pub(super) fn reload_sessions<I: InputSink>(server: &Arc<Server<I>>, reread: Reread) -> Reload {
    let server = Arc::clone(server);
    Box::new(move || {
        let config = reread().map_err(|error| error.to_string())?;
        server.roster().set_policy(config.sessions);
        Ok(())
    })
}

/// The reload of the users file.
pub(super) fn reload_users(access: &Arc<Access>) -> Reload {
    let access = Arc::clone(access);
    Box::new(move || access.reload().map_err(|error| error.to_string()))
}

/// The reload of the certificate.
pub(super) fn reload_certificate(tls: Tls) -> Reload {
    Box::new(move || tls.reload().map_err(|error| error.to_string()))
}

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::channel(EVENTS).0)
    }

    /// Takes what happens to clients.
    pub(super) fn tell(&self) -> Tell {
        let events = self.clone();
        Arc::new(move |news| events.send(event(news)))
    }

    /// Tells of the source and the lock LEDs for as long as there are any.
    pub(super) async fn follow(
        self,
        mut signals: watch::Receiver<Signal>,
        mut leds: watch::Receiver<Option<Leds>>,
    ) {
        let mut told = picture(&signals.borrow_and_update());
        leds.mark_unchanged();
        loop {
            tokio::select! {
                Ok(()) = signals.changed() => {
                    let picture = picture(&signals.borrow_and_update());
                    if picture != told {
                        told = picture.clone();
                        self.send(Event::Picture(picture));
                    }
                }
                Ok(()) = leds.changed() => {
                    let leds = leds.borrow_and_update().map(lock_leds);
                    self.send(Event::Leds { leds });
                }
                else => return,
            }
        }
    }

    fn send(&self, event: Event) {
        // Where nobody listens there is nobody to tell.
        let _ = self.0.send(event);
    }
}

impl<I: InputSink> Operations for Bridge<I> {
    fn status(&self) -> Status {
        let typing = self.typist.status();
        let running = typing.borrow().clone().filter(|text| text.end.is_none());
        let roster = self.server.roster();
        let policy = roster.policy();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clients: self.server.clients(),
            view_only: self.view_only,
            layout: self.layout.now().name.to_string(),
            pointer: match *self.pointer_mode.borrow() {
                PointerMode::Absolute => control::Pointer::Absolute,
                PointerMode::Relative => control::Pointer::Relative,
            },
            leds: self.leds.borrow().map(lock_leds),
            typing: running.map(|text| Reply {
                typed: Some(text.typed),
                of: Some(text.of),
                ..Reply::default()
            }),
            picture: self.picture(),
            usb: self.controllers.and_then(usb),
            power: self.power.as_ref().map(power_status),
            share: policy.share.to_string(),
            control: policy.control.to_string(),
            controller: roster.holder().map(|holder| holder.client.0),
        }
    }

    fn picture(&self) -> Picture {
        picture(&self.signals.borrow())
    }

    fn clients(&self) -> Vec<ClientStatus> {
        let clients = self.server.roster().clients().into_iter();
        clients.map(client_status).collect()
    }

    fn kick(&self, client: u64, reason: Option<&str>) -> bool {
        self.server.roster().kick(ClientId(client), reason)
    }

    fn set_view_only(&self, client: u64, on: bool) -> Result<(), String> {
        let set = self.server.roster().set_view_only(ClientId(client), on);
        set.map_err(|error| error.to_string())
    }

    fn take(&self, client: u64) -> Result<(), String> {
        let taken = self.server.roster().take(ClientId(client));
        taken.map_err(|error| error.to_string())
    }

    fn power(&self, action: PowerAction, who: &str) -> Answering {
        let (power, who) = (self.power.clone(), who.to_owned());
        Box::pin(async move {
            let power = power.ok_or("nothing is set up to switch the target; [power] says how")?;
            let done = power.perform(action, &who).await;
            done.map_err(|error| error.to_string())
        })
    }

    fn connect(&self, viewer: Viewer) -> Answering {
        let (server, security) = (Arc::clone(&self.server), self.reverse.clone());
        Box::pin(async move {
            let called = server.dial(&viewer, security).await;
            called.map(drop).map_err(|error| error.to_string())
        })
    }

    fn reload(&self) -> Vec<(&'static str, Result<(), String>)> {
        let mut results = Vec::new();
        for (part, reload) in &self.reloads {
            let result = reload();
            match &result {
                Ok(()) => tracing::info!(part, "reloaded"),
                Err(error) => tracing::error!(part, error, "not reloaded, it stays as it was"),
            }
            results.push((*part, result));
        }
        results
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.0.subscribe()
    }
}

impl<I: InputSink> fmt::Debug for Bridge<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

fn power_status(power: &Power) -> PowerStatus {
    PowerStatus {
        on: power.is_on(),
        actions: power.actions(),
        role: power.role().to_string(),
    }
}

/// What the controllers say of the target.
fn usb(controllers: &Path) -> Option<String> {
    let states = udc::states(controllers);
    let is_used = states.iter().any(|(_, state)| state == "configured");
    let first = states.into_iter().next().map(|(_, state)| state);
    if is_used {
        Some("configured".to_owned())
    } else {
        first
    }
}

fn event(news: News) -> Event {
    match news {
        News::Connected { client, peer } => Event::Connected {
            client: client.0,
            address: peer.to_string(),
        },
        News::LoggedIn(identity) => Event::Login {
            client: identity.client.0,
            address: identity.peer.to_string(),
            user: identity.user.as_deref().map(str::to_owned),
            role: role(identity.role).to_owned(),
        },
        News::LoginFailed { client, peer, why } => Event::LoginFailed {
            client: client.0,
            address: peer.to_string(),
            why,
        },
        News::Control { holder } => Event::Control {
            client: holder.as_ref().map(|holder| holder.client.0),
            name: holder.as_ref().map(ToString::to_string),
        },
        News::Disconnected { client, peer, why } => Event::Disconnected {
            client: client.0,
            address: peer.to_string(),
            why,
        },
    }
}

fn client_status(info: ClientInfo) -> ClientStatus {
    ClientStatus {
        id: info.identity.client.0,
        address: info.identity.peer.to_string(),
        user: info.identity.user.as_deref().map(str::to_owned),
        role: role(info.identity.role).to_owned(),
        encoding: info.encoding.map(str::to_owned),
        controls: info.controls,
        view_only: info.view_only,
        connected_seconds: info.connected.as_secs(),
        idle_seconds: info.idle.map(|idle| idle.as_secs()),
        bytes_sent: info.bytes_sent,
        bytes_per_second: info.rate,
        bytes_in_flight: info.in_flight as u64,
        round_trip_ms: info
            .round_trip
            .and_then(|trip| u64::try_from(trip.as_millis()).ok()),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::View => "view",
        Role::Control => "control",
        Role::Admin => "admin",
    }
}

fn picture(signal: &Signal) -> Picture {
    let none = |state, why: Option<&String>| Picture {
        state,
        width: None,
        height: None,
        why: why.cloned(),
    };
    match signal {
        Signal::Starting => none(PictureState::Starting, None),
        Signal::Live(frame) => Picture {
            state: PictureState::Live,
            width: Some(frame.size().width),
            height: Some(frame.size().height),
            why: None,
        },
        Signal::NoSignal { why, .. } => none(PictureState::NoSignal, Some(why)),
        Signal::Lost { why, .. } => none(PictureState::Lost, Some(why)),
    }
}

fn lock_leds(leds: Leds) -> control::Leds {
    control::Leds {
        num: leds.num,
        caps: leds.caps,
        scroll: leds.scroll,
    }
}

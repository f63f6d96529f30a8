//! Clients: listeners, sessions, who of them has control, and the limits that keep one peer from harming another.
//!
//! What comes in from the rest of the program are frames, lock LEDs and a place for input events;
//! nothing here knows a device.

mod admission;
mod audit;
mod dial;
mod encoders;
mod expiry;
mod flood;
mod hotkey;
mod input;
mod listener;
mod login;
mod menu;
mod news;
mod outbox;
mod requests;
mod roster;
mod screen;
mod sealed;
mod session;
mod stay;
mod throttle;
mod title;
mod wire;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rfb::{
    frame::Frame,
    security::SecurityType,
    server::{Millis, ServerConfig},
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::Access,
    config::{self, Hotkey},
    hid::{ClientId, Leds, PointerMode, TargetLayout},
    identity::{HostKey, Tls},
    metrics::Metrics,
    power::Power,
    typing::Typist,
};

pub use admission::Place;
pub use dial::DialError;
pub use input::InputSink;
pub use listener::{ListenError, Listener};
pub use login::LoginRefused;
pub use news::{News, Tell};
pub use roster::{ClientInfo, Dismissal, Identity, Roster, TakeError, ViewOnlyError};
pub use screen::{Screen, frames};
pub use tokio::net::TcpStream;
pub use wire::Stream;

use admission::Admission;
use encoders::Encoders;
use throttle::Throttle;

/// Connections at a time that are no sessions: a browser makes six for a page.
const VISITORS: usize = 64;

/// What the sessions work with.
pub struct Edges<I> {
    /// What is shown; from [`frames`].
    pub frames: watch::Receiver<Frame>,
    /// Lock LEDs as the target set them last, `None` while unknown.
    pub leds: watch::Receiver<Option<Leds>>,
    /// What clients that can send both are asked for, positions or movements.
    pub pointer_mode: watch::Receiver<PointerMode>,
    /// A client of which nothing is heard for so long loses the keys that it holds; never if zero.
    pub key_expiry: Duration,
    /// Where keys and pointer go.
    pub input: I,
    /// Types what clients have in their clipboards.
    pub typist: Typist,
    /// By which characters become keys.
    pub layout: TargetLayout,
    /// What a client's keys may ask of rfbridge itself.
    pub hotkey: Hotkey,
    /// How several clients share the target.
    pub sessions: config::Sessions,
    /// What one client may not exceed, and all of them.
    pub limits: config::Limits,
    /// Who is told what happens to clients.
    pub tell: Tell,
    /// What streams become TLS with.
    pub tls: Option<Tls>,
    /// What RSA-AES is done with.
    pub host_key: Option<Arc<HostKey>>,
    /// What switches the target on and off.
    pub power: Option<Power>,
    /// Where is counted what becomes of all this.
    pub metrics: Metrics,
}

/// All sessions, whichever listener they came through.
pub struct Server<I> {
    /// The desktop's.
    name: String,
    access: Arc<Access>,
    edges: Edges<I>,
    admission: Arc<Admission>,
    visitors: Arc<Admission>,
    throttle: Throttle,
    roster: Roster<I>,
    encoders: Arc<Encoders>,
    next_client: AtomicU64,
    /// Where the sessions' clocks begin.
    began: Instant,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl<I: InputSink> Server<I> {
    /// `name` is the desktop's; `stop` ends all listeners and sessions.
    pub fn new(
        name: String,
        access: Arc<Access>,
        edges: Edges<I>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let admission = Admission::new(edges.limits);
        let throttle = Throttle::new(edges.limits.failures_per_minute.interval());
        let encoders = Arc::new(Encoders::new(edges.metrics.clone()));
        let roster = Roster::new(edges.input.clone(), edges.sessions, Arc::clone(&edges.tell));
        Arc::new(Self {
            name,
            access,
            edges,
            admission,
            visitors: Admission::of_strangers(VISITORS),
            throttle,
            roster,
            encoders,
            next_client: AtomicU64::new(1),
            began: Instant::now(),
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// Accepts clients from `listeners` until told to stop; each offers these security types, in order. Must be called
    /// inside a tokio runtime.
    pub fn start(self: &Arc<Self>, listeners: Vec<(Listener, Vec<SecurityType>)>) {
        for (listener, security) in listeners {
            let server = Arc::clone(self);
            let config = Arc::new(self.connection_config(security));
            let take = move |stream, peer| {
                server.start_session(stream, peer, Arc::clone(&config));
            };
            self.spawn(listener.accept(self.stop.clone(), take));
        }
    }

    /// Serves one client that came over `stream`, which has become ready for RFB elsewhere.
    pub fn serve(
        self: &Arc<Self>,
        stream: impl Stream,
        peer: SocketAddr,
        security: Vec<SecurityType>,
    ) {
        self.start_session(stream, peer, Arc::new(self.connection_config(security)));
    }

    /// Runs what belongs to clients; [`Server::ended`] waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// A place for a connection that is no session, and so takes none from those that are.
    pub fn visit(&self, ip: IpAddr) -> Place {
        self.visitors.enter(ip, self.throttle.is_proven(ip))
    }

    /// What ends all listeners and sessions.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Who may enter.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// What is shown.
    pub fn frames(&self) -> watch::Receiver<Frame> {
        self.edges.frames.clone()
    }

    /// Waits until the last session is over, after `stop`, but no longer than this.
    pub async fn ended(&self, limit: Duration) {
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                sessions = self.tasks.len(),
                "some sessions did not end in time"
            );
        }
    }

    /// The clients that are in.
    pub fn roster(&self) -> &Roster<I> {
        &self.roster
    }

    /// How many clients have logged in.
    pub fn clients(&self) -> usize {
        self.admission.clients()
    }

    /// The time as connections count it.
    fn now(&self) -> Millis {
        let elapsed = self.began.elapsed().as_millis();
        Millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// When it will be this time.
    fn instant(&self, time: Millis) -> Instant {
        self.began + Duration::from_millis(time.0)
    }

    /// What a connection is that is offered these security types.
    fn connection_config(&self, security: Vec<SecurityType>) -> ServerConfig {
        ServerConfig {
            name: self.name.clone(),
            security,
            host_key: self.edges.host_key.as_ref().map(|key| key.public().clone()),
            names: self.access.means().users,
        }
    }

    /// Never given twice.
    fn next_client(&self) -> ClientId {
        ClientId(self.next_client.fetch_add(1, Ordering::Relaxed))
    }

    /// Serves one client that came over `stream`.
    fn start_session(
        self: &Arc<Self>,
        stream: impl wire::Stream,
        peer: SocketAddr,
        config: Arc<ServerConfig>,
    ) -> JoinHandle<()> {
        let client = self.next_client();
        // Here and not in its task, so that the oldest that gives way is the one that came first.
        let is_proven = self.throttle.is_proven(peer.ip());
        let place = self.admission.enter(peer.ip(), is_proven);
        let visitor = session::Visitor {
            client,
            peer,
            place,
        };
        let server = Arc::clone(self);
        self.tasks
            .spawn(session::serve(server, visitor, stream, config))
    }
}

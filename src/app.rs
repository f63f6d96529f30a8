//! Wires the parts together, runs them, and takes them down in order.
//!
//! # Threads
//!
//! What waits for a device runs on a named thread of its own, for as long as the program does:
//!
//! * `source` opens the capture device, drains it to its newest picture and opens it again when it is lost.
//! * `video` makes a frame of the newest picture by a look at its header and publishes it as a [`Signal`]; pictures that
//!   came meanwhile are skipped. The same picture again wakes nobody. What a frame shows is found out by the first
//!   update that needs it, and damage that shows then is told back to this thread.
//! * `hid` alone writes reports, in order, as fast as the target takes them; another one, `leds`, sleeps in a
//!   read of the keyboard's LED report.
//!
//! What waits for a network runs as tasks on tokio's few `net` threads: listeners, sessions, the control socket, texts that
//! are being typed, and the step from signals to frames. They never wait for a device and never encode; an update is planned and encoded on the runtime's blocking
//! pool, as many at a time as there are cores, once for all sessions that need the same, a large one on all cores.
//!
//! Between them are only five things, none of which can grow or block the sender: `watch<Signal>` and
//! `watch<Frame>`, which hold the newest value; `watch<Option<Leds>>` and `watch<PointerMode>`; and the HID thread's
//! bounded queue, in which pointer moves become one and a client that types too fast waits by itself. Everyone looks at the newest frame
//! when it is ready for one, so nothing queues up behind a slow client or a slow target. What happens to clients goes to
//! readers of the control socket by a broadcast that keeps the newest few.
//!
//! # The end
//!
//! SIGTERM, SIGINT or SIGHUP cancels one token. Listeners and sessions end, each releasing its client's keys; then the HID
//! thread releases everything once more, whoever held it, and ends; source and video end beside it. All
//! of it is given less than a second, so a second signal changes nothing: ending sooner could leave a key down.

mod cert;
mod connect;
mod control_socket;
mod ctl;
mod doors;
mod examine;
mod gadget;
mod heaps;
mod metrics;
mod operations;
mod security;
mod service;
mod stop_signals;
mod target;
mod type_text;
mod user;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Access, Role, UsersError},
    cli::Command,
    config::{self, Config, Passwords, Settings},
    control::{self, Context, Operations},
    demo,
    gadget::{GadgetError, ImageError},
    hid::{
        self,
        keymap::LayoutError,
        sink::{CountedSink, RecordSink},
    },
    logging,
    metrics::Metrics,
    net::{self, Edges, Server},
    power::Power,
    source::supervisor,
    typing::Typist,
    video::Signal,
    web::{self, Web},
};
use doors::Doors;
use operations::{Bridge, Events, Reread, reload_certificate, reload_sessions, reload_users};
use stop_signals::StopSignals;
use target::{Target, demo_target, keyboard_layout, real_target};

/// Clients that connect before the first picture would get a slate of a size that is a guess, so they wait for it,
/// but not for long: it may never come.
const FIRST_PICTURE: Duration = Duration::from_secs(1);
/// How long sessions may take to close, and then the threads.
const SESSIONS_END: Duration = Duration::from_millis(300);
const THREADS_END: Duration = Duration::from_millis(600);
/// The pool has work for a few threads at a time, for each stranger's password at most. But it starts one whenever none is
/// idle at that moment, which on a busy machine happens again and again, and each keeps a heap.
const BLOCKING_THREADS: usize = 32;

/// Why the program cannot run. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    File(#[from] config::FileError),
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error(transparent)]
    Password(#[from] config::PasswordError),
    #[error(transparent)]
    Users(#[from] UsersError),
    #[error("{0}")]
    NewPassword(#[from] user::BadPassword),
    #[error(
        "{0} (--keyboard-layout and --keyboard-variant, or `layout` and `variant` of [keyboard])"
    )]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Log(#[from] logging::BadFilter),
    #[error(transparent)]
    Listen(#[from] net::ListenError),
    #[error(transparent)]
    Security(#[from] security::SecurityError),
    #[error(transparent)]
    Cert(#[from] cert::CertError),
    #[error(transparent)]
    Control(#[from] control::OpenError),
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    #[error(transparent)]
    Gadget(#[from] GadgetError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("{0}; choose another file with --record FILE")]
    Record(io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    #[error(
        "the system gives no more threads or signals: {0}; is a limit set (ulimit -u, TasksMax)?"
    )]
    System(io::Error),
}

/// Runs a command to its end.
pub fn main(command: Command) -> ExitCode {
    heaps::limit();
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "rfbridge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, StartError> {
    match command {
        Command::Demo { flags } => {
            logging::start(flags.log.clone(), None)?;
            let config = Config::new(flags)?;
            let access = access(&config)?;
            bridge(&config, access, demo_target(&config)?, true, None)?;
        }
        Command::Serve {
            flags,
            config: path,
            print_config,
        } => {
            let file = Settings::from_file(path.as_deref())?;
            logging::start(flags.log.clone(), file.log.clone())?;
            let reread: Reread = {
                let (flags, path) = (flags.clone(), path.clone());
                Box::new(move || {
                    let file = Settings::from_file(path.as_deref())?;
                    Ok(Config::new(flags.clone().over(file))?)
                })
            };
            let config = Config::new(flags.over(file))?;
            if print_config {
                print(&config.to_toml()?)?;
                let access = access(&config)?;
                keyboard_layout(&config)?;
                security::Security::new(&config, &access)?;
                return Ok(ExitCode::SUCCESS);
            }
            let access = access(&config)?;
            let target = real_target(&config)?;
            bridge(&config, access, target, false, Some(reread))?;
        }
        Command::Gadget(command) => {
            logging::start(None, None)?;
            gadget::gadget(command)?;
        }
        Command::Media(command) => {
            logging::start(None, None)?;
            gadget::media(command)?;
        }
        Command::Doctor(flags) => return examine::examine(flags),
        Command::Type(options) => return Ok(type_text::main(&options)),
        Command::Ctl(options) => return Ok(ctl::main(&options)),
        Command::Connect(options) => return Ok(connect::main(&options)),
        Command::User(options) => user::main(options)?,
        Command::Cert(options) => cert::main(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Who is let in, after a check that nobody else has to be kept out where everybody is.
fn access(config: &Config) -> Result<Access, StartError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let passwords = config.passwords(credentials.as_deref())?;
    config.check_exposure(&passwords)?;
    let most = match config.view_only {
        true => Role::View,
        false => Role::Admin,
    };
    let mut access = Access::new(&passwords, most);
    if let Some(path) = &config.security.users {
        access = access.with_users(path)?;
    }
    report_security(&access, &passwords);
    Ok(access)
}

/// Says what the operator has to know of who is let in, and how.
fn report_security(access: &Access, passwords: &Passwords) {
    if !access.is_guarded() {
        tracing::info!(
            "no password is set, so only this machine can connect; to open it to others give --password-file FILE"
        );
    }
    if passwords.are_cut_by_vnc_auth() {
        tracing::warn!(
            "VNC authentication uses the first 8 bytes of a password and ignores the rest"
        );
    }
}

/// Serves `target` until a signal comes.
fn bridge(
    config: &Config,
    access: Access,
    target: Target,
    say_how_to_connect: bool,
    reread: Option<Reread>,
) -> Result<(), StartError> {
    let runtime = Builder::new_multi_thread()
        .thread_name("net")
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(StartError::System)?;
    let result = serve(&runtime, config, access, target, say_how_to_connect, reread);
    // Nothing that is still being encoded is wanted any more.
    runtime.shutdown_background();
    result
}

fn serve(
    runtime: &Runtime,
    config: &Config,
    access: Access,
    target: Target,
    say_how_to_connect: bool,
    reread: Option<Reread>,
) -> Result<(), StartError> {
    let _inside = runtime.enter();
    let handed = service::HandedOver::take();
    let mut stop_signals = StopSignals::new().map_err(StartError::System)?;
    let security = security::Security::new(config, &access)?;
    let doors = Doors::open(config, security.offers, handed)?;
    let control = control_socket::open(config)?;
    let sink = match &config.record {
        Some(path) => Box::new(RecordSink::create(path, target.sink).map_err(StartError::Record)?),
        None => target.sink,
    };

    let (signal, signals) = watch::channel(Signal::Starting);
    let (frames, screen) = net::frames(signals.clone(), config.size.map(|size| size.0));
    let hid_options = hid::Options {
        layout: target.layout.clone(),
        leds: target.leds.clone(),
        lock_inference: config.keyboard.lock_inference,
        mouse: hid::MouseOptions {
            mode: config.mouse.mode,
            scroll_rate: config.mouse.scroll_rate.steps(),
            jiggle: config.mouse.jiggle.duration(),
        },
    };
    let metrics = Metrics::default();
    let sink = Box::new(CountedSink::new(sink, metrics.clone()));
    let (input, hid) = hid::spawn(sink, hid_options).map_err(StartError::System)?;
    let source = supervisor::spawn(
        target.opener,
        signal,
        config.noise_tolerance.levels(),
        metrics.clone(),
    )
    .map_err(StartError::System)?;
    runtime.spawn(screen.follow());

    let access = Arc::new(access);
    let mut first_picture = frames.clone();
    let stop = CancellationToken::new();
    let delay = config.keyboard.type_delay.duration();
    let typist = Typist::new(input.clone(), target.layout.clone(), delay, stop.clone());
    let pointer_mode = input.pointer_mode();
    let events = Events::new();
    let power = Power::new(config.power.clone());
    let edges = Edges {
        frames,
        leds: target.leds.clone(),
        pointer_mode: pointer_mode.clone(),
        key_expiry: config.keyboard.expiry.duration(),
        input,
        typist: typist.clone(),
        layout: target.layout.clone(),
        hotkey: config.hotkey,
        sessions: config.sessions,
        limits: config.limits,
        tell: events.tell(),
        tls: security.tls.clone(),
        host_key: security.host_key,
        power: power.clone(),
        metrics: metrics.clone(),
    };
    if let Some(tls) = security.tls.clone() {
        runtime.spawn(tls.follow(stop.clone()));
    }
    runtime.spawn(Arc::clone(&access).follow(stop.clone()));
    let server = Server::new(
        config.name.clone(),
        Arc::clone(&access),
        edges,
        stop.clone(),
    );
    runtime.spawn(events.clone().follow(signals.clone(), target.leds.clone()));
    let sessions = reread.map(|reread| ("sessions", reload_sessions(&server, reread)));
    let users = config
        .security
        .users
        .is_some()
        .then(|| ("users", reload_users(&access)));
    let certificate = security
        .tls
        .clone()
        .map(|tls| ("certificate", reload_certificate(tls)));
    let operations: Arc<dyn Operations> = Arc::new(Bridge {
        server: Arc::clone(&server),
        typist: typist.clone(),
        leds: target.leds,
        pointer_mode,
        layout: target.layout,
        signals,
        view_only: config.view_only,
        events,
        reverse: doors.reverse.clone(),
        power,
        controllers: target.controllers,
        reloads: [sessions, users, certificate]
            .into_iter()
            .flatten()
            .collect(),
    });
    let parts = web::Parts {
        server: Arc::clone(&server),
        operations: Arc::clone(&operations),
        typist: typist.clone(),
        tls: security.tls,
        metrics: metrics::exposition(&metrics, Arc::clone(&operations), target.controllers),
    };
    let types = config.security.types.as_ref();
    let web = Web::new(parts, config.web.clone(), types.map(|types| &types.0[..]));
    let control = control.map(|socket| {
        let operations = Arc::clone(&operations);
        let context = Context { typist, operations };
        runtime.spawn(socket.serve(context, stop.clone()))
    });

    runtime.block_on(async {
        let signal = tokio::select! {
            // Either way clients are welcome now.
            _ = timeout(FIRST_PICTURE, first_picture.changed()) => None,
            signal = stop_signals.next() => Some(signal),
        };
        let signal = match signal {
            Some(signal) => signal,
            None => {
                let announcement = doors.announcement(say_how_to_connect);
                doors.let_in(&server, &web, &config.connect);
                print(&announcement)?;
                service::ready();
                tokio::spawn(service::follow(operations));
                stop_signals.next().await
            }
        };
        tracing::info!(signal, "stopping");
        service::stopping();
        stop.cancel();
        server.ended(SESSIONS_END).await;
        if let Some(control) = control {
            let _ = timeout(SESSIONS_END, control).await;
        }
        // Joining threads blocks. A device that hangs keeps its thread; the process ends all the same.
        let hid = tokio::task::spawn_blocking(|| hid.stop());
        let source = tokio::task::spawn_blocking(|| source.stop());
        let (hid, source) = tokio::join!(timeout(THREADS_END, hid), timeout(THREADS_END, source));
        if hid.is_err() {
            tracing::warn!("the HID thread did not end in time; keys may be down on the target");
        }
        if source.is_err() {
            tracing::debug!("the source did not end in time");
        }
        tracing::info!("stopped");
        Ok(())
    })
}

/// Writes to standard output, at once.
fn print(text: &str) -> Result<(), StartError> {
    write_out(text).map_err(StartError::Output)
}

fn write_out(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

//! The flags of `serve` and `demo`, each of which is a key of the configuration file, too.

use std::path::PathBuf;

use clap::Args;

use crate::config::{
    CommandSeconds, ControlPolicy, ControlSettings, ControlSocket, Count, Format, FramesPerSecond,
    Function, GadgetSettings, HandshakeSeconds, HotkeySettings, KeyboardSettings, Leader,
    LimitsSettings, Line, Listen, MouseMode, MouseSettings, NoiseTolerance, Origin, PerMinute,
    PowerSettings, Resource, Role, ScreenSize, ScrollRate, Seconds, SecuritySettings,
    SecurityTypes, SessionsSettings, Settings, Share, Sink, Source, TypeDelay, Viewer, Way,
    WebListen, WebSettings,
};

#[derive(Args, Debug)]
pub(super) struct Common {
    /// Where to listen; repeatable, port 0 chooses a free one; ADDR:PORT=TYPES offers other security types there
    /// [default: 127.0.0.1:5900]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,
    /// File whose first line is the password; only its owner may read it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File whose first line is a password for those who may only look
    #[arg(long, value_name = "FILE")]
    view_password_file: Option<PathBuf>,
    /// Viewer that listens, to call again and again; repeatable [default: none]
    #[arg(long, value_name = "HOST[:PORT]")]
    connect: Vec<Viewer>,
    /// Let clients watch and do nothing
    #[arg(long)]
    view_only: bool,
    /// Desktop name that viewers show [default: the host's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Size of the picture [default: the best there is]
    #[arg(long, value_name = "WxH")]
    size: Option<ScreenSize>,
    /// Frames per second [default: the best there is]
    #[arg(long, value_name = "N")]
    fps: Option<FramesPerSecond>,
    /// Write every HID report to FILE as a JSON line
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// What to log on standard error, such as debug or info,rfbridge::net=trace [default: RUST_LOG, else info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Milliseconds between two characters of a typed text, 0 to 1000 [default: 5]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    keyboard_type_delay: Option<TypeDelay>,
    /// Key that begins a hotkey when it is tapped twice: right-ctrl, left-ctrl, right-shift, left-shift, right-alt, left-alt,
    /// scroll-lock, pause or none [default: right-ctrl]
    #[arg(long, value_name = "KEY")]
    hotkey_leader: Option<Leader>,
    /// Whether that opens a menu in the client's picture; otherwise the next key alone is a command [default: true]
    #[arg(long, value_name = "BOOL")]
    hotkey_menu: Option<bool>,
    /// Socket for `rfbridge type` and the like, or none [default: control.sock in $RUNTIME_DIRECTORY, /run/rfbridge or
    /// $XDG_RUNTIME_DIR/rfbridge]
    #[arg(long, value_name = "PATH")]
    control_socket: Option<ControlSocket>,
    #[command(flatten)]
    mouse: MouseFlags,
    #[command(flatten)]
    limits: LimitsFlags,
    #[command(flatten)]
    security: SecurityFlags,
    /// Let go of the keys and mouse buttons of a client of which nothing was heard for so long, modifiers
    /// excepted; 0 for never [default: 0]
    #[arg(long, value_name = "SECONDS")]
    keyboard_expiry: Option<Seconds>,
    #[command(flatten)]
    sessions: SessionsFlags,
    #[command(flatten)]
    web: WebFlags,
    #[command(flatten)]
    power: PowerFlags,
}

/// `[limits]`
#[derive(Args, Debug)]
struct LimitsFlags {
    /// Seconds from the first byte to the end of the handshake, 5 to 300 [default: 30]
    #[arg(long = "limits-handshake", value_name = "SECONDS")]
    handshake: Option<HandshakeSeconds>,
    /// Connections that have not logged in yet, 1 to 1000 [default: 16]
    #[arg(long = "limits-strangers", value_name = "N")]
    strangers: Option<Count>,
    /// Clients, 1 to 1000 [default: 32]
    #[arg(long = "limits-clients", value_name = "N")]
    clients: Option<Count>,
    /// Clients from one address that is not loopback, 1 to 1000 [default: 16]
    #[arg(long = "limits-clients-per-address", value_name = "N")]
    clients_per_address: Option<Count>,
    /// Failed logins in a minute from all addresses together; beyond that who never logged in waits for seconds, 1 to 6000
    /// [default: 30]
    #[arg(long = "limits-failures-per-minute", value_name = "N")]
    failures_per_minute: Option<PerMinute>,
}

/// `[mouse]`
#[derive(Args, Debug)]
struct MouseFlags {
    /// Which of the target's pointers to use: auto (absolute where it has that), absolute, relative [default: auto]
    #[arg(long = "mouse-mode", value_name = "MODE")]
    mode: Option<MouseMode>,
    /// Steps for one turn of the wheel, 1 to 30 [default: 1]
    #[arg(long = "mouse-scroll-rate", value_name = "STEPS")]
    scroll_rate: Option<ScrollRate>,
    /// Stir the pointer after about so long without input, so that the target neither locks nor sleeps; 0 for
    /// never [default: 0]
    #[arg(long = "mouse-jiggle", value_name = "SECONDS")]
    jiggle: Option<Seconds>,
}

/// `[security]`
#[derive(Args, Debug)]
struct SecurityFlags {
    /// File with users, their roles and passwords; `rfbridge user` writes it
    #[arg(long = "security-users", value_name = "FILE")]
    users: Option<PathBuf>,
    /// Security types to offer, best first: X509Plain, X509Vnc, X509None, RA2_256, RA2, RA2ne_256, RA2ne, VncAuth,
    /// None [default: those that can be]
    #[arg(long = "security-types", value_name = "TYPES")]
    types: Option<SecurityTypes>,
    /// PEM file with the certificate for TLS and its chain; `rfbridge cert` makes one
    #[arg(long = "security-certificate", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long = "security-key", value_name = "FILE")]
    key: Option<PathBuf>,
    /// PEM file with the RSA key for RSA-AES (RA2); `rfbridge cert --host-key` makes one
    #[arg(long = "security-host-key", value_name = "FILE")]
    host_key: Option<PathBuf>,
}

/// `[sessions]`
#[derive(Args, Debug)]
struct SessionsFlags {
    /// Whether clients may be connected at the same time: always, client (unless one asks to be alone), never
    /// [default: always]
    #[arg(long = "sessions-share", value_name = "POLICY")]
    share: Option<Share>,
    /// Who may type and point at the same time: shared (all), exclusive (who took control last), first (who was
    /// there first) [default: shared]
    #[arg(long = "sessions-control", value_name = "POLICY")]
    control: Option<ControlPolicy>,
    /// Disconnect a client that could type and point and did neither for so long; 0 for never [default: 0]
    #[arg(long = "sessions-idle-timeout", value_name = "SECONDS")]
    idle_timeout: Option<Seconds>,
    /// Disconnect every client so long after it came in; 0 for never [default: 0]
    #[arg(long = "sessions-max-time", value_name = "SECONDS")]
    max_time: Option<Seconds>,
}

/// `[power]`
#[derive(Args, Debug)]
struct PowerFlags {
    /// GPIO line of the target's power button, such as gpio:gpiochip0/23: a short press for on and off, a long one to force off
    #[arg(long = "power-button", value_name = "LINE")]
    button: Option<Line>,
    /// How to switch the target on: gpio:CHIP/LINE, wol:MAC or command:/PROGRAM ARGUMENTS [default: the button]
    #[arg(long = "power-on", value_name = "WAY")]
    on: Option<Way>,
    /// How to ask it to switch itself off [default: the button]
    #[arg(long = "power-off", value_name = "WAY")]
    off: Option<Way>,
    /// How to switch it off whatever it does [default: the button, for 6 seconds]
    #[arg(long = "power-force-off", value_name = "WAY")]
    force_off: Option<Way>,
    /// How to reset it [default: not at all]
    #[arg(long = "power-reset", value_name = "WAY")]
    reset: Option<Way>,
    /// How to ask it to start again [default: not at all]
    #[arg(long = "power-reboot", value_name = "WAY")]
    reboot: Option<Way>,
    /// GPIO line of its power LED
    #[arg(long = "power-led", value_name = "LINE")]
    led: Option<Line>,
    /// The least role that may: control or admin [default: admin]
    #[arg(long = "power-role", value_name = "ROLE")]
    role: Option<Role>,
    /// Seconds that a command may take, 1 to 300 [default: 30]
    #[arg(long = "power-timeout", value_name = "SECONDS")]
    timeout: Option<CommandSeconds>,
}

/// `[web]`
#[derive(Args, Debug)]
struct WebFlags {
    /// Where to serve the page for the browser; repeatable, port 0 chooses a free one [default: nowhere]
    #[arg(id = "web-listen", long = "web-listen", value_name = "ADDR:PORT")]
    listen: Vec<WebListen>,
    /// Directory of noVNC [default: where Debian's package or npm puts it]
    #[arg(long = "web-novnc", value_name = "DIR")]
    novnc: Option<PathBuf>,
    /// Another server's pages that may connect, such as https://kvm.example; repeatable [default: none]
    #[arg(long = "web-origins", value_name = "ORIGIN")]
    origins: Vec<Origin>,
    /// What is given without a login: healthz, metrics, settled, snapshot; repeatable [default: nothing]
    #[arg(long = "web-open", value_name = "WHAT")]
    open: Vec<Resource>,
}

#[derive(Args, Debug)]
pub(super) struct Devices {
    /// Where frames come from: v4l, v4l:/dev/videoN, pipe:- (JPEGs or raw frames on standard input), pipe:PATH, replay:PATH
    /// [default: v4l]
    #[arg(long, value_name = "SOURCE")]
    source: Option<Source>,
    /// Format a v4l device delivers: mjpeg, yuyv, uyvy, nv12, rgb24, bgr24 [default: the best it offers], or of
    /// what comes through a pipe [default: mjpeg]; raw frames in a pipe need --size
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// By how many of 256 levels a sample of a raw format may flicker and be left as it is shown, 0 to 16
    /// [default: 0]
    #[arg(long, value_name = "LEVELS")]
    noise_tolerance: Option<NoiseTolerance>,
    /// Where HID reports go: gadget, or null for a picture without input [default: gadget]
    #[arg(long, value_name = "SINK")]
    sink: Option<Sink>,
    #[command(flatten)]
    gadget: GadgetFlags,
    #[command(flatten)]
    keyboard: KeyboardFlags,
}

/// `[gadget]`
#[derive(Args, Debug)]
struct GadgetFlags {
    /// Device of the boot keyboard, auto or none [default: auto, which is the gadget's]
    #[arg(long = "gadget-keyboard", value_name = "DEVICE")]
    keyboard: Option<Function>,
    /// Device of the absolute mouse, auto or none [default: auto]
    #[arg(long = "gadget-absolute", value_name = "DEVICE")]
    absolute: Option<Function>,
    /// Device of the relative mouse, auto or none [default: auto]
    #[arg(long = "gadget-relative", value_name = "DEVICE")]
    relative: Option<Function>,
    /// Device of the media keys, auto or none [default: auto]
    #[arg(long = "gadget-consumer", value_name = "DEVICE")]
    consumer: Option<Function>,
}

/// `[keyboard]`
#[derive(Args, Debug)]
struct KeyboardFlags {
    /// Keyboard layout of the target, by its XKB name, such as de, gb or fr(bepo) [default: us]
    #[arg(long = "keyboard-layout", value_name = "LAYOUT")]
    layout: Option<String>,
    /// Variant of the layout, such as nodeadkeys
    #[arg(long = "keyboard-variant", value_name = "VARIANT")]
    variant: Option<String>,
    /// Whether to tap Num Lock where the target's is off and a client's keypad sends digits: true or false
    /// [default: true]
    #[arg(long = "keyboard-lock-inference", value_name = "BOOL")]
    lock_inference: Option<bool>,
}

impl From<Common> for Settings {
    fn from(common: Common) -> Self {
        Settings {
            listen: given(common.listen),
            name: common.name,
            password_file: common.password_file,
            view_password_file: common.view_password_file,
            security: common.security.into(),
            size: common.size,
            fps: common.fps,
            log: common.log,
            record: common.record,
            connect: given(common.connect),
            view_only: common.view_only.then_some(true),
            mouse: common.mouse.into(),
            limits: common.limits.into(),
            keyboard: KeyboardSettings {
                type_delay: common.keyboard_type_delay,
                expiry: common.keyboard_expiry,
                ..KeyboardSettings::default()
            },
            hotkey: HotkeySettings {
                leader: common.hotkey_leader,
                menu: common.hotkey_menu,
            },
            control: ControlSettings {
                socket: common.control_socket,
            },
            sessions: common.sessions.into(),
            web: common.web.into(),
            power: common.power.into(),
            ..Settings::default()
        }
    }
}

impl From<Devices> for Settings {
    fn from(devices: Devices) -> Self {
        Settings {
            source: devices.source,
            format: devices.format,
            noise_tolerance: devices.noise_tolerance,
            sink: devices.sink,
            gadget: devices.gadget.into(),
            keyboard: devices.keyboard.into(),
            ..Settings::default()
        }
    }
}

impl From<LimitsFlags> for LimitsSettings {
    fn from(flags: LimitsFlags) -> Self {
        LimitsSettings {
            handshake: flags.handshake,
            strangers: flags.strangers,
            clients: flags.clients,
            clients_per_address: flags.clients_per_address,
            failures_per_minute: flags.failures_per_minute,
        }
    }
}

impl From<MouseFlags> for MouseSettings {
    fn from(flags: MouseFlags) -> Self {
        MouseSettings {
            mode: flags.mode,
            scroll_rate: flags.scroll_rate,
            jiggle: flags.jiggle,
        }
    }
}

impl From<SecurityFlags> for SecuritySettings {
    fn from(flags: SecurityFlags) -> Self {
        SecuritySettings {
            users: flags.users,
            types: flags.types,
            certificate: flags.certificate,
            key: flags.key,
            host_key: flags.host_key,
        }
    }
}

impl From<SessionsFlags> for SessionsSettings {
    fn from(flags: SessionsFlags) -> Self {
        SessionsSettings {
            share: flags.share,
            control: flags.control,
            idle_timeout: flags.idle_timeout,
            max_time: flags.max_time,
        }
    }
}

impl From<PowerFlags> for PowerSettings {
    fn from(flags: PowerFlags) -> Self {
        Self {
            button: flags.button,
            on: flags.on,
            off: flags.off,
            force_off: flags.force_off,
            reset: flags.reset,
            reboot: flags.reboot,
            led: flags.led,
            role: flags.role,
            timeout: flags.timeout,
        }
    }
}

impl From<WebFlags> for WebSettings {
    fn from(flags: WebFlags) -> Self {
        Self {
            listen: given(flags.listen),
            novnc: flags.novnc,
            origins: given(flags.origins),
            open: given(flags.open),
        }
    }
}

/// What was said as often as anybody liked, and so perhaps never.
fn given<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}

impl From<GadgetFlags> for GadgetSettings {
    fn from(flags: GadgetFlags) -> Self {
        GadgetSettings {
            keyboard: flags.keyboard,
            absolute: flags.absolute,
            relative: flags.relative,
            consumer: flags.consumer,
        }
    }
}

impl From<KeyboardFlags> for KeyboardSettings {
    fn from(flags: KeyboardFlags) -> Self {
        KeyboardSettings {
            layout: flags.layout,
            variant: flags.variant,
            lock_inference: flags.lock_inference,
            ..KeyboardSettings::default()
        }
    }
}

//! What the program was asked to do: flags over a TOML file over defaults.
//!
//! Every setting is a flag and a key of the same name; a key of a section has the section's name before it:
//! `[gadget]` `keyboard` is `--gadget-keyboard`. [`Settings`] is one layer as it was written, with
//! gaps; [`Config`] is the result without gaps.

mod control;
mod file;
mod limits;
mod mouse;
mod password;
mod power;
mod role;
mod security;
mod sessions;
mod settings;
mod values;
mod viewer;
mod web;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use control::{ControlSocket, Leader, TypeDelay};
pub use file::{DEFAULT_PATH, FileError};
pub use limits::{Count, HandshakeSeconds, Limit, Limits, PerMinute};
pub use mouse::{Mouse, MouseMode, ScrollRate, Seconds};
pub use password::{CREDENTIAL, Password, PasswordError, Passwords, VIEW_CREDENTIAL};
pub use power::{Action as PowerAction, CommandSeconds, Line, Power, SHORT as SHORT_PRESS, Way};
pub use role::Role;
pub use security::{CertificateFiles, Security, SecurityTypes};
pub use sessions::{ControlPolicy, Sessions, Share};
pub use settings::{
    ControlSettings, GadgetSettings, HotkeySettings, KeyboardSettings, LimitsSettings,
    MouseSettings, PowerSettings, SecuritySettings, SessionsSettings, Settings, WebSettings,
};
pub use values::{
    BadValue, Format, FramesPerSecond, Function, Listen, NoiseTolerance, Profile, ScreenSize, Sink,
    Source,
};
pub use viewer::Viewer;
pub use web::{Origin, Resource, Web, WebListen};

impl Settings {
    /// Reads `path`, or [`DEFAULT_PATH`] if there is such a file and no `path`.
    pub fn from_file(path: Option<&Path>) -> Result<Settings, FileError> {
        file::read(path)
    }
}

/// What to run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Never empty.
    pub listen: Vec<Listen>,
    /// The desktop name that viewers show.
    pub name: String,
    pub password_file: Option<PathBuf>,
    pub view_password_file: Option<PathBuf>,
    /// Viewers that listen, which are called again and again.
    pub connect: Vec<Viewer>,
    /// Clients only watch.
    pub view_only: bool,
    /// Of the picture; the best there is if it is not given.
    pub size: Option<ScreenSize>,
    pub fps: Option<FramesPerSecond>,
    pub log: Option<String>,
    /// Where every HID report is written to, beside the real sink.
    pub record: Option<PathBuf>,
    pub source: Source,
    pub format: Option<Format>,
    pub noise_tolerance: NoiseTolerance,
    pub sink: Sink,
    pub gadget: Gadget,
    pub mouse: Mouse,
    pub keyboard: Keyboard,
    pub hotkey: Hotkey,
    pub control: Control,
    pub sessions: Sessions,
    pub security: Security,
    pub limits: Limits,
    pub web: Web,
    pub power: Power,
}

/// What a client's keys may ask of rfbridge itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hotkey {
    /// The key that is tapped twice.
    pub leader: Leader,
    /// That opens a menu in the client's picture.
    pub menu: bool,
}

/// How commands reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The first place that can be had if it is not given.
    pub socket: Option<ControlSocket>,
}

/// The device of each HID function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gadget {
    pub keyboard: Function,
    pub absolute: Function,
    pub relative: Function,
    pub consumer: Function,
}

/// How keys are typed, and for how long they stay down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyboard {
    /// The target's layout and its variant, by their XKB names.
    pub layout: String,
    /// Empty for the layout's usual one.
    pub variant: String,
    /// Num Lock is tapped on the target where a client's keypad says that its own is on.
    pub lock_inference: bool,
    /// Between two characters of a text.
    pub type_delay: TypeDelay,
    /// A client of which nothing was heard for so long loses the keys that it holds, but not its modifiers.
    pub expiry: Seconds,
}

/// Settings that are well-formed one by one but make no sense together, or a value that no server can have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "`listen` is an empty list, so nobody could connect; leave it out to listen on 127.0.0.1:5900"
    )]
    NoListener,
    #[error(
        "`listen` (or that of [web]) names {0} twice; name every address once (only port 0 may be repeated)"
    )]
    SameListener(SocketAddr),
    #[error(
        "{0} pictures from a pipe do not tell their size; give it with --size WIDTHxHEIGHT (key `size`)"
    )]
    NoSize(Format),
    #[error(
        "`name` is {0:?}; a desktop name has 1 to 255 bytes and no control characters (leave it out to use the host's name)"
    )]
    Name(String),
    #[error(
        "`{first}` and `{second}` of [gadget] are both {}; every HID function has a device of its own (or `none`)",
        path.display()
    )]
    SameDevice {
        first: &'static str,
        second: &'static str,
        path: PathBuf,
    },
    #[error(
        "`keyboard`, `absolute`, `relative` and `consumer` of [gadget] are all `none`, so no input could reach the target; name a device, or say `sink = \"null\"` (--sink null) if this is meant"
    )]
    NoFunction,
    #[error(
        "refusing to listen on {0} without a password: whoever reaches that address would control the target. \
         Give one with --password-file FILE (key `password-file`) or the systemd credential `{CREDENTIAL}`, \
         or listen on loopback (--listen 127.0.0.1:{port}) and reach it through an SSH tunnel", port = .0.port()
    )]
    Exposed(SocketAddr),
    #[error(
        "`certificate` of [security] is given without `key`; name the file with its private key (--security-key FILE)"
    )]
    NoKey,
    #[error(
        "`key` of [security] is given without `certificate`; name the file with the certificate (--security-certificate FILE)"
    )]
    NoCertificate,
    /// A path that is not UTF-8.
    #[error("the configuration cannot be written as TOML: {0}")]
    Print(toml::ser::Error),
}

impl Config {
    /// Fills the gaps of `settings` and checks the whole.
    pub fn new(settings: Settings) -> Result<Config, ConfigError> {
        let listen = match settings.listen {
            None => vec![Listen::default()],
            Some(listen) => listen,
        };
        let config = Config {
            listen,
            name: settings.name.unwrap_or_else(host_name),
            password_file: settings.password_file,
            view_password_file: settings.view_password_file,
            connect: settings.connect.unwrap_or_default(),
            view_only: settings.view_only.unwrap_or(false),
            size: settings.size,
            fps: settings.fps,
            log: settings.log,
            record: settings.record,
            source: settings.source.unwrap_or(Source::V4l(None)),
            format: settings.format,
            noise_tolerance: settings.noise_tolerance.unwrap_or_default(),
            sink: settings.sink.unwrap_or(Sink::Gadget),
            gadget: Gadget::new(settings.gadget),
            mouse: Mouse::new(settings.mouse),
            keyboard: Keyboard::new(settings.keyboard),
            hotkey: Hotkey {
                leader: settings.hotkey.leader.unwrap_or_default(),
                menu: settings.hotkey.menu.unwrap_or(true),
            },
            control: Control {
                socket: settings.control.socket,
            },
            sessions: Sessions::new(settings.sessions),
            security: Security::new(settings.security)?,
            limits: Limits::new(settings.limits),
            web: Web::new(settings.web),
            power: Power::from(settings.power),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            return Err(ConfigError::NoListener);
        }
        let addresses: Vec<_> = self.addresses().collect();
        for (index, address) in addresses.iter().enumerate() {
            if address.port() != 0 && addresses[..index].contains(address) {
                return Err(ConfigError::SameListener(*address));
            }
        }
        let name = &self.name;
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(ConfigError::Name(name.clone()));
        }
        if let (Source::Stdin | Source::Pipe(_), Some(format), None) =
            (&self.source, self.format, self.size)
            && format != Format::Mjpeg
        {
            return Err(ConfigError::NoSize(format));
        }
        if self.sink == Sink::Gadget {
            self.check_functions()?;
        }
        Ok(())
    }

    fn check_functions(&self) -> Result<(), ConfigError> {
        let functions = self.gadget.functions();
        if functions.iter().all(|(_, f)| **f == Function::None) {
            return Err(ConfigError::NoFunction);
        }
        let used: Vec<_> = functions
            .into_iter()
            .filter_map(|(key, function)| Some((key, function.path()?)))
            .collect();
        for (index, (second, path)) in used.iter().enumerate() {
            if let Some((first, _)) = used[..index].iter().find(|(_, other)| other == path) {
                return Err(ConfigError::SameDevice {
                    first,
                    second,
                    path: path.to_path_buf(),
                });
            }
        }
        Ok(())
    }

    /// The password from `password-file`, else from the systemd credential, if there is either; and so the view password.
    ///
    /// `credentials` is the value of `$CREDENTIALS_DIRECTORY`.
    pub fn passwords(&self, credentials: Option<&Path>) -> Result<Passwords, PasswordError> {
        let password = |file: &Option<PathBuf>, credential| match (file, credentials) {
            (Some(path), _) => Password::from_file(path).map(Some),
            (None, Some(directory)) => Password::from_credential(directory, credential),
            (None, None) => Ok(None),
        };
        let passwords = Passwords {
            password: password(&self.password_file, CREDENTIAL)?,
            view: password(&self.view_password_file, VIEW_CREDENTIAL)?,
        };
        passwords.check()
    }

    /// Without a password and without users nobody but this machine may connect.
    pub fn check_exposure(&self, passwords: &Passwords) -> Result<(), ConfigError> {
        let is_guarded = !passwords.is_empty() || self.security.users.is_some();
        match self.exposed() {
            Some(address) if !is_guarded => Err(ConfigError::Exposed(address)),
            _ => Ok(()),
        }
    }

    /// All addresses to listen on, for VNC and for the browser.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let vnc = self.listen.iter().map(|listen| listen.address);
        vnc.chain(self.web.listen.iter().copied())
    }

    /// An address that other machines may reach.
    pub fn exposed(&self) -> Option<SocketAddr> {
        let exposed = |a: &SocketAddr| !a.ip().to_canonical().is_loopback();
        self.addresses().find(exposed)
    }

    /// The whole configuration as a file that [`Settings::from_file`] reads.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(&self.clone().into_settings()).map_err(ConfigError::Print)
    }

    fn into_settings(self) -> Settings {
        Settings {
            listen: Some(self.listen),
            name: Some(self.name),
            password_file: self.password_file,
            view_password_file: self.view_password_file,
            connect: Some(self.connect),
            view_only: Some(self.view_only),
            size: self.size,
            fps: self.fps,
            log: self.log,
            record: self.record,
            source: Some(self.source),
            format: self.format,
            noise_tolerance: Some(self.noise_tolerance),
            sink: Some(self.sink),
            gadget: self.gadget.into_settings(),
            mouse: self.mouse.into_settings(),
            keyboard: self.keyboard.into_settings(),
            hotkey: HotkeySettings {
                leader: Some(self.hotkey.leader),
                menu: Some(self.hotkey.menu),
            },
            control: ControlSettings {
                socket: self.control.socket,
            },
            sessions: self.sessions.into_settings(),
            security: self.security.into_settings(),
            limits: self.limits.into_settings(),
            web: self.web.into_settings(),
            power: self.power.into_settings(),
        }
    }
}

impl Gadget {
    fn new(settings: GadgetSettings) -> Self {
        Self {
            keyboard: settings.keyboard.unwrap_or_default(),
            absolute: settings.absolute.unwrap_or_default(),
            relative: settings.relative.unwrap_or_default(),
            consumer: settings.consumer.unwrap_or_default(),
        }
    }

    /// The HID functions with the keys that set them.
    pub fn functions(&self) -> [(&'static str, &Function); 4] {
        [
            ("keyboard", &self.keyboard),
            ("absolute", &self.absolute),
            ("relative", &self.relative),
            ("consumer", &self.consumer),
        ]
    }

    fn into_settings(self) -> GadgetSettings {
        GadgetSettings {
            keyboard: Some(self.keyboard),
            absolute: Some(self.absolute),
            relative: Some(self.relative),
            consumer: Some(self.consumer),
        }
    }
}

impl Keyboard {
    fn new(settings: KeyboardSettings) -> Self {
        Self {
            layout: settings.layout.unwrap_or_else(|| "us".into()),
            variant: settings.variant.unwrap_or_default(),
            lock_inference: settings.lock_inference.unwrap_or(true),
            type_delay: settings.type_delay.unwrap_or_default(),
            expiry: settings.expiry.unwrap_or_default(),
        }
    }

    fn into_settings(self) -> KeyboardSettings {
        KeyboardSettings {
            layout: Some(self.layout),
            variant: Some(self.variant),
            lock_inference: Some(self.lock_inference),
            type_delay: Some(self.type_delay),
            expiry: Some(self.expiry),
        }
    }
}

/// The name of this machine; viewers show it in their title bar.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" | "(none)" => "rfbridge".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod password_tests;
#[cfg(test)]
mod tests;

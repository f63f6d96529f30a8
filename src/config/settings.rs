//! One layer of settings, as flags or a file give it: everything may be missing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    control::{ControlSocket, Leader, TypeDelay},
    limits::{Count, HandshakeSeconds, PerMinute},
    mouse::{MouseMode, ScrollRate, Seconds},
    power::{CommandSeconds, Line, Way},
    role::Role,
    security::SecurityTypes,
    sessions::{ControlPolicy, Share},
    values::{
        self, Format, FramesPerSecond, Function, Listen, NoiseTolerance, ScreenSize, Sink, Source,
    },
    viewer::Viewer,
    web::{Origin, Resource, WebListen},
};

/// Makes a layer, or a section of one, of its keys: every key is one line here.
macro_rules! layer {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$attribute:meta])* $key:literal $field:ident: $type:ty,)*
            $([$section_key:literal] $section:ident: $section_type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[$attribute])*
                #[serde(rename = $key, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
            $(
                #[serde(rename = $section_key, skip_serializing_if = "is_empty")]
                pub $section: $section_type,
            )*
        }

        impl $name {
            /// The names of all keys, as they are written in the file.
            pub const KEYS: &[&str] = &[$($key),*];
            /// The names of all sections with their keys.
            pub const SECTIONS: &[(&str, &[&str])] = &[$(($section_key, <$section_type>::KEYS)),*];

            /// These settings, and those of `below` where these say nothing.
            pub fn over(self, below: Self) -> Self {
                Self {
                    $($field: self.$field.or(below.$field),)*
                    $($section: self.$section.over(below.$section),)*
                }
            }
        }
    };
}

layer! {
    /// One layer of settings, from the flags or from the file. `None` leaves it to the layer below.
    pub struct Settings {
        #[serde(deserialize_with = "values::one_or_many")]
        "listen" listen: Vec<Listen>,
        "name" name: String,
        "password-file" password_file: PathBuf,
        "view-password-file" view_password_file: PathBuf,
        #[serde(deserialize_with = "values::one_or_many")]
        "connect" connect: Vec<Viewer>,
        "view-only" view_only: bool,
        "size" size: ScreenSize,
        "fps" fps: FramesPerSecond,
        "log" log: String,
        "record" record: PathBuf,
        "source" source: Source,
        "format" format: Format,
        "noise-tolerance" noise_tolerance: NoiseTolerance,
        "sink" sink: Sink,
        ["gadget"] gadget: GadgetSettings,
        ["mouse"] mouse: MouseSettings,
        ["keyboard"] keyboard: KeyboardSettings,
        ["hotkey"] hotkey: HotkeySettings,
        ["control"] control: ControlSettings,
        ["sessions"] sessions: SessionsSettings,
        ["security"] security: SecuritySettings,
        ["limits"] limits: LimitsSettings,
        ["web"] web: WebSettings,
        ["power"] power: PowerSettings,
    }
}

layer! {
    /// `[gadget]`: the device of each HID function.
    pub struct GadgetSettings {
        "keyboard" keyboard: Function,
        "absolute" absolute: Function,
        "relative" relative: Function,
        "consumer" consumer: Function,
    }
}

layer! {
    /// `[mouse]`: how the pointer is moved.
    pub struct MouseSettings {
        "mode" mode: MouseMode,
        "scroll-rate" scroll_rate: ScrollRate,
        "jiggle" jiggle: Seconds,
    }
}

layer! {
    /// `[keyboard]`: how keys are typed, and for how long they stay down.
    pub struct KeyboardSettings {
        "layout" layout: String,
        "variant" variant: String,
        "lock-inference" lock_inference: bool,
        "expiry" expiry: Seconds,
        "type-delay" type_delay: TypeDelay,
    }
}

layer! {
    /// `[hotkey]`
    pub struct HotkeySettings {
        "leader" leader: Leader,
        "menu" menu: bool,
    }
}

layer! {
    /// `[security]`: how clients prove who they are, and this server to them.
    pub struct SecuritySettings {
        "users" users: PathBuf,
        "types" types: SecurityTypes,
        "certificate" certificate: PathBuf,
        "key" key: PathBuf,
        "host-key" host_key: PathBuf,
    }
}

layer! {
    /// `[control]`
    pub struct ControlSettings {
        "socket" socket: ControlSocket,
    }
}

layer! {
    /// `[sessions]`: how several clients share the target, and for how long one may stay.
    pub struct SessionsSettings {
        "share" share: Share,
        "control" control: ControlPolicy,
        "idle-timeout" idle_timeout: Seconds,
        "max-time" max_time: Seconds,
    }
}

layer! {
    /// `[limits]`: how many clients there may be, and how fast passwords may be guessed by all together.
    pub struct LimitsSettings {
        "handshake" handshake: HandshakeSeconds,
        "strangers" strangers: Count,
        "clients" clients: Count,
        "clients-per-address" clients_per_address: Count,
        "failures-per-minute" failures_per_minute: PerMinute,
    }
}

layer! {
    /// `[web]`: the page for the browser, and what programs fetch.
    pub struct WebSettings {
        #[serde(deserialize_with = "values::one_or_many")]
        "listen" listen: Vec<WebListen>,
        "novnc" novnc: PathBuf,
        "origins" origins: Vec<Origin>,
        "open" open: Vec<Resource>,
    }
}

layer! {
    /// `[power]`: how the target is switched on and off.
    pub struct PowerSettings {
        "button" button: Line,
        "on" on: Way,
        "off" off: Way,
        "force-off" force_off: Way,
        "reset" reset: Way,
        "reboot" reboot: Way,
        "led" led: Line,
        "role" role: Role,
        "timeout" timeout: CommandSeconds,
    }
}

fn is_empty<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
}

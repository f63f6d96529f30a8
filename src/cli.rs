//! The command line. Nothing else knows clap.

mod gadget;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use gadget::{GadgetCommand, MediaCommand};

use crate::config::{
    ControlSettings, ControlSocket, Format, FramesPerSecond, Function, GadgetSettings,
    HotkeySettings, KeyboardSettings, Leader, Listen, MouseMode, MouseSettings, NoiseTolerance,
    ScreenSize, ScrollRate, Seconds, Settings, Sink, Source, TypeDelay,
};

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve the simulated target.
    Demo { flags: Settings },
    /// Serve a real one.
    Serve {
        flags: Settings,
        /// The configuration file, if one was named.
        config: Option<PathBuf>,
        /// Print the effective configuration and end.
        print_config: bool,
    },
    /// Create, change or remove the USB gadget.
    Gadget(GadgetCommand),
    /// What is in the target's virtual drive.
    Media(MediaCommand),
    /// Look for what is wrong.
    Doctor(DoctorFlags),
    /// Have the running server type a text.
    Type(TypeOptions),
}

/// What `doctor` is to look at, and how it tells.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct DoctorFlags {
    /// TOML file that rfbridge is served with [default: /etc/rfbridge/rfbridge.toml if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Do not look at what the capture device sends, which takes 3 seconds
    #[arg(long)]
    pub no_capture: bool,
}

/// What is to be typed, and how.
#[derive(Args, Debug, PartialEq, Eq)]
pub struct TypeOptions {
    /// The text, in UTF-8; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Milliseconds between two characters, 0 to 1000 [default: as the server was set]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub delay: Option<TypeDelay>,
    /// Leave out what the target's layout cannot type
    #[arg(long)]
    pub skip: bool,
    /// Only say what the target's layout cannot type
    #[arg(long)]
    pub dry_run: bool,
    /// The server's control socket [default: the first of the usual places where one answers]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// Reads the command line. Help, version and usage errors end the process here (exit code 0 or 2).
pub fn parse() -> Command {
    CommandLine::parse().into()
}

/// Reads `arguments`, of which the first is the program's name.
///
/// # Errors
/// The text to show, and whether it is an error or what was asked for (help, version).
pub fn parse_from<S: AsRef<str>>(arguments: &[S]) -> Result<Command, (String, bool)> {
    CommandLine::try_parse_from(arguments.iter().map(AsRef::as_ref))
        .map(Command::from)
        .map_err(|error| (error.to_string(), error.use_stderr()))
}

/// A VNC server for a machine you cannot touch: its screen comes in through an HDMI capture dongle, keys and
/// pointer go out through a USB gadget.
#[derive(Debug, Parser)]
#[command(name = "rfbridge", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve a built-in simulated target: no hardware, no set-up
    #[command(after_help = "Then connect with: vncviewer 127.0.0.1:5900")]
    Demo {
        #[command(flatten)]
        common: Common,
    },
    /// Serve a real target: capture device in, USB keyboard and mouse out
    #[command(
        after_help = "Every flag is also a key of the configuration file (without the dashes; `gadget-` and the like are sections); flags win.\n\
            A password comes from --password-file, or from the systemd credential `rfbridge-password`."
    )]
    Serve {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        devices: Box<Devices>,
        /// TOML file with settings [default: /etc/rfbridge/rfbridge.toml if it exists]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print the effective configuration as TOML and exit
        #[arg(long)]
        print_config: bool,
    },
    /// Create, change or remove the USB gadget: keyboard, mouse, media keys
    Gadget {
        #[command(subcommand)]
        command: GadgetCommand,
    },
    /// Virtual media: show the target an image as a CD-ROM or a disk
    Media {
        #[command(subcommand)]
        command: MediaCommand,
    },
    /// Find out why there is no picture, no keyboard or no connection, and what to do; changes nothing
    #[command(
        after_help = "Run it as root (sudo) to look at it all. The exit status is 1 if something is broken, else 0."
    )]
    Doctor {
        #[command(flatten)]
        flags: DoctorFlags,
    },
    /// Type a text at the target, through the running server
    #[command(
        after_help = "Ctrl-C cancels. Exit status: 0 all was typed, 1 it was not, 130 it was cancelled."
    )]
    Type(TypeOptions),
}

#[derive(Args, Debug)]
struct Common {
    /// Where to listen; repeatable, port 0 chooses a free one [default: 127.0.0.1:5900]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,
    /// File whose first line is the password; only its owner may read it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
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
    /// Socket for `rfbridge type` and the like, or none [default: control.sock in $RUNTIME_DIRECTORY, /run/rfbridge or
    /// $XDG_RUNTIME_DIR/rfbridge]
    #[arg(long, value_name = "PATH")]
    control_socket: Option<ControlSocket>,
    #[command(flatten)]
    mouse: MouseFlags,
    /// Let go of the keys and mouse buttons of a client of which nothing was heard for so long, modifiers
    /// excepted; 0 for never [default: 0]
    #[arg(long, value_name = "SECONDS")]
    keyboard_expiry: Option<Seconds>,
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

#[derive(Args, Debug)]
struct Devices {
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

impl From<CommandLine> for Command {
    fn from(line: CommandLine) -> Self {
        match line.verb {
            Verb::Demo { common } => Command::Demo {
                flags: common.into(),
            },
            Verb::Serve {
                common,
                devices,
                config,
                print_config,
            } => Command::Serve {
                flags: Settings::from(common).over((*devices).into()),
                config,
                print_config,
            },
            Verb::Gadget { command } => Command::Gadget(command),
            Verb::Doctor { flags } => Command::Doctor(flags),
            Verb::Type(options) => Command::Type(options),
            Verb::Media { command } => Command::Media(command),
        }
    }
}

impl From<Common> for Settings {
    fn from(common: Common) -> Self {
        Settings {
            listen: (!common.listen.is_empty()).then_some(common.listen),
            name: common.name,
            password_file: common.password_file,
            size: common.size,
            fps: common.fps,
            log: common.log,
            record: common.record,
            view_only: common.view_only.then_some(true),
            mouse: common.mouse.into(),
            keyboard: KeyboardSettings {
                type_delay: common.keyboard_type_delay,
                expiry: common.keyboard_expiry,
                ..KeyboardSettings::default()
            },
            hotkey: HotkeySettings {
                leader: common.hotkey_leader,
            },
            control: ControlSettings {
                socket: common.control_socket,
            },
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

impl From<MouseFlags> for MouseSettings {
    fn from(flags: MouseFlags) -> Self {
        MouseSettings {
            mode: flags.mode,
            scroll_rate: flags.scroll_rate,
            jiggle: flags.jiggle,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let words: Vec<_> = line.split(' ').collect();
        parse_from(&words).map_err(|(text, _)| text)
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_bare_command_leaves_everything_to_the_layers_below() {
        assert_eq!(
            parse("rfbridge demo"),
            Ok(Command::Demo {
                flags: Settings::default()
            })
        );
        assert_eq!(
            parse("rfbridge serve"),
            Ok(Command::Serve {
                flags: Settings::default(),
                config: None,
                print_config: false
            })
        );
    }

    #[test]
    fn every_flag_arrives_in_its_setting() {
        let line = "rfbridge serve --listen 127.0.0.1:0 --listen [::1]:5901 --password-file /p --name box \
            --size 1920x1080 --fps 30 --view-only --record /r --log debug --source replay:/f --format nv12 --noise-tolerance 3 --sink null \
            --gadget-keyboard /dev/hidg3 --gadget-absolute none --gadget-relative none --gadget-consumer /dev/hidg4 \
            --keyboard-layout de --keyboard-variant nodeadkeys --keyboard-lock-inference false \
            --mouse-mode relative --mouse-scroll-rate 3 --mouse-jiggle 60 --keyboard-expiry 10 \
            --keyboard-type-delay 20 --hotkey-leader pause --control-socket /run/c --config /c --print-config";
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let file = r#"
            listen = ["127.0.0.1:0", "[::1]:5901"]
            password-file = "/p"
            name = "box"
            size = "1920x1080"
            fps = 30
            view-only = true
            record = "/r"
            log = "debug"
            source = "replay:/f"
            format = "nv12"
            noise-tolerance = 3
            sink = "null"

            [gadget]
            keyboard = "/dev/hidg3"
            absolute = "none"
            relative = "none"
            consumer = "/dev/hidg4"

            [mouse]
            mode = "relative"
            scroll-rate = 3
            jiggle = 60

            [keyboard]
            layout = "de"
            variant = "nodeadkeys"
            lock-inference = false
            expiry = 10
            type-delay = 20

            [hotkey]
            leader = "pause"

            [control]
            socket = "/run/c"
        "#;
        assert_eq!(
            parse(&line),
            Ok(Command::Serve {
                flags: toml::from_str(file).expect("the same settings as a file"),
                config: Some("/c".into()),
                print_config: true,
            })
        );
    }

    #[test]
    fn demo_takes_the_common_flags_and_no_devices() {
        for flags in [
            "--listen 127.0.0.1:0",
            "--record /r",
            "--view-only",
            "--password-file /p",
            "--size 640x480",
            "--fps 5",
            "--log warn",
            "--name n",
            "--keyboard-type-delay 0",
            "--hotkey-leader none",
            "--control-socket none",
            "--mouse-mode absolute",
            "--keyboard-expiry 5",
        ] {
            assert!(parse(&format!("rfbridge demo {flags}")).is_ok(), "{flags}");
        }
        for flags in [
            "--source v4l",
            "--gadget-keyboard /dev/hidg0",
            "--config /c",
        ] {
            assert!(parse(&format!("rfbridge demo {flags}")).is_err(), "{flags}");
        }
    }

    #[test]
    fn a_bad_value_names_the_flag_the_value_and_the_remedy() {
        for (flags, words) in [
            ("--listen 5900", ["--listen", "'5900'", "127.0.0.1:5900"]),
            (
                "--listen example.org:1",
                ["--listen", "'example.org:1'", "numeric"],
            ),
            ("--size 1920", ["--size", "'1920'", "1920x1080"]),
            ("--size 1920x", ["--size", "'1920x'", "1920x1080"]),
            ("--size 63x480", ["--size", "'63x480'", "from 64 to 8192"]),
            (
                "--size 640x70000",
                ["--size", "'640x70000'", "from 64 to 8192"],
            ),
            ("--fps 0", ["--fps", "'0'", "from 1 to 240"]),
            ("--fps 29.97", ["--fps", "'29.97'", "whole number"]),
            ("--source hdmi", ["--source", "'hdmi'", "v4l:/dev/videoN"]),
            ("--source pipe:", ["--source", "'pipe:'", "pipe:-"]),
            ("--source replay", ["--source", "'replay'", "replay:PATH"]),
            ("--format h264", ["--format", "'h264'", "mjpeg, yuyv"]),
            (
                "--noise-tolerance 17",
                ["--noise-tolerance", "'17'", "from 0 (off) to 16"],
            ),
            (
                "--noise-tolerance x",
                ["--noise-tolerance", "'x'", "from 0 (off) to 16"],
            ),
            (
                "--keyboard-type-delay -1",
                ["--keyboard-type-delay", "'-1'", "from 0 to 1000"],
            ),
            (
                "--hotkey-leader f1",
                ["--hotkey-leader", "'f1'", "right-ctrl"],
            ),
            (
                "--control-socket c",
                ["--control-socket", "'c'", "absolute path"],
            ),
            ("--sink usb", ["--sink", "'usb'", "null"]),
            ("--mouse-mode x", ["--mouse-mode", "'x'", "relative"]),
            (
                "--mouse-scroll-rate 31",
                ["--mouse-scroll-rate", "'31'", "from 1 to 30"],
            ),
            (
                "--mouse-jiggle 86401",
                ["--mouse-jiggle", "'86401'", "from 0 (never) to 86400"],
            ),
            (
                "--keyboard-expiry 1.5",
                ["--keyboard-expiry", "'1.5'", "whole seconds"],
            ),
            (
                "--gadget-keyboard hidg0",
                ["--gadget-keyboard", "'hidg0'", "/dev/hidg0"],
            ),
        ] {
            let error = parse(&format!("rfbridge serve {flags}")).expect_err(flags);
            for word in words {
                assert!(error.contains(word), "{flags}: no {word:?} in {error}");
            }
        }
    }

    #[test]
    fn a_password_cannot_be_given_on_the_command_line() {
        let error = parse("rfbridge serve --password secret").expect_err("no such flag");
        assert!(error.contains("--password-file"), "{error}");
    }

    #[test]
    fn the_doctor_is_told_what_to_look_at() {
        let doctor = |config: Option<&str>, json, no_capture| {
            Ok(Command::Doctor(DoctorFlags {
                config: config.map(PathBuf::from),
                json,
                no_capture,
            }))
        };
        assert_eq!(parse("rfbridge doctor"), doctor(None, false, false));
        let line = "rfbridge doctor --config /c --json --no-capture";
        assert_eq!(parse(line), doctor(Some("/c"), true, true));
    }

    #[test]
    fn a_text_is_typed_from_a_file_or_from_standard_input() {
        let options = TypeOptions {
            file: "-".into(),
            delay: None,
            skip: false,
            dry_run: false,
            socket: None,
        };
        assert_eq!(parse("rfbridge type -"), Ok(Command::Type(options)));
        let options = TypeOptions {
            file: "notes.txt".into(),
            delay: Some(20.try_into().expect("a delay")),
            skip: true,
            dry_run: true,
            socket: Some("/run/c".into()),
        };
        let line = "rfbridge type notes.txt --delay 20 --skip --dry-run --socket /run/c";
        assert_eq!(parse(line), Ok(Command::Type(options)));
    }

    #[test]
    fn help_and_version_are_no_errors() {
        let (version, is_error) =
            parse_from(&["rfbridge", "--version"]).expect_err("a text to show");
        assert!(!is_error && version.starts_with("rfbridge 0."), "{version}");
        for line in [["rfbridge", "demo"], ["rfbridge", "serve"]] {
            let (help, is_error) = parse_from(&[line[0], line[1], "--help"]).expect_err("a text");
            assert!(!is_error && help.contains("--listen <ADDR:PORT>"), "{help}");
        }
        let (_, is_error) = parse_from(&["rfbridge"]).expect_err("no command");
        assert!(is_error);
    }
}

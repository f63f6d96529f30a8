use std::fs;

use super::*;

fn settings(toml: &str) -> Result<Settings, String> {
    let file = tempfile::NamedTempFile::new().expect("a file to read");
    fs::write(file.path(), toml).expect("a file to read");
    Settings::from_file(Some(file.path())).map_err(|e| e.to_string())
}

pub(super) fn config(toml: &str) -> Config {
    Config::new(settings(toml).expect("good settings")).expect("a good configuration")
}

fn refused(toml: &str) -> ConfigError {
    Config::new(settings(toml).expect("good settings")).expect_err("a bad configuration")
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = config("");
    let listen: Vec<_> = config.addresses().collect();
    assert_eq!(listen, [SocketAddr::from(([127, 0, 0, 1], 5900))]);
    assert!(!config.name.is_empty());
    assert_eq!(config.source, Source::V4l(None));
    assert_eq!(config.sink, Sink::Gadget);
    for (key, function) in config.gadget.functions() {
        assert_eq!(*function, Function::Auto, "{key}");
    }
    assert_eq!((config.size, config.fps), (None, None));
    let Keyboard {
        layout,
        variant,
        lock_inference,
        type_delay,
        expiry,
    } = config.keyboard;
    assert_eq!((layout.as_str(), variant.as_str()), ("us", ""));
    assert!(lock_inference && expiry.duration().is_zero());
    assert_eq!(config.mouse.mode, MouseMode::Auto);
    assert_eq!(config.mouse.scroll_rate.steps(), 1);
    assert!(config.mouse.jiggle.duration().is_zero());
    assert_eq!(config.noise_tolerance.levels(), 0);
    assert_eq!(type_delay, TypeDelay::default());
    assert_eq!(config.hotkey.leader, Leader::RightCtrl);
    assert_eq!(config.control.socket, None);
}

#[test]
fn values_are_written_as_in_flags() {
    for (toml, as_written) in [
        (r#"listen = "127.0.0.1:1""#, r#"listen = ["127.0.0.1:1"]"#),
        (r#"listen = "localhost:1""#, r#"listen = ["127.0.0.1:1"]"#),
        (
            r#"listen = ["[::1]:0", "[::1]:0"]"#,
            r#"listen = ["[::1]:0", "[::1]:0"]"#,
        ),
        (r#"size = "1024x768""#, r#"size = "1024x768""#),
        ("fps = 240", "fps = 240"),
        (r#"source = "v4l""#, r#"source = "v4l""#),
        (
            r#"source = "v4l:/dev/video2""#,
            r#"source = "v4l:/dev/video2""#,
        ),
        (r#"source = "pipe:-""#, r#"source = "pipe:-""#),
        (r#"source = "pipe:/run/a:b""#, r#"source = "pipe:/run/a:b""#),
        (
            r#"source = "replay:f.mjpeg""#,
            r#"source = "replay:f.mjpeg""#,
        ),
        (r#"format = "bgr24""#, r#"format = "bgr24""#),
        ("noise-tolerance = 16", "noise-tolerance = 16"),
        (r#"sink = "null""#, r#"sink = "null""#),
        ("[keyboard]\ntype-delay = 1000", "type-delay = 1000"),
        (
            "[hotkey]\nleader = \"scroll-lock\"",
            "leader = \"scroll-lock\"",
        ),
        ("[control]\nsocket = \"/run/c\"", "socket = \"/run/c\""),
        ("[control]\nsocket = \"none\"", "socket = \"none\""),
        ("[sessions]\nshare = \"never\"", "share = \"never\""),
        ("[sessions]\ncontrol = \"first\"", "control = \"first\""),
        ("[sessions]\nidle-timeout = 600", "idle-timeout = 600"),
        ("[sessions]\nmax-time = 3600", "max-time = 3600"),
        (
            "[gadget]\nconsumer = \"/dev/hidg3\"",
            r#"consumer = "/dev/hidg3""#,
        ),
        ("gadget.absolute = \"none\"", r#"absolute = "none""#),
        ("[keyboard]\nlayout = \"de\"", r#"layout = "de""#),
        ("keyboard.lock-inference = false", "lock-inference = false"),
        ("gadget.keyboard = \"auto\"", r#"keyboard = "auto""#),
    ] {
        let printed = config(toml).to_toml().expect("printable");
        assert!(
            printed.lines().any(|line| line == as_written),
            "{toml} was printed as {printed}"
        );
    }
}

#[test]
fn bad_values_name_the_key_the_value_and_the_remedy() {
    for (toml, words) in [
        (
            r#"listen = "5900""#,
            ["listen", "\"5900\"", "127.0.0.1:5900"],
        ),
        (
            r#"listen = ["0.0.0.0"]"#,
            ["listen", "0.0.0.0", "ADDR:PORT"],
        ),
        ("listen = 5900", ["listen", "5900", "ADDR:PORT"]),
        (r#"size = "big""#, ["size", "big", "1920x1080"]),
        ("fps = 0", ["fps", "0", "from 1 to 240"]),
        ("fps = -1", ["fps", "-1", "from 1 to 240"]),
        ("fps = 1000", ["fps", "1000", "from 1 to 240"]),
        (r#"fps = "30""#, ["fps", "30", "string"]),
        (
            r#"source = "camera""#,
            ["source", "camera", "v4l:/dev/videoN"],
        ),
        (
            "noise-tolerance = 17",
            ["noise-tolerance", "17", "from 0 (off) to 16"],
        ),
        (r#"format = "MJPG""#, ["format", "MJPG", "mjpeg, yuyv"]),
        (r#"sink = "none""#, ["sink", "none", "null"]),
        (
            r#"sessions.share = "yes""#,
            ["share", "yes", "always (the default), client or never"],
        ),
        (
            r#"sessions.control = "mine""#,
            ["control", "mine", "shared (the default), exclusive"],
        ),
        (
            r#"gadget.keyboard = """#,
            ["keyboard", "\"\"", "auto (the default)"],
        ),
        ("name = 3", ["name", "3", "string"]),
        (
            "size = \"640x480\"\nsize = \"1x1\"",
            ["size", "line 2", "duplicate"],
        ),
        (
            "this is not toml",
            ["this is not toml", "line 1", "not usable"],
        ),
    ] {
        let error = settings(toml).expect_err(toml);
        for word in words {
            assert!(error.contains(word), "{toml}: no {word:?} in {error}");
        }
    }
}

#[test]
fn an_unknown_key_is_named_and_the_right_one_suggested() {
    for (key, meant) in [
        ("lisen", "listen"),
        ("password_file", "password-file"),
        ("Gadget", "gadget"),
        ("passwordfile", "password-file"),
    ] {
        let error = settings(&format!("{key} = \"x\"")).expect_err(key);
        assert!(error.contains(&format!("unknown key `{key}`")), "{error}");
        assert!(
            error.contains(&format!("did you mean `{meant}`?")),
            "{error}"
        );
    }
    let error = settings("[gadget]\nKeyborad = \"none\"").expect_err("no such key");
    assert!(
        error.contains("`gadget.Keyborad`") && error.contains("`keyboard`?"),
        "{error}"
    );
    let error = settings("[video]\nfps = 30").expect_err("a table");
    assert!(error.contains("unknown key `video`"), "{error}");
    assert!(error.contains("known keys: listen, name"), "{error}");
}

#[test]
fn the_list_of_keys_is_complete() {
    let all = Settings {
        size: Some(ScreenSize(rfb::geom::Size::new(640, 480))),
        fps: "30".parse().ok(),
        format: Some(Format::Mjpeg),
        log: Some("info".to_owned()),
        record: Some("/r".into()),
        password_file: Some("/p".into()),
        view_password_file: Some("/v".into()),
        security: SecuritySettings {
            users: Some("/u".into()),
            types: Some("X509Vnc".parse().expect("a type")),
            certificate: Some("/c".into()),
            key: Some("/k".into()),
            host_key: Some("/h".into()),
        },
        control: ControlSettings {
            socket: Some(ControlSocket::None),
        },
        web: WebSettings {
            novnc: Some("/n".into()),
            ..config("").into_settings().web
        },
        power: PowerSettings {
            button: "gpio:gpiochip0/1".parse().ok(),
            on: "wol:00:11:22:33:44:55".parse().ok(),
            off: "command:/bin/off".parse().ok(),
            force_off: "command:/bin/force".parse().ok(),
            reset: "gpio:gpiochip0/2".parse().ok(),
            reboot: "command:/bin/reboot".parse().ok(),
            led: "gpio:gpiochip0/3,low".parse().ok(),
            ..config("").into_settings().power
        },
        ..config("").into_settings()
    };
    let text = toml::to_string(&all).expect("printable");
    let table: toml::Table = toml::from_str(&text).expect("a table");
    let sections = Settings::SECTIONS.iter();
    let known = Settings::KEYS.iter().chain(sections.map(|(name, _)| name));
    assert_same(table.keys(), known);
    for (section, known) in Settings::SECTIONS {
        let section = table[*section].as_table().expect("a table");
        assert_same(section.keys(), *known);
    }
}

fn assert_same<'a>(
    keys: impl Iterator<Item = &'a String>,
    known: impl IntoIterator<Item = &'a &'a str>,
) {
    let mut keys: Vec<_> = keys.map(String::as_str).collect();
    let mut known: Vec<_> = known.into_iter().copied().collect();
    keys.sort_unstable();
    known.sort_unstable();
    assert_eq!(keys, known);
}

#[test]
fn a_named_file_must_exist() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("missing.toml");
    let error = Settings::from_file(Some(&path))
        .expect_err("no file")
        .to_string();
    assert!(error.contains("missing.toml"), "{error}");
}

#[test]
fn flags_win_over_the_file() {
    let flags = settings("fps = 5\ngadget.absolute = \"none\"").expect("good");
    let file =
        "fps = 50\nname = \"file\"\ngadget = { absolute = \"/dev/hidg9\", consumer = \"none\" }";
    let file = settings(file).expect("good");
    let both = flags.over(file);
    assert_eq!(
        both,
        settings("fps = 5\nname = \"file\"\ngadget = { absolute = \"none\", consumer = \"none\" }")
            .expect("good")
    );
}

#[test]
fn what_is_printed_can_be_loaded_and_means_the_same() {
    for toml in [
        "",
        "listen = [\"0.0.0.0:5900\", \"[::]:5901\"]\nname = \"it's \\\"here\\\"\"\npassword-file = \"/etc/p\"",
        "size = \"1920x1080\"\nfps = 60\nlog = \"info,rfbridge::net=debug\"\nrecord = \"/tmp/r\"\n\
         source = \"pipe:-\"\nformat = \"yuyv\"\nnoise-tolerance = 2\nsink = \"null\"\ngadget.consumer = \"/dev/hidg3\"",
    ] {
        let config = config(toml);
        let printed = config.to_toml().expect("printable");
        let again = Config::new(settings(&printed).expect("loadable")).expect("good");
        assert_eq!(config, again, "{printed}");
    }
}

#[test]
fn settings_that_make_no_sense_together_are_refused() {
    let twice = SocketAddr::from(([127, 0, 0, 1], 5901));
    assert_eq!(refused("listen = []"), ConfigError::NoListener);
    for pipe in ["pipe:-", "pipe:/run/frames"] {
        assert_eq!(
            refused(&format!("source = \"{pipe}\"\nformat = \"nv12\"")),
            ConfigError::NoSize(Format::Nv12)
        );
    }
    config("source = \"pipe:-\"\nformat = \"mjpeg\"");
    config("format = \"yuyv\"");
    assert_eq!(
        refused(r#"listen = ["127.0.0.1:5901", "127.0.0.1:5901"]"#),
        ConfigError::SameListener(twice)
    );
    assert_eq!(refused("name = \"\""), ConfigError::Name(String::new()));
    assert_eq!(
        refused(r#"name = "a\nb""#),
        ConfigError::Name("a\nb".to_owned())
    );
    assert_eq!(
        refused(r#"gadget = { absolute = "/dev/hidg1", consumer = "/dev/hidg1" }"#),
        ConfigError::SameDevice {
            first: "absolute",
            second: "consumer",
            path: "/dev/hidg1".into()
        }
    );
    let none = "gadget = { keyboard = \"none\", absolute = \"none\", relative = \"none\", consumer = \"none\" }";
    assert_eq!(refused(none), ConfigError::NoFunction);
    config(&format!("{none}\nsink = \"null\""));
}

/// What rfb-clients.md says to adopt, and what rfbridge was measured with.
#[test]
fn limits_have_defaults_and_bounds() {
    let limits = config("").limits;
    assert_eq!(limits.handshake.duration().as_secs(), 30);
    assert_eq!(limits.strangers.count(), 16);
    assert_eq!(limits.clients.count(), 32);
    assert_eq!(limits.clients_per_address.count(), 16);
    assert_eq!(limits.failures_per_minute.interval().as_secs(), 2);
    assert_eq!(config("limits.clients = 3").limits.clients.count(), 3);
    for (toml, words) in [
        ("limits.clients = 0", "from 1 to 1000"),
        ("limits.strangers = 1001", "from 1 to 1000"),
        ("limits.handshake = 4", "from 5 to 300"),
        ("limits.failures-per-minute = -1", "from 1 to 6000"),
    ] {
        let error = settings(toml).expect_err(toml);
        assert!(error.contains(words), "{error}");
    }
}

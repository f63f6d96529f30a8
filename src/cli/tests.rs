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
        --keyboard-type-delay 20 --hotkey-leader pause --hotkey-menu false --control-socket /run/c \
        --sessions-share client --sessions-control first --sessions-idle-timeout 600 --sessions-max-time 3600 --config /c --print-config";
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
        menu = false

        [control]
        socket = "/run/c"

        [sessions]
        share = "client"
        control = "first"
        idle-timeout = 600
        max-time = 3600
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
    let (version, is_error) = parse_from(&["rfbridge", "--version"]).expect_err("a text to show");
    assert!(!is_error && version.starts_with("rfbridge 0."), "{version}");
    for line in [["rfbridge", "demo"], ["rfbridge", "serve"]] {
        let (help, is_error) = parse_from(&[line[0], line[1], "--help"]).expect_err("a text");
        assert!(!is_error && help.contains("--listen <ADDR:PORT>"), "{help}");
    }
    let (_, is_error) = parse_from(&["rfbridge"]).expect_err("no command");
    assert!(is_error);
}

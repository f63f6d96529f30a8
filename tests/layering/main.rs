//! Who may import whom, as the architecture says.
//!
//! The sources are read as text: comments and test code are taken out, paths are followed through `use` groups and
//! `super`. A rule that is broken is reported with file, line and what would be allowed.

mod rust_text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use rust_text::{paths, tokens, without_comments, without_literals, without_tests};

/// A module at the top of a crate, and the sisters that it may use.
type Layers = &'static [(&'static str, &'static [&'static str])];

/// In `rfb`: geom, wire ← pixel, frame, error ← msg ← security, encoding ← server ← testing.
const RFB: Layers = &[
    ("geom", &[]),
    ("wire", &[]),
    ("frame", &["geom", "wire", "pixel"]),
    ("pixel", &["geom", "wire", "frame"]),
    ("error", &["geom", "wire", "pixel", "frame"]),
    ("msg", &["geom", "wire", "pixel", "frame", "error"]),
    // These two are blind to each other.
    ("security", &["wire", "error", "msg"]),
    (
        "encoding",
        &["geom", "wire", "pixel", "frame", "error", "msg"],
    ),
    (
        "server",
        &[
            "geom", "wire", "pixel", "frame", "error", "msg", "security", "encoding",
        ],
    ),
    // Decoders that share nothing with the encoders but the formats on the wire.
    (
        "testing",
        &["geom", "wire", "pixel", "frame", "error", "msg", "security"],
    ),
    ("lib", &["error"]),
];

/// In `src`: config ← {video, hid} ← typing ← {source, gadget, net} ← app ← main.
const BRIDGE: Layers = &[
    ("config", &[]),
    ("logging", &[]),
    ("sync", &[]),
    // Counts for all; reads nothing.
    ("metrics", &[]),
    ("cli", &["config"]),
    // Switches the target, whoever asks.
    ("power", &["config"]),
    // Decides about logins, knows no network.
    ("access", &["config"]),
    // Certificates and keys; who shows them to whom is not its business.
    ("identity", &[]),
    ("video", &["config"]),
    ("hid", &["config", "sync", "metrics"]),
    ("source", &["config", "sync", "metrics", "video"]),
    ("gadget", &["config", "hid"]),
    // Texts become input events, whoever wants them typed: sessions and the control socket.
    ("typing", &["hid"]),
    // Sees frames and input events, never devices.
    (
        "net",
        &[
            "config", "sync", "metrics", "power", "access", "identity", "video", "hid", "typing",
        ],
    ),
    // Other programs' way in; what the server is doing is told to it, it does not look.
    ("control", &["config", "typing"]),
    // The browser's way in: logins and sessions are those of `net`, commands those of `control`.
    (
        "web",
        &["config", "access", "identity", "typing", "net", "control"],
    ),
    // Stands where a device would.
    ("demo", &["config", "video", "hid", "source"]),
    // Looks at all that a server would use, by the same code where there is some.
    (
        "doctor",
        &[
            "config", "access", "identity", "video", "hid", "source", "gadget",
        ],
    ),
    (
        "app",
        &[
            "config", "logging", "metrics", "power", "cli", "access", "identity", "video", "hid",
            "typing", "source", "gadget", "net", "control", "web", "demo", "doctor",
        ],
    ),
    ("lib", &[]),
];

/// What may be named only below these paths.
type Reserved = &'static [(&'static str, &'static [&'static str])];

/// The protocol does no IO: it reads no clock, opens nothing, draws no randomness and knows no runtime.
const RESERVED_IN_RFB: Reserved = &[
    ("std::net", &[]),
    ("std::time", &[]),
    ("std::fs", &[]),
    ("std::thread", &[]),
    ("std::env", &[]),
    ("std::process", &[]),
    ("tokio", &[]),
    ("tracing", &[]),
    ("libc", &[]),
    ("rand", &[]),
    ("getrandom", &[]),
    ("des", &["rfb/src/security/vnc_auth.rs"]),
    ("aes", &["rfb/src/security/rsa_aes/"]),
    ("eax", &["rfb/src/security/rsa_aes/"]),
    ("sha1", &["rfb/src/security/rsa_aes/"]),
    ("sha2", &["rfb/src/security/rsa_aes/"]),
    ("jpeg_encoder", &["rfb/src/encoding/"]),
    ("png", &["rfb/src/encoding/", "rfb/src/testing/"]),
];

const RESERVED_IN_BRIDGE: Reserved = &[
    ("clap", &["src/cli.rs", "src/cli/"]),
    ("toml", &["src/config/"]),
    ("strsim", &["src/config/"]),
    ("tracing_subscriber", &["src/logging.rs"]),
    ("v4l", &["src/source/v4l/", "src/source/v4l.rs"]),
    ("v4l2_sys_mit", &["src/source/v4l/", "src/source/v4l.rs"]),
    ("zune_jpeg", &["src/video/"]),
    ("yuv", &["src/video/"]),
    ("argon2", &["src/access/"]),
    ("rpassword", &["src/app/user.rs"]),
    ("kbvm", &["src/hid/keymap/xkb.rs"]),
    ("unicode_normalization", &["src/hid/keymap/"]),
    ("embedded_graphics", &["src/video/canvas.rs"]),
    ("socket2", &["src/net/"]),
    ("getrandom", &["src/net/"]),
    ("rcgen", &["src/identity/create.rs"]),
    ("aws_lc_rs", &["src/identity/", "src/web/keyring.rs"]),
    ("sd_notify", &["src/app/service.rs"]),
    ("gpiocdev", &["src/power/gpio.rs"]),
    ("tokio::process", &["src/power/command.rs"]),
    ("hyper", &["src/web/"]),
    (
        "prometheus_client",
        &["src/metrics.rs", "src/app/metrics.rs"],
    ),
    ("hyper_util", &["src/web/"]),
    ("http_body_util", &["src/web/"]),
    ("tokio_tungstenite", &["src/web/websocket.rs"]),
    ("base64", &["src/web/guard.rs"]),
    (
        "tokio_rustls",
        &["src/identity/", "src/net/wire.rs", "src/app/security.rs"],
    ),
    // The control socket is of another kind than what clients come through.
    ("tokio::net", &["src/net/", "src/control/"]),
    ("std::net::TcpListener", &["src/net/"]),
    ("std::net::TcpStream", &["src/net/"]),
    ("tokio::runtime", &["src/app.rs", "src/app/"]),
    ("tokio::signal", &["src/app.rs", "src/app/"]),
];

#[test]
fn rfb_keeps_its_layers() {
    check("rfb/src", RFB, RESERVED_IN_RFB);
}

#[test]
fn the_bridge_keeps_its_layers() {
    check("src", BRIDGE, RESERVED_IN_BRIDGE);
}

/// The devices are named by the sink that opens them, and by the settings that say which they are.
#[test]
fn only_the_gadget_sink_opens_hidg_nodes() {
    let allowed = ["src/hid/sink/", "src/config/", "src/cli/tests.rs"];
    let mut faults = Vec::new();
    for file in sources("src") {
        let text = without_comments(&file.text);
        for (number, line) in text.lines().enumerate() {
            if line.contains("\"/dev/hidg") && !allowed.iter().any(|a| file.name.starts_with(a)) {
                faults.push(format!(
                    "{}:{}: a hidg node is named; only src/hid/sink opens them",
                    file.name,
                    number + 1
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The rules have teeth: each of these lines breaks one.
#[test]
fn broken_rules_are_seen() {
    for (name, text, complaint) in [
        (
            "src/net/x.rs",
            "use crate::source::Opener;",
            "crate::source",
        ),
        (
            "src/net/x.rs",
            "use crate::{hid, source::{self}};",
            "crate::source",
        ),
        (
            "src/net/a/x.rs",
            "fn f(_: super::super::super::gadget::G) {}",
            "crate::gadget",
        ),
        ("src/app.rs", "use clap::Parser;", "clap"),
        ("src/hid/x.rs", "#[derive(clap::Parser)] struct S;", "clap"),
        (
            "src/source/x.rs",
            "use tokio::{sync::watch, net::TcpStream};",
            "tokio::net",
        ),
        (
            "src/cli/x.rs",
            "use crate::config;\n\nuse crate::app::main;",
            ":3:",
        ),
        ("src/new.rs", "", "new"),
    ] {
        let faults = faults_in(&Source::new(name, text), "src", BRIDGE, RESERVED_IN_BRIDGE);
        assert!(
            faults.iter().any(|fault| fault.contains(complaint)),
            "{text:?} in {name}: {faults:?}"
        );
    }
    for (name, text, complaint) in [
        (
            "rfb/src/encoding/x.rs",
            "use crate::security::T;",
            "crate::security",
        ),
        (
            "rfb/src/security/x.rs",
            "use super::super::encoding::T;",
            "crate::encoding",
        ),
        (
            "rfb/src/server/x.rs",
            "use std::{sync::Arc, time::Instant};",
            "std::time",
        ),
        (
            "rfb/src/server/x.rs",
            "let now = std::time::Instant::now();",
            "std::time",
        ),
        ("rfb/src/msg/x.rs", "use tokio;", "tokio"),
    ] {
        let faults = faults_in(&Source::new(name, text), "rfb/src", RFB, RESERVED_IN_RFB);
        assert!(
            faults.iter().any(|fault| fault.contains(complaint)),
            "{text:?} in {name}: {faults:?}"
        );
    }
}

/// And nothing else is taken for a breach.
#[test]
fn what_is_allowed_is_not_reported() {
    for (name, text) in [
        (
            "src/net/x.rs",
            "use crate::{hid::{self, Leds}, video::Signal};",
        ),
        (
            "src/net/x.rs",
            "// use crate::source;\n/* use clap; /* twice */ use clap; */",
        ),
        (
            "src/net/x.rs",
            "const TEXT: &str = \"use clap::Parser; // \\\" crate::source::x\";",
        ),
        (
            "src/net/x.rs",
            "#[cfg(test)]\nmod tests {\n use crate::source::Opener;\n fn f() { {} }\n}",
        ),
        ("src/net/x_tests.rs", "use crate::source::Opener;"),
        (
            "src/source/mod.rs",
            "mod v4l;\nfn f() { v4l::Camera::new(); }",
        ),
        (
            "src/net/mod.rs",
            "use super::hid; use session::clap; use self::source::x;",
        ),
        (
            "src/cli.rs",
            "use clap::Parser; fn f() { let c = '\"'; let d: &'static str = \"\"; }",
        ),
    ] {
        let faults = faults_in(&Source::new(name, text), "src", BRIDGE, RESERVED_IN_BRIDGE);
        assert_eq!(faults, Vec::<String>::new(), "{text:?} in {name}");
    }
}

fn check(root: &str, layers: Layers, reserved: Reserved) {
    let files = sources(root);
    assert!(files.len() > 5, "the sources are where they were");
    let faults: Vec<_> = files
        .iter()
        .flat_map(|file| faults_in(file, root, layers, reserved))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

struct Source {
    /// From the root of the repository.
    name: String,
    text: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_test(&self) -> bool {
        self.name.ends_with("tests.rs") || self.name.contains("/tests/")
    }

    /// The module this file is, from the top of its crate.
    fn module(&self, root: &str) -> Vec<&str> {
        let inside = self.name.trim_start_matches(root).trim_start_matches('/');
        let mut module: Vec<_> = inside.trim_end_matches(".rs").split('/').collect();
        if module.len() > 1 && module.last() == Some(&"mod") {
            module.pop();
        }
        module
    }
}

fn sources(root: &str) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![top.join(root)];
    let mut files = Vec::<PathBuf>::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let source = |path: &PathBuf| {
        let name = path.strip_prefix(top).expect("inside").to_string_lossy();
        Source::new(&name, &fs::read_to_string(path).expect("a source"))
    };
    files.iter().map(source).collect()
}

fn faults_in(file: &Source, root: &str, layers: Layers, reserved: Reserved) -> Vec<String> {
    let module = file.module(root);
    if file.is_test() || module == ["main"] {
        return Vec::new();
    }
    let top = module[0];
    let Some((_, allowed)) = layers.iter().find(|(name, _)| *name == top) else {
        return vec![format!(
            "{}: the module `{top}` has no layer; give it one in tests/layering/main.rs",
            file.name
        )];
    };
    let mut faults = Vec::new();
    let tokens = tokens(&without_tests(&without_literals(&file.text)));
    // A module of the file's own hides a crate of the same name.
    let is_own = |name: &String| {
        let declares = |pair: &[(usize, String)]| pair[0].1 == "mod" && pair[1].1 == *name;
        tokens.windows(2).any(declares)
    };
    for (line, path) in paths(&tokens) {
        let at = format!("{}:{line}:", file.name);
        if let Some(sister) = sister(&path, &module)
            && sister != top
            && layers.iter().any(|(name, _)| *name == sister)
            && !allowed.contains(&sister)
        {
            faults.push(format!(
                "{at} `{top}` uses `crate::{sister}`; it may use {}",
                if allowed.is_empty() {
                    "no sister".to_owned()
                } else {
                    allowed.join(", ")
                }
            ));
        }
        if path.first().is_some_and(is_own) {
            continue;
        }
        let joined = path.join("::") + "::";
        for (name, places) in reserved {
            let is_here = places.iter().any(|place| file.name.starts_with(place));
            if joined.starts_with(&format!("{name}::")) && !is_here {
                faults.push(format!(
                    "{at} `{name}` is named; it belongs {}",
                    if places.is_empty() {
                        "nowhere in this crate".to_owned()
                    } else {
                        format!("to {}", places.join(", "))
                    }
                ));
            }
        }
    }
    faults
}

/// The module at the top of this crate that `path` leads into, seen from `module`.
fn sister<'p>(path: &'p [String], module: &[&str]) -> Option<&'p str> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let rest = match path.first()?.as_str() {
        "crate" => &path[1..],
        "super" if ups >= module.len() => &path[ups..],
        _ => return None,
    };
    rest.first().map(String::as_str)
}

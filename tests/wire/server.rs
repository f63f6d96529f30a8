//! The running binary.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rfb::geom::Size;
use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::viewer::{DEADLINE, Viewer};

/// A running rfbridge; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Where the page is, if it is to be anywhere.
    pub web: Option<SocketAddr>,
    pub dir: TempDir,
}

impl Server {
    /// Starts `rfbridge` with these arguments, on a free port, recording its reports.
    pub fn start(arguments: &[&str]) -> Server {
        Self::start_in(
            tempfile::tempdir().expect("a temporary directory"),
            arguments,
        )
    }

    pub fn start_in(dir: TempDir, arguments: &[&str]) -> Server {
        let log = File::create(dir.path().join("log")).expect("a log file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_rfbridge"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--record"])
            .arg(dir.path().join("reports"))
            .arg("--control-socket")
            .arg(dir.path().join("control.sock"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut web = None;
        let address = lines
            .find_map(|line| {
                let line = line.ok()?;
                let place = line.strip_prefix("web page on ");
                web = web.or_else(|| place?.parse().ok());
                line.strip_prefix("listening on ")?.parse().ok()
            })
            .unwrap_or_else(|| panic!("it listens; its log: {}", log_of(dir.path())));
        // Further lines are read and dropped, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            address,
            web,
            dir,
        }
    }

    /// Where the page is.
    pub fn web(&self) -> SocketAddr {
        self.web.expect("--web-listen was given")
    }

    pub fn demo() -> Server {
        Server::start(&["demo"])
    }

    /// A target whose screen is one PNG that never changes.
    pub fn still(size: Size) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let source = still_source(dir.path(), size);
        Server::start_in(dir, &["serve", "--source", &source, "--sink", "null"])
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        log_of(self.dir.path())
    }

    /// The process, for `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The reports so far: function and bytes in hex.
    pub fn reports(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.dir.path().join("reports")).unwrap_or_default();
        let field = |line: &str, name: &str| {
            let (_, rest) = line
                .split_once(&format!("\"{name}\":\""))
                .expect("the field");
            rest.split('"').next().expect("its end").to_owned()
        };
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| (field(line, "function"), field(line, "report")))
            .collect()
    }

    /// The keyboard reports so far.
    pub fn keyboard(&self) -> Vec<String> {
        let reports = self.reports().into_iter();
        reports
            .filter(|(function, _)| function == "keyboard")
            .map(|(_, report)| report)
            .collect()
    }

    /// Waits until `done` is true of the reports, and gives it back as soon as it is.
    pub fn wait_for<T>(&self, what: &str, mut done: impl FnMut(&Server) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(result) = done(self) {
                return result;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "waited for {what}; log: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The certificate that it shows.
    pub fn certificate(&self) -> CertificateDer<'static> {
        let path = self.dir.path().join(CERTIFICATE);
        CertificateDer::from_pem_file(path).expect("a certificate")
    }

    /// Ends it as an operator does.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a signal to a child of ours that was not waited for yet.
        unsafe { libc::kill(pid, libc::SIGTERM) };
        self.child.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_of(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("log")).unwrap_or_default()
}

/// A file that only its owner can read.
pub fn write_secret(path: &Path, secret: impl AsRef<[u8]>) {
    std::fs::write(path, secret).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}

/// A password in this directory, and the flag that names it.
pub fn password(dir: &Path, password: &str) -> [String; 2] {
    let path = dir.join("password");
    write_secret(&path, password);
    ["--password-file".to_owned(), path.display().to_string()]
}

/// A certificate in this directory, and the flags that name it.
pub fn certificate(dir: &Path) -> [String; 2] {
    cert(dir, &["--name", "127.0.0.1"]);
    let flag = |name: &str, file: &str| format!("--security-{name}={}", dir.join(file).display());
    [flag("certificate", CERTIFICATE), flag("key", "key.pem")]
}

/// A host key in this directory, and the flag that names it.
pub fn host_key(dir: &Path) -> String {
    cert(dir, &["--host-key"]);
    format!("--security-host-key={}", dir.join(HOST_KEY).display())
}

/// `rfbridge cert` with these arguments; gives what it tells.
pub fn cert(dir: &Path, arguments: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_rfbridge"))
        .args(["cert", "--directory"])
        .arg(dir)
        .args(arguments)
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).expect("UTF-8")
}

/// `rfbridge user` with a password on standard input.
pub fn user(file: &Path, arguments: &[&str], password: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rfbridge"))
        .arg("user")
        .args(arguments)
        .arg("--file")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    // Some commands end without reading it.
    let _ = child
        .stdin
        .take()
        .expect("its input")
        .write_all(password.as_bytes());
    assert!(child.wait().expect("it ends").success(), "{arguments:?}");
}

pub const CERTIFICATE: &str = "certificate.pem";
pub const HOST_KEY: &str = "host-key.pem";

/// A still picture in which no two places look alike.
pub fn picture(size: Size) -> Vec<[u8; 3]> {
    let pixel = |i: usize| {
        let (x, y) = (i % usize::from(size.width), i / usize::from(size.width));
        [x as u8, y as u8, ((x / 16) ^ (y / 16)) as u8]
    };
    (0..size.area()).map(pixel).collect()
}

/// A source in this directory that shows [`picture`] and nothing else.
pub fn still_source(dir: &Path, size: Size) -> String {
    let frames = dir.join("frames");
    std::fs::create_dir(&frames).expect("a directory");
    write_png(&frames.join("1.png"), size);
    format!("replay:{}", frames.display())
}

fn write_png(path: &PathBuf, size: Size) {
    let file = File::create(path).expect("a file");
    let mut encoder = png::Encoder::new(file, size.width.into(), size.height.into());
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(picture(size).as_flattened())
        .expect("the pixels");
}

/// Whether the viewer's screen shows [`picture`].
pub fn shows_picture<S>(viewer: &Viewer<S>) -> bool {
    let expected = picture(viewer.client.size());
    let shown = viewer.client.decoder.rgb().iter();
    shown
        .zip(&expected)
        .all(|(p, [r, g, b])| *p == u32::from_be_bytes([0, *r, *g, *b]))
}

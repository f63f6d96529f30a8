//! The running binary, and clients that talk to it over TCP.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rfb::geom::{Rect, Size};
use rfb::security::vnc_auth::Password;
use rfb::testing::client::{Client, Message, request};
use tempfile::TempDir;

/// Nothing that is waited for takes this long unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A running rfbridge; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
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
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines
            .find_map(|line| line.ok()?.strip_prefix("listening on ")?.parse().ok())
            .unwrap_or_else(|| panic!("it listens; its log: {}", log_of(dir.path())));
        // Further lines are read and dropped, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            address,
            dir,
        }
    }

    pub fn demo() -> Server {
        Server::start(&["demo"])
    }

    /// A target whose screen is one PNG that never changes.
    pub fn still(size: Size) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let frames = dir.path().join("frames");
        std::fs::create_dir(&frames).expect("a directory");
        write_png(&frames.join("1.png"), size);
        let source = format!("replay:{}", frames.display());
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
            std::thread::yield_now();
        }
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

/// A still picture in which no two places look alike.
pub fn picture(size: Size) -> Vec<[u8; 3]> {
    let pixel = |i: usize| {
        let (x, y) = (i % usize::from(size.width), i / usize::from(size.width));
        [x as u8, y as u8, ((x / 16) ^ (y / 16)) as u8]
    };
    (0..size.area()).map(pixel).collect()
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

/// A socket to the server.
pub struct Socket(pub TcpStream);

impl Socket {
    pub fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        Socket(stream)
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the server takes it");
    }

    /// Exactly `n` bytes.
    pub fn read(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.0
            .read_exact(&mut bytes)
            .expect("bytes from the server");
        bytes
    }

    /// All that comes until the server closes.
    pub fn read_to_close(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(e) if e.kind() == ErrorKind::ConnectionReset => bytes,
            Err(e) => panic!("the server closes the connection, not: {e}"),
        }
    }
}

/// A client after the handshake, strict in what it reads.
pub struct Viewer {
    pub socket: Socket,
    pub client: Client,
    waiting: Vec<Message>,
}

impl Viewer {
    /// Connects to a server without a password.
    pub fn connect(server: &Server) -> Self {
        let mut socket = Socket::connect(server);
        assert_eq!(socket.read(12), b"RFB 003.008\n");
        socket.send(b"RFB 003.008\n");
        assert_eq!(socket.read(2), [1, 1]);
        socket.send(&[1]);
        assert_eq!(socket.read(4), [0; 4]);
        Self::init(socket)
    }

    /// Connects with a password.
    pub fn log_in(server: &Server, password: &[u8]) -> Self {
        let mut socket = Socket::connect(server);
        socket.read(12);
        socket.send(b"RFB 003.008\n");
        assert_eq!(socket.read(2), [1, 2]);
        socket.send(&[2]);
        let challenge = socket.read(16).try_into().expect("16 bytes");
        socket.send(&Password::new(password).respond(&challenge));
        assert_eq!(socket.read(4), [0; 4]);
        Self::init(socket)
    }

    fn init(mut socket: Socket) -> Self {
        socket.send(&[1]);
        let init = socket.read(24);
        let size = Size::new(
            u16::from_be_bytes([init[0], init[1]]),
            u16::from_be_bytes([init[2], init[3]]),
        );
        let name = u32::from_be_bytes(init[20..24].try_into().expect("4 bytes"));
        socket.read(name as usize);
        Viewer {
            socket,
            client: Client::new(size),
            waiting: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.send(bytes);
    }

    pub fn encodings(&mut self, list: &[i32]) {
        let bytes = self.client.set_encodings(list);
        self.send(&bytes);
    }

    /// The next message.
    pub fn next(&mut self) -> Message {
        let mut buffer = vec![0; 1 << 16];
        while self.waiting.is_empty() {
            let n = self
                .socket
                .0
                .read(&mut buffer)
                .expect("bytes from the server");
            assert!(n > 0, "the server closed the connection");
            self.waiting = self
                .client
                .receive(&buffer[..n])
                .expect("bytes that can be read");
        }
        self.waiting.remove(0)
    }

    /// Asks for the whole screen.
    pub fn request(&mut self, incremental: bool) {
        let area = self.client.size().rect();
        self.send(&request(incremental, area));
    }

    /// All that the server had to say before it answers a last request for one pixel, which it must do
    /// at once: what does not come before that does not come. No other request may be open, or the
    /// server answers both as one.
    pub fn all_so_far(&mut self) -> Vec<Message> {
        let pixel = Rect::new(self.client.size().width - 1, 0, 1, 1);
        self.send(&request(false, pixel));
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            if matches!(&message, Message::Update(rects) if rects.iter().any(|r| r.rect == pixel)) {
                return messages;
            }
            messages.push(message);
        }
    }

    /// Whether the screen shows [`picture`].
    pub fn shows_picture(&self) -> bool {
        let expected = picture(self.client.size());
        let shown = self.client.decoder.rgb().iter();
        shown
            .zip(&expected)
            .all(|(p, [r, g, b])| *p == u32::from_be_bytes([0, *r, *g, *b]))
    }
}

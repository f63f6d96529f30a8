//! The machine that rfbridge runs on: a QEMU with Debian's kernel, and the agent in it.

mod initramfs;
mod qemu;
mod target;

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use qemu::{Monitor, Qemu};
pub use target::{Firmware, SECOND_DISK, Target};

use crate::protocol::{Answer, PORT, Request, Usage};

/// How often a condition is looked at that nothing reports.
pub const LOOK: Duration = Duration::from_millis(5);
/// What an emulated machine on a busy one needs for anything that does happen.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Ports inside the machine that are reached from here: the agent's, rfbridge's, and usbredirect's.
const INSIDE: [u16; 3] = [PORT, RFB, REDIRECTED];
pub const RFB: u16 = 5900;
pub const REDIRECTED: u16 = 4000;

/// A running machine; gone when dropped.
pub struct Machine {
    qemu: Qemu,
    ports: [u16; INSIDE.len()],
    /// Where its files are, and what is left of it for people to look at.
    pub folder: PathBuf,
}

impl Machine {
    /// Boots one whose files are in `folder`.
    pub fn boot(folder: &Path) -> Machine {
        let image = image();
        let initramfs = folder.join("initramfs");
        let tests = env::current_exe().expect("this program's path");
        let programs = [
            (tests.as_path(), "/init"),
            (Path::new(env!("CARGO_BIN_EXE_rfbridge")), "/bin/rfbridge"),
        ];
        initramfs::write(&image.join("root"), &programs, &initramfs).expect("an archive");
        let ports = INSIDE.map(|_| free_port());
        let forwards: String = ports
            .iter()
            .zip(INSIDE)
            .map(|(here, inside)| format!(",hostfwd=tcp:127.0.0.1:{here}-:{inside}"))
            .collect();
        let mut arguments: Vec<String> = [
            "-M",
            "pc,usb=off,vmport=off",
            "-no-reboot",
            "-m",
            "1024",
            "-smp",
            "2",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.extend([
            "-kernel".to_owned(),
            image.join("kernel").display().to_string(),
            "-initrd".to_owned(),
            initramfs.display().to_string(),
            "-append".to_owned(),
            "console=ttyS0 quiet panic=-1 nokaslr mitigations=off no_timer_check tsc=reliable \
             random.trust_cpu=on net.ifnames=0"
                .to_owned(),
            // It reaches nothing outside.
            "-netdev".to_owned(),
            format!("user,id=net,restrict=on{forwards}"),
            "-device".to_owned(),
            "virtio-net-pci,netdev=net,romfile=".to_owned(),
        ]);
        let mut machine = Machine {
            qemu: Qemu::start(folder, &arguments),
            ports,
            folder: folder.to_owned(),
        };
        let began = Instant::now();
        while machine.try_ask(&Request::Hello, &[]).is_none() {
            machine.qemu.check_alive();
            assert!(
                began.elapsed() < 3 * DEADLINE,
                "the machine does not boot: {}",
                machine.qemu.serial()
            );
            thread::sleep(LOOK);
        }
        machine
    }

    /// What a port inside is here.
    pub fn address(&self, inside: u16) -> SocketAddr {
        let index = INSIDE.iter().position(|port| *port == inside);
        let here = self.ports[index.expect("a port that is forwarded")];
        (Ipv4Addr::LOCALHOST, here).into()
    }

    fn try_ask(&self, request: &Request, more: &[u8]) -> Option<(Answer, BufReader<TcpStream>)> {
        let stream = TcpStream::connect(self.address(PORT)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).ok()?;
        let mut line = serde_json::to_vec(request).ok()?;
        line.push(b'\n');
        (&stream).write_all(&line).ok()?;
        (&stream).write_all(more).ok()?;
        let mut reader = BufReader::new(stream);
        let mut answer = String::new();
        reader.read_line(&mut answer).ok()?;
        Some((serde_json::from_str(&answer).ok()?, reader))
    }

    fn ask(&self, request: &Request) -> (Answer, BufReader<TcpStream>) {
        self.ask_with(request, &[])
    }

    /// Asks, and sends the bytes that belong to the request.
    fn ask_with(&self, request: &Request, more: &[u8]) -> (Answer, BufReader<TcpStream>) {
        match self.try_ask(request, more) {
            Some((Answer::Failed(why), _)) => panic!("{request:?}: {why}"),
            Some(answered) => answered,
            None => panic!(
                "the agent does not answer {request:?}; the machine says: {}",
                self.qemu.serial()
            ),
        }
    }

    /// What a shell script prints; it must succeed.
    pub fn run(&self, script: &str) -> String {
        match self.try_run(script) {
            (0, text) => text,
            (status, text) => panic!("`{script}` ended with {status}: {text}"),
        }
    }

    pub fn try_run(&self, script: &str) -> (i32, String) {
        match self.ask(&Request::Run {
            script: script.to_owned(),
        }) {
            (Answer::Output { status, text }, _) => (status, text),
            (other, _) => panic!("{other:?}"),
        }
    }

    /// Starts a program whose output goes to `/log/NAME`.
    pub fn start(&self, program: &[&str], output: &str) -> u32 {
        let program = program.iter().map(|word| (*word).to_owned()).collect();
        let output = format!("/log/{output}");
        match self.ask(&Request::Start { program, output }) {
            (Answer::Started { process }, _) => process,
            (other, _) => panic!("{other:?}"),
        }
    }

    pub fn signal(&self, process: u32, signal: i32) {
        self.ask(&Request::Signal { process, signal });
    }

    pub fn usage(&self, process: u32) -> Usage {
        match self.ask(&Request::Usage { process }) {
            (Answer::Usage(usage), _) => usage,
            (other, _) => panic!("{other:?}"),
        }
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        let path = path.to_owned();
        let (Answer::File { length }, reader) = self.ask(&Request::Read { path }) else {
            panic!("a file is answered")
        };
        let mut bytes = Vec::new();
        reader
            .take(length)
            .read_to_end(&mut bytes)
            .expect("the file");
        assert_eq!(bytes.len() as u64, length);
        bytes
    }

    pub fn read_text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.read(path)).into_owned()
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let request = Request::Write {
            path: path.to_owned(),
            length: bytes.len() as u64,
        };
        self.ask_with(&request, bytes);
    }

    /// Waits until a path is there.
    pub fn appears(&self, path: &str) {
        self.awaits(path, true);
    }

    /// Waits until a path is gone.
    pub fn disappears(&self, path: &str) {
        self.awaits(path, false);
    }

    fn awaits(&self, path: &str, present: bool) {
        let path = path.to_owned();
        self.ask(&Request::Await { path, present });
    }

    /// The end of a cable whose other end is a port of the machine's USB hub, ready for a device to speak USB/IP.
    pub fn usb_port(&self) -> TcpStream {
        // Nothing is sent before a device is there, so nothing was buffered.
        let stream = self.ask(&Request::PlugIn).1.into_inner();
        stream.set_read_timeout(None).expect("an option");
        stream
    }

    /// Feeds a v4l2loopback device.
    pub fn feed(&self, device: &str, fourcc: [u8; 4], size: (u16, u16), fps: u32) -> LoopbackFeed {
        let request = Request::Feed {
            device: device.to_owned(),
            fourcc,
            size: (size.0.into(), size.1.into()),
            fps,
        };
        LoopbackFeed(self.ask(&request).1.into_inner())
    }

    /// What the gadget's host sees from now on, as lines of JSON.
    pub fn events(&self) -> BufReader<TcpStream> {
        self.ask(&Request::Events).1
    }

    /// A GPIO chip, plugged in: what the kernel does to its lines comes out, what is at its inputs goes in.
    pub fn gpio_chip(&self) -> BufReader<TcpStream> {
        self.ask(&Request::GpioChip).1
    }

    pub fn set_led(&self, led: u16, on: bool) {
        self.ask(&Request::Led { led, on });
    }

    /// Lets go of the machine's own bulk, once it has run; logs stay.
    fn keep_logs(&self) {
        for name in ["initramfs", "qmp"] {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.keep_logs();
    }
}

/// Pictures on their way to a v4l2loopback device. Dropping it ends the feeding.
pub struct LoopbackFeed(TcpStream);

impl LoopbackFeed {
    pub fn show(&mut self, picture: &[u8]) {
        let length = u32::try_from(picture.len()).expect("a picture's length");
        let whole = [&length.to_be_bytes(), picture].concat();
        self.0.write_all(&whole).expect("the agent takes it");
    }
}

/// The folder that contrib/ci/vm-image.sh made.
fn image() -> PathBuf {
    let in_cache = || {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
        cache.map(|cache| cache.join("rfbridge-ci/vm-image"))
    };
    let named = env::var_os("RFBRIDGE_VM_IMAGE").map(PathBuf::from);
    let image = named.or_else(in_cache).expect("HOME is set");
    assert!(
        image.join("complete").exists(),
        "{} holds no image: contrib/ci/vm-image.sh builds it from Debian's packages",
        image.display()
    );
    image
}

/// A port that is free now. QEMU can only be told numbers.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

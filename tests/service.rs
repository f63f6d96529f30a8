//! rfbridge under a service manager: what it is told, and which sockets it hands over.

use std::{
    fs::File,
    io::Read as _,
    net::{TcpListener, TcpStream},
    os::{
        fd::AsRawFd as _,
        unix::{net::UnixDatagram, process::CommandExt as _},
    },
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// A service manager with one service.
struct Manager {
    directory: TempDir,
    notify: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let notify = UnixDatagram::bind(directory.path().join("notify")).expect("a socket");
        notify
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("an option");
        Self { directory, notify }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let log = File::create(self.directory.path().join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rfbridge"));
        command
            .args(["demo", "--control-socket", "none"])
            .args(arguments)
            .env("NOTIFY_SOCKET", self.directory.path().join("notify"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    /// What it is told next.
    fn told(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.notify.recv(&mut bytes).expect("something is told");
        String::from_utf8(bytes[..length].to_vec()).expect("UTF-8")
    }

    fn wait_for(&self, what: &str) {
        while !self.told().lines().any(|line| line.starts_with(what)) {}
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).expect("a log")
    }
}

fn terminate(child: &mut Child) {
    let pid = i32::try_from(child.id()).expect("a process id");
    // SAFETY: a signal to a child of ours that was not waited for yet.
    unsafe { libc::kill(pid, libc::SIGTERM) };
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn it_says_when_it_is_ready_what_it_does_that_it_lives_and_when_it_stops() {
    let manager = Manager::new();
    let mut service = manager
        .command(&["--listen", "127.0.0.1:0"])
        .env("WATCHDOG_USEC", "200000")
        .spawn()
        .expect("the binary starts");
    assert_eq!(manager.told(), "READY=1\n");
    manager.wait_for("STATUS=1280x720, 0 clients");
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");
    let stopped = std::thread::spawn(move || terminate(&mut service));
    manager.wait_for("STOPPING=1");
    stopped.join().expect("an end");
}

/// As systemd does: descriptors from 3 on, and the process's own number, which only itself knows when it begins.
#[test]
fn a_socket_that_is_handed_over_is_used_and_one_that_nobody_named_is_told() {
    let [listener, stranger] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let address = listener.local_addr().expect("an address").to_string();
    let unused = stranger.local_addr().expect("an address").to_string();
    let manager = Manager::new();
    let script = "LISTEN_PID=$$ exec \"$0\" \"$@\"";
    let plain = manager.command(&["--listen", &address]);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script])
        .arg(plain.get_program())
        .args(plain.get_args())
        .env("NOTIFY_SOCKET", manager.directory.path().join("notify"))
        .env("LISTEN_FDS", "2")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(manager.directory.path().join("log")).expect("a log"));
    let numbers = [listener.as_raw_fd(), stranger.as_raw_fd()];
    // SAFETY: between fork and exec only calls that are allowed there: dup2 and fcntl.
    unsafe {
        command.pre_exec(move || {
            for (number, place) in numbers.into_iter().zip([100, 101]) {
                libc::dup2(number, place);
            }
            for (from, to) in [(100, 3), (101, 4)] {
                libc::dup2(from, to);
                libc::close(from);
            }
            Ok(())
        });
    }
    let mut service = command.spawn().expect("the shell starts");
    manager.wait_for("READY=1");
    drop((listener, stranger));
    let mut greeting = [0; 12];
    let mut client = TcpStream::connect(&address).expect("a connection");
    client.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(&greeting, b"RFB 003.008\n");
    terminate(&mut service);
    let log = manager.log();
    assert!(log.contains(&unused) && log.contains("not used"), "{log}");
}

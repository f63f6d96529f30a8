//! The servers under measurement, as processes that are fed through a FIFO.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

use crate::{
    Failure,
    feed::Fifo,
    workload::{Format, Workload},
};

const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(5);

/// Which server, and where its programs are.
#[derive(Clone, Debug)]
pub enum Kind {
    Bridge { name: String, program: PathBuf },
    LibVncServer { program: PathBuf },
    Xvnc { feeder: PathBuf },
}

impl Kind {
    pub fn name(&self) -> &str {
        match self {
            Kind::Bridge { name, .. } => name,
            Kind::LibVncServer { .. } => "libvncserver",
            Kind::Xvnc { .. } => "Xvnc",
        }
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub fifo: Fifo,
    /// The server itself, and what decodes for it if that is another process.
    processes: Vec<Process>,
    directory: PathBuf,
}

/// Processor time so far.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// Of everything that belongs to the server.
    pub all: Duration,
    /// Thereof in a process of its own that decodes for it.
    pub feeder: Duration,
}

impl Server {
    /// Starts a server with the first picture of `workload` on its screen.
    pub fn start(kind: &Kind, workload: &Workload, directory: &Path) -> Result<Self, Failure> {
        let _ = fs::remove_dir_all(directory);
        fs::create_dir_all(directory)?;
        let framed = !matches!(kind, Kind::Bridge { .. });
        let mut fifo = Fifo::new(&directory.join("frames"), framed)?;
        let (address, processes) = match kind {
            Kind::Bridge { program, .. } => bridge(program, workload, &fifo.path, directory)?,
            Kind::LibVncServer { program } => {
                lib_vnc_server(program, workload, &fifo.path, directory)?
            }
            Kind::Xvnc { feeder } => xvnc(feeder, workload, &fifo.path, directory)?,
        };
        fifo.hand_over(&workload.pictures[workload.picture_at(0)])?;
        Ok(Self {
            address,
            fifo,
            processes,
            directory: directory.to_owned(),
        })
    }

    pub fn cpu(&self) -> Result<Cpu, Failure> {
        let times = self.processes.iter().map(Process::cpu);
        let times = times.collect::<Result<Vec<_>, _>>()?;
        Ok(Cpu {
            all: times.iter().sum(),
            feeder: times[1..].iter().sum(),
        })
    }

    /// Resident memory of the server itself, now and at its most, in MiB.
    pub fn memory(&self) -> Result<(f64, f64), Failure> {
        self.processes[0].memory()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.processes.clear();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

type Started = (SocketAddr, Vec<Process>);

fn bridge(
    program: &Path,
    workload: &Workload,
    fifo: &Path,
    log: &Path,
) -> Result<Started, Failure> {
    let mut command = Command::new(program);
    command.args(["serve", "--sink", "null", "--listen", "127.0.0.1:0"]);
    // No control socket, which for root would be the machine's only one.
    command.env("RUNTIME_DIRECTORY", "/dev/null");
    command
        .arg("--source")
        .arg(format!("pipe:{}", fifo.display()));
    if workload.format != Format::Mjpeg {
        let size = format!("{}x{}", workload.size.width, workload.size.height);
        command.args(["--format", workload.format.name(), "--size", &size]);
        // What is shown may be one level below the clean sample, and what comes one above it.
        command.args(["--noise-tolerance", "1"]);
    }
    let (process, address) = Process::start(command, log, |line| {
        line.strip_prefix("listening on ")?.parse().ok()
    })?;
    Ok((address, vec![process]))
}

fn lib_vnc_server(
    program: &Path,
    workload: &Workload,
    fifo: &Path,
    log: &Path,
) -> Result<Started, Failure> {
    let address = free_address()?;
    let mut command = Command::new(program);
    command.arg(fifo).args(picture_arguments(workload));
    command.arg(address.port().to_string());
    let (process, ()) = Process::start(command, log, |line| (line == "ready").then_some(()))?;
    Ok((address, vec![process]))
}

fn xvnc(feeder: &Path, workload: &Workload, fifo: &Path, log: &Path) -> Result<Started, Failure> {
    let address = free_address()?;
    let size = workload.size;
    let mut command = Command::new("Xvnc");
    command.args([
        "-displayfd",
        "1",
        "-depth",
        "24",
        "-localhost",
        "-AlwaysShared",
    ]);
    command.args(["-SecurityTypes", "None", "-nolisten", "tcp", "-rfbport"]);
    command.args([address.port().to_string(), "-geometry".into()]);
    command.arg(format!("{}x{}", size.width, size.height));
    let (server, display) = Process::start(command, log, |line| line.parse::<u32>().ok())?;
    let mut command = Command::new(feeder);
    command.arg(fifo).args(picture_arguments(workload));
    command.arg(format!(":{display}"));
    let (feeder, ()) = Process::start(command, log, |line| (line == "ready").then_some(()))?;
    Ok((address, vec![server, feeder]))
}

fn picture_arguments(workload: &Workload) -> [String; 3] {
    let size = workload.size;
    let format = workload.format.name();
    [
        format.into(),
        size.width.to_string(),
        size.height.to_string(),
    ]
}

/// Nobody listens there now; for servers that cannot choose themselves and tell.
fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

struct Process(Child);

impl Process {
    /// Starts a program and waits for the line on its standard output that `wanted` takes.
    fn start<T: Send + 'static>(
        mut command: Command,
        log: &Path,
        wanted: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Result<(Self, T), Failure> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = log.join("log");
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let mut process = Self(child);
        let (found, waiting) = mpsc::channel();
        if let Some(stdout) = process.0.stdout.take() {
            thread::spawn(move || {
                // Goes on reading to the end, so that the program never waits for us.
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some(value) = wanted(line.trim()) {
                        let _ = found.send(value);
                    }
                }
            });
        }
        match waiting.recv_timeout(START) {
            Ok(value) => Ok((process, value)),
            Err(_) => {
                drop(process);
                let text = fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
                let last = lines[lines.len().saturating_sub(4)..].join(" / ");
                Err(format!("{name} did not start: {last}").into())
            }
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }

    /// User and system time to the nanosecond, of threads that have ended too.
    fn cpu(&self) -> Result<Duration, Failure> {
        Ok(clock_gettime(clock_getcpuclockid(self.pid())?)?.into())
    }

    fn memory(&self) -> Result<(f64, f64), Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let mebibytes = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kibibytes / 1024.0)
        };
        let both = mebibytes("VmRSS:").zip(mebibytes("VmHWM:"));
        both.ok_or_else(|| "a server's memory is not told".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGTERM);
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

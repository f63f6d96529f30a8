//! The processes of the machine: who runs, and who has what open.

use std::path::Path;

use super::machine::Machine;

/// As `/proc/PID/comm` has it.
const OURS: &str = "rfbridge";
/// Most open files of a process that are looked at.
const MAX_FILES: usize = 4096;

/// A process, but not this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pid: u32,
    name: String,
}

impl Process {
    pub(super) fn is_ours(&self) -> bool {
        self.name == OURS
    }

    pub(super) fn directory(&self) -> String {
        format!("/proc/{}", self.pid)
    }

    /// Its command line; that of rfbridge holds no secrets.
    pub(super) fn words(&self, machine: &Machine) -> Vec<String> {
        let line = machine.text(format!("{}/cmdline", self.directory()));
        let line = line.unwrap_or_default();
        line.split('\0').map(str::to_owned).collect()
    }

    /// The command that was given to it, such as `serve`.
    fn is_to(&self, machine: &Machine, command: &str) -> bool {
        self.is_ours()
            && self
                .words(machine)
                .get(1)
                .is_some_and(|word| word == command)
    }

    pub(super) fn is_demo(&self, machine: &Machine) -> bool {
        self.is_to(machine, "demo")
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// All others.
pub(super) fn others(machine: &Machine) -> Vec<Process> {
    let own = machine
        .link("/proc/self")
        .and_then(|own| own.to_str()?.parse::<u32>().ok());
    let pids = machine.names("/proc").into_iter();
    let processes = pids.filter_map(|pid| {
        let name = machine.text(format!("/proc/{pid}/comm"))?;
        let pid = pid.parse().ok()?;
        (Some(pid) != own).then_some(Process { pid, name })
    });
    processes.collect()
}

/// The instance of rfbridge that serves, if one does.
pub(super) fn server(machine: &Machine) -> Option<Process> {
    let mut others = others(machine).into_iter();
    others.find(|process| process.is_to(machine, "serve"))
}

/// Who has this open: a path, or what the kernel writes for a socket. Only root sees other users' files.
pub(super) fn holders(machine: &Machine, file: &Path) -> Vec<Process> {
    let holds = |process: &Process| {
        let directory = format!("{}/fd", process.directory());
        let files = machine.names(&directory).into_iter().take(MAX_FILES);
        files
            .filter_map(|number| machine.link(format!("{directory}/{number}")))
            .any(|open| open == file)
    };
    others(machine).into_iter().filter(holds).collect()
}

/// Such as `ffmpeg (pid 12), firefox (pid 34)`.
pub(super) fn list(processes: &[Process]) -> String {
    let names: Vec<_> = processes.iter().map(Process::to_string).collect();
    names.join(", ")
}

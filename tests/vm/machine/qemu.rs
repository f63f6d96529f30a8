//! A QEMU process: started, asked over QMP, ended by its own id.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::LOOK;

pub struct Qemu {
    child: Child,
    folder: PathBuf,
}

impl Qemu {
    /// Starts it with these arguments besides the ones that every QEMU here gets. Its files are in `folder`: what it
    /// says, its serial line's text and the QMP socket.
    pub fn start(folder: &Path, arguments: &[String]) -> Qemu {
        let program = "qemu-system-x86_64";
        let log = File::create(folder.join("qemu.log")).expect("a log file");
        let mut command = Command::new(program);
        // SAFETY: a system call and nothing else happens between fork and exec.
        unsafe {
            command.pre_exec(|| {
                // It does not outlive these tests, however they end.
                match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            });
        }
        let child = command
            .args(["-nodefaults", "-no-user-config", "-display", "none"])
            .arg("-serial")
            .arg(format!("file:{}", folder.join("serial.log").display()))
            .arg("-qmp")
            .arg(format!(
                "unix:{},server=on,wait=off",
                folder.join("qmp").display()
            ))
            .args(accelerator())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}; contrib/ci/vm.sh installs what is needed"));
        Qemu {
            child,
            folder: folder.to_owned(),
        }
    }

    /// Panics with what it said if it has ended.
    pub fn check_alive(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            let text = |name| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            panic!(
                "QEMU ended with {status}: {}\n{}",
                text("qemu.log"),
                text("serial.log")
            );
        }
    }

    pub fn serial(&self) -> String {
        let bytes = std::fs::read(self.folder.join("serial.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A QMP connection of its own, which outlives no QEMU.
    pub fn monitor(&mut self) -> Monitor {
        let path = self.folder.join("qmp");
        let began = Instant::now();
        loop {
            self.check_alive();
            match UnixStream::connect(&path) {
                Ok(stream) => return Monitor::new(stream),
                Err(e) if began.elapsed() > Duration::from_secs(20) => panic!("QMP: {e}"),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// KVM only where the processor's own virtualisation is there: elsewhere a /dev/kvm may open and then hang.
fn accelerator() -> Vec<String> {
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag| flags.split_whitespace().any(|word| word == flag);
    let is_usable = (has("vmx") || has("svm"))
        && File::options()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok();
    let arguments: &[&str] = if is_usable {
        &["-accel", "kvm", "-cpu", "host"]
    } else {
        &["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"]
    };
    arguments.iter().map(|word| (*word).to_owned()).collect()
}

/// A QMP connection.
pub struct Monitor {
    reader: BufReader<UnixStream>,
}

impl Monitor {
    fn new(stream: UnixStream) -> Monitor {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("an option");
        let mut monitor = Monitor {
            reader: BufReader::new(stream),
        };
        monitor.line(); // The greeting.
        monitor.execute("qmp_capabilities", json!({}));
        monitor
    }

    pub fn execute(&mut self, command: &str, arguments: Value) -> Value {
        let request = json!({ "execute": command, "arguments": arguments });
        writeln!(self.reader.get_mut(), "{request}").expect("QEMU takes it");
        loop {
            let answer = self.line();
            if let Some(error) = answer.get("error") {
                panic!("QMP {command}: {error}");
            }
            if let Some(result) = answer.get("return") {
                return result.clone();
            }
        }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("QEMU answers");
        serde_json::from_str(&line).expect("JSON")
    }
}

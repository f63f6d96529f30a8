//! Programs that were started, by their ids.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
};

use crate::protocol::Usage;

static CHILDREN: LazyLock<Mutex<HashMap<u32, Child>>> = LazyLock::new(Mutex::default);

pub fn start(program: &[String], output: &str) -> io::Result<u32> {
    let output = File::create(output)?;
    let child = Command::new(&program[0])
        .args(&program[1..])
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    let process = child.id();
    CHILDREN.lock().expect("no panic").insert(process, child);
    Ok(process)
}

pub fn signal(process: u32, signal: i32) -> io::Result<()> {
    let children = CHILDREN.lock().expect("no panic");
    let process = children.get(&process).ok_or_else(unknown)?.id();
    // SAFETY: a signal to a child that was not waited for, or whose id is not used again while it is kept.
    match unsafe { libc::kill(process as i32, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub fn usage(process: u32) -> io::Result<Usage> {
    let mut children = CHILDREN.lock().expect("no panic");
    let child = children.get_mut(&process).ok_or_else(unknown)?;
    if let Some(status) = child.try_wait()? {
        return Ok(Usage::Ended(status.code()));
    }
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    let count = |what| fs::read_dir(format!("/proc/{process}/{what}")).map(Iterator::count);
    Ok(Usage::Running {
        rss_kib: rss.unwrap_or(0),
        files: count("fd")?,
        threads: count("task")?,
    })
}

fn unknown() -> io::Error {
    io::Error::other("no such process was started")
}

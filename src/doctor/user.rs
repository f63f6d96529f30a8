//! Who is to open the devices, and whether that one may.

use std::{fs::Metadata, os::unix::fs::MetadataExt};

use super::{machine::Machine, processes::Process};

/// The user that the service runs as, and its group of the same name.
const SERVICE: &str = "rfbridge";
/// The service is given this group by its unit.
const CAPTURE_GROUP: &str = "video";

/// Whose rights count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    uid: u32,
    gids: Vec<u32>,
}

impl User {
    /// Who is to open the devices: the user of the rfbridge that runs; else the service's, if there is one; else who runs this.
    pub(super) fn of(machine: &Machine, running: Option<&Process>) -> Self {
        let running = running.map(|process| Self::of_process(machine, &process.directory()));
        running
            .or_else(|| Self::service(machine))
            .unwrap_or_else(|| Self::caller(machine))
    }

    /// Who runs this.
    pub(super) fn caller(machine: &Machine) -> Self {
        Self::of_process(machine, "/proc/self")
    }

    pub(super) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// By owner, group and mode. Access control lists are not looked at: device nodes of a gadget have none.
    pub(super) fn may(&self, metadata: &Metadata, bits: u32) -> bool {
        let shift = if self.uid == metadata.uid() {
            6
        } else if self.gids.contains(&metadata.gid()) {
            3
        } else {
            0
        };
        self.is_root() || metadata.mode() >> shift & bits == bits
    }

    pub(super) fn may_read_and_write(&self, metadata: &Metadata) -> bool {
        self.may(metadata, 0o6)
    }

    fn of_process(machine: &Machine, directory: &str) -> Self {
        let status = machine
            .text(format!("{directory}/status"))
            .unwrap_or_default();
        let numbers = |key: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let numbers = line.unwrap_or_default().split_whitespace();
            numbers.filter_map(|number| number.parse().ok()).collect()
        };
        // Real, effective, saved and file system's. Who cannot be told has no rights.
        let uid = numbers("Uid:").get(1).copied().unwrap_or(u32::MAX);
        let mut gids = numbers("Groups:");
        gids.extend(numbers("Gid:").get(1));
        let passwd = machine.text("/etc/passwd").unwrap_or_default();
        let mut users = passwd.lines().map(|line| line.split(':'));
        let name = users.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        });
        Self {
            name: name.unwrap_or_else(|| match uid {
                0 => "root".to_owned(),
                u32::MAX => "this user".to_owned(),
                uid => format!("user {uid}"),
            }),
            uid,
            gids,
        }
    }

    fn service(machine: &Machine) -> Option<Self> {
        let passwd = machine.text("/etc/passwd")?;
        let mut users = passwd.lines().map(|line| line.split(':'));
        let mut fields =
            users.find_map(|mut fields| (fields.next()? == SERVICE).then_some(fields))?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let groups = machine.text("/etc/group").unwrap_or_default();
        let mut gids = vec![gid];
        for line in groups.lines() {
            let mut fields = line.split(':');
            let (name, id, members) = (fields.next(), fields.nth(1), fields.next());
            let is_member = members
                .unwrap_or_default()
                .split(',')
                .any(|member| member == SERVICE);
            if is_member || name == Some(CAPTURE_GROUP) {
                gids.extend(id.and_then(|id| id.parse::<u32>().ok()));
            }
        }
        Some(Self {
            name: SERVICE.to_owned(),
            uid,
            gids,
        })
    }
}

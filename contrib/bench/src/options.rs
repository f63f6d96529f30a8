//! The command line, and what is to be measured by it.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum, builder::TypedValueParser};

use crate::{
    Failure, client, generate,
    link::Link,
    measure::Case,
    server,
    workload::{self, Workload},
};

/// Measures rfbridge and the peers that Debian packages, without hardware, and prints markdown tables.
///
/// Without --workload, --client, --clients and --link everything is measured: each workload with each kind of
/// client, with 8 and 32 tight-jpeg clients, and over a slow link.
#[derive(Debug, Parser)]
#[command(bin_name = "contrib/bench/run.sh", max_term_width = 100)]
pub struct Options {
    /// rfbridge to measure; given several times they are called A, B, …
    #[arg(long, value_name = "PATH", default_value = "target/release/rfbridge")]
    bridge: Vec<PathBuf>,
    /// Measure these servers only; repeatable
    #[arg(long, value_enum, value_name = "SERVER")]
    only: Vec<Server>,
    /// Workloads whose name has TEXT in it; repeatable [default: all]
    #[arg(long, value_name = "TEXT")]
    workload: Vec<String>,
    /// Directory of further recordings, NAME.mjpeg with NAME.mjpeg.idx; repeatable
    #[arg(long, value_name = "DIR")]
    workloads: Vec<PathBuf>,
    /// Kinds of client: tight-jpeg, tight, zrle, raw; repeatable
    #[arg(long, value_parser = client_kind, value_name = "KIND")]
    client: Vec<client::Kind>,
    /// Numbers of clients at a time
    #[arg(long, value_delimiter = ',', value_name = "N")]
    clients: Vec<usize>,
    /// Put a slow link between: Mbit/s and delay each way in ms, such as 5:40
    #[arg(long, value_name = "MBITS:MS")]
    link: Option<Link>,
    /// Clients let the server send without being asked (Fence, ContinuousUpdates)
    #[arg(long)]
    continuous: bool,
    /// Runs of each server
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub repeats: usize,
    /// Frames of each run
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub frames: usize,
    /// In which runs pictures are compared with the source's
    #[arg(long, value_enum, default_value = "first", value_name = "RUNS")]
    verify: Verify,
    /// Directory of the peers' programs; run.sh knows
    #[arg(long, value_name = "DIR", default_value = "target/bench/peers")]
    peers: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Server {
    Rfbridge,
    Libvncserver,
    Xvnc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Verify {
    None,
    First,
    All,
}

/// What is measured, in the order in which it is.
pub struct Plan {
    pub servers: Vec<server::Kind>,
    workloads: Vec<Workload>,
    rows: Vec<Row>,
    frames: usize,
}

struct Row {
    client: client::Kind,
    clients: usize,
    continuous: bool,
    link: Option<Link>,
}

/// Where the repository's own recordings are.
const FIXTURES: &str = "fixtures/screens";
/// Whose first picture stands still in the generated workloads.
const STILL: &str = "firmware";

impl Options {
    pub fn plan(&self) -> Result<Plan, Failure> {
        let workloads = self.chosen_workloads()?;
        if workloads.is_empty() {
            return Err("no workload has such a name".into());
        }
        Ok(Plan {
            servers: self.servers()?,
            workloads,
            rows: self.rows(),
            frames: self.frames,
        })
    }

    /// Whether pictures are compared in this run.
    pub fn verifies(&self, repeat: usize) -> bool {
        match self.verify {
            Verify::None => false,
            Verify::First => repeat == 0,
            Verify::All => true,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let [usual, ..] = client::KINDS;
        let row = |client, clients, continuous, link| Row {
            client,
            clients,
            continuous,
            link,
        };
        let kinds = match (&self.client[..], self.link) {
            // Over a link what counts is the usual client.
            ([], Some(_)) => vec![usual],
            ([], None) => client::KINDS.to_vec(),
            (chosen, _) => chosen.to_vec(),
        };
        let counts = match &self.clients[..] {
            [] => &[1],
            chosen => chosen,
        };
        let mut rows = Vec::new();
        for kind in kinds {
            let row = |&count: &usize| row(kind, count, self.continuous, self.link);
            rows.extend(counts.iter().map(row));
        }
        if self.chooses_nothing() {
            rows.push(row(usual, 8, false, None));
            rows.push(row(usual, 32, false, None));
            rows.push(row(usual, 1, false, Some(Link::SLOW)));
            rows.push(row(usual, 1, true, Some(Link::SLOW)));
        }
        rows
    }

    fn chooses_nothing(&self) -> bool {
        self.workload.is_empty()
            && self.client.is_empty()
            && self.clients.is_empty()
            && self.link.is_none()
            && !self.continuous
    }

    fn servers(&self) -> Result<Vec<server::Kind>, Failure> {
        let wanted = |server| self.only.is_empty() || self.only.contains(&server);
        let mut servers = Vec::new();
        if wanted(Server::Rfbridge) {
            for (letter, program) in ('A'..='Z').zip(&self.bridge) {
                let only = self.bridge.len() == 1;
                let name = if only {
                    "rfbridge".into()
                } else {
                    letter.to_string()
                };
                let program = existing(program)?;
                servers.push(server::Kind::Bridge { name, program });
            }
        }
        if wanted(Server::Libvncserver) {
            let program = existing(&self.peers.join("libvncserver"))?;
            servers.push(server::Kind::LibVncServer { program });
        }
        if wanted(Server::Xvnc) {
            let feeder = existing(&self.peers.join("xvnc"))?;
            servers.push(server::Kind::Xvnc { feeder });
        }
        if servers.is_empty() {
            return Err("there is no server to measure".into());
        }
        Ok(servers)
    }

    fn chosen_workloads(&self) -> Result<Vec<Workload>, Failure> {
        let wanted = |name: &str| {
            self.workload.is_empty()
                || self
                    .workload
                    .iter()
                    .any(|text| name.contains(text.as_str()))
        };
        let mut recordings = workload::recordings(Path::new(FIXTURES))?;
        let still = recordings
            .iter()
            .find(|path| workload::name_of(path) == STILL);
        let still = workload::read(still.ok_or("the repository's recordings are missing")?)?;
        for directory in &self.workloads {
            recordings.extend(workload::recordings(directory)?);
        }
        let mut chosen = Vec::new();
        if wanted("still") {
            chosen.push(generate::still(&still));
        }
        for recording in recordings {
            if wanted(&workload::name_of(&recording)) {
                chosen.push(workload::read(&recording)?);
            }
        }
        if wanted("motion") {
            chosen.push(generate::motion()?);
        }
        if wanted("noise-yuyv") {
            chosen.push(generate::noise(&still)?);
        }
        Ok(chosen)
    }
}

impl Plan {
    /// Rows over a link come last, so that they make a table of their own.
    pub fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let (links, direct): (Vec<&Row>, Vec<&Row>) =
            self.rows.iter().partition(|row| row.link.is_some());
        [direct, links].into_iter().flat_map(move |rows| {
            self.workloads.iter().flat_map(move |workload| {
                rows.clone().into_iter().map(move |row| Case {
                    workload,
                    client: row.client,
                    clients: row.clients,
                    continuous: row.continuous,
                    link: row.link,
                    frames: self.frames,
                })
            })
        })
    }
}

fn client_kind(name: &str) -> Result<client::Kind, String> {
    let kind = client::KINDS.into_iter().find(|kind| kind.name == name);
    kind.ok_or_else(|| {
        let names: Vec<_> = client::KINDS.iter().map(|kind| kind.name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn existing(program: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(program)
        .ok()
        .filter(|path| path.exists())
        .ok_or_else(|| format!("{} is missing", program.display()).into())
}

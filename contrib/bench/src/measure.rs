//! One run: a server, its clients, a few seconds of frames.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Failure,
    client::{self, Clients},
    feed::{self, Handed},
    link::Link,
    picture::{Quality, References},
    replay::{self, Shown},
    server::{self, Server},
    workload::Workload,
};

/// What is measured.
#[derive(Clone, Copy)]
pub struct Case<'w> {
    pub workload: &'w Workload,
    pub client: client::Kind,
    pub clients: usize,
    pub continuous: bool,
    pub link: Option<Link>,
    /// Frames in the measured time.
    pub frames: usize,
}

/// What came out. Times are in milliseconds.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Processor time per source frame, still ones included.
    pub cpu: f64,
    /// Thereof in a process of its own that decodes for the server.
    pub feeder: f64,
    /// Kilobytes (1000 bytes) per source frame and client.
    pub kilobytes: f64,
    pub changes: usize,
    /// Of the changed frames those that the recorded client saw, and how long each took: from just before the
    /// first byte was handed over to the last byte of the update that shows it.
    pub shown: Vec<f64>,
    /// For every changed frame the time until the client saw it or a newer one.
    pub newest: Vec<f64>,
    /// The worst of the pictures that appeared; `None` if none was compared.
    pub worst: Option<Quality>,
    /// Rectangles that cannot be decoded.
    pub invalid: usize,
    /// Resident memory of the server in MiB: at the start, at the end, at its most.
    pub memory: [f64; 3],
    /// Frames that were lost because the server was still taking the one before.
    pub dropped: usize,
}

/// Frames before the measured ones, for the first whole screens and whatever a server learns at first.
const WARM_UP: usize = 30;
/// How long the last frames may take to arrive.
const GRACE: Duration = Duration::from_millis(300);
const GRACE_ON_A_LINK: Duration = Duration::from_secs(3);

pub fn run(
    case: &Case<'_>,
    server: &server::Kind,
    verify: bool,
    directory: &Path,
) -> Result<Outcome, Failure> {
    let workload = case.workload;
    let mut server = Server::start(server, workload, directory)?;
    thread::sleep(GRACE);
    let address = match case.link {
        Some(link) => link.lay(server.address)?,
        None => server.address,
    };
    let clients = Clients::connect(address, case.client, case.clients, case.continuous)?;
    let measured = WARM_UP..WARM_UP + case.frames;
    let mut handed = feed::play(&mut server.fifo, workload, 0..WARM_UP)?;
    let (cpu_before, bytes_before) = (server.cpu()?, clients.bytes());
    let (memory_before, _) = server.memory()?;
    let began = Instant::now();
    handed.extend(feed::play(&mut server.fifo, workload, measured)?);
    let cpu = server.cpu()?;
    let bytes = clients.bytes() - bytes_before;
    let (memory_after, peak) = server.memory()?;
    thread::sleep(case.link.map_or(GRACE, |_| GRACE_ON_A_LINK));
    let recording = clients.stop()?;
    drop(server);

    let mut references = (verify && case.link.is_none()).then(|| References::new(workload));
    let replay::Seen { updates, invalid } = replay::replay(&recording, began, references.as_mut())?;
    let times = Times::of(&updates, &handed, workload);
    let per_frame = |time: Duration| time.as_secs_f64() * 1000.0 / case.frames as f64;
    let changed = |frame: &&Handed| frame.changed && frame.at >= began;
    Ok(Outcome {
        cpu: per_frame(cpu.all - cpu_before.all),
        feeder: per_frame(cpu.feeder - cpu_before.feeder),
        kilobytes: bytes as f64 / 1000.0 / case.frames as f64 / case.clients as f64,
        changes: handed.iter().filter(changed).count(),
        shown: times.shown(&handed, began),
        newest: times.newest(&handed, began),
        worst: updates
            .iter()
            .filter_map(|update| update.quality)
            .min_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)),
        invalid,
        memory: [memory_before, memory_after, peak],
        dropped: handed
            .iter()
            .filter(|frame| frame.dropped && frame.at >= began)
            .count(),
    })
}

/// Which frame each update shows.
struct Times(Vec<(Instant, usize)>);

impl Times {
    /// An update shows the newest frame that had been handed over when it ended and has its number.
    fn of(updates: &[Shown], handed: &[Handed], workload: &Workload) -> Self {
        let frame = |update: &Shown| {
            let over = handed.partition_point(|frame| frame.at <= update.at);
            let shows = |frame: &Handed| Some(workload.ids[frame.picture]) == update.id;
            Some((update.at, handed[..over].iter().rposition(shows)?))
        };
        Self(updates.iter().filter_map(frame).collect())
    }

    fn shown(&self, handed: &[Handed], since: Instant) -> Vec<f64> {
        let mut times = Vec::new();
        let mut last = None;
        for &(at, frame) in &self.0 {
            // A picture stands until the next change; its time counts from its first frame.
            let Some(first) = (0..=frame).rev().find(|&f| handed[f].changed) else {
                continue;
            };
            if last != Some(first) && handed[first].at >= since {
                times.push(milliseconds(at - handed[first].at));
            }
            last = Some(first);
        }
        times
    }

    fn newest(&self, handed: &[Handed], since: Instant) -> Vec<f64> {
        let frames = handed.iter().enumerate();
        frames
            .filter(|(_, frame)| frame.changed && frame.at >= since)
            .filter_map(|(number, frame)| {
                let (at, _) = self.0.iter().find(|&&(_, shown)| shown >= number)?;
                Some(milliseconds(*at - frame.at))
            })
            .collect()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Format;
    use rfb::geom::Size;

    /// Frames 10 ms apart that show pictures 7, 7, 8, 9, 9, 7.
    fn scene() -> (Workload, Vec<Handed>, Instant) {
        let workload = Workload {
            name: String::new(),
            format: Format::Mjpeg,
            size: Size::new(64, 64),
            pictures: vec![Vec::new(); 3],
            ids: vec![7, 8, 9],
            order: vec![0, 0, 1, 2, 2, 0],
        };
        let start = Instant::now();
        let handed = (0..6).map(|frame| Handed {
            at: start + Duration::from_millis(10 * frame as u64),
            picture: workload.picture_at(frame),
            changed: workload.changes_at(frame),
            dropped: false,
        });
        let handed = handed.collect();
        (workload, handed, start)
    }

    fn times(updates: &[(u64, u32)]) -> (Vec<f64>, Vec<f64>) {
        let (workload, handed, start) = scene();
        let shown = |&(at, id): &(u64, u32)| Shown {
            at: start + Duration::from_millis(at),
            id: Some(id),
            quality: None,
        };
        let updates: Vec<Shown> = updates.iter().map(shown).collect();
        let times = Times::of(&updates, &handed, &workload);
        (times.shown(&handed, start), times.newest(&handed, start))
    }

    #[test]
    fn a_picture_counts_from_its_first_frame_and_once() {
        let (shown, newest) = times(&[(1, 7), (23, 8), (45, 9), (48, 9), (52, 7)]);
        assert_eq!(shown, [3.0, 15.0, 2.0]);
        assert_eq!(newest, shown);
    }

    #[test]
    fn a_skipped_picture_is_made_good_by_a_newer_one() {
        let (shown, newest) = times(&[(1, 7), (34, 9), (55, 7)]);
        assert_eq!(shown, [4.0, 5.0]);
        assert_eq!(newest, [14.0, 4.0, 5.0]);
    }

    #[test]
    fn what_never_came_has_no_time() {
        assert_eq!(times(&[(1, 7), (23, 8)]), (vec![3.0], vec![3.0]));
        assert_eq!(times(&[]), (vec![], vec![]));
    }
}

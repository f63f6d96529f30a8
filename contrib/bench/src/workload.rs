//! What is fed: recorded screens, and a few that are made here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rfb::geom::Size;

use crate::Failure;

/// How the pictures of a workload are stored, which is how a dongle delivers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mjpeg,
    /// 4:2:2, Y0 Cb Y1 Cr, BT.601 limited range, rows without padding.
    Yuyv,
}

impl Format {
    /// As rfbridge's `--format` and the peers call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Mjpeg => "mjpeg",
            Format::Yuyv => "yuyv",
        }
    }
}

/// Pictures, and the order in which a dongle delivered them.
#[derive(Clone, Debug)]
pub struct Workload {
    pub name: String,
    pub format: Format,
    pub size: Size,
    pub pictures: Vec<Vec<u8>>,
    /// The number that the barcode of each picture shows; pictures that differ in noise alone have the same.
    pub ids: Vec<u32>,
    /// Which picture each frame shows; played again from its start as often as needed.
    pub order: Vec<usize>,
}

impl Workload {
    /// The picture of the frame with this number.
    pub fn picture_at(&self, frame: usize) -> usize {
        self.order[frame % self.order.len()]
    }

    /// Whether the frame with this number shows another picture than the one before it.
    pub fn changes_at(&self, frame: usize) -> bool {
        frame > 0 && self.ids[self.picture_at(frame)] != self.ids[self.picture_at(frame - 1)]
    }
}

/// The recordings of a directory, by name: each `NAME.mjpeg` that has a `NAME.mjpeg.idx`.
pub fn recordings(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "mjpeg") && index_of(path).exists())
        .collect();
    found.sort();
    Ok(found)
}

/// What a recording is called in tables and on the command line.
pub fn name_of(recording: &Path) -> String {
    let stem = recording.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn index_of(recording: &Path) -> PathBuf {
    let mut name = recording.as_os_str().to_owned();
    name.push(".idx");
    name.into()
}

/// Reads a recording. Its index has a line `rfbfeed1 mjpeg WIDTH HEIGHT FPS FRAMES UNIQUE`, for each of the
/// UNIQUE pictures a line `OFFSET LENGTH ID`, and for each of the FRAMES the number of its picture.
pub fn read(recording: &Path) -> Result<Workload, Failure> {
    let index = index_of(recording);
    let bytes = fs::read(recording).map_err(|e| format!("{}: {e}", recording.display()))?;
    let text = fs::read_to_string(&index).map_err(|e| format!("{}: {e}", index.display()))?;
    parse(&text, &bytes, name_of(recording))
        .ok_or_else(|| format!("{} is no index of its recording", index.display()).into())
}

fn parse(index: &str, bytes: &[u8], name: String) -> Option<Workload> {
    let mut lines = index.lines();
    let head: Vec<&str> = lines.next()?.split_whitespace().collect();
    let ["rfbfeed1", "mjpeg", width, height, _, frames, unique] = head[..] else {
        return None;
    };
    let (frames, unique) = (frames.parse().ok()?, unique.parse().ok()?);
    let (mut pictures, mut ids) = (Vec::new(), Vec::new());
    for line in lines.by_ref().take(unique) {
        let numbers: Vec<usize> = line.split_whitespace().flat_map(str::parse).collect();
        let [offset, length, id] = numbers[..] else {
            return None;
        };
        pictures.push(bytes.get(offset..offset.checked_add(length)?)?.to_vec());
        ids.push(u32::try_from(id).ok()?);
    }
    let order: Vec<usize> = lines.take(frames).flat_map(str::parse).collect();
    let complete = pictures.len() == unique && order.len() == frames && frames > 0;
    (complete && order.iter().all(|&picture| picture < unique)).then_some(Workload {
        name,
        format: Format::Mjpeg,
        size: Size::new(width.parse().ok()?, height.parse().ok()?),
        pictures,
        ids,
        order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_gives_pictures_and_their_order() {
        let index = "rfbfeed1 mjpeg 64 48 30 4 2\n0 3 1\n3 2 2\n0\n0\n1\n0\n";
        let workload = parse(index, b"aaabb", "x".into()).expect("a whole index");
        assert_eq!(workload.pictures, [b"aaa".to_vec(), b"bb".to_vec()]);
        let changes: Vec<bool> = (0..6).map(|frame| workload.changes_at(frame)).collect();
        assert_eq!(changes, [false, false, true, true, false, false]);
    }

    #[test]
    fn an_index_that_lies_is_refused() {
        for index in [
            "",
            "rfbfeed1 mjpeg 64 48 30 1 1\n0 9 1\n0\n",
            "rfbfeed1 mjpeg 64 48 30 1 1\n0 3 1\n1\n",
            "rfbfeed1 mjpeg 64 48 30 2 1\n0 3 1\n0\n",
            "rfbfeed1 yuyv 64 48 30 1 1\n0 3 1\n0\n",
        ] {
            assert!(parse(index, b"aaabb", "x".into()).is_none(), "{index:?}");
        }
    }
}

//! Asks capture devices, and looks at what they send.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use rfb::{
    frame::{Frame, Pixel},
    geom::Size,
};

use crate::{
    config,
    source::{self, Description, Wishes},
    video::Converter,
};

/// By how much a level of a plain picture may waver.
const NOISE: i32 = 12;

/// Asks capture devices. The fake of the tests has devices of its own.
pub trait Camera {
    /// # Errors
    /// Why it cannot be asked, and what to do.
    fn describe(&self, node: &Path, wishes: Wishes) -> Result<Description, String>;

    /// Captures for about `time`.
    ///
    /// # Errors
    /// Why there is nothing to see, and what to do.
    fn watch(&self, node: &Path, wishes: Wishes, time: Duration) -> Result<Watched, String>;
}

/// What came in a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Pictures that could be used, by their headers.
    pub pictures: u32,
    /// Others, and what was wrong with the last of them.
    pub damaged: u32,
    pub damage: Option<String>,
    /// Of the usable pictures.
    pub per_second: f64,
    pub size: Size,
    /// If the last picture was the same all over.
    pub only_colour: Option<Pixel>,
}

/// The capture devices of this machine.
#[derive(Debug)]
pub(super) struct RealCamera;

impl Camera for RealCamera {
    fn describe(&self, node: &Path, wishes: Wishes) -> Result<Description, String> {
        guarded(node, || {
            source::describe(node, wishes).map_err(|error| error.to_string())
        })
    }

    fn watch(&self, node: &Path, wishes: Wishes, time: Duration) -> Result<Watched, String> {
        guarded(node, || watch(node, wishes, time))
    }
}

/// The `v4l` crate panics on answers of drivers that it does not know.
fn guarded<T>(node: &Path, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let node = node.display();
        Err(format!(
            "the driver of {node} gives answers that nobody understands"
        ))
    })
}

fn watch(node: &Path, wishes: Wishes, time: Duration) -> Result<Watched, String> {
    let source = config::Source::V4l(Some(node.to_owned()));
    let mut source = source::opener(&source, wishes)
        .open()
        .map_err(|error| error.to_string())?;
    let mut converter = Converter::new();
    let (mut damaged, mut damage, mut pictures) = (0, None, 0_u32);
    let (mut first, mut last) = (None, None);
    let end = Instant::now() + time;
    while Instant::now() < end || first.is_none() {
        let lent = source.next().map_err(|error| error.to_string())?;
        match converter.convert(&lent.captured) {
            Ok(_) => {
                pictures += 1;
                let now = Instant::now();
                first.get_or_insert(now);
                last = Some(now);
            }
            Err(reason) => {
                damaged += 1;
                damage = Some(reason.to_string());
                if Instant::now() >= end {
                    break;
                }
            }
        }
    }
    let between = first.zip(last).map(|(first, last)| last - first);
    let seconds = between.map_or(0.0, |between| between.as_secs_f64());
    let mut watched = Watched {
        pictures,
        damaged,
        damage,
        per_second: if seconds > 0.0 {
            f64::from(pictures.saturating_sub(1)) / seconds
        } else {
            0.0
        },
        size: Size::default(),
        only_colour: None,
    };
    if let Some(frame) = converter.frame() {
        watched.size = frame.size();
        match only_colour(frame) {
            Ok(colour) => watched.only_colour = colour,
            Err(reason) => {
                watched.damaged += 1;
                watched.pictures -= 1;
                watched.damage = Some(reason);
            }
        }
    }
    Ok(watched)
}

/// The colour of a picture that is the same all over, but for noise. Reads, and so decodes, the whole of it.
fn only_colour(frame: &Frame) -> Result<Option<Pixel>, String> {
    let pixels = frame
        .pixels(frame.size().rect())
        .map_err(|damaged| damaged.to_string())?;
    let Some(&first) = pixels.first() else {
        return Ok(None);
    };
    let levels = |pixel: Pixel| [16, 8, 0].map(|shift| (pixel >> shift & 0xff) as i32);
    let is_like_first = |pixel: &Pixel| {
        let pairs = levels(*pixel).into_iter().zip(levels(first));
        pairs
            .into_iter()
            .all(|(one, other)| (one - other).abs() <= NOISE)
    };
    Ok(pixels.iter().all(is_like_first).then_some(first))
}

#[cfg(test)]
mod tests {
    use rfb::frame::FrameSeq;

    use super::*;

    #[test]
    fn a_plain_picture_is_told_from_one_that_shows_something() {
        let size = Size::new(64, 48);
        let plain = Frame::solid(FrameSeq(1), size, 0x0000_00f0);
        assert_eq!(only_colour(&plain), Ok(Some(0x0000_00f0)));
        let mut bgrx = vec![7; size.area() * 4];
        let frame = |bgrx: &[u8]| Frame::from_bgrx(FrameSeq(1), size, bgrx, 64 * 4, None);
        bgrx[4000] = 15;
        assert!(only_colour(&frame(&bgrx)).is_ok_and(|colour| colour.is_some()));
        bgrx[4000] = 200;
        assert_eq!(only_colour(&frame(&bgrx)), Ok(None));
    }

    #[test]
    fn what_is_no_device_is_told() {
        let null = Path::new("/dev/null");
        let wishes = Wishes::default();
        assert!(RealCamera.describe(null, wishes).is_err());
        assert!(RealCamera.watch(null, wishes, Duration::ZERO).is_err());
    }
}

//! The target's screen for programs: a picture of it, and the moment when it rests.

use std::{sync::Arc, time::Duration};

use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{ETAG, HeaderName, HeaderValue, IF_NONE_MATCH},
};
use rfb::{
    encoding::{self, JpegEncoder as _, JpegQuality, PureRust, Subsampling},
    frame::{Damaged, Frame},
    geom::{Rect, Size},
};
use serde::Serialize;
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::{
    Web,
    answer::{self, Answer, Refusal},
};
use crate::{control::PictureState, net::InputSink};

/// How long is waited where nothing else is asked for, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);
/// How long a picture rests where nothing else is asked for.
const REST: Duration = Duration::from_millis(500);
/// Whether it is the target that is seen: `live`, or why it is not.
const PICTURE: HeaderName = HeaderName::from_static("rfbridge-picture");

/// How a picture is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The dongle's own JPEG if it sent one.
    Jpeg,
    Png,
}

/// The screen as it is, or with `?wait=change` as soon as it is another than the one of `If-None-Match`, or than now.
///
/// 304 for what the asker has, or had after `timeout` (30 s).
pub(super) async fn snapshot<I: InputSink>(
    web: &Arc<Web<I>>,
    request: &Request<Incoming>,
    form: Form,
) -> Result<Answer, Refusal> {
    let mut frames = web.server.frames();
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let waits = match query(request, "wait") {
        None => false,
        Some("change") => true,
        Some(_) => return Err(bad_query("wait is `change`").into()),
    };
    let ends = Instant::now() + duration(request, "timeout", PATIENCE)?;
    let mut frame = frames.borrow_and_update().clone();
    let old = known.clone().unwrap_or_else(|| tag(&frame, form));
    if waits {
        while tag(&frame, form) == old {
            match timeout_at(ends, frames.changed()).await {
                Ok(Ok(())) => frame = frames.borrow_and_update().clone(),
                Ok(Err(_)) | Err(_) => return Ok(not_modified(&old)),
            }
        }
    } else if known == Some(tag(&frame, form)) {
        return Ok(not_modified(&old));
    }
    let tag = tag(&frame, form);
    // Nobody closes it.
    let turn = web.pictures.acquire().await;
    let made = spawn_blocking(move || make(&frame, form)).await;
    drop(turn);
    let (kind, bytes) = match made {
        Ok(Ok(made)) => made,
        Ok(Err(damaged)) => {
            let why = format!("The picture is damaged: {damaged}. The next may be whole.");
            return Err(answer::refusal(StatusCode::SERVICE_UNAVAILABLE, why).into());
        }
        Err(fault) => {
            let why = format!("rfbridge has a fault: {fault}");
            return Err(answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, why).into());
        }
    };
    let mut answer = answer::content(kind, bytes);
    answer.headers_mut().insert(ETAG, tag);
    let state = match web.operations.picture().state {
        PictureState::Starting => "starting",
        PictureState::Live => "live",
        PictureState::NoSignal => "no-signal",
        PictureState::Lost => "lost",
    };
    answer
        .headers_mut()
        .insert(PICTURE, HeaderValue::from_static(state));
    Ok(answer)
}

fn make(frame: &Frame, form: Form) -> Result<(&'static str, Vec<u8>), Damaged> {
    // Whether it is whole shows only when it is looked into.
    frame.tiles()?;
    if let (Form::Jpeg, Some(compressed)) = (form, frame.compressed()) {
        return Ok(("image/jpeg", compressed.whole().to_vec()));
    }
    let size = frame.size();
    let pixels = frame.pixels(size.rect())?;
    let mut out = Vec::new();
    match form {
        Form::Jpeg => {
            let quality = JpegQuality {
                quality: 90,
                subsampling: Subsampling::S444,
            };
            let picture = encoding::Picture {
                size,
                pixels: &pixels,
            };
            let encoded = PureRust.encode(&picture, quality, &mut out);
            encoded.map_err(|error| Damaged(error.to_string()))?;
            Ok(("image/jpeg", out))
        }
        Form::Png => {
            let rgb: Vec<u8> = pixels
                .iter()
                .flat_map(|pixel| {
                    let [_, red, green, blue] = pixel.to_be_bytes();
                    [red, green, blue]
                })
                .collect();
            write_png(size, &rgb, &mut out).map_err(|error| Damaged(error.to_string()))?;
            Ok(("image/png", out))
        }
    }
}

fn write_png(size: Size, rgb: &[u8], out: &mut Vec<u8>) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(out, size.width.into(), size.height.into());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(rgb)
}

/// The frame's number, which a server that was started anew begins again.
fn tag(frame: &Frame, form: Form) -> HeaderValue {
    let form = match form {
        Form::Jpeg => "jpg",
        Form::Png => "png",
    };
    let tag = format!("\"{}-{}-{form}\"", std::process::id(), frame.seq().0);
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

fn not_modified(tag: &HeaderValue) -> Answer {
    let mut answer = answer::content("text/plain", "");
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    answer.headers_mut().insert(ETAG, tag.clone());
    answer
}

#[derive(Serialize)]
struct Settled {
    settled: bool,
    /// For how long nothing has changed.
    rested_ms: u128,
}

/// Answers as soon as the picture has not changed `for` so long (500ms), 504 if it does not rest within `timeout` (30s).
/// Changes in a box no larger than `ignore` (such as 16x32) do not count: a cursor blinks.
pub(super) async fn settled<I: InputSink>(
    web: &Arc<Web<I>>,
    request: &Request<Incoming>,
) -> Result<Answer, Refusal> {
    let rest = duration(request, "for", REST)?;
    let ends = Instant::now() + duration(request, "timeout", PATIENCE)?;
    let ignored = match query(request, "ignore") {
        None => Size::new(0, 0),
        Some(text) => size(text).ok_or_else(|| bad_query("ignore is a size such as 16x32"))?,
    };
    let mut frames = web.server.frames();
    let mut last = frames.borrow_and_update().clone();
    let mut since = Instant::now();
    loop {
        let settled = match next(&mut frames, (since + rest).min(ends)).await {
            Some(frame) => {
                let old = std::mem::replace(&mut last, frame.clone());
                let counts = spawn_blocking(move || changed(&old, &frame));
                let changed = counts.await.unwrap_or_else(|_| last.size().rect());
                if changed.width > ignored.width || changed.height > ignored.height {
                    since = Instant::now();
                }
                continue;
            }
            None => since.elapsed() >= rest,
        };
        let rested_ms = since.elapsed().as_millis();
        let status = match settled {
            true => StatusCode::OK,
            false => StatusCode::GATEWAY_TIMEOUT,
        };
        return Ok(answer::json(status, &Settled { settled, rested_ms }));
    }
}

/// The next frame, if there is one before this time.
async fn next(frames: &mut watch::Receiver<Frame>, until: Instant) -> Option<Frame> {
    match timeout_at(until, frames.changed()).await {
        Ok(Ok(())) => Some(frames.borrow_and_update().clone()),
        Ok(Err(_)) => {
            tokio::time::sleep_until(until).await;
            None
        }
        Err(_) => None,
    }
}

/// The smallest box outside which both show the same.
fn changed(old: &Frame, new: &Frame) -> Rect {
    let (Ok(before), Ok(after)) = (old.tiles(), new.tiles()) else {
        return new.size().rect();
    };
    if old.size() != new.size() {
        return new.size().rect();
    }
    let mut all = Rect::EMPTY;
    for (index, (before, after)) in before.iter().zip(after).enumerate() {
        if Arc::ptr_eq(before, after) {
            continue;
        }
        let place = new.tile_rect(index);
        before.changes(after, |rect| {
            let here = Rect::new(place.x + rect.x, place.y + rect.y, rect.width, rect.height);
            all = all.union(here);
        });
    }
    all
}

/// The value of a parameter of the request.
pub(super) fn query<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    let pairs = request.uri().query()?.split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn duration(
    request: &Request<Incoming>,
    name: &str,
    default: Duration,
) -> Result<Duration, Refusal> {
    let Some(text) = query(request, name) else {
        return Ok(default);
    };
    let rule = || {
        bad_query(&format!(
            "{name} is a time up to 600s, such as 500ms or 10s"
        ))
    };
    let time = time(text).filter(|time| *time <= LONGEST);
    Ok(time.ok_or_else(rule)?)
}

/// `500ms` or `10s`.
fn time(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => Some(Duration::from_millis(number.parse().ok()?)),
        None => Some(Duration::from_secs(text.strip_suffix('s')?.parse().ok()?)),
    }
}

fn size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    Some(Size::new(width.parse().ok()?, height.parse().ok()?))
}

fn bad_query(rule: &str) -> Answer {
    answer::refusal(StatusCode::BAD_REQUEST, rule)
}

#[cfg(test)]
mod tests {
    use rfb::frame::FrameSeq;

    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("2s"), Some(Duration::from_secs(2)));
        for bad in ["500", "s", "-1s", "1.5s", "1m"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_changed_is_the_box_around_all_of_it() {
        let size = Size::new(200, 150);
        let mut bgrx = vec![0; size.area() * 4];
        let stride = usize::from(size.width) * 4;
        let old = Frame::from_bgrx(FrameSeq(1), size, &bgrx, stride, None);
        assert_eq!(changed(&old, &old.clone()), Rect::EMPTY);
        for (x, y) in [(60, 70), (70, 80)] {
            bgrx[y * stride + x * 4] = 1;
        }
        let new = Frame::from_bgrx(FrameSeq(2), size, &bgrx, stride, Some(&old));
        assert_eq!(changed(&old, &new), Rect::new(60, 70, 11, 11));
        let other = Frame::solid(FrameSeq(3), Size::new(64, 64), 0);
        assert_eq!(changed(&new, &other), Rect::new(0, 0, 64, 64));
    }
}

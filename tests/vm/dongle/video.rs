//! The dongle's video: at its time each frame is made, spoilt if a fault says so, cut into payloads and sent.
//!
//! A payload is a header and a piece of one frame (UVC 1.0, section 2.4.3.2). The header's two bytes are its
//! length and flags: one that changes from frame to frame, so that the host sees where a frame begins even if it
//! missed the end of the last, one on the frame's last payload, one that calls the frame damaged.

use std::{sync::PoisonError, time::Instant};

use super::{
    Mode, Shared, State,
    screen::{Player, Screen, noise},
    usbip::{Gone, Link},
};

/// Most bytes of a payload, header included. The driver asks for them in transfers of up to 32 packets, which at
/// high speed is as much: a larger payload would not save a transfer.
pub(super) const PAYLOAD: u32 = 16 * 1024;
const LARGEST: usize = PAYLOAD as usize;

const HEADER: u8 = 2;

// Flags (table 2-5).
const FRAME_ID: u8 = 0x01;
const END_OF_FRAME: u8 = 0x02;
const ERROR: u8 = 0x40;
const END_OF_HEADER: u8 = 0x80;

/// Plays what the dongle shows into `link` whenever the host streams, until the cable numbered `plug` is out.
pub(super) fn play(shared: &Shared, plug: u64, link: &Link) {
    let mut clock = Clock::default();
    let mut player = Player::default();
    let mut frame_id = 0;
    while let Some(cue) = next_cue(shared, plug, &mut clock) {
        let frame = player.next(&cue.screen, cue.mode, (cue.stream, cue.shows));
        if cue.spoil.drop {
            continue;
        }
        let frame = match &cue.spoil {
            Spoil {
                noise: Some(seed), ..
            } => noise(*seed, frame.len()),
            _ => frame,
        };
        let kept = if cue.spoil.truncate {
            frame.len() / 2
        } else {
            frame.len()
        };
        if send(link, &cue, &frame[..kept], frame_id).is_ok() {
            shared.change(|state| state.status.frames_sent += 1);
        }
        frame_id ^= FRAME_ID;
    }
}

fn send(link: &Link, cue: &Cue, frame: &[u8], frame_id: u8) -> Result<(), Gone> {
    let pieces = frame.chunks(LARGEST - usize::from(HEADER));
    let last = pieces.len().saturating_sub(1);
    let error = if cue.spoil.error { ERROR } else { 0 };
    let lost = usize::from(cue.spoil.lose_first);
    for (index, piece) in pieces.enumerate().skip(lost) {
        let end = if index == last { END_OF_FRAME } else { 0 };
        let flags = END_OF_HEADER | error | end | frame_id;
        let payload = [&[HEADER, flags], piece].concat();
        link.send(cue.stream, &payload, LARGEST)?;
    }
    Ok(())
}

/// A frame that is due.
struct Cue {
    screen: Screen,
    shows: u64,
    mode: Mode,
    stream: u64,
    spoil: Spoil,
}

/// What is done to one frame.
#[derive(Default, PartialEq, Eq)]
struct Spoil {
    truncate: bool,
    /// The seed of it.
    noise: Option<u64>,
    error: bool,
    drop: bool,
    lose_first: bool,
}

/// When the next frame of a stream is due. It runs only while there are frames.
#[derive(Default)]
struct Clock {
    stream: u64,
    due: Option<Instant>,
}

/// Waits until a frame is due; `None` when the cable is out.
fn next_cue(shared: &Shared, plug: u64, clock: &mut Clock) -> Option<Cue> {
    let mut state = shared.lock();
    loop {
        if state.cable.as_ref().map(|cable| cable.plug) != Some(plug) {
            return None;
        }
        let Some(mode) = state.status.streaming.filter(|_| !state.faults.frozen) else {
            clock.due = None;
            let waited = shared.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        if clock.stream != state.stream {
            *clock = Clock {
                stream: state.stream,
                due: None,
            };
        }
        let now = Instant::now();
        let due = *clock.due.get_or_insert(now);
        let early = due.saturating_duration_since(now);
        if early.is_zero() {
            let late = now.duration_since(due).as_nanos() / mode.interval().as_nanos();
            let late = u32::try_from(late).unwrap_or(u32::MAX - 1);
            state.status.late += u64::from(late);
            clock.due = Some(due + mode.interval() * (late + 1));
            let cue = state.cue(mode);
            shared.changed.notify_all();
            return Some(cue);
        }
        let waited = shared.changed.wait_timeout(state, early);
        (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    }
}

impl State {
    fn cue(&mut self, mode: Mode) -> Cue {
        let spoil = self.spoil();
        if spoil != Spoil::default() {
            self.status.frames_spoilt += 1;
        }
        Cue {
            screen: self.screen.clone(),
            shows: self.shows,
            mode,
            stream: self.stream,
            spoil,
        }
    }

    fn spoil(&mut self) -> Spoil {
        let take = |left: &mut u32| {
            let is_due = *left > 0;
            *left -= u32::from(is_due);
            is_due
        };
        let faults = &mut self.faults;
        if take(&mut faults.drop) {
            return Spoil {
                drop: true,
                ..Spoil::default()
            };
        }
        let noise = take(&mut faults.garbage).then(|| {
            faults.noises += 1;
            faults.noises
        });
        Spoil {
            drop: false,
            noise,
            truncate: take(&mut faults.truncate),
            error: take(&mut faults.error),
            lose_first: take(&mut faults.lose_first),
        }
    }
}

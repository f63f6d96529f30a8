//! The session behind the handshake: what the client asked for, and when it gets it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::Event;
use super::Millis;
use super::announce::{News, PseudoRects, Told};
use super::clipboard::ClientClipboard;
use super::pace::Pace;
use super::pointer::PointerMode;
use super::update::{EncodedUpdate, Manner, Terms, UpdateJob};
use super::view::{Asked, View};
use super::wants::{Wants, ZlibStream};
use crate::encoding::Encoding;
use crate::error::Error;
use crate::frame::{Frame, FrameSeq, fit};
use crate::geom::{Rect, Size};
use crate::msg::client::{self, ClientMessage};
use crate::msg::clipboard::Clipboard;
use crate::msg::server::{self, LedState, ResizeReason, ResizeStatus, fence};
use crate::pixel::convert::colour_map;
use crate::pixel::{Colour, PixelFormat};
use crate::wire::{Read, Reader};

/// One client after the handshake.
pub(super) struct Session {
    view_only: bool,
    /// Requests for the machine's power are taken.
    pub(super) takes_power: bool,
    format: PixelFormat,
    pub(super) wants: Wants,
    /// The encoding last named in an event; `None` before the first SetEncodings.
    chosen: Option<Encoding>,
    pub(super) told: Told,
    news: News,
    clipboard: ClientClipboard,
    /// Size of the framebuffer as the client knows it.
    size: Size,
    /// What the client shows, once it has drawn what was sent.
    view: Arc<View>,
    /// Whether a job is out.
    busy: bool,
    request: Request,
    /// What the job that is out answers.
    answering: Request,
    /// The area of ContinuousUpdates while they are on.
    continuous: Option<Rect>,
    /// The encoding whose zlib stream this connection has begun.
    zlib: Option<ZlibStream>,
    colour_map_sent: bool,
    /// Pseudo-rectangles of an update that was not sent.
    left_over: PseudoRects,
    /// Control bytes that may only follow the update that is out.
    deferred: Vec<u8>,
    /// A frame and an area in which nothing was found to have changed.
    examined: Option<(FrameSeq, Rect)>,
    /// A frame of which there is nothing to show.
    damaged: Option<FrameSeq>,
    now: Millis,
    pace: Pace,
}

/// FramebufferUpdateRequests that were not answered yet, as one. Areas lie in the framebuffer.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    open: bool,
    /// Wanted where it changed.
    incremental: Rect,
    /// Wanted in any case.
    full: Rect,
}

impl Session {
    pub(super) fn new(
        size: Size,
        leds: Option<LedState>,
        pointer: PointerMode,
        view_only: bool,
    ) -> Self {
        Self {
            view_only,
            takes_power: false,
            format: PixelFormat::BGRX,
            wants: Wants::default(),
            chosen: None,
            told: Told::new(pointer),
            news: News { leds, name: None },
            clipboard: ClientClipboard::default(),
            size,
            view: Arc::new(View::new(size)),
            busy: false,
            request: Request::default(),
            answering: Request::default(),
            continuous: None,
            zlib: None,
            colour_map_sent: false,
            left_over: PseudoRects::default(),
            deferred: Vec::new(),
            examined: None,
            damaged: None,
            now: Millis(0),
            pace: Pace::default(),
        }
    }

    pub(super) fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    /// All of the last update was handed to the line.
    pub(super) fn update_written(&mut self) {
        self.pace.written(self.now);
    }

    pub(super) fn round_trip(&self) -> Option<Millis> {
        self.pace.trip()
    }

    pub(super) fn bytes_in_flight(&self) -> usize {
        self.pace.in_flight()
    }

    /// When there will be something to send of `frame` though nothing comes.
    pub(super) fn wakes_at(&self, frame: FrameSeq) -> Option<Millis> {
        let asked = self.request.open || self.continuous.is_some();
        if self.busy || !asked {
            return None;
        }
        let rests_at = self.view.rests_at(self.asked_for());
        let rests_at = rests_at.filter(|_| self.damaged != Some(frame));
        match self.pace.gives_up_at(self.now) {
            Some(at) if !self.request.open => Some(at),
            _ => rests_at,
        }
    }

    pub(super) fn set_leds(&mut self, leds: Option<LedState>) {
        self.news.leds = leds;
    }

    pub(super) fn set_pointer_mode(&mut self, mode: PointerMode) {
        self.told.pointer.set_mode(mode);
    }

    pub(super) fn set_name(&mut self, name: &str) {
        self.news.name = Some(name.to_owned());
    }

    /// Reads and acts on one message. Gives the number of bytes to pass over behind it.
    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        source: Size,
        out: &mut Vec<u8>,
        events: &mut VecDeque<Event>,
    ) -> Read<Result<usize, Error>> {
        let message = match client::read(reader, self.told.extended_buttons)? {
            Ok(message) => message,
            Err(e) => return Ok(Err(e)),
        };
        let is_input = matches!(
            message,
            ClientMessage::KeyEvent { .. }
                | ClientMessage::ExtendedKeyEvent { .. }
                | ClientMessage::PointerEvent { .. }
                | ClientMessage::CutText(_)
                | ClientMessage::ExtendedCutText(_)
        );
        if self.view_only && is_input {
            return Ok(Ok(0));
        }
        match message {
            ClientMessage::SetPixelFormat(format) => self.set_pixel_format(format, events),
            ClientMessage::SetEncodings(list) => self.set_encodings(&list, out, events),
            ClientMessage::FramebufferUpdateRequest { incremental, area } => {
                self.pace.asked(self.now);
                self.request
                    .add(incremental, area.intersection(self.size.rect()));
            }
            ClientMessage::KeyEvent { down, keysym } => {
                events.push_back(Event::Key { down, keysym });
            }
            ClientMessage::ExtendedKeyEvent { down, keysym, code } => {
                events.push_back(Event::ExtendedKey { down, keysym, code });
            }
            ClientMessage::PointerEvent { position, buttons } => {
                let to_source = |position| fit::to_source(position, source, self.size);
                let pointer = &self.told.pointer;
                events.push_back(pointer.event(position, buttons, source, to_source));
            }
            ClientMessage::CutText(clipboard) => {
                events.push_back(Event::Clipboard(self.clipboard.plain(clipboard)));
            }
            ClientMessage::ExtendedCutText(message) => {
                match self.clipboard.extended(&message, out) {
                    Ok(news) => events.extend(news.map(Event::Clipboard)),
                    Err(error) => return Ok(Err(error)),
                }
            }
            ClientMessage::LongCutText { length } => {
                if !self.view_only {
                    events.push_back(Event::Clipboard(Clipboard::TooLong));
                }
                return Ok(Ok(usize::try_from(length).unwrap_or(usize::MAX)));
            }
            ClientMessage::EnableContinuousUpdates { enable, area } => {
                self.enable_continuous_updates(enable, area, out);
            }
            ClientMessage::Fence { flags, data } => self.fence(flags, data.as_deref(), out),
            ClientMessage::SetDesktopSize => self.refuse_desktop_size(out),
            ClientMessage::Xvp { request } => match request.filter(|_| self.takes_power) {
                Some(request) => events.push_back(Event::Power(request)),
                None => self.refuse_power(out),
            },
            ClientMessage::Ignored => {}
        }
        Ok(Ok(0))
    }

    fn set_pixel_format(&mut self, format: PixelFormat, events: &mut VecDeque<Event>) {
        if format.colour != self.format.colour {
            self.colour_map_sent = false;
        }
        self.format = format;
        if self.chosen.is_some() {
            self.choose_encoding(events);
        }
    }

    /// Says which encoding will be used from now on, if that is not the one said before: libvncclient
    /// sends its list again and again.
    fn choose_encoding(&mut self, events: &mut VecDeque<Event>) {
        let encoding = self.wants.choose(self.format, self.zlib);
        if self.chosen.replace(encoding) != Some(encoding) {
            events.push_back(Event::EncodingChosen(encoding.name()));
        }
    }

    fn set_encodings(&mut self, list: &[i32], out: &mut Vec<u8>, events: &mut VecDeque<Event>) {
        self.wants = Wants::new(list);
        self.choose_encoding(events);
        if self.wants.continuous_updates && !self.told.continuous_updates {
            self.told.continuous_updates = true;
            server::end_of_continuous_updates(self.control(out));
        }
        if self.wants.fence && !self.told.fence {
            // Tells the client that fences work here; must carry Request, or noVNC hangs up.
            self.told.fence = true;
            server::server_fence(self.control(out), fence::REQUEST, &[0]);
        }
        if self.wants.extended_clipboard && !self.view_only {
            self.clipboard.offer(out);
        }
        self.offer_power(out);
    }

    pub(super) fn set_view_only(&mut self, view_only: bool) {
        self.view_only = view_only;
    }

    pub(super) fn request_clipboard(&mut self, out: &mut Vec<u8>) -> bool {
        self.clipboard.request(out)
    }

    /// Sends a fence if the client takes them; who is there answers it.
    pub(super) fn probe(&mut self, out: &mut Vec<u8>) {
        if self.wants.fence && self.told.fence {
            server::server_fence(self.control(out), fence::REQUEST, &[0]);
        }
    }

    fn enable_continuous_updates(&mut self, enable: bool, area: Rect, out: &mut Vec<u8>) {
        if !self.wants.continuous_updates && !self.told.continuous_updates {
            return;
        }
        if enable {
            self.continuous = Some(area);
        } else {
            self.continuous = None;
            server::end_of_continuous_updates(self.control(out));
        }
    }

    /// Answers a fence: the same data, the flags that are known, Request taken off. An answer to one of ours tells
    /// that what was sent before it has arrived.
    fn fence(&mut self, flags: u32, data: Option<&[u8]>, out: &mut Vec<u8>) {
        let Some(data) = data.filter(|_| self.told.fence) else {
            return;
        };
        if flags & fence::REQUEST == 0 {
            self.pace.answered(data, self.now);
            return;
        }
        let known = fence::BLOCK_BEFORE | fence::BLOCK_AFTER | fence::SYNC_NEXT;
        let ordered = flags & (fence::BLOCK_BEFORE | fence::SYNC_NEXT) != 0;
        let out = if ordered { self.control(out) } else { out };
        server::server_fence(out, flags & known, data);
    }

    /// The HDMI mode is the target's to choose: every request is told so at once, because clients wait
    /// for the answer (libvncclient asks for no picture until it comes).
    fn refuse_desktop_size(&mut self, out: &mut Vec<u8>) {
        if !self.wants.extended_desktop_size {
            return;
        }
        let size = self.size;
        self.told.desktop = true;
        let out = self.control(out);
        server::framebuffer_update(out, 1);
        let (reason, status) = (ResizeReason::ThisClient, ResizeStatus::Prohibited);
        server::extended_desktop_size(out, reason, status, size);
    }

    /// Where control bytes go that must stay in order with updates: behind the one that is out, if any.
    pub(super) fn control<'a>(&'a mut self, out: &'a mut Vec<u8>) -> &'a mut Vec<u8> {
        if self.busy { &mut self.deferred } else { out }
    }

    pub(super) fn plan_update(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Option<UpdateJob> {
        // Who asks has room.
        let wanted = self.request.open || self.continuous.is_some() && self.pace.has_room(self.now);
        if self.busy || !wanted {
            return None;
        }
        if frame.size() != self.size && self.wants.can_resize() {
            self.resize(frame.size(), out);
            self.continuous?;
        } else if self.wants.extended_desktop_size && !self.told.desktop && self.told.pixels {
            self.tell_desktop(out);
            self.continuous?;
        }
        if self.damaged == Some(frame.seq()) {
            return None;
        }
        let full = self.request.full;
        let changed = self.asked_for();
        let left_over = std::mem::take(&mut self.left_over);
        let pseudo = self.told.announce(&self.wants, &mut self.news, left_over);
        let rested = self.view.rests_at(changed);
        let rested = rested.is_some_and(|at| at <= self.now);
        let examined = self
            .examined
            .is_some_and(|(seq, seen)| seq == frame.seq() && seen.contains(changed));
        let lacks = !changed.is_empty() && !examined && self.view.may_lack(frame);
        if full.is_empty() && pseudo.is_empty() && !lacks && !rested {
            return None;
        }
        self.busy = true;
        self.answering = std::mem::take(&mut self.request);
        self.examined = Some((frame.seq(), changed));
        Some(UpdateJob {
            terms: Terms {
                view: Arc::clone(&self.view),
                frame: frame.clone(),
                asked: Asked { full, changed },
                manner: Manner {
                    encoding: self.wants.choose(self.format, self.zlib),
                    parameters: self.wants.parameters(self.format),
                    carrier: self.wants.carrier(self.format, self.zlib),
                    copies: self.wants.copy_rect,
                    begins_stream: self.zlib.is_none(),
                    budget: self.pace.budget(),
                },
                refine: rested.then_some(self.now),
                now: self.now,
            },
            needs_colour_map: self.format.colour == Colour::Map && !self.colour_map_sent,
            pseudo,
        })
    }

    /// Where what changed is wanted.
    fn asked_for(&self) -> Rect {
        let continuous = self.continuous.unwrap_or_default();
        let all = self.size.rect();
        (self.request.incremental.intersection(all)).union(continuous.intersection(all))
    }

    /// Tells the client the size once, in an update of its own that answers its second request; what was asked for
    /// is sent with the next one.
    ///
    /// Never two updates for one request: libvncclient may read both at once, and then waits on the socket with the
    /// second in its buffer, one behind from then on. Nor before the first pixels, which KRDC then did not show.
    fn tell_desktop(&mut self, out: &mut Vec<u8>) {
        self.told.desktop = true;
        self.request.open = false;
        server::framebuffer_update(out, 1);
        let (reason, status) = (ResizeReason::Server, ResizeStatus::Done);
        server::extended_desktop_size(out, reason, status, self.size);
    }

    /// Tells the client the new size in an update of its own, which answers its request. From then on all
    /// of the picture is unknown to it, whatever kind of request comes next.
    fn resize(&mut self, size: Size, out: &mut Vec<u8>) {
        self.size = size;
        self.view = Arc::new(View::new(size));
        self.request = Request::default();
        self.examined = None;
        self.told.desktop = true;
        server::framebuffer_update(out, 1);
        if self.wants.extended_desktop_size {
            let (reason, status) = (ResizeReason::Server, ResizeStatus::Done);
            server::extended_desktop_size(out, reason, status, size);
        } else {
            server::desktop_size(out, size);
        }
    }

    /// Gives what is to be sent, in pieces.
    pub(super) fn finish_update(&mut self, update: EncodedUpdate) -> Vec<Bytes> {
        let EncodedUpdate {
            encoded,
            frame,
            parameters,
            needs_colour_map,
            pseudo,
        } = update;
        self.busy = false;
        let mut out = Vec::new();
        if encoded.damaged.is_some() {
            self.damaged = Some(frame);
        }
        let has_pixels = !encoded.is_empty();
        if has_pixels && parameters.format != self.format {
            // The client changed its pixel format meanwhile and would misread this: plan it anew.
            self.request.join(self.answering);
            self.left_over = pseudo;
            self.examined = None;
        } else {
            self.view = Arc::clone(&encoded.view);
            if has_pixels || !pseudo.is_empty() {
                self.zlib = self.zlib.or(encoded.stream);
                self.examined = None;
                self.told.pixels |= has_pixels;
                let mut head = Vec::new();
                if needs_colour_map && has_pixels {
                    server::set_colour_map_entries(&mut head, &colour_map());
                    self.colour_map_sent = true;
                }
                server::framebuffer_update(&mut head, encoded.rects.saturating_add(pseudo.count));
                out.push(head.into());
                out.extend(encoded.bytes.iter().cloned());
                out.push(pseudo.bytes.into());
                if encoded.compressed > 0 {
                    self.pace.compressed(encoded.compressed);
                }
                let bytes = out.iter().map(Bytes::len).sum();
                let fences = self.wants.fence && self.told.fence;
                let continuous = self.continuous.is_some();
                if let Some(data) = self.pace.sent(bytes, self.now, fences, continuous) {
                    let mut fence = Vec::new();
                    server::server_fence(&mut fence, fence::REQUEST | fence::BLOCK_BEFORE, &data);
                    out.push(fence.into());
                }
            } else {
                // Nothing had changed after all: the request stays open.
                self.request.join(self.answering);
            }
        }
        out.push(std::mem::take(&mut self.deferred).into());
        out.retain(|piece: &Bytes| !piece.is_empty());
        out
    }
}

impl Request {
    fn add(&mut self, incremental: bool, area: Rect) {
        self.open = true;
        if incremental {
            self.incremental = self.incremental.union(area);
        } else {
            self.full = self.full.union(area);
        }
    }

    fn join(&mut self, other: Request) {
        self.open |= other.open;
        self.full = self.full.union(other.full);
        self.incremental = self.incremental.union(other.incremental);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, {:?})", self.size, self.request)
    }
}

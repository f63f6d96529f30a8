//! One FramebufferUpdate: planned on the connection, encoded anywhere, taken back by the connection.
//!
//! What an update is made of ([`UpdateJob`]) says all that its bytes depend on, so two clients whose jobs have the
//! same [`UpdateKey`] can be sent the same [`Encoded`].

use std::sync::Arc;

use bytes::Bytes;

use super::Millis;
use super::announce::PseudoRects;
use super::pace::Budget;
use super::plan::Plan;
use super::view::{Asked, View, ViewId};
use super::wants::ZlibStream;
use crate::encoding::{Encoding, Parameters};
use crate::frame::{Damaged, Frame, FrameSeq};
use crate::geom::Size;

/// Everything that one update is made of. Holds tiles, not the connection.
#[derive(Debug)]
pub struct UpdateJob {
    pub(super) terms: Terms,
    pub(super) needs_colour_map: bool,
    pub(super) pseudo: PseudoRects,
}

/// What the bytes of an update's pictures depend on.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) view: Arc<View>,
    pub(super) frame: Frame,
    pub(super) asked: Asked,
    pub(super) manner: Manner,
    /// When this is planned, if something that was sent with loss is to be sent anew.
    pub(super) refine: Option<Millis>,
    pub(super) now: Millis,
}

/// In which form a client gets its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Manner {
    pub(super) encoding: Encoding,
    pub(super) parameters: Parameters,
    /// The encoding that carries the source's own JPEG, if this client takes it.
    pub(super) carrier: Option<Encoding>,
    /// CopyRect.
    pub(super) copies: bool,
    /// The first use of the connection's zlib stream.
    pub(super) begins_stream: bool,
    /// What the update may cost, if the line is slow: then bytes are dearer than the time to find out which are
    /// needless, and pictures that are too large are compressed anew.
    pub(super) budget: Option<Budget>,
}

/// Equal for two jobs of one server just when the same bytes serve both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdateKey {
    view: ViewId,
    frame: FrameSeq,
    size: Size,
    asked: Asked,
    manner: Manner,
    refine: Option<Millis>,
}

/// The rectangles of an update, for every client that needs these.
#[derive(Debug)]
pub struct Encoded {
    pub(super) view: Arc<View>,
    /// One after the other.
    pub(super) bytes: Vec<Bytes>,
    pub(super) rects: u16,
    /// Bytes of pictures that were compressed anew for a slow line.
    pub(super) compressed: usize,
    /// The connection's zlib stream, if this has a part of it.
    pub(super) stream: Option<ZlibStream>,
    /// There is nothing to show of this frame.
    pub(super) damaged: Option<Damaged>,
}

/// An update ready to be sent to one client.
#[derive(Debug)]
pub struct EncodedUpdate {
    pub(super) encoded: Arc<Encoded>,
    pub(super) frame: FrameSeq,
    pub(super) parameters: Parameters,
    pub(super) needs_colour_map: bool,
    pub(super) pseudo: PseudoRects,
}

/// The part of a job that takes time, apart from the client that it is for.
#[derive(Clone, Debug)]
pub struct Task(Terms);

impl Task {
    /// Finds what changed. Slow (up to milliseconds), pure, and free to run on any thread.
    pub fn plan(self) -> Plan {
        Plan::new(self.0)
    }
}

impl UpdateKey {
    /// The frame that is to be shown.
    pub fn frame(&self) -> FrameSeq {
        self.frame
    }
}

impl UpdateJob {
    /// What tells whether another job's result serves for this one.
    pub fn key(&self) -> UpdateKey {
        let Terms {
            view,
            frame,
            asked,
            manner,
            refine,
            now: _,
        } = &self.terms;
        UpdateKey {
            view: view.id(),
            frame: frame.seq(),
            size: frame.size(),
            asked: *asked,
            manner: *manner,
            refine: *refine,
        }
    }

    /// The work that has to be done for it.
    pub fn task(&self) -> Task {
        Task(self.terms.clone())
    }

    /// Does the work here and now.
    pub fn encode(self) -> EncodedUpdate {
        let encoded = self.task().plan().encode_all();
        self.with(Arc::new(encoded))
    }

    /// The update for this job's client. `encoded` must come from a job with the same key.
    pub fn with(self, encoded: Arc<Encoded>) -> EncodedUpdate {
        EncodedUpdate {
            encoded,
            frame: self.terms.frame.seq(),
            parameters: self.terms.manner.parameters,
            needs_colour_map: self.needs_colour_map,
            pseudo: self.pseudo,
        }
    }
}

impl Encoded {
    /// Whether nothing had changed.
    pub fn is_empty(&self) -> bool {
        self.rects == 0
    }
}

impl EncodedUpdate {
    /// Whether there is nothing to send after all.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty() && self.pseudo.is_empty()
    }
}

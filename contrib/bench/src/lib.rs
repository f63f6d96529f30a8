//! Measures rfbridge end to end, and what Debian packages of its kind, fed with the same frames in the same run.
//!
//! ```text
//!   workload ─ pictures ─→ feed ─ FIFO ─→ server under measurement ─ TCP ─→ (link) ─→ client × n
//!                           │ when           │ CPU, memory                              │ bytes, when
//!                           └────────────────┴──────→ measure ←── replay, picture ──────┘
//! ```
//!
//! While the clock runs, clients only follow lengths; what they saw is decoded afterwards. Servers take turns,
//! so that a machine that slows down does so for each of them. Results are medians.

pub mod barcode;
pub mod client;
pub mod feed;
pub mod generate;
pub mod lengths;
pub mod link;
pub mod measure;
pub mod options;
pub mod picture;
pub mod replay;
pub mod server;
pub mod table;
pub mod workload;

/// Why something could not be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

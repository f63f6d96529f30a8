//! What is counted while the server runs, for whoever watches it.
//!
//! Each part counts what is its own; who reads it all out is not its business. Names and units are Prometheus's.

use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use prometheus_client::registry::Registry;

/// A counter for each value of a label.
type By<const LABELS: usize> = Family<[(&'static str, &'static str); LABELS], Counter>;

/// Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    pictures: By<1>,
    picture_interval: Histogram,
    source: By<1>,
    reports: By<2>,
    encode: Histogram,
    updates: By<1>,
    update_bytes: By<1>,
    logins: By<1>,
}

impl Default for Metrics {
    fn default() -> Self {
        // From 100 frames a second to a dongle that hangs; from what nobody notices to what everybody does.
        let interval = [
            0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
        ];
        let encode = [
            0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
        ];
        Self {
            pictures: By::default(),
            picture_interval: Histogram::new(interval),
            source: By::default(),
            reports: By::default(),
            encode: Histogram::new(encode),
            updates: By::default(),
            update_bytes: By::default(),
            logins: By::default(),
        }
    }
}

impl Metrics {
    /// Gives all of it to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "pictures",
            "Pictures that the source delivered, by what became of them: changed, identical, or why they were dropped",
            self.pictures.clone(),
        );
        registry.register(
            "picture_interval_seconds",
            "From one picture of the source to the next",
            self.picture_interval.clone(),
        );
        registry.register(
            "source_events",
            "How often the source was opened, lost, or without a signal",
            self.source.clone(),
        );
        registry.register(
            "hid_reports",
            "HID reports by function and what became of them: taken; busy, the target had not fetched the one before (EAGAIN); \
             offline, nobody there to take it (ESHUTDOWN, not configured, no node)",
            self.reports.clone(),
        );
        registry.register(
            "encode_seconds",
            "Time to plan and encode an update",
            self.encode.clone(),
        );
        registry.register(
            "updates",
            "Updates handed to clients, by encoding",
            self.updates.clone(),
        );
        registry.register("update_bytes", "Their bytes", self.update_bytes.clone());
        registry.register(
            "logins",
            "Logins over VNC and HTTP, by result",
            self.logins.clone(),
        );
    }

    /// So many pictures came to this end.
    pub fn pictures(&self, result: &'static str, count: u64) {
        if count > 0 {
            self.pictures
                .get_or_create(&[("result", result)])
                .inc_by(count);
        }
    }

    pub fn picture_interval(&self, time: Duration) {
        self.picture_interval.observe(time.as_secs_f64());
    }

    pub fn source(&self, event: &'static str) {
        self.source.get_or_create(&[("event", event)]).inc();
    }

    pub fn report(&self, function: &'static str, result: &'static str) {
        let labels = [("function", function), ("result", result)];
        self.reports.get_or_create(&labels).inc();
    }

    pub fn encoded(&self, time: Duration) {
        self.encode.observe(time.as_secs_f64());
    }

    pub fn update(&self, encoding: &'static str, bytes: usize) {
        let labels = [("encoding", encoding)];
        self.updates.get_or_create(&labels).inc();
        self.update_bytes
            .get_or_create(&labels)
            .inc_by(bytes as u64);
    }

    pub fn login(&self, result: &'static str) {
        self.logins.get_or_create(&[("result", result)]).inc();
    }
}

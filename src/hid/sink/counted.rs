//! A sink that counts what becomes of reports on their way to another.

use super::{Function, Offer, Sink};
use crate::metrics::Metrics;

pub struct CountedSink {
    sink: Box<dyn Sink>,
    metrics: Metrics,
}

impl CountedSink {
    pub fn new(sink: Box<dyn Sink>, metrics: Metrics) -> Self {
        Self { sink, metrics }
    }
}

impl Sink for CountedSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        let offer = self.sink.offer(function, report);
        let result = match &offer {
            Offer::Taken => "taken",
            Offer::Busy => "busy",
            Offer::Offline(_) => "offline",
        };
        self.metrics.report(function.name(), result);
        offer
    }

    fn has(&mut self, function: Function) -> bool {
        self.sink.has(function)
    }
}

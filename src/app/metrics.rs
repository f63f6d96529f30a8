//! Everything that can be measured, as Prometheus reads it (OpenMetrics text).

use std::{path::Path, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::{
    control::{Operations, PictureState},
    hid::sink::udc,
    metrics::Metrics,
    web::Exposition,
};

/// `controllers`: where the USB device controllers are, if the target is reached through one.
pub(super) fn exposition(
    metrics: &Metrics,
    operations: Arc<dyn Operations>,
    controllers: Option<&'static Path>,
) -> Exposition {
    let mut registry = Registry::with_prefix("rfbridge");
    metrics.register(&mut registry);
    registry.register_collector(Box::new(Now {
        operations,
        controllers,
    }));
    Arc::new(move || {
        let mut out = String::new();
        match text::encode(&mut out, &registry) {
            Ok(()) => out,
            // A string takes everything.
            Err(error) => format!("# {error}\n"),
        }
    })
}

/// What is looked at when somebody asks.
#[derive(Debug)]
struct Now {
    operations: Arc<dyn Operations>,
    controllers: Option<&'static Path>,
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.build(&mut encoder)?;
        self.picture(&mut encoder)?;
        self.clients(&mut encoder)?;
        self.controllers(&mut encoder)
    }
}

/// One gauge with a row for each set of labels.
macro_rules! gauge {
    ($encoder:expr, $name:literal, $help:literal, $rows:expr) => {{
        let kind = MetricType::Gauge;
        let mut family = $encoder.encode_descriptor($name, $help, None, kind)?;
        for (labels, value) in $rows {
            let row = family.encode_family(&labels)?;
            ConstGauge::new(value).encode(row)?;
        }
    }};
}

impl Now {
    fn build(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        gauge!(
            encoder,
            "build_info",
            "The version that runs.",
            [(labels, 1i64)]
        );
        Ok(())
    }

    fn picture(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let state = self.operations.picture().state;
        let rows = [
            ("starting", PictureState::Starting),
            ("live", PictureState::Live),
            ("no-signal", PictureState::NoSignal),
            ("lost", PictureState::Lost),
        ]
        .map(|(name, which)| ([("state", name)], i64::from(state == which)));
        gauge!(
            encoder,
            "picture_state",
            "1 for what the source shows now.",
            rows
        );
        Ok(())
    }

    fn clients(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let clients = self.operations.clients();
        let kind = MetricType::Gauge;
        let all = encoder.encode_descriptor("clients", "VNC clients that are in.", None, kind)?;
        ConstGauge::new(clients.len() as i64).encode(all)?;
        let ids: Vec<_> = clients.iter().map(|client| client.id.to_string()).collect();
        let by_client = || {
            ids.iter()
                .zip(&clients)
                .map(|(id, client)| ([("client", id.as_str())], client))
        };
        let info = by_client().map(|([id], client)| {
            let encoding = client.encoding.as_deref().unwrap_or("");
            let labels = [
                id,
                ("address", &client.address),
                ("role", &client.role),
                ("encoding", encoding),
            ];
            (labels, 1i64)
        });
        gauge!(encoder, "client_info", "Who each client is.", info);
        let trips = by_client()
            .filter_map(|(labels, client)| Some((labels, client.round_trip_ms? as f64 / 1000.0)));
        gauge!(
            encoder,
            "client_round_trip_seconds",
            "The shortest way there and back.",
            trips
        );
        let rates = by_client().map(|(labels, client)| (labels, client.bytes_per_second as i64));
        gauge!(
            encoder,
            "client_bytes_per_second",
            "What each client is sent, of late.",
            rates
        );
        let flying = by_client().map(|(labels, client)| (labels, client.bytes_in_flight as i64));
        gauge!(
            encoder,
            "client_bytes_in_flight",
            "Sent, and not known to have arrived.",
            flying
        );
        let kind = MetricType::Counter;
        let mut sent = encoder.encode_descriptor(
            "client_bytes_sent",
            "What each client was sent.",
            None,
            kind,
        )?;
        for (labels, client) in by_client() {
            let row = sent.encode_family(&labels)?;
            ConstCounter::new(client.bytes_sent).encode(row)?;
        }
        Ok(())
    }

    fn controllers(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let states = self.controllers.map(udc::states).unwrap_or_default();
        let rows = states.iter().map(|(name, state)| {
            let labels = [("controller", name.as_str()), ("state", state.as_str())];
            (labels, 1i64)
        });
        gauge!(
            encoder,
            "udc_state",
            "The state of each USB device controller, `configured` if the target uses it.",
            rows
        );
        Ok(())
    }
}

//! How a relay of flags fares, for `/metrics`.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::flags::{Health, Relay};

/// Reads what the relay shows at the moment of the scrape.
#[derive(Debug)]
pub(super) struct RelayMetrics(pub(super) Relay);

/// Name, help, how to read it; `None`: nothing to tell yet.
type Gauge = (&'static str, &'static str, fn(&Health) -> Option<u64>);
type Counter = (&'static str, &'static str, fn(&Health) -> u64);

const GAUGES: [Gauge; 4] = [
    ("relay_connected", "Whether the relay is in touch with the flag service", |health| {
        Some(u64::from(health.is_connected))
    }),
    ("relay_age_seconds", "Seconds since the flag service said that what the relay tells is the newest", |health| {
        health.age.map(|age| age.as_secs())
    }),
    ("relay_revision", "The revision of the flags that the relay tells", |health| Some(health.revision)),
    ("relay_exposures_waiting", "Answers of applications whose counts the flag service has not taken yet", |health| {
        Some(health.counts.waiting)
    }),
];

const COUNTERS: [Counter; 2] = [
    ("relay_exposures_sent", "Answers of applications whose counts the flag service has taken", |health| {
        health.counts.sent
    }),
    ("relay_exposures_dropped", "Answers of applications whose counts are lost", |health| health.counts.dropped),
];

impl Collector for RelayMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let health = self.0.health();
        for (name, help, read) in GAUGES {
            if let Some(value) = read(&health) {
                let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        for (name, help, read) in COUNTERS {
            let counter = ConstCounter::new(read(&health));
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

//! Who comes through the flags' door, as counts.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::{Kind, float};
use crate::http::access::Counters;

/// Reads what is counted at the moment of the scrape.
#[derive(Debug)]
pub(super) struct Door(pub(super) Arc<Counters>);

impl Collector for Door {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counters = &self.0;
        let refused = [
            ("unauthenticated", &counters.unauthenticated),
            ("forbidden", &counters.forbidden),
            ("limited", &counters.limited),
            ("stranger", &counters.strangers),
            ("full", &counters.full),
        ];
        let refused = refused.map(|(why, count)| (vec![("why", why.to_owned())], float(count.get())));
        let help = "Requests for flags that were refused";
        Kind::Counter.write(&mut encoder, "flags_requests_refused", help, &refused)?;
        let legacy = [(Vec::new(), float(counters.legacy.get()))];
        let help = "Requests without a token that legacy_anonymous let in";
        Kind::Counter.write(&mut encoder, "flags_legacy_anonymous", help, &legacy)?;
        let streams = [(Vec::new(), float(counters.streams.get()))];
        Kind::Gauge.write(&mut encoder, "flags_streams", "Streams of changes that stand", &streams)
    }
}

//! `docs/reference/metrics.md` has what real agents answer at `/metrics`, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use teal_agent::access::FirstToken;
use teal_rollout::document::Phase;
use teal_testkit::{free_port, until};

use crate::flags::TOKEN;
use crate::relay::Relay;
use crate::site::Site;

#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    labels: BTreeSet<String>,
}

/// Families of an answer by the names that their samples have; `None` where there are no samples.
fn answered(text: &str) -> BTreeMap<String, Option<Family>> {
    let mut families = BTreeMap::new();
    for line in text.lines() {
        if let Some((family, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let name = if kind == "counter" { format!("{family}_total") } else { family.to_owned() };
            families.insert((name, kind.to_owned()), None);
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let labels = line.split_once('{').and_then(|(_, rest)| Some(rest.rsplit_once('}')?.0)).unwrap_or_default();
            let labels = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned())).collect();
            let ((_, kind), family) = families.iter_mut().find(|((known, _), _)| known == name).unwrap();
            *family = Some(Family { kind: kind.clone(), labels });
        }
    }
    families.into_iter().map(|((name, _), family)| (name, family)).collect()
}

/// The rows of the page; each has all of its cells.
fn written(page: &str) -> BTreeMap<String, Option<Family>> {
    let rows = page.lines().filter(|line| line.starts_with("| `teal_"));
    let families = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, unit, labels, meaning] = cells[..] else { panic!("not five cells: {row}") };
        assert!(!unit.is_empty() && meaning.len() > 10, "{row}");
        assert!(unit == "seconds" || !name.contains("_seconds"), "{row}");
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (name.trim_matches('`').to_owned(), Some(Family { kind: kind.to_owned(), labels }))
    });
    families.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_in_the_page_with_type_and_labels_and_the_page_has_no_other() {
    let port = free_port();
    let first = FirstToken::from(&*TOKEN);
    let flags = format!("[flags]\nlisten = \"127.0.0.1:{port}\"\nfirst_token = \"{first}\"");
    let site = Site::new().watch(60_000, 60_000).more(&flags).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let relay = Relay::started(([127, 0, 0, 1], port).into()).await;
    relay.is_connected(true).await;

    // All but a relay's, with a candidate that is judged.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let scrape = async |address| http.get(format!("http://{address}/metrics")).send().await.ok()?.text().await.ok();
    let mut all = until("a candidate is judged", async || {
        scrape(site.metrics).await.filter(|text| text.contains("teal_evidence_log_m{"))
    })
    .await;
    let told = until("the relay says how old its flags are", async || {
        scrape(relay.metrics).await.filter(|text| text.contains("\nteal_relay_age_seconds "))
    });
    // What both have is the same families.
    all.extend(told.await.split_inclusive('\n').filter(|line| line.contains("teal_relay_")));

    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    let (written, answered) = (written(&std::fs::read_to_string(page).unwrap()), answered(&all));
    let silent: Vec<_> = answered.iter().filter(|(_, family)| family.is_none()).collect();
    assert!(silent.is_empty(), "no sample of these was seen, so that their labels are not known: {silent:?}");
    assert_eq!(written, answered, "docs/reference/metrics.md, and what agents answer");
}

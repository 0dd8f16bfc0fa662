//! What candidates are judged by, and how it reaches the state machine.

use super::*;

#[test]
fn a_component_is_judged_by_its_own_words_before_those_of_its_environment() {
    let text = format!(
        r#"{}
[watch]
alpha = 0.0001
rho = 2
latency = "50%"
bad = {{ status = [429], retries = false }}
probes = {{ below = 0.5 }}
[environments.prod.watch]
rho = 3
probes = "off"
[components.api.watch]
rho = 4.5
bad.not = ["501", "520-529"]
ignore_paths = ["/ping"]
[environments.prod.components.api.watch]
latency = "off"
latency_limit = "300ms"
"#,
        LEAST.replace("ports", "routes = [{ name = \"a\", path = \"/a\" }]\nports")
    );
    let config = read(&text);
    let (watch, component) = (&config.environments["prod"].watch, &config.environments["prod"].components["api"]);
    let api = &component.watch;
    assert_eq!((watch.criteria.rho, watch.criteria.latency), (3.0, Latency::Slower(50_000)));
    assert_eq!((api.alpha, api.rho, api.latency, api.probes), (0.000_1, 4.5, Latency::Off, Probes::Off));
    assert_eq!(component.routes[0].latency, Duration::from_millis(300), "what a route leaves open its component says");
    let words = |all: &[Statuses]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (words(&api.bad.status), words(&api.bad.not)),
        (vec!["5xx".into(), "429".into()], vec!["501".into(), "520-529".into()])
    );
    assert!(!api.bad.retries && api.ignore_paths == ["/ping"] && watch.criteria.ignore_paths.len() == 2);
    let criteria = &config.settings("prod").unwrap().components[0].criteria;
    assert_eq!((criteria.alpha, criteria.rho, criteria.latency, criteria.groups.len()), (0.000_1, 4.5, None, 1));
    assert_eq!(read(&config.effective()), config);
}

#[test]
fn probes_that_are_off_for_all_can_be_on_for_one() {
    let check = |component: &str, probes: Probes| {
        let text = format!("{LEAST}\n[watch]\nprobes = \"off\"\n[components.api.watch]\n{component}\n");
        assert_eq!(read(&text).environments["prod"].components["api"].watch.probes, probes, "{component}");
    };
    let on = |below, every| Probes::Below { below, every: Duration::from_millis(every) };
    check("", Probes::Off);
    check("probes = {}", on(1.0, 1_000));
    check("probes = { below = 5, every = \"250ms\" }", on(5.0, 250));
}

#[test]
fn settings_take_components_in_name_order_with_their_own_rates() {
    let settings = read(TWO_COMPONENTS).settings("prod").unwrap();
    let rates: Vec<_> =
        settings.components.iter().map(|c| (c.name.as_str(), c.criteria.acceptable_error_rate)).collect();
    assert_eq!(rates, [("api", 0.01), ("web", 0.005)]);
    assert_eq!(settings.steps.iter().map(|s| s.share.get()).collect::<Vec<_>>(), [10_000, 50_000]);
    assert_eq!(settings.retained_for(), Duration::from_secs(86_400));
    assert_eq!(settings.salt.as_str(), "physioflow-prod");
}

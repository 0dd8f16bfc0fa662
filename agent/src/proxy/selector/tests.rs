//! The adapter against an API server that holds objects.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::PostParams;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use teal_rollout::colour::Colour;
use teal_rollout::machine::action::Direction;
use teal_testkit::kubernetes::{ApiServer, Cut, Failure, Fault};
use teal_testkit::until;

use super::*;

const OLD: &str = "v1:7.0.open:blue:blue:0:blue:blue:0:salt:0";
const NEW: &str = "v1:8.1.open:blue:green:100000:blue:blue:0:salt:0";
const BAD: &str = "v1:8.1.bad:blue:green:0:blue:blue:0:salt:0";

struct Site {
    server: ApiServer,
    orders: mpsc::Sender<EdgeOrder>,
    events: mpsc::Receiver<Event>,
    stop: CancellationToken,
    handle: SelectorHandle,
}

impl Site {
    /// Two components on blue, one Pod of each colour of `api` ready.
    async fn start() -> Self {
        let server = ApiServer::start();
        let site = Self::over(server);
        let namespace = json!({"metadata": {"name": "shop"}});
        let namespaces: Api<Namespace> = Api::all(site.server.client());
        namespaces.create(&PostParams::default(), &serde_json::from_value(namespace).unwrap()).await.unwrap();
        for name in ["shop-api", "shop-web"] {
            site.create::<Service>(json!({
                "metadata": {"name": name},
                "spec": {"selector": {"app": name, "version": "blue"}, "ports": [{"port": 80}]},
            }))
            .await;
        }
        for colour in Colour::BOTH {
            let labels = json!({"app": "shop-api", "version": colour.to_string()});
            let containers = json!([{"name": "api", "image": "api:1"}]);
            site.create::<Deployment>(json!({
                "metadata": {"name": format!("shop-api-{colour}")},
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
                },
            }))
            .await;
        }
        site
    }

    fn over(server: ApiServer) -> Self {
        let settings =
            SelectorSettings { namespace: "shop".into(), services: vec!["shop-api".into(), "shop-web".into()] };
        let (orders, taken) = mpsc::channel(8);
        let (told, events) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let handle = spawn(settings, server.client(), 0, taken, told, &stop);
        Self { server, orders, events, stop, handle }
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.server.client(), "shop")
    }

    async fn create<K>(&self, object: Value)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + DeserializeOwned + serde::Serialize + Clone,
        K: std::fmt::Debug,
        K::DynamicType: Default,
    {
        let object = serde_json::from_value(object).unwrap();
        self.api::<K>().create(&PostParams::default(), &object).await.unwrap();
    }

    async fn order(&self, policy: &str, direction: Direction) {
        self.orders.send(EdgeOrder { policy: policy.parse().unwrap(), direction }).await.unwrap();
    }

    /// The first report that is like this.
    async fn told(&mut self, like: impl Fn(&EdgeReport) -> bool) -> EdgeReport {
        let limit = Duration::from_secs(20);
        let report = tokio::time::timeout(limit, async {
            loop {
                match self.events.recv().await {
                    Some(Event::Edge(report)) if like(&report) => return report,
                    Some(_) => {}
                    None => panic!("the adapter ended"),
                }
            }
        });
        report.await.expect("a report like this")
    }

    async fn routes_by(&mut self, policy: &str) -> EdgeReport {
        let policy: Policy = policy.parse().unwrap();
        self.told(|report| report.running.as_ref() == Some(&policy) && report.saved == report.running).await
    }

    async fn selects(&self) -> [Option<Colour>; 2] {
        let services = self.api::<Service>();
        let (api, web) = tokio::join!(services.get("shop-api"), services.get("shop-web"));
        [colour_of(&api.unwrap()), colour_of(&web.unwrap())]
    }

    async fn patch(&self, name: &str, patch: Value) {
        self.api::<Service>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    async fn end(self) {
        self.stop.cancel();
        self.handle.ended().await;
    }
}

const BLUE: Option<Colour> = Some(Colour::Blue);
const GREEN: Option<Colour> = Some(Colour::Green);

#[tokio::test]
async fn an_order_moves_what_differs_and_is_acknowledged() {
    let mut site = Site::start().await;
    // What nobody has written a policy to routes by its selectors all the same.
    let first = site.told(|report| report.running.is_some()).await;
    assert_eq!(first.running.unwrap().to_string(), "v1:0.0.open:blue:blue:0:blue:blue:0:teal:0");
    assert_eq!((first.manual, first.feed), (false, Feed::Lost));
    for (policy, direction, selected) in
        [(OLD, Direction::Forward, BLUE), (NEW, Direction::Forward, GREEN), (BAD, Direction::Back, BLUE)]
    {
        site.order(policy, direction).await;
        let report = site.routes_by(policy).await;
        assert!(!report.manual, "{policy}");
        assert_eq!(site.selects().await, [selected, BLUE], "{policy}");
    }
    // The same once more is acknowledged and writes nothing.
    site.server.forget_used();
    site.order(BAD, Direction::Back).await;
    site.routes_by(BAD).await;
    assert!(site.server.used().iter().all(|used| used.verb != "patch"), "{:?}", site.server.used());
    let service = site.api::<Service>().get("shop-api").await.unwrap();
    assert_eq!(service.spec.unwrap().selector.unwrap()["app"], "shop-api", "the rest of a selector stays");
    site.end().await;
}

#[tokio::test]
async fn a_selector_that_somebody_moved_is_told_as_a_hand() {
    let mut site = Site::start().await;
    site.order(NEW, Direction::Forward).await;
    site.routes_by(NEW).await;
    site.patch("shop-api", json!({"spec": {"selector": {"version": "blue"}}})).await;
    let report = site.told(|report| report.manual).await;
    assert_eq!(report.running.unwrap().to_string(), NEW.replace("100000", "0"));
    site.patch("shop-web", json!({"spec": {"selector": {"version": "green"}}})).await;
    let settled = NEW.replace("100000", "0").replace("blue:blue", "green:green");
    site.told(|report| report.running.as_ref().is_some_and(|policy| policy.to_string() == settled)).await;
    // A colour that there is not routes by nothing that is known.
    site.patch("shop-web", json!({"spec": {"selector": {"version": "red"}}})).await;
    site.told(|report| report.running.is_none() && !report.manual).await;
    site.end().await;
}

#[tokio::test]
async fn an_order_that_was_carried_out_is_not_repeated_over_a_hand() {
    let mut site = Site::start().await;
    site.order(NEW, Direction::Forward).await;
    site.routes_by(NEW).await;
    for name in ["shop-api", "shop-web"] {
        let colour = if name == "shop-api" { "blue" } else { "red" };
        site.patch(name, json!({"spec": {"selector": {"version": colour}}})).await;
    }
    site.told(|report| report.running.is_none()).await;
    site.order(NEW, Direction::Forward).await;
    // What selects neither colour is nobody's wish.
    let report = site.told(|report| report.manual).await;
    assert_eq!(report.running.unwrap().to_string(), NEW.replace("100000", "0"));
    assert_eq!(site.selects().await, [BLUE, BLUE]);
    // A new order is one.
    let next = NEW.replace("8.1", "8.2");
    site.order(&next, Direction::Forward).await;
    site.routes_by(&next).await;
    assert_eq!(site.selects().await, [GREEN, BLUE]);
    site.end().await;
}

#[tokio::test]
async fn what_is_older_is_never_written_over_what_is_newer() {
    let mut site = Site::start().await;
    site.order(BAD, Direction::Back).await;
    site.routes_by(BAD).await;
    site.order(NEW, Direction::Forward).await;
    site.routes_by(BAD).await;
    assert_eq!(site.selects().await, [BLUE, BLUE]);
    site.end().await;
}

#[tokio::test]
async fn an_order_outlives_an_api_server_that_is_away_refuses_and_conflicts() {
    let mut site = Site::start().await;
    site.order(OLD, Direction::Forward).await;
    site.routes_by(OLD).await;
    site.server.stop().await;
    site.told(|report| report.running.is_none()).await;
    site.order(NEW, Direction::Forward).await;
    site.server.start_again();
    for failure in [Failure::Conflict, Failure::Error(500), Failure::Lost, Failure::TooManyRequests(1)] {
        site.server.fail(Fault::new(failure).on(&["patch"]).times(1));
    }
    site.routes_by(NEW).await;
    assert_eq!(site.selects().await, [GREEN, BLUE]);
    site.server.cut_watches(Cut::Dropped);
    site.server.compact();
    site.order(BAD, Direction::Back).await;
    site.routes_by(BAD).await;
    site.end().await;
}

#[tokio::test]
async fn pods_that_are_ready_are_servers_that_are_up() {
    let mut site = Site::start().await;
    site.told(|report| report.backends.len() == 4 && report.backends.iter().all(|backend| backend.up == 0)).await;
    let status = json!({"status": {"replicas": 2, "readyReplicas": 2}});
    let deployments = site.api::<Deployment>();
    deployments.patch_status("shop-api-green", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    let report = site.told(|report| report.backends.iter().any(|backend| backend.up == 2)).await;
    let up = report.backends.iter().find(|backend| backend.up == 2).unwrap();
    assert_eq!((up.component, up.colour, up.in_flight), (0, Colour::Green, 0));
    site.end().await;
}

#[tokio::test]
async fn at_rest_nothing_is_asked_beside_the_watches() {
    let mut site = Site::start().await;
    site.order(OLD, Direction::Forward).await;
    site.routes_by(OLD).await;
    site.server.forget_used();
    for _ in 0..3 {
        site.told(|_| true).await;
    }
    until("reports came and nothing was asked", || async {
        let asked = site.server.used();
        assert!(asked.iter().all(|used| used.verb == "watch"), "{asked:?}");
        Some(())
    })
    .await;
    site.end().await;
}

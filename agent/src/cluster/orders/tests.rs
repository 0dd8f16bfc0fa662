//! Orders as somebody with a kubeconfig gives them, and an agent that answers as the test says.

use kube::CustomResourceExt as _;
use kube::api::PostParams;
use teal_testkit::kubernetes::{ApiServer, Failure, Fault};

use super::*;
use crate::cluster::client::{Limits, with};
use crate::cluster::resource::BlueGreenSpec;

struct Site {
    server: ApiServer,
    environment: Environment,
}

impl Site {
    async fn new() -> Self {
        let server = ApiServer::start();
        let definitions = Api::all(server.client());
        definitions.create(&PostParams::default(), &BlueGreen::crd()).await.unwrap();
        let api: Api<BlueGreen> = Api::default_namespaced(server.client());
        api.create(&PostParams::default(), &BlueGreen::new("demo", BlueGreenSpec::default())).await.unwrap();
        let limits = Limits { answer: Duration::from_millis(500), ..Limits::default() };
        let client = with(server.config("admin"), limits).unwrap().client;
        let environment = Environment::new(&client, "default", "demo");
        Self { server, environment }
    }

    async fn answers(&self, id: &str, taken: bool, message: &str) {
        let order = json!({"id": id, "agent": "edge", "release": 7, "taken": taken, "message": message});
        let patch = Patch::Merge(json!({"status": {"order": order, "intent": id}}));
        self.environment.api.patch_status("demo", &PatchParams::default(), &patch).await.unwrap();
    }
}

fn deploy(version: &str) -> Request {
    let versions = BTreeMap::from([("api".to_owned(), version.to_owned())]);
    Request { order: Wish::Deploy, versions, by: "ops".to_owned(), reason: "a try".to_owned() }
}

fn plain(order: Wish) -> Request {
    Request { order, versions: BTreeMap::new(), ..deploy("") }
}

const LONG: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_order_is_written_and_its_answer_waited_for() {
    let site = Site::new().await;
    let id = site.environment.give(&deploy("v2")).await.unwrap();
    let found = site.environment.read().await.unwrap().spec.intent.unwrap();
    assert_eq!((&found.id, found.order, found.versions["api"].as_str()), (&id, Wish::Deploy, "v2"));
    let (environment, waited) = (site.environment.clone(), id.clone());
    let waiting = tokio::spawn(async move { environment.answer(&waited, LONG).await });
    site.answers(&id, false, "paused by ops").await;
    let heard = waiting.await.unwrap().unwrap();
    assert_eq!((heard.taken, heard.message.as_str()), (Some(false), "paused by ops"));
    // One that names no versions takes the place of one that did.
    let next = site.environment.give(&plain(Wish::Pause)).await.unwrap();
    assert_ne!(next, id);
    assert!(site.environment.read().await.unwrap().spec.intent.unwrap().versions.is_empty());
}

#[tokio::test]
async fn an_order_that_nobody_answered_stands_and_only_a_rollback_replaces_it() {
    let site = Site::new().await;
    let id = site.environment.give(&deploy("v2")).await.unwrap();
    let nobody = site.environment.answer(&id, Duration::from_millis(100)).await.unwrap_err().to_string();
    assert!(nobody.contains(&id) && nobody.contains("kubectl get lease"), "{nobody}");
    let busy = site.environment.give(&deploy("v3")).await.unwrap_err().to_string();
    assert!(busy.contains(&id) && busy.contains("by ops"), "{busy}");
    site.environment.give(&plain(Wish::Rollback)).await.unwrap();
    let replaced = site.environment.answer(&id, LONG).await.unwrap_err();
    assert!(matches!(replaced, OrderError::Replaced { .. }), "{replaced}");
}

#[tokio::test]
async fn an_order_is_given_once_over_conflicts_and_lost_answers() {
    for failure in [Failure::Conflict, Failure::Lost, Failure::Reset, Failure::Hang] {
        let site = Site::new().await;
        site.server.fail(Fault::new(failure).on(&["patch"]).times(2));
        let id = site.environment.give(&deploy("v2")).await.unwrap();
        let found = site.environment.read().await.unwrap();
        assert_eq!((found.spec.intent.unwrap().id, found.metadata.generation), (id, Some(2)), "{failure:?}");
    }
}

#[tokio::test]
async fn mistakes_say_what_to_do() {
    let site = Site::new().await;
    let check = async |environment: &Environment, request: &Request, words: &str| {
        let error = environment.give(request).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    };
    let client = with(site.server.config("admin"), Limits::default()).unwrap().client;
    check(&Environment::new(&client, "default", "other"), &deploy("v2"), "kubectl get bg -A").await;
    check(&site.environment, &plain(Wish::Deploy), "a deploy names versions").await;
    let nobody = with(site.server.config("nobody"), Limits::default()).unwrap().client;
    check(&Environment::new(&nobody, "default", "demo"), &deploy("v2"), "forbidden").await;
    site.server.stop().await;
    check(&site.environment, &deploy("v2"), "cannot be asked").await;
}

//! The agent killed between each two steps of a release, and at random: what it does when it is back.
//!
//! The places exist in builds with debug assertions only (see `teal_agent::crash`), and so do these tests.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use teal_agent::api::ReleaseId;
use teal_agent::crash::{self, Place, Way};
use teal_agent::demo::load::Mark;
use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::until;

use crate::site::{Plan, Site, ended};

/// How long a restarted agent may take until everything is settled on one healthy colour.
const SETTLED: Duration = Duration::from_secs(5);

const GOOD: &str = "none";

/// Good while it is switched to, and bad soon after.
const BAD: &str = "late=300ms,errors=100%";

/// A place that no release comes by: its phase orders nothing.
fn is_passed(place: Place, phase: Phase) -> bool {
    place != Place::Acted || !matches!(phase, Phase::Watching | Phase::Retaining)
}

/// Every place that a release comes by, on its way through these phases and ways.
fn places(phases: &[Phase], ways: &[Way]) -> Vec<String> {
    let of_phase = |phase: &Phase| {
        let phase = *phase;
        Place::OF_PHASES.into_iter().filter(move |p| is_passed(*p, phase)).map(move |p| crash::line(p, phase))
    };
    let of_way = |way: &Way| Place::OF_WAYS.map(|place| crash::line(place, way));
    phases.iter().flat_map(of_phase).chain(ways.iter().flat_map(of_way)).collect()
}

/// A site whose agent dies where the file says.
struct Doomed {
    site: Site,
    file: PathBuf,
    /// The version that has to serve.
    serving: String,
    releases: u32,
    slowest: (Duration, String),
}

impl Doomed {
    async fn start(plan: Plan) -> Self {
        let site = plan.start().await;
        let mut doomed = Self {
            file: site.path("crash"),
            site,
            serving: "v1".to_owned(),
            releases: 1,
            slowest: (Duration::ZERO, String::new()),
        };
        doomed.site.stop_agent();
        doomed.start_agent().await;
        doomed
    }

    async fn start_agent(&mut self) {
        let file = self.file.to_str().unwrap().to_owned();
        self.site.start_agent_with(&[(crash::FILE, &file)]).await;
    }

    fn next_version(&mut self, fault: &str) -> String {
        self.releases += 1;
        let version = format!("v{}", self.releases);
        self.site.fault(&version, fault);
        version
    }

    /// Releases a version with `fault` while the agent is to die at `lines`, starts the agent again and checks
    /// that all is well.
    async fn survives(&mut self, lines: &str, fault: &str) {
        let version = self.next_version(fault);
        let last = self.site.status().await.release;
        std::fs::write(&self.file, lines).unwrap();
        // The agent may die before it has answered.
        let _ = self.site.try_deploy(&version).await;
        self.site.wait_agent_gone().await;
        std::fs::remove_file(&self.file).unwrap();
        let stored = self.comes_back(&version, fault, last, lines).await;
        let unstored = [Place::Decided, Place::Storing].map(|place| crash::line(place, Phase::Deploying));
        assert_eq!(stored, !unstored.contains(&lines.to_owned()), "{lines}: only what is not stored may be forgotten");
    }

    /// From the dead agent on. Says whether the order to release `version` has outlived it.
    async fn comes_back(&mut self, version: &str, fault: &str, last: Option<ReleaseId>, what: &str) -> bool {
        let before = self.site.apps().await;
        let dead = self.site.traffic.mark();
        let begun = Instant::now();
        self.start_agent().await;
        let outcome = self.settled(what).await;
        let took = begun.elapsed();
        assert!(took < SETTLED, "{what}: settled after {took:?}");
        if took > self.slowest.0 {
            self.slowest = (took, what.to_owned());
        }
        let stored = self.site.status().await.release != last;
        let stays = stored && fault == GOOD;
        if stored {
            let expected = if stays { Outcome::Completed } else { Outcome::RolledBack };
            assert_eq!(outcome, expected, "{what}: {version}");
        }
        if stays {
            version.clone_into(&mut self.serving);
        }
        self.is_untouched(&before, what).await;
        self.is_well(version, dead, what).await;
        if !stays {
            let gone = || async { self.site.apps().await.iter().all(|(_, v, _)| v != version).then_some(()) };
            until(&format!("{what}: nothing of {version} runs"), gone).await;
        }
        stored
    }

    /// Waits until the release has ended, with the running HAProxy and its file of one mind about it.
    async fn settled(&self, what: &str) -> Outcome {
        let outcome = self.site.wait_status(what, ended).await;
        self.site
            .wait_running(what, |running| {
                let whole = running.routes.iter().all(|route| [Share::NONE, Share::ALL].contains(&route.share));
                whole && self.site.saved().as_ref() == Some(running)
            })
            .await;
        outcome
    }

    /// The version that serves is there, and no process of the application was restarted.
    async fn is_untouched(&self, before: &[(String, String, i32)], what: &str) {
        let after = self.site.apps().await;
        assert!(after.iter().any(|(_, version, _)| *version == self.serving), "{what}: {after:?}");
        for (component, version, pid) in before {
            let now = after.iter().find(|(c, v, _)| c == component && v == version);
            assert!(now.is_none_or(|(.., now)| now == pid), "{what}: {version} was {pid}: {after:?}");
        }
    }

    /// Users see nothing but the version that serves, and have lost nothing.
    async fn is_well(&self, released: &str, dead: Mark, what: &str) {
        let from = self.site.traffic.mark();
        self.site.traffic.wait_for(20).await;
        let counts = self.site.traffic.since(from).await;
        assert_eq!(counts.version(&self.serving).requests, counts.all.requests, "{what}: {counts:?}");
        let since_dead = self.site.traffic.since(dead).await;
        assert_eq!(self.site.traffic.counts().all.lost, 0, "{what}");
        if what.contains("ReadBack Back") {
            assert_eq!(since_dead.version(released).requests, 0, "{what}: the bad colour served again");
        }
    }

    fn tell(&self, what: &str, places: usize) {
        let (slowest, place) = &self.slowest;
        let all = self.site.traffic.counts().all;
        let lost = all.lost;
        println!(
            "{what}: {places} crashes, settled at the latest {slowest:?} after the restart (at `{place}`); {} requests, {} bad, {lost} lost",
            all.requests, all.bad
        );
    }
}

#[tokio::test]
async fn a_good_release_survives_a_crash_between_any_two_of_its_steps() {
    use Phase::{Deploying, Retaining, Smoke, Switching, Watching};
    let mut doomed = Doomed::start(Site::new().watch(400, 4_000)).await;
    let places = places(&[Deploying, Smoke, Switching, Watching, Retaining], &[Way::Prepare, Way::Switch]);
    for place in &places {
        doomed.survives(place, GOOD).await;
    }
    doomed.tell("a good release", places.len());
    assert_eq!(doomed.site.traffic.counts().all.bad, 0);
}

#[tokio::test]
async fn a_bad_release_survives_a_crash_between_any_two_of_its_steps() {
    use Phase::{Deploying, Idle, RollingBack, Smoke, Switching, Watching};
    let mut doomed = Doomed::start(Site::new().watch(1_500, 6_000)).await;
    let forward = places(&[Deploying, Smoke, Switching, Watching], &[Way::Prepare, Way::Switch]);
    let mut all = forward;
    all.extend(places(&[RollingBack, Idle], &[Way::Back]));
    // HAProxy has gone back, its file has not.
    all.push(format!("{}\nhold {}", crash::line(Place::ReadBack, Way::Back), crash::line(Place::Replacing, Way::Back)));
    for place in &all {
        doomed.survives(place, BAD).await;
    }
    doomed.tell("a bad release", all.len());
    assert_eq!(doomed.serving, "v1");
}

#[tokio::test]
async fn releases_survive_crashes_at_random_moments() {
    const ROUNDS: usize = 12;
    let seed = std::env::var("TEAL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("replay with TEAL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut doomed = Doomed::start(Site::new().watch(1_000, 6_000)).await;
    for round in 0..ROUNDS {
        let fault = if dice.bool() { GOOD } else { BAD };
        let delay = Duration::from_millis(dice.u64(0..1_500));
        let version = doomed.next_version(fault);
        let what = format!("round {round}: {fault}, killed after {delay:?}");
        let last = doomed.site.status().await.release;
        doomed.site.deploy(&version).await;
        // The moment is the point here, not what happens at it.
        tokio::time::sleep(delay).await;
        doomed.site.kill_agent();
        doomed.comes_back(&version, fault, last, &what).await;
    }
    doomed.tell("random moments", ROUNDS);
}

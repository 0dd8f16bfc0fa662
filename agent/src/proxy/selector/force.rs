//! Moves the Services by hand, with no agent alive: the API server, a person's own rights there and their reason.
//!
//! ```text
//!  Services, Deployments --get--> what is there --Standing--> what is written --patch of each, at the version that was seen-->
//!          ^------------------- somebody wrote meanwhile, a stray failure: a few times ----------------'
//! ```
//! Selector, policy and the word of who did it go in one patch, so that an agent that comes back reads an operator's act.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use teal_rollout::colour::Colour;
use teal_rollout::policy::Policy;

use super::super::hand::Hand;
use super::super::haproxy::force::from_nothing;
use super::super::haproxy::standing::{Author, Standing, is_same_traffic};
use super::super::moves::{Move, Nowhere, UnknownComponent, Why};
use super::SelectorSettings;
use super::pods::{Pods, ready};
use super::seen::{self, HAND, POLICY};
use crate::cluster::client::{Patience, brief, is_conflict, is_not_found};
use crate::cluster::selected::colour_of;

/// Who writes, for the owners of fields.
const MANAGER: &str = "teal-cli";
/// So often all of it is tried.
const ROUNDS: u32 = 5;

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum ForceError {
    /// A name that is not configured.
    #[error(transparent)]
    Component(#[from] UnknownComponent),
    /// The Services say nothing of which colour was good.
    #[error(
        "nobody knows the last good colour: the Services select neither colour and carry no policy. Name one, blue or green"
    )]
    NoWayBack,
    /// Everything is where `back` would take it.
    #[error(transparent)]
    Nowhere(Nowhere),
    /// Who was asked would find nobody.
    #[error("nothing was moved: {0}. Nobody would answer there")]
    Dead(String),
    /// The configuration names what is not there.
    #[error(
        "nothing was moved: there is no Service `{service}` in the namespace `{namespace}`: compare `kubectl -n {namespace} get \
         service` with the names in the configuration"
    )]
    Missing {
        /// Its name.
        service: String,
        /// Where it was looked for.
        namespace: String,
    },
    /// The API server says no.
    #[error(
        "nothing was moved: the API server refuses: {0}. The role `teal-hand` of the manifests has what this needs"
    )]
    Refused(String),
    /// The API server does not answer.
    #[error("nothing was moved: the API server cannot be asked: {0}. The Services go on as they are")]
    Away(String),
}

/// What became of one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub service: String,
    /// What it selected before; none where that was neither colour.
    pub from: Option<Colour>,
    /// What it is to select; none where it was not asked for.
    pub to: Option<Colour>,
    /// Why it is not done.
    pub result: Result<(), Trouble>,
}

/// Why a Service was not moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The API server says no.
    #[error("the API server refuses: {0}")]
    Refused(String),
    /// It does not answer, or cannot take it now.
    #[error("the API server did not take it: {0}")]
    Away(String),
}

/// What was moved, and what could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
    /// The policy before; none where the Services said nothing.
    pub from: Option<Policy>,
    /// The policy now.
    pub to: Policy,
    /// Each Service, in the order of the components.
    pub services: Vec<Moved>,
    /// What the goals have of Pods, where that is not as it should be or nobody knows.
    pub pods: Option<String>,
}

/// The Services of an environment, as a person reaches them.
#[derive(Clone, Debug)]
pub struct Reached {
    services: Api<Service>,
    deployments: Api<Deployment>,
    settings: SelectorSettings,
}

impl Reached {
    /// By this client.
    #[must_use]
    pub fn new(client: &kube::Client, settings: SelectorSettings) -> Self {
        Self {
            services: Api::namespaced(client.clone(), &settings.namespace),
            deployments: Api::namespaced(client.clone(), &settings.namespace),
            settings,
        }
    }

    /// The policy by which they route, as far as it can be told; writes nothing.
    ///
    /// # Errors
    /// [`ForceError::Missing`], [`ForceError::Refused`] and [`ForceError::Away`].
    pub async fn look(&self) -> Result<Option<Policy>, ForceError> {
        Ok(seen::standing(&self.read().await?.iter().collect::<Vec<_>>()))
    }

    /// Moves them. `names` are the components', in the order of the Services.
    ///
    /// # Errors
    /// [`ForceError`] when nothing was tried; what was tried and failed stands with each Service.
    pub async fn force(
        &self,
        names: &[&str],
        author: &Author,
        what: &Move,
        why: &Why<'_>,
    ) -> Result<Forced, ForceError> {
        let goals = what.goals(names)?;
        let mut found = self.read().await?;
        let from = seen::standing(&found.iter().collect::<Vec<_>>());
        let mut to = Self::wanted(from.clone().map(|policy| author.standing(policy)).as_ref(), what, &goals)?;
        if *what == Move::Back && Self::is_there(&found, &to, author) {
            return Err(ForceError::Nowhere(Nowhere::at(names, &to)));
        }
        let named = what.named(&goals, names.len());
        let asked: Vec<(&str, &str, Colour)> = named
            .iter()
            .map(|id| (names[*id], self.settings.services[*id].as_str(), seen::serving(&to.routes[*id])))
            .collect();
        let pods = match ready(&self.deployments, &asked).await {
            Pods::Dead(words) if !why.anyway => return Err(ForceError::Dead(words)),
            Pods::Dead(words) | Pods::Nowhere(words) => Some(words),
            Pods::Unknown(because) => Some(format!("nobody knows whether a Pod is ready there: {because}")),
            Pods::Fine => None,
        };
        let mut services: Vec<Moved> = self.moved(&found, &to, &named);
        for round in 0..ROUNDS {
            if round > 0 {
                Patience::default().wait().await;
                let Ok(again) = self.read().await else { break };
                found = again;
                let now = seen::standing(&found.iter().collect::<Vec<_>>());
                // An agent has written meanwhile: what is written has to be above that.
                if let Some(now) = now.filter(|now| now.epoch > to.epoch) {
                    to = Self::wanted(Some(&author.standing(now)), what, &goals)?;
                }
            }
            let mut is_final = true;
            for (service, moved) in found.iter().zip(&mut services) {
                let id = self.settings.services.iter().position(|name| *name == moved.service);
                let selects = id.filter(|_| moved.to.is_some()).map(|id| seen::serving(&to.routes[id]));
                let written = self.write(service, &moved.service, &to, selects, why).await;
                is_final &= written.as_ref().err().is_none_or(is_lasting);
                moved.result = written.map_err(|error| match error {
                    error if is_lasting(&error) => Trouble::Refused(brief(&error)),
                    error => Trouble::Away(brief(&error)),
                });
            }
            if is_final {
                break;
            }
        }
        Ok(Forced { from, to, services, pods })
    }

    /// Each Service, in their order.
    async fn read(&self) -> Result<Vec<Service>, ForceError> {
        let mut found = Vec::new();
        for name in &self.settings.services {
            found.push(self.services.get(name).await.map_err(|error| match error {
                error if is_not_found(&error) => {
                    ForceError::Missing { service: name.clone(), namespace: self.settings.namespace.clone() }
                }
                error if is_lasting(&error) => ForceError::Refused(brief(&error)),
                error => ForceError::Away(brief(&error)),
            })?);
        }
        Ok(found)
    }

    fn wanted(standing: Option<&Standing>, what: &Move, goals: &[Option<Colour>]) -> Result<Policy, ForceError> {
        match (standing, what) {
            (Some(standing), Move::Back) => Ok(standing.back()),
            (None, Move::Back) => Err(ForceError::NoWayBack),
            (Some(standing), _) => Ok(standing.to(goals)),
            (None, _) => Ok(from_nothing(goals)),
        }
    }

    /// Whether there is nothing to write.
    fn is_there(found: &[Service], to: &Policy, author: &Author) -> bool {
        let agreed = seen::agreed(&found.iter().collect::<Vec<_>>());
        let by_hand = matches!(author, Author::Hands(_));
        agreed.is_some_and(|policy| is_same_traffic(&policy, to) && (by_hand || policy == *to))
    }

    fn moved(&self, found: &[Service], to: &Policy, named: &[usize]) -> Vec<Moved> {
        let moved = |(id, (service, name)): (usize, (&Service, &String))| Moved {
            service: name.clone(),
            from: colour_of(service),
            to: named.contains(&id).then(|| seen::serving(&to.routes[id])),
            result: Err(Trouble::Away("it was not asked".to_owned())),
        };
        found.iter().zip(&self.settings.services).enumerate().map(moved).collect()
    }

    /// One patch, against the version that was seen; nothing where it says all that already.
    async fn write(
        &self,
        service: &Service,
        name: &str,
        to: &Policy,
        selects: Option<Colour>,
        why: &Why<'_>,
    ) -> Result<(), kube::Error> {
        let annotations = service.metadata.annotations.as_ref();
        let says = annotations.and_then(|all| all.get(POLICY)).is_some_and(|there| *there == to.to_string());
        if says && selects.is_none_or(|colour| colour_of(service) == Some(colour)) {
            return Ok(());
        }
        let hand = serde_json::to_string(&Hand::new(to, why.by, why.reason)).map_err(kube::Error::SerdeError)?;
        let mut patch = json!({"metadata": {
            "resourceVersion": service.metadata.resource_version,
            "annotations": {POLICY: to.to_string(), HAND: hand},
        }});
        if let Some(colour) = selects {
            patch["spec"] = json!({"selector": {"version": colour.to_string()}});
        }
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.services.patch(name, &params, &Patch::Merge(patch)).await.map(drop)
    }
}

/// Whether to try again is of no use: the API server understood, and said no.
fn is_lasting(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if !is_conflict(error) && status.code != 429 && status.code < 500)
}

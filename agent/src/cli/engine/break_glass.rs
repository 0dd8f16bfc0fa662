//! The page for 2 a.m., from the edge itself where that can be asked.

use std::time::Duration;

use teal_rollout::policy::Policy;
use time::OffsetDateTime;

use super::services::routed;
use crate::break_glass::{Site, author, kept, page};
use crate::cli::CliError;
use crate::config::{Environment, Loaded};
use crate::proxy::haproxy::force::{Peek, peek, present};
use crate::runtime::wiring;

/// A page, and what it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Page {
    pub(in crate::cli) text: String,
    pub(in crate::cli) source: Source,
    /// Why it was made of nothing better.
    pub(in crate::cli) because: Option<String>,
}

/// What a page was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    /// The running proxy.
    Edge,
    /// The map's file.
    File,
    /// The page that the agent kept, so long ago.
    Kept(Duration),
    /// The configuration alone.
    Configuration,
}

impl Source {
    pub(in crate::cli) const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::File => "file",
            Self::Kept(_) => "kept",
            Self::Configuration => "configuration",
        }
    }
}

/// The page of an environment, made of the best that there is.
pub(in crate::cli) async fn break_glass(loaded: &Loaded, environment: &str) -> Result<Page, CliError> {
    let configured = loaded.config.environment(environment)?;
    let settings = wiring::edge_settings(environment, configured);
    let site = Site::new(&loaded.config, environment, configured, Some(&loaded.path));
    if !site.has_proxy {
        return Ok(of_services(loaded, environment, configured, &site).await);
    }
    let Peek { runtime, file, .. } = peek(&settings).await;
    let (running, because) = match runtime {
        Ok(look) => match look.value.as_deref().map(str::parse::<Policy>) {
            Some(Ok(policy)) => (Some(policy), None),
            Some(Err(error)) => (None, Some(format!("HAProxy's map: {error}"))),
            None => (None, Some("HAProxy's map has no policy".to_owned())),
        },
        Err(error) => (None, Some(error.to_string())),
    };
    let source = if running.is_some() { Source::Edge } else { Source::File };
    if let Some(policy) = present(settings.components.len(), running, file.ok()) {
        let standing = author(&loaded.config, environment, configured).standing(policy);
        let text = page(&site, Some(&standing), OffsetDateTime::now_utc());
        return Ok(Page { text, source, because });
    }
    Ok(second_best(loaded, &site, because))
}

/// The page of Services that are an edge.
async fn of_services(loaded: &Loaded, name: &str, configured: &Environment, site: &Site) -> Page {
    let because = match routed(loaded, configured).await {
        Ok(Some(policy)) => {
            let standing = author(&loaded.config, name, configured).standing(policy);
            let text = page(site, Some(&standing), OffsetDateTime::now_utc());
            return Page { text, source: Source::Edge, because: None };
        }
        Ok(None) => "the Services select neither colour".to_owned(),
        Err(because) => because,
    };
    second_best(loaded, site, Some(because))
}

/// The page that the agent kept, or one of the configuration alone.
fn second_best(loaded: &Loaded, site: &Site, because: Option<String>) -> Page {
    match kept(&loaded.config.state, &site.environment) {
        Ok(kept) => Page { text: kept.text, source: Source::Kept(kept.age), because },
        Err(_) => {
            let text = page(site, None, OffsetDateTime::now_utc());
            Page { text, source: Source::Configuration, because }
        }
    }
}

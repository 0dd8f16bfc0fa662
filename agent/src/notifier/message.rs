//! What people are told: release, colour, counts and a link, from a closed list of news. No user data can stand in it.

use teal_rollout::colour::Colour;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::machine::action::News;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Traffic moved to the new colour.
    Switched,
    /// The release ended well.
    Completed,
    /// The release stays, not proven.
    Kept,
    /// Neither proven nor bad, and the policy says to ask.
    Held,
    /// The release was called bad and traffic is on its way back.
    Bad,
    /// The rollback is done.
    RolledBack,
    /// The release ended before any traffic moved.
    Aborted,
    /// In `observe` and `advise`: Teal would have rolled back.
    WouldRollBack,
    /// Both colours fail, nothing is switched.
    SharedOutage,
    /// The shared outage is over.
    SharedOutageOver,
    /// The candidate failed for a moment, and both colours do well since.
    OutageSuspected,
    /// A colour serves that should not, because the right one has nothing ready.
    Emergency,
    /// The right colour serves again.
    EmergencyOver,
    /// The release is bad and there is no colour to go back to.
    NoWayBack,
    /// Traffic goes back once the old colour has scaled up.
    ScalingUp,
    /// It did not, and traffic stays where it is.
    NotScaledUp,
    /// Somebody moved the map by hand to the last good colour.
    ManualAdopted,
    /// Somebody moved the map by hand to an unproven colour, and it was put back.
    ManualPutBack,
    /// Somebody else pointed the platform's own routing away from the colour that serves.
    SelectorDrift,
    /// Paused.
    Paused,
    /// The pause ended.
    Resumed,
    /// `teal notify test`.
    Test,
}

impl Kind {
    /// What to tell of the machine's news; `None` for routine that only the history records.
    #[must_use]
    pub const fn of(news: &News) -> Option<Self> {
        Some(match news {
            News::Switched(_) => Self::Switched,
            News::Ended(Outcome::Completed, _) => Self::Completed,
            News::Ended(Outcome::Kept, _) => Self::Kept,
            News::Ended(Outcome::RolledBack, _) => Self::RolledBack,
            News::Ended(Outcome::Aborted, _) => Self::Aborted,
            News::Bad(_) => Self::Bad,
            News::WouldRollBack(_) => Self::WouldRollBack,
            News::SharedOutage { .. } => Self::SharedOutage,
            News::SharedOutageOver => Self::SharedOutageOver,
            News::OutageSuspected { .. } => Self::OutageSuspected,
            News::Emergency { .. } => Self::Emergency,
            News::EmergencyOver { .. } => Self::EmergencyOver,
            News::NoWayBack(_) => Self::NoWayBack,
            News::ScalingUp(_) => Self::ScalingUp,
            News::NotScaledUp(_) => Self::NotScaledUp,
            News::ManualAdopted => Self::ManualAdopted,
            News::ManualPutBack => Self::ManualPutBack,
            News::SelectorDrift { .. } => Self::SelectorDrift,
            News::Paused(_) => Self::Paused,
            News::Resumed(_) => Self::Resumed,
            News::Entered(Phase::Held) => Self::Held,
            News::Entered(_) | News::Observed | News::Extended | News::Kept(_) => return None,
        })
    }

    /// Whether a human should look at once.
    #[must_use]
    pub const fn is_page(self) -> bool {
        matches!(
            self,
            Self::Bad
                | Self::WouldRollBack
                | Self::Kept
                | Self::Held
                | Self::SharedOutage
                | Self::OutageSuspected
                | Self::Emergency
                | Self::NoWayBack
                | Self::NotScaledUp
                | Self::ManualPutBack
                | Self::SelectorDrift
        )
    }

    /// As it stands in the JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.texts().0
    }

    /// For programs, and for people.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Switched => ("switched", "traffic moved"),
            Self::Completed => ("completed", "completed"),
            Self::Kept => ("kept", "kept, but not proven"),
            Self::Held => ("held", "held, neither proven nor bad: promote it or roll it back"),
            Self::Bad => ("bad", "bad, traffic goes back"),
            Self::RolledBack => ("rolled_back", "rolled back"),
            Self::Aborted => ("aborted", "aborted before any traffic moved"),
            Self::WouldRollBack => ("would_roll_back", "would have been rolled back"),
            Self::SharedOutage => ("shared_outage", "both colours fail, nothing is switched"),
            Self::SharedOutageOver => ("shared_outage_over", "the outage of both colours is over"),
            Self::OutageSuspected => ("outage_suspected", "a short outage is over, probably of both colours"),
            Self::Emergency => ("emergency", "emergency: served from the colour that is left"),
            Self::EmergencyOver => ("emergency_over", "the emergency is over"),
            Self::NoWayBack => ("no_way_back", "bad, and there is no colour to go back to"),
            Self::ScalingUp => ("scaling_up", "traffic goes back once the old colour has scaled up"),
            Self::NotScaledUp => ("not_scaled_up", "the old colour did not scale up, traffic stays where it is"),
            Self::ManualAdopted => ("manual_adopted", "a manual move to the last good colour was adopted"),
            Self::ManualPutBack => ("manual_put_back", "a manual move to an unproven colour was put back"),
            Self::SelectorDrift => {
                ("selector_drift", "the service was pointed at another colour than the one that serves")
            }
            Self::Paused => ("paused", "paused"),
            Self::Resumed => ("resumed", "resumed"),
            Self::Test => ("test", "this is a test"),
        }
    }
}

/// One message: all that leaves the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The application.
    pub app: String,
    /// The environment.
    pub environment: String,
    /// The release as printed, `r-0043`; empty when none is meant.
    pub release: String,
    /// What happened.
    pub kind: Kind,
    /// The colour that serves now.
    pub colour: Option<Colour>,
    /// Requests of the new colour that were judged, and how many were bad.
    pub counts: Option<(u64, u64)>,
    /// The environment's URL, from the configuration.
    pub link: Option<String>,
}

impl Message {
    /// One sentence: `physioflow prod r-0043: rolled back, blue serves, 7 of 188 requests bad`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} {}", self.app, self.environment);
        if !self.release.is_empty() {
            text = format!("{text} {}", self.release);
        }
        text = format!("{text}: {}", self.kind.texts().1);
        if let Some(colour) = self.colour {
            text = format!("{text}, {colour} serves");
        }
        if let Some((requests, bad)) = self.counts {
            text = format!("{text}, {bad} of {requests} requests bad");
        }
        text
    }

    /// The fields by name; absent ones are left out.
    pub(super) fn fields(&self) -> Vec<(&'static str, Field)> {
        let (requests, bad) = self.counts.unzip();
        let text = |text: &str| Some(Field::Text(text.to_owned()));
        [
            ("app", text(&self.app)),
            ("environment", text(&self.environment)),
            ("release", text(&self.release).filter(|_| !self.release.is_empty())),
            ("kind", text(self.kind.as_str())),
            ("page", Some(Field::Flag(self.kind.is_page()))),
            ("colour", self.colour.and_then(|colour| text(colour.as_str()))),
            ("requests", requests.map(Field::Count)),
            ("bad", bad.map(Field::Count)),
            ("link", self.link.as_deref().and_then(text)),
            ("text", text(&self.text())),
        ]
        .into_iter()
        .filter_map(|(name, field)| Some((name, field?)))
        .collect()
    }

    /// One JSON object without a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let fields = self.fields().into_iter().map(|(name, field)| (name.to_owned(), field.into()));
        serde_json::Value::Object(fields.collect()).to_string()
    }
}

/// A field's value, the same in JSON and in the environment.
pub(super) enum Field {
    Text(String),
    Count(u64),
    Flag(bool),
}

impl From<Field> for serde_json::Value {
    fn from(field: Field) -> Self {
        match field {
            Field::Text(text) => text.into(),
            Field::Count(count) => count.into(),
            Field::Flag(flag) => flag.into(),
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => write!(f, "{count}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

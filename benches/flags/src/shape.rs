//! What a flag says: the cases, in terms from which each contestant makes its own format.

/// A percentage of 100 %, in thousandths of a percent.
pub const WHOLE: u32 = 100_000;

/// A case of the benchmark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// On for everybody.
    On,
    /// There, and off for everybody.
    Off,
    /// On for a quarter of the users, by hash.
    Quarter,
    /// For users whose `plan` is `pro`: on for half of them, by hash. Off for the others.
    RuleHalf,
    /// Twenty such rules, none of which matches: for memory only.
    TwentyRules,
}

impl Case {
    /// Those that are timed.
    pub const TIMED: [Self; 4] = [Self::On, Self::Off, Self::Quarter, Self::RuleHalf];

    /// As it is called in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Quarter => "25 %",
            Self::RuleHalf => "rule + 50 %",
            Self::TwentyRules => "20 rules",
        }
    }

    /// The share of questions whose answer is yes.
    #[must_use]
    pub fn expected_share(self) -> f64 {
        match self {
            Self::On => 1.0,
            Self::Off | Self::TwentyRules => 0.0,
            Self::Quarter | Self::RuleHalf => 0.25,
        }
    }

    /// What each flag says in this case.
    #[must_use]
    pub fn shape(self) -> Shape {
        let rule = |value: String| Rule { attribute: "plan", value, rollout: WHOLE / 2 };
        match self {
            Self::On => Shape { enabled: true, rules: Vec::new(), rollout: WHOLE },
            Self::Off => Shape { enabled: false, rules: Vec::new(), rollout: 0 },
            Self::Quarter => Shape { enabled: true, rules: Vec::new(), rollout: WHOLE / 4 },
            Self::RuleHalf => Shape { enabled: true, rules: vec![rule("pro".to_owned())], rollout: 0 },
            Self::TwentyRules => {
                Shape { enabled: true, rules: (0..20).map(|n| rule(format!("plan-{n:02}"))).collect(), rollout: 0 }
            }
        }
    }
}

/// A flag's content. Its salt is its name.
pub struct Shape {
    /// Whether the flag is switched on at all.
    pub enabled: bool,
    /// The first that matches decides.
    pub rules: Vec<Rule>,
    /// For whom no rule matches, in thousandths of a percent.
    pub rollout: u32,
}

/// For users with this value of this attribute: on for so many.
pub struct Rule {
    /// The attribute's name.
    pub attribute: &'static str,
    /// The value that it must equal.
    pub value: String,
    /// In thousandths of a percent.
    pub rollout: u32,
}

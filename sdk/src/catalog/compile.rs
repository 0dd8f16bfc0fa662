//! A flag of the model, compiled for an environment and a moment.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::schedule;
use crate::bucketing::Bucketing;
use crate::condition::Matcher;
use crate::model::{self, Flag, ModelError, Timestamp};
use crate::snapshot::compiled::{
    Compiled, Condition, Dealing, Prerequisite, Required, Rule, Segment, Serve, Share, Test, Variant,
};
use crate::value::FlagValue;

/// What a flag is compiled against.
pub(super) struct Surroundings<'a> {
    pub(super) environment: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) segments: &'a HashMap<String, Arc<Segment>>,
    /// The number of a flag's name.
    pub(super) number: &'a mut dyn FnMut(&str) -> u32,
    pub(super) words: &'a mut Words,
}

/// Names of attributes, each kept once for all flags.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    fn shared(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.0.insert(word.clone());
        word
    }
}

/// A compiled flag, and when it has to be compiled again.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) compiled: Compiled,
    /// When the schedule next changes something.
    pub(super) next: Option<Timestamp>,
    /// Whether a condition asks for the current time.
    pub(super) asks_time: bool,
}

/// Compiles a flag.
///
/// # Errors
/// It names a segment that is not there, a variant that it does not have, or something that this build cannot compute.
pub(super) fn flag(flag: &Flag, around: &mut Surroundings<'_>) -> Result<Done, ModelError> {
    let scheduled = schedule::at(&flag.schedule, around.now);
    let is_here = flag.environments.is_empty()
        || flag.environments.iter().any(|environment| Some(environment.as_str()) == around.environment);
    let variants = variants(flag);
    let of_flag = Dealing::of(&flag.bucketing, &flag.salt, &flag.stickiness)?;
    let mut rules = Vec::with_capacity(flag.rules.len());
    for (at, rule) in flag.rules.iter().enumerate() {
        rules
            .push(compile_rule(flag, rule, &variants, around).map_err(|error| within(&format!("rules[{at}]"), error))?);
    }
    let asks_time = rules.iter().flat_map(|rule: &Rule| rule.conditions.as_slice()).any(asks_time);
    let percentage = scheduled.percentage.unwrap_or(flag.rollout_percentage);
    let off_variant = match &flag.off_variant {
        Some(name) => Some(find(&variants, name, "off_variant")?),
        None if flag.variants.is_empty() => Some(1),
        None => None,
    };
    let is = |variant: &Variant, value| variant.value == FlagValue::Bool(value);
    let is_switch = matches!(&*variants, [on, off] if is(on, true) && is(off, false)) && off_variant == Some(1);
    let rest =
        Share { percentage, dealing: of_flag, serve: serve(&model::Serve::Flag, flag, &variants)?, drawn_by: None };
    let is_plain_share = |share: &Share| share.dealing.by_id && matches!(share.serve, Serve::Fixed(0));
    let is_plain_rule = |rule: &Rule| !rule.otherwise_next && is_plain_share(&rule.share);
    let is_plain =
        is_switch && flag.prerequisites.is_empty() && is_plain_share(&rest) && rules.iter().all(is_plain_rule);
    let compiled = Compiled {
        is_switch,
        is_plain,
        version: flag.version,
        client_visible: flag.client_visible,
        off: !flag.enabled || flag.archived || !is_here || !scheduled.active,
        off_variant,
        prerequisites: prerequisites(flag, around),
        rules: rules.into(),
        rest,
        variants,
    };
    Ok(Done { compiled, next: scheduled.next, asks_time })
}

/// The place, one level up.
fn within(place: &str, error: ModelError) -> ModelError {
    let at = if error.at.is_empty() { place.to_owned() } else { format!("{place}.{}", error.at) };
    ModelError { at, ..error }
}

/// The flag's variants; a plain switch has `on` and `off`.
fn variants(flag: &Flag) -> Box<[Variant]> {
    let variant = |name: &str, value| Variant { name: name.into(), value };
    if flag.variants.is_empty() {
        return [variant("on", FlagValue::Bool(true)), variant("off", FlagValue::Bool(false))].into();
    }
    flag.variants.iter().map(|said| variant(&said.name, FlagValue::from_json(&said.value))).collect()
}

fn find(variants: &[Variant], name: &str, field: &str) -> Result<u32, ModelError> {
    let at = (0..).zip(variants).find(|(_, variant)| *variant.name == *name);
    at.map(|(at, _)| at).ok_or_else(|| ModelError::new(field, format!("`{name}` is no variant of this flag")))
}

fn prerequisites(flag: &Flag, around: &mut Surroundings<'_>) -> Box<[Prerequisite]> {
    let compile = |said: &model::Prerequisite| {
        let required = match &said.required {
            model::Required::On => Required::On,
            model::Required::Off => Required::Off,
            model::Required::OneOf(names) => Required::OneOf(names.iter().map(|name| name.as_str().into()).collect()),
        };
        Prerequisite { number: (around.number)(&said.flag), required }
    };
    flag.prerequisites.iter().map(compile).collect()
}

fn compile_rule(
    flag: &Flag,
    rule: &model::Rule,
    variants: &[Variant],
    around: &mut Surroundings<'_>,
) -> Result<Rule, ModelError> {
    let stickiness = if rule.stickiness.is_empty() { &flag.stickiness } else { &rule.stickiness };
    let bucketing = rule.bucketing.as_ref().unwrap_or(&flag.bucketing);
    let dealing = Dealing::of(bucketing, rule.salt.as_ref().unwrap_or(&flag.salt), stickiness)?;
    let serve = serve(&rule.serve, flag, variants)?;
    let has_own = rule.salt.is_some() || rule.bucketing.is_some() || !rule.stickiness.is_empty();
    let drawn_by = match (&rule.serve, &serve) {
        (model::Serve::Flag, Serve::Drawn(_)) if has_own => {
            Some(Box::new(Dealing::of(&flag.bucketing, &flag.salt, &flag.stickiness)?))
        }
        _ => None,
    };
    Ok(Rule {
        conditions: conditions(&rule.conditions, Some(around.segments), around.words)?.into(),
        share: Share { percentage: rule.percentage, dealing, serve, drawn_by },
        otherwise_next: rule.otherwise == model::Otherwise::Next,
    })
}

/// What is served, with weights added up.
fn serve(said: &model::Serve, flag: &Flag, variants: &[Variant]) -> Result<Serve, ModelError> {
    let named: Vec<(&str, u32)> = match said {
        model::Serve::Off => return Ok(Serve::Off),
        model::Serve::Variant(name) => return Ok(Serve::Fixed(find(variants, name, "variant")?)),
        model::Serve::Flag if flag.variants.is_empty() => return Ok(Serve::Fixed(0)),
        model::Serve::Flag => flag.variants.iter().map(|said| (said.name.as_str(), said.weight)).collect(),
        model::Serve::Split(weights) => weights.iter().map(|(name, weight)| (name.as_str(), *weight)).collect(),
    };
    let mut sum = 0_u32;
    let mut ends = Vec::with_capacity(named.len());
    for (name, weight) in named.into_iter().filter(|(_, weight)| *weight > 0) {
        let too_much = || ModelError::new("variants", "have weights of more than 4294967295 together");
        sum = sum.checked_add(weight).ok_or_else(too_much)?;
        ends.push((sum, find(variants, name, "variants")?));
    }
    match *ends {
        [] => Err(ModelError::new("variants", "have no weight; give at least one a weight of 1 or more")),
        [(_, only)] => Ok(Serve::Fixed(only)),
        _ => Ok(Serve::Drawn(ends.into())),
    }
}

/// A group of users.
///
/// # Errors
/// A condition that cannot be used, and one on another segment.
pub(super) fn segment(said: &model::Segment, words: &mut Words) -> Result<Segment, ModelError> {
    let sorted = |ids: &[String]| {
        let mut ids: Vec<Box<str>> = ids.iter().map(|id| id.as_str().into()).collect();
        ids.sort_unstable();
        ids.into_boxed_slice()
    };
    let any = said.any.iter().enumerate().map(|(at, group)| {
        let group = conditions(group, None, words).map(Vec::into_boxed_slice);
        group.map_err(|error| within(&format!("any[{at}]"), error))
    });
    let any = any.collect::<Result<_, _>>()?;
    Ok(Segment { include: sorted(&said.include), exclude: sorted(&said.exclude), any })
}

fn conditions(
    said: &[model::Condition],
    segments: Option<&HashMap<String, Arc<Segment>>>,
    words: &mut Words,
) -> Result<Vec<Condition>, ModelError> {
    let compiled = said.iter().enumerate().map(|(at, condition)| {
        compile_condition(condition, segments, words).map_err(|error| within(&format!("conditions[{at}]"), error))
    });
    compiled.collect()
}

fn compile_condition(
    said: &model::Condition,
    segments: Option<&HashMap<String, Arc<Segment>>>,
    words: &mut Words,
) -> Result<Condition, ModelError> {
    let test = match &said.test {
        model::Test::Segment(name) => {
            let Some(segments) = segments else {
                return Err(ModelError::new("segment", "a segment cannot be made of segments"));
            };
            let missing = || ModelError::new("segment", format!("there is no segment `{name}`"));
            Test::Segment(segments.get(name).cloned().ok_or_else(missing)?)
        }
        model::Test::Attribute { attribute, operator, values, ignore_case } => {
            let compiled = Matcher::compile(*operator, values, *ignore_case);
            let matcher = compiled.map_err(|wrong| wrong.said(attribute, segments.is_none()))?;
            match attribute.as_str() {
                "user_id" => Test::Id(matcher),
                "current_time" => Test::CurrentTime(matcher),
                name => Test::Attribute(words.shared(name), matcher),
            }
        }
    };
    Ok(Condition { test, negate: said.negate })
}

/// Whether what this asks changes as time passes.
fn asks_time(condition: &Condition) -> bool {
    match &condition.test {
        Test::CurrentTime(_) => true,
        Test::Segment(segment) => segment.any.iter().flatten().any(asks_time),
        Test::Id(_) | Test::Attribute(..) => false,
    }
}

impl Dealing {
    fn of(bucketing: &Bucketing, salt: &str, stickiness: &[String]) -> Result<Self, ModelError> {
        bucketing.check().map_err(|error| within("bucketing", error))?;
        let attribute = |name: &String| (name != "user_id").then(|| name.as_str().into());
        let stickiness = if stickiness.is_empty() { [None].into() } else { stickiness.iter().map(attribute).collect() };
        Ok(Self::new(bucketing.clone(), salt, stickiness))
    }
}

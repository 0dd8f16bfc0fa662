//! Changes of flags that end with the test that made them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::variant;
use crate::catalog::Layer;
use crate::flags::Flags;
use crate::model::{Condition, Document, Flag, Operator, Percentage, Rule, Schedule, Serve};
use crate::name::Name;

/// Flags with overrides. Cheap to clone, and made to be shared: tests that run side by side override a flag each for a user of its
/// own. Nothing is global; flags that were made apart know nothing of it.
///
/// ```
/// use teal_flags::testing::TestFlags;
///
/// let overrides = TestFlags::new().off("telehealth").into_overrides();
/// let flags = overrides.flags().clone(); // what the application is given
/// {
///     let _telehealth = overrides.set_for("user-7", "telehealth", true);
///     let _theme = overrides.set("theme", "dark");
///     assert!(flags.is_enabled("user-7", "telehealth") && !flags.is_enabled("user-8", "telehealth"));
///     assert_eq!(&*flags.text("user-8", "theme", "light").value, "dark");
/// }
/// assert!(!flags.is_enabled("user-7", "telehealth"));
/// assert_eq!(&*flags.text("user-8", "theme", "light").value, "light");
/// ```
#[derive(Clone, Debug)]
pub struct Overrides {
    flags: Flags,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The flags as they are without any.
    known: BTreeMap<String, Flag>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the changes.
    revision: u64,
    /// In the order in which they were made, by number.
    active: BTreeMap<u64, Active>,
}

#[derive(Debug)]
struct Active {
    flag: String,
    /// `None`: everybody.
    user: Option<String>,
    value: Value,
}

/// An override; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "an override ends when this is dropped; give it a name"]
pub struct Override {
    overrides: Overrides,
    number: u64,
}

impl Overrides {
    pub(super) fn new(flags: Flags, known: Vec<Flag>) -> Self {
        let known = known.into_iter().map(|flag| (flag.name.clone(), flag)).collect();
        Self { flags, shared: Arc::new(Shared { known, state: Mutex::default() }) }
    }

    /// The flags: what the application is given.
    #[must_use]
    pub const fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Sets a flag for everybody, whatever it says itself: true is on, false is off, anything else is a variant's name, or the value
    /// of a variant that is made for it. The newest override of a flag counts.
    pub fn set(&self, flag: impl Name, value: impl Into<Value>) -> Override {
        self.add(Active { flag: flag.text().to_owned(), user: None, value: value.into() })
    }

    /// Sets a flag for one user, by id. A flag's schedule, environments and prerequisites still come first, unless it is switched
    /// off or not known.
    pub fn set_for(&self, user: impl Into<String>, flag: impl Name, value: impl Into<Value>) -> Override {
        self.add(Active { flag: flag.text().to_owned(), user: Some(user.into()), value: value.into() })
    }

    fn add(&self, active: Active) -> Override {
        let name = active.flag.clone();
        let number = self.change(&name, |state| {
            state.active.insert(state.revision, active);
            state.revision
        });
        Override { overrides: self.clone(), number }
    }

    /// Changes what is overridden of a flag, and tells the flags, as a service would: what a service tells goes before a file.
    fn change<T>(&self, name: &str, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.revision += 1;
        let changed = change(&mut state);
        let active: Vec<&Active> = state.active.values().filter(|active| active.flag == name).collect();
        let mut document = Document { revision: state.revision, ..Document::default() };
        if active.is_empty() {
            document.deleted.push(name.to_owned());
        } else {
            let unknown = || Flag { rollout_percentage: Percentage::NONE, ..Flag::new(name) };
            let known = self.shared.known.get(name).cloned().unwrap_or_else(unknown);
            document.flags.push(active.into_iter().fold(known, overridden));
        }
        self.flags.apply(Layer::Live, document, self.flags.snapshot().now());
        changed
    }
}

impl Drop for Override {
    fn drop(&mut self) {
        let name = {
            let state = self.overrides.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.active.get(&self.number).map(|active| active.flag.clone())
        };
        if let Some(name) = name {
            self.overrides.change(&name, |state| state.active.remove(&self.number));
        }
    }
}

/// The flag with one more override: a rule before all others.
fn overridden(mut flag: Flag, active: &Active) -> Flag {
    let serve = match &active.value {
        Value::Bool(true) => Serve::Flag,
        Value::Bool(false) => Serve::Off,
        value => Serve::Variant(variant_of(&mut flag, value)),
    };
    let user = active.user.iter();
    let conditions = user.map(|user| Condition::new("user_id", Operator::In, [user.as_str()])).collect();
    let rule = Rule { serve, ..Rule::new(conditions) };
    if active.user.is_some() && flag.enabled && !flag.archived {
        flag.rules.insert(0, rule);
        return flag;
    }
    // For everybody, or for one user of a flag that is off for all others.
    Flag {
        enabled: true,
        archived: false,
        environments: Vec::new(),
        prerequisites: Vec::new(),
        schedule: Schedule::default(),
        rules: vec![rule],
        rollout_percentage: Percentage::NONE,
        ..flag
    }
}

/// The name of a flag's variant that serves this. One that is missing is added, out of the draw.
fn variant_of(flag: &mut Flag, value: &Value) -> String {
    let named = |known: &&crate::model::Variant| value.as_str() == Some(&*known.name) || known.value == *value;
    if let Some(known) = flag.variants.iter().find(named) {
        return known.name.clone();
    }
    if flag.variants.is_empty() {
        let switch = |name: &str, value: bool| crate::model::Variant {
            name: name.to_owned(),
            ..variant(value.into(), u32::from(value))
        };
        flag.variants = vec![switch("on", true), switch("off", false)];
        flag.off_variant = Some("off".to_owned());
    }
    let added = variant(value.clone(), 0);
    let name = added.name.clone();
    flag.variants.push(added);
    name
}

//! Whether a flag or segment makes sense by itself; what it needs of others is found when all are compiled together.

mod bucketing;
mod condition;
mod flag;
mod rule;
mod segment;
#[cfg(test)]
mod tests;
mod text;

use super::ModelError;

type Check = Result<(), ModelError>;

/// Checks each of not too many, and says which one is wrong.
fn each<T>(name: &str, members: &[T], most: usize, mut check: impl FnMut(&T) -> Check) -> Check {
    if members.len() > most {
        return Err(ModelError::new(name, format_args!("has {} members; the most is {most}", members.len())));
    }
    for (index, member) in members.iter().enumerate() {
        check(member).map_err(|error| error.within(format_args!("{name}[{index}]")))?;
    }
    Ok(())
}

/// The first member that was there before.
fn twice<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

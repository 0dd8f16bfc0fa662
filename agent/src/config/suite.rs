//! Where the smoke suite of an environment stands in the text of a configuration, for mistakes that its own reader finds.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// `[smoke]` under `[environments.NAME.smoke]`, as they are read, each key where it stands; without `suite`. None where there
/// is neither, or the text is no TOML.
#[must_use]
pub fn smoke_table<'t>(text: &'t str, environment: &str) -> Option<Spanned<DeTable<'t>>> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let own = table(&root, "environments").and_then(|all| table(all.get_ref(), environment));
    let own = own.and_then(|environment| table(environment.get_ref(), "smoke"));
    let layers: Vec<_> = [table(&root, "smoke"), own].into_iter().flatten().collect();
    let place = layers.last()?.span();
    let mut all = DeTable::default();
    for layer in layers {
        for (key, value) in layer.into_inner() {
            // The key itself stands where it was first: what is laid over it is put in its place.
            all.remove(key.get_ref().as_ref());
            all.insert(key, value);
        }
    }
    all.remove("suite");
    Some(Spanned::new(place, all))
}

fn table<'t>(of: &DeTable<'t>, key: &str) -> Option<Spanned<DeTable<'t>>> {
    let value = of.get(key)?;
    match value.get_ref() {
        DeValue::Table(table) => Some(Spanned::new(value.span(), table.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Diagnostic;
    use super::*;
    use crate::smoke::Suite;

    #[test]
    fn a_mistake_in_a_suite_is_told_with_its_line_and_column() {
        let check = |text: &str, wanted: &[&str]| {
            let table = smoke_table(text, "prod").unwrap();
            let told = Suite::mistakes(table).into_iter();
            let told: Vec<String> =
                told.map(|(place, message)| Diagnostic::at(text, &place, "", message).to_string()).collect();
            assert_eq!(told.len(), wanted.len(), "{told:#?}");
            for (told, wanted) in told.iter().zip(wanted) {
                assert!(told.starts_with(wanted), "{told}\n{wanted}");
            }
        };
        let good = "[[smoke.checks]]\nname = \"a\"\ncomponent = \"app\"\npath = \"/\"\n";
        check(good, &[]);
        check(
            &format!("# one\n{good}pth = \"/\"\n"),
            &["line 6, column 1: the smoke suite is not valid: unknown field `pth`"],
        );
        check(
            &format!("{good}status = \"ok\"\n"),
            &["line 5, column 10: the smoke suite is not valid: a status such as"],
        );
        let two = format!("{good}\n{}method = \"POST\"\n", good.replace("\"a\"", "\"b\"").replace("\"/\"", "\"x\""));
        check(
            &two,
            &["line 6, column 1: smoke check `b`: `path` is `x`", "line 6, column 1: smoke check `b`: `method` is"],
        );
        // What an environment lays over it.
        let own = format!("{two}\n[environments.prod.smoke]\nallow_writes = true\n");
        check(&own, &["line 6, column 1: smoke check `b`: `path` is `x`"]);
        check("[environments.prod.smoke]\nallow_writes = true\n", &["line 1, column 1: the smoke suite has no checks"]);
    }
}

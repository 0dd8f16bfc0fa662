//! `{{name}}` in a template: inside a line it is replaced; alone on a line it becomes as many lines as it has, or none.

/// Fills `template` in. A name that is not given stays as it is, which the tests look for.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(2 * template.len());
    for line in template.lines() {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let name = body.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        match name.and_then(|name| values.iter().find(|(given, _)| *given == name)) {
            Some((_, block)) => {
                for line in block.lines() {
                    text.extend([indent, line, "\n"]);
                }
            }
            None => {
                let mut line = line.to_owned();
                for (name, value) in values {
                    line = line.replace(&format!("{{{{{name}}}}}"), value);
                }
                text.extend([line.as_str(), "\n"]);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_becomes_its_lines_and_another_is_replaced() {
        let template = "a {{x}}-{{x}}\n  {{list}}\n  {{nothing}}\nend {{unknown}}\n";
        let text = fill(template, &[("x", "1"), ("list", "one\ntwo\n"), ("nothing", "")]);
        assert_eq!(text, "a 1-1\n  one\n  two\nend {{unknown}}\n");
    }
}

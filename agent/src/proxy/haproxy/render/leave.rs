//! The configuration without Teal: the same listeners, components and time-outs, and one colour of each for good.

use std::fmt::Write as _;

use teal_rollout::colour::Colour;

use super::config::EdgeConfig;
use super::template::fill;
use super::{Form, RenderError, backend, edge, entry, head_with, lines};

const WHOLE: &str = include_str!("../../../../../proxy-config/static.cfg");
const FRAGMENT: &str = include_str!("../../../../../proxy-config/static-fragment.cfg");
const EDGE: &str = include_str!("../../../../../proxy-config/static-edge.cfg");

/// A configuration that needs no map and no agent: `colours` serve, one a component, in their order.
///
/// # Errors
/// As [`super::render`], and a number of colours that is not the number of components.
pub fn leave(config: &EdgeConfig, form: Form, colours: &[Colour]) -> Result<String, RenderError> {
    super::check::check(config, form)?;
    if colours.len() != config.components.len() {
        let rule = "one a component is needed";
        return Err(RenderError::Count { field: "colours".to_owned(), count: colours.len(), rule });
    }
    let mut text = match form {
        Form::Whole => head_with(config, WHOLE),
        Form::Fragment => head_with(config, FRAGMENT),
    };
    text += defaults(&edge(config, form));
    let mut choices = String::new();
    for (component, colour) in config.components.iter().zip(colours) {
        let (environment, name) = (&config.environment, &component.name);
        let _ = writeln!(
            choices,
            "use_backend teal_{environment}_{name}_{colour} if {{ var(txn.teal_component) -m str {name} }}"
        );
    }
    text += &fill(
        EDGE,
        &[
            ("environment", &config.environment),
            ("binds", &lines::binds(config, form)),
            ("forwarded", &lines::forwarded(config, form)),
            ("distrust", &lines::distrust(&config.user)),
            ("components", &lines::components(&config.components)),
            ("choices", &choices),
        ],
    );
    for (component, colour) in config.components.iter().zip(colours) {
        text += &backend(config, component, *colour);
    }
    if form == Form::Fragment {
        text += &entry(config);
    }
    Ok(text)
}

/// The defaults of the edge with Teal, so that nothing takes another time without it.
fn defaults(edge: &str) -> &str {
    let start = edge.find("defaults ").unwrap_or(0);
    let end = edge.find("\nfrontend ").unwrap_or(edge.len());
    edge.get(start..end).unwrap_or(edge)
}

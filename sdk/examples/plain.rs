//! Flags of a file, in a program without asynchronous code and without features: `cargo run -p teal-flags --example plain`.

use std::error::Error;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use teal_flags::model::{Document, Timestamp};
use teal_flags::{Context, Flags, Layer};

teal_flags::flags! {
    /// What this program asks for, and its answers where nobody else knows one.
    mod flag {
        telehealth = false;
        billing_integration("billing-integration") = true;
        price_page("price-page") = false;
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::new(Some("prod"));

    // Before anything is told, answers are the defaults.
    println!("telehealth before the file: {}", flags.is_enabled("user-7", &flag::telehealth));

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flags.json");
    let document = Document::from_json(&std::fs::read(file)?)?;
    let applied = flags.apply(Layer::File, document, now());
    for problem in &applied.problems {
        eprintln!("{problem}");
    }

    // By id alone.
    let on = (0..1000).filter(|number| flags.is_enabled(format!("user-{number}"), &flag::telehealth)).count();
    println!("telehealth is on for {on} of 1000 users");
    println!("billing: {}", flags.is_enabled("user-7", &flag::billing_integration));

    // With attributes, borrowed from where they are.
    let clinic = String::from("hcm-3");
    let attributes = [("clinic", (&clinic).into())];
    let user = Context::new("user-7", &attributes);
    let evaluation = flags.evaluate(user, &flag::telehealth);
    println!("telehealth at {clinic}: {:?}, because {}", evaluation.enabled, evaluation.reason);

    // A value instead of yes and no.
    let page = flags.json(user, &flag::price_page, serde_json::json!({"columns": 2}));
    println!("price page: {} ({})", page.value, page.variant.as_deref().unwrap_or("the default"));
    Ok(())
}

/// The SDK takes time as an argument; whoever has schedules or ramps calls `flags.tick(now())` from time to time.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

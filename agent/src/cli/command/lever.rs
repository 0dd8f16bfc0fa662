//! `teal promote`, `abort`, `pause` and `resume`: one order each.

use crate::api::{Order, OrderRequest};
use crate::cli::context::{Context, operator};
use crate::cli::{CliError, Exit, remote};

/// Arguments of the levers.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Where.
    #[arg(value_name = "ENV")]
    environment: String,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args, order: Order) -> Result<Exit, CliError> {
    let loaded = match order {
        Order::Abort | Order::Pause => context.load_at_night()?,
        _ => context.load()?,
    };
    let name = args.environment.as_str();
    loaded.config.environment(name)?;
    let done = match order {
        Order::Promote => "goes on at once",
        Order::Abort => "ends; traffic has not moved",
        Order::Pause => "paused: nothing moves forward, and what is moved by hand is left alone",
        Order::Resume => "goes on",
        Order::Deploy { .. } | Order::Rollback => "taken",
    };
    let request = OrderRequest { order, by: operator() };
    let release = remote::order(&loaded, name, &request).await?.0.release;
    context.terminal().json(&serde_json::json!({ "release": release, "environment": name, "result": "accepted" }));
    context.terminal().print(&format!("ok  {name} {release}: {done}"));
    Ok(Exit::Done)
}

//! `teal flags compare`: who would change side on the day of a move, user by user and flag by flag.
//!
//! ```text
//! users --+--> the old service, over HTTP, some at a time --+
//!         |                                                 +--> same, or another side
//!         +--> the new one's document, evaluated here ------+
//! ```
//! The new side is evaluated here, by the code that the new service and every SDK answer with, and at one revision (decision 56).

mod old;

use std::io::IsTerminal;
use std::path::PathBuf;

use futures_util::{StreamExt, stream};
use serde_json::json;
use teal_flags::model::Document;
use teal_flags::{Flags, Layer, Snapshot};

use super::target::{Service, Target};
use super::users::{User, attributes, users};
use super::{known, now, teal, warn};
use crate::cli::context::Context;
use crate::cli::render::flags::compare::{self as render, Compared, Mover};
use crate::cli::{CliError, Exit};
use old::{Old, OldKind};

/// Arguments of `teal flags compare`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The service that answers today.
    #[arg(long, value_name = "URL")]
    old: String,
    /// How it is asked: REST like /api/v1/feature-flags/NAME/check, or OFREP; else found out.
    #[arg(long, value_enum)]
    old_kind: Option<OldKind>,
    /// A file with its token.
    #[arg(long, value_name = "FILE")]
    old_token_file: Option<PathBuf>,
    /// Whom to ask for: an id a line, or a JSON object a line with user_id and attributes; - is the standard input.
    #[arg(long, value_name = "FILE")]
    users: PathBuf,
    /// Only this flag; may be repeated. OLD=NEW where it is called otherwise here.
    #[arg(long, short, value_name = "NAME")]
    flag: Vec<String>,
    /// What stands before every name here and not there, as in `import --prefix`.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Where they ask.
    #[arg(long, short, value_name = "ENV")]
    environment: Option<String>,
    /// What is known of all of them; may be repeated, of one name for a list.
    #[arg(long, short, value_name = "NAME=VALUE")]
    attribute: Vec<String>,
    /// Questions to the old service at the same time.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
    /// How many users are named on a terminal; --json names all.
    #[arg(long, default_value_t = 10, value_name = "N")]
    show: usize,
}

/// A flag by its name there and here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    old: String,
    new: String,
}

pub(super) async fn run(context: &Context, target: &Target, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let users = users(&args.users, &attributes(&args.attribute)?)?;
    let document = service.client.snapshot().await?;
    known::environments(service, &document, args.environment.as_slice());
    let pairs = pairs(&document, args)?;
    let old = Old::found(
        target.old(&args.old, args.old_token_file.as_deref())?,
        args.old_kind,
        &pairs,
        args.environment.as_deref(),
    )
    .await?;
    let flags = Flags::new(args.environment.as_deref());
    flags.apply(Layer::File, document, now());
    let snapshot = flags.snapshot();

    let mut terminal = context.terminal();
    let mut compared = Compared::new(pairs.iter().map(|pair| pair.new.clone()).collect());
    let mut answers =
        stream::iter(users.iter().map(|user| one(&old, &snapshot, &pairs, user, args.environment.as_deref())))
            .buffered(args.concurrency.into());
    while let Some(moves) = answers.next().await {
        compared.add(moves.map_err(|error| stopped(error, &compared, users.len()))?);
        terminal.live(&render::progress(&compared, users.len()));
    }
    drop(answers);
    for name in compared.unknown() {
        warn(&format!("{} does not know {name}: it was not compared", old.at()));
    }
    let movers: Vec<_> = compared.movers().iter().map(|mover| {
        let Mover { user, flag, before, after } = mover;
        json!({"user": users.get(*user).map(|user| &user.id), "flag": pairs.get(*flag).map(|pair| &pair.new), "old": before, "new": after})
    }).collect();
    let exit = if movers.is_empty() { Exit::Done } else { Exit::Failed };
    terminal.json(&json!({
        "old": old.at(), "kind": old.kind().name(), "users": users.len(), "flags": render::json(&compared), "movers": movers, "exit": exit.code(),
    }));
    terminal.print(&render::table(&compared));
    let named: Vec<&str> =
        if std::io::stdout().is_terminal() { users.iter().map(|user| user.id.as_str()).collect() } else { Vec::new() };
    terminal.print(&render::end(&compared, &named, args.show));
    Ok(exit)
}

/// What each flag answers to one user, there and here.
async fn one(
    old: &Old,
    snapshot: &Snapshot,
    pairs: &[Pair],
    user: &User,
    environment: Option<&str>,
) -> Result<Vec<Option<(String, String)>>, CliError> {
    let context = user.context();
    let mut answers = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let before = old.ask(&pair.old, user, environment).await?;
        answers.push(old::sides(&before, &snapshot.evaluate(&context, &pair.new)));
    }
    Ok(answers)
}

/// A comparison that was broken off says nothing of who was not asked for.
fn stopped(error: CliError, compared: &Compared, users: usize) -> CliError {
    error.hint(format!("stopped after {} of {users} users; nothing is said of the others", compared.users()))
}

/// The flags that are compared: the named ones, or all in use.
fn pairs(document: &Document, args: &Args) -> Result<Vec<Pair>, CliError> {
    let names = || document.flags.iter().filter(|flag| !flag.archived).map(|flag| flag.name.as_str());
    if args.flag.is_empty() {
        let ours = names().filter_map(|name| {
            let old = name.strip_prefix(args.prefix.as_str())?.to_owned();
            Some(Pair { old, new: name.to_owned() })
        });
        let pairs: Vec<Pair> = ours.collect();
        return match pairs.is_empty() {
            true => Err(CliError::usage(format!("there is no flag to compare: {} brings them", teal("import")))),
            false => Ok(pairs),
        };
    }
    let pair = |named: &String| {
        let (old, new) = match named.split_once('=') {
            Some((old, new)) => (old.to_owned(), new.to_owned()),
            None => (named.clone(), format!("{}{named}", args.prefix)),
        };
        if document.flags.iter().any(|flag| flag.name == new) {
            return Ok(Pair { old, new });
        }
        let error = CliError::usage(format!("there is no flag `{new}`"));
        Err(match known::nearest(&new, names()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        })
    };
    args.flag.iter().map(pair).collect()
}

//! The operator's command line: arguments in, one exit code out.
//!
//! ```text
//! arguments -> Command -> command/*.rs -> client (orders, status) or engine.rs (what works without an agent)
//!                              |
//!                              +-> render/*.rs (pure) -> Terminal
//! ```

mod command;
mod confirm;
mod context;
mod engine;
mod error;
mod exit;
mod follow;
mod new_file;
mod remote;
pub mod render;
mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use context::{Context, NamedBy};
pub use error::CliError;
pub use exit::Exit;

/// Blue-green releases that take themselves back.
#[derive(Debug, Parser)]
#[command(name = "teal", version, long_version = crate::version::long(), after_help = exit::help(), max_term_width = 100)]
pub struct Cli {
    /// The configuration; else ./teal.toml, then /etc/teal/teal.toml.
    #[arg(long, global = true, env = "TEAL_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer in JSON; the last line is one object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first, commented teal.toml that watches and touches nothing.
    Init(command::init::Args),
    /// Find the configuration's mistakes, or show it with its defaults.
    #[command(subcommand)]
    Config(command::config::Args),
    /// Find what would make a night bad, each with the command that mends it. Changes nothing.
    Doctor(command::doctor::Args),
    /// Run the agent.
    Agent(command::agent::Args),
    /// Release a version: start it, test it, switch to it, watch it.
    Deploy(command::deploy::Args),
    /// Follow a release to the end of its watch.
    Wait(command::wait::Args),
    /// What runs where, what is known about it, what happens next.
    Status(command::status::Args),
    /// Past releases.
    History(command::history::Args),
    /// Why each decision of a release fell.
    Explain(command::explain::Args),
    /// Take traffic back to the old colour, at once.
    Rollback(command::rollback::Args),
    /// Go on at once: end a hold, a watch or a question as kept.
    Promote(command::lever::Args),
    /// End a release that has not moved traffic.
    Abort(command::lever::Args),
    /// Hold forward movement and leave moves by hand alone; a bad release still goes back.
    Pause(command::lever::Args),
    /// End a pause.
    Resume(command::lever::Args),
    /// Work on the edge itself, with or without an agent.
    #[command(subcommand)]
    Edge(command::edge::Args),
    /// The page for 2 a.m., filled in: what to type when no agent answers.
    BreakGlass(command::break_glass::Args),
    /// Feature flags: look at them, change them, ask what they answer.
    Flags(command::flags::Args),
    /// Run the smoke suite against an environment or an address.
    Smoke(command::smoke::Args),
    /// Tell people.
    #[command(subcommand)]
    Notify(command::notify::Args),
    /// Write an HAProxy configuration that goes on without Teal, and say what to remove.
    Leave(command::leave::Args),
    /// Stop the application's processes. What serves stops serving.
    Stop(command::stop::Args),
    /// The HAProxy configuration.
    #[command(subcommand)]
    Proxy(command::proxy::Args),
    /// Who may do what with flags.
    #[command(subcommand)]
    Token(command::token::Args),
    /// Show the main job with nothing but this program and HAProxy.
    Demo(command::demo::Args),
    /// Print what a shell needs to complete commands and options.
    Completions(command::completions::Args),
    /// Show the manual, or write its pages into a folder.
    Manual(command::manual::Args),
    /// Supervises one process of the local platform.
    #[command(hide = true, disable_help_flag = true)]
    Shim(command::shim::Args),
    /// The demo's application.
    #[command(hide = true, disable_help_flag = true)]
    SampleApp(command::sample_app::Args),
}

/// Runs the command line of this process and says with what to exit.
#[must_use]
pub fn run() -> ExitCode {
    // clap prints usage errors itself and exits with 2, which is Exit::Usage.
    let matches = Cli::command().get_matches();
    let is_variable = matches.value_source("config") == Some(ValueSource::EnvVariable);
    let Cli { config, json, command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut context = Context::new(config, json);
    if is_variable {
        context.named_by = NamedBy::Variable;
    }
    let exit = match command {
        // Programs of their own that only share the binary: their codes are theirs.
        Command::Shim(args) => return engine::shim(args.arguments),
        Command::SampleApp(args) => return engine::sample_app(args.arguments),
        command => dispatch(command, &context),
    };
    let exit = exit.unwrap_or_else(|error| {
        context.report(&error);
        error.exit
    });
    exit.into()
}

impl Cli {
    /// The command line as documents show it: without what is hidden, and without `help`, which repeats everything.
    #[must_use]
    pub fn shown() -> clap::Command {
        let all = Self::command();
        let shown = clap::Command::new("teal").disable_help_subcommand(true).subcommand_required(true);
        let shown = shown.version(env!("CARGO_PKG_VERSION")).max_term_width(100).args(all.get_arguments());
        let shown = shown.about(all.get_about().cloned().unwrap_or_default());
        shown.subcommands(all.get_subcommands().filter(|command| !command.is_hide_set()).cloned())
    }
}

/// Text for another program, as it is. A reader that has gone, as `head` does, is no failure.
fn stdout(text: &str) -> Result<(), CliError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::failed(format!("cannot write to the standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn dispatch(command: Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        // These build the runtime that suits them.
        Command::Agent(args) => command::agent::run(context, &args),
        Command::Demo(args) => command::demo::run(context, &args),
        Command::Shim(_) | Command::SampleApp(_) => Ok(Exit::Usage),
        Command::Init(args) => command::init::run(context, &args),
        Command::Config(args) => command::config::run(context, &args),
        Command::Stop(args) => command::stop::run(context, &args),
        Command::Proxy(args) => command::proxy::run(context, &args),
        Command::Edge(args) => command::edge::run(context, &args),
        Command::BreakGlass(args) => command::break_glass::run(context, &args),
        Command::Notify(args) => command::notify::run(context, &args),
        Command::Leave(args) => command::leave::run(context, &args),
        Command::Smoke(args) => command::smoke::run(context, &args),
        Command::Completions(args) => command::completions::run(context, &args),
        Command::Manual(args) => command::manual::run(context, &args),
        // These talk to the agent, or to its flag service.
        Command::Flags(args) => context.block_on(command::flags::run(context, &args)),
        Command::Token(args) => context.block_on(command::token::run(context, &args)),
        Command::Deploy(args) => context.block_on(command::deploy::run(context, &args)),
        Command::Wait(args) => context.block_on(command::wait::run(context, &args)),
        Command::Doctor(args) => context.block_on(command::doctor::run(context, &args)),
        Command::Status(args) => context.block_on(command::status::run(context, &args)),
        Command::History(args) => context.block_on(command::history::run(context, &args)),
        Command::Explain(args) => context.block_on(command::explain::run(context, &args)),
        Command::Rollback(args) => context.block_on(command::rollback::run(context, &args)),
        Command::Promote(args) => context.block_on(command::lever::run(context, &args, crate::api::Order::Promote)),
        Command::Abort(args) => context.block_on(command::lever::run(context, &args, crate::api::Order::Abort)),
        Command::Pause(args) => context.block_on(command::lever::run(context, &args, crate::api::Order::Pause)),
        Command::Resume(args) => context.block_on(command::lever::run(context, &args, crate::api::Order::Resume)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_lists_every_command_and_exit_code() {
        insta::assert_snapshot!(Cli::command().term_width(100).render_help());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_before_anything_is_done() {
        let check = |line: &str| {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
        };
        check("teal");
        check("teal deploy");
        check("teal deploy prod");
        check("teal deploy prod v1 --set api=v2");
        check("teal deploy prod --set api");
        check("teal deploy prod --set api=");
        check("teal deploy prod ../etc");
        check("teal deploy prod --set api=v1 --component api");
        check("teal wait v1.2.3");
        check("teal edge force prod purple --reason x");
        check("teal edge force prod green");
        check("teal stop");
        check("teal stop --all prod");
        check("teal agent --seed-baseline 5");
    }
}

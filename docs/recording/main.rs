//! The program behind `make recording`: runs a command in a pseudo terminal and draws what it showed as a moving picture.
//!
//! ```text
//! command --pty--> cast (asciicast v2) --terminal emulator--> frames --> SVG: a film strip, moved by CSS
//! ```

mod cast;
mod film;
mod palette;
mod svg;

use std::io;
use std::path::PathBuf;

use clap::Parser;

use cast::{Cast, Size};

/// Draws what a command shows on a terminal as an animated SVG
#[derive(Parser)]
struct Args {
    /// Where the picture goes
    picture: PathBuf,
    /// Columns of the terminal
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    columns: u16,
    /// Rows of the terminal; the picture has as many as were used
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    rows: u16,
    /// What the picture shows, for those who cannot see it
    #[arg(long, default_value = "A terminal", value_name = "TEXT")]
    title: String,
    /// Keep the recording, as asciicast v2
    #[arg(long, value_name = "FILE")]
    cast: Option<PathBuf>,
    /// Draw this recording instead of running a command
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    from: Option<PathBuf>,
    /// Stop the command like Ctrl-C after so many seconds
    #[arg(long, value_name = "SECONDS")]
    interrupt: Option<u64>,
    /// What to run
    #[arg(required_unless_present = "from", trailing_var_arg = true)]
    command: Vec<String>,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let cast = match &args.from {
        Some(file) => Cast::parse(&std::fs::read_to_string(file)?)?,
        None => Cast::record(&args.command, Size { columns: args.columns, rows: args.rows }, args.interrupt)?,
    };
    if let Some(file) = &args.cast {
        std::fs::write(file, cast.to_string())?;
    }
    std::fs::write(&args.picture, svg::draw(&film::frames(&cast)?, &args.title))
}

#[cfg(test)]
mod tests;

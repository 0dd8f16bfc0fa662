//! What a terminal shows of a release that runs: made as lines, and redrawn in place.
//!
//! ```text
//! (status, now, width) --panel--> lines --screen--> one write: lines that stay, then the block over the old one
//! ```
//! `panel` is pure. Colours are the sixteen of the terminal's own palette, on bars and marks only: words keep the colour
//! that the user reads in, so that they are legible on a light background and on a dark one.

mod bar;
mod line;
mod panel;
mod screen;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod fixtures;

pub use bar::Glyphs;
pub use line::Line;
pub use panel::{Panel, headline, panel, standing};
pub use screen::{Output, Screen};

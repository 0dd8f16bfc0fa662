//! From flags to text for people: pure, 80 columns; the only colours are those of [`style`], which go where none are wanted.

pub mod audit;
pub mod check;
pub mod compare;
pub mod diff;
pub mod list;
pub mod plan;
pub mod show;
pub mod stale;
mod style;
mod table;
pub mod tokens;
mod told;
pub mod touch;
mod words;
mod wrap;

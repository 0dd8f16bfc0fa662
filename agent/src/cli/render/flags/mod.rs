//! From flags to text for people: pure, 80 columns; the only colours are those of [`style`], which go where none are wanted.

pub mod list;
pub mod show;
mod style;
mod table;
mod words;
mod wrap;

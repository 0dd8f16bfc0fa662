//! Flags to JSON. Defaults are left out, so that files stay readable, but for what people look for.

mod condition;
mod document;
mod fields;
mod flag;
mod rule;
mod segment;

//! JSON to flags. What is absent takes its default, what is unknown is kept, what is wrong is named with its place.

mod bucketing;
mod condition;
mod document;
mod fields;
mod flag;
mod rule;
mod segment;
#[cfg(test)]
mod tests;

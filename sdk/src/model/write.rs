//! JSON to flags.

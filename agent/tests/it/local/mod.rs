//! The local platform, with real shims and real applications.

mod adoption;
mod failures;
mod found;
mod lifecycle;
mod site;

//! The local platform, with real shims and real applications.

mod adoption;
mod failures;
mod lifecycle;
mod site;

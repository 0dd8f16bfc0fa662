//! The crate as its users see it.

mod flags_page;

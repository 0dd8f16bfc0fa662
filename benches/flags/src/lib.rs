//! Flag SDKs side by side: the same names, users and questions for all, in one run.
//!
//! ```text
//! world (names, users, questions)   shape (what a flag says)
//!          |                           |
//!          +-----> field (who plays) <-+
//!                    |
//!     check: right answers?   measure: ns a call   storm: while flags are replaced   allocations (own binary)
//! ```

pub mod check;
pub mod field;
pub mod measure;
pub mod player;
pub mod settings;
pub mod shape;
pub mod storm;
pub mod world;

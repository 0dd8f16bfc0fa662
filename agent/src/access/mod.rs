//! Who may do what with flags: tokens, their roles, and what each role may do on which path.
//!
//! ```text
//! Authorization: Bearer teal_ID_SECRET --Directory: id, digest, dates--> Record: name, roles, environments
//!                                                                           |
//!                       method and path --RULES--> roles that may ----------+--> yes | 401 | 403, which says the role
//! ```
//! Nothing here asks a database, a clock or the network. Who keeps tokens publishes a [`Directory`]; the doors read that.

mod directory;
mod legacy;
mod role;
mod rules;
mod token;

pub use directory::{Directory, Record, Refusal, Used};
pub use legacy::{LegacyPath, SEVEN};
pub use role::{Role, Roles, UnknownRole};
pub use rules::{OBSERVATIONS, OF_OBSERVERS, RULES, Rule, rule};
pub use token::{Digest, FirstToken, Token, TokenId, WrongToken};

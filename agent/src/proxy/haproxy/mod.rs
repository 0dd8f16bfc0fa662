//! HAProxy 2.6 to 3.x as the edge of an environment.

pub mod render;

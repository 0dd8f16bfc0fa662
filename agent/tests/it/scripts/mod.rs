//! Beside today's scripts and instead of them: the old names, and the way from the one to the other.

mod beside;
mod make;
mod page;

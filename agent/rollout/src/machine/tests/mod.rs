//! The machine phase by phase, in a world small enough to read: one edge, a store, a platform that does as told.

mod fixture;

mod confirm;
mod deploying;
mod emergency;
mod held_up;
mod manual;
mod observe;
mod orders;
mod restart;
mod retention;
mod rollback;
mod sampling;
mod shared;
mod watching;

//! What works at 2 a.m., and what finds beforehand that it would not.

mod doctor;
mod leave;
mod mistakes;
mod page;
pub(crate) mod runbook;

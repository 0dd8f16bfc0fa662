//! `teal demo`: the main job with nothing but this binary and HAProxy, and the sample app it releases.

pub mod fault;
pub mod load;
pub mod sample_app;

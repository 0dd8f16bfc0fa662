//! The proxy port: what stands between the clients and the two colours.

pub mod haproxy;

//! Values of `[flags]`.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use toml::de::DeValue;

use super::Decode;
use crate::access::{FirstToken, LegacyPath};

impl Decode for IpNet {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        let single = || text.parse::<IpAddr>().ok().map(Self::from);
        let network = text.parse().ok().or_else(single);
        network.ok_or_else(|| format!("`{text}` is not a network, for instance \"10.0.0.0/8\""))
    }
}

impl Decode for LegacyPath {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        String::decode(value, base)?.parse()
    }
}

impl Decode for FirstToken {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        // Not what stands there: it may be the token itself.
        let wrong = "this is the digest of a token, as `teal init` writes it (teal_ID:SHA256), never the token itself";
        String::decode(value, base)?.parse().map_err(|_| wrong.to_owned())
    }
}

//! The values of an environment's HAProxy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::super::diagnostic::suggest;
use super::super::edge::{Bind, BindAddress, Evidence, Form, JwtAlgorithm, RunAs, UserSource};
use super::{Decode, word};

impl Decode for UserSource {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            Some(("header", name)) if is_name(name) => Ok(Self::Header(name.to_owned())),
            Some(("cookie", name)) if is_name(name) => Ok(Self::Cookie(name.to_owned())),
            Some(("jwt", name)) if is_name(name) => Ok(Self::Jwt(name.to_owned())),
            _ => Err(format!(
                "`{text}` does not say where a user's id comes from: write \"none\", \"header:NAME\", \"cookie:NAME\" or \
                 \"jwt:CLAIM\""
            )),
        }
    }
}

impl Decode for BindAddress {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        let wrong = || {
            format!(
                "`{text}` is no place to listen: write \"127.0.0.1:8080\", \"unix:/run/x.sock\" or \"abstract:name\""
            )
        };
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("abstract", name)) if !name.is_empty() => Ok(Self::Abstract(name.to_owned())),
            Some(("*", port)) => Ok(Self::Tcp(SocketAddr::from(([0, 0, 0, 0], port.parse().map_err(|_| wrong())?)))),
            _ => text.parse().map(Self::Tcp).map_err(|_| wrong()),
        }
    }
}

impl Decode for Bind {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let DeValue::Table(table) = value else {
            return Ok(Self { address: BindAddress::decode(value, base)?, certificate: None });
        };
        let (mut address, mut certificate) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "address" => address = Some(BindAddress::decode(value.get_ref(), base)?),
                "certificate" => certificate = Some(PathBuf::decode(value.get_ref(), base)?),
                other => return Err(format!("unknown key `{other}`{}", suggest(other, ["address", "certificate"]))),
            }
        }
        let address = address.ok_or("`address` is missing: { address = \"0.0.0.0:443\", certificate = \"...\" }")?;
        Ok(Self { address, certificate })
    }
}

impl Decode for RunAs {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        match text.split_once(':') {
            Some((user, group)) if !user.is_empty() && !group.is_empty() => {
                Ok(Self { user: user.to_owned(), group: group.to_owned() })
            }
            _ => Err(format!("`{text}` must name user and group: \"haproxy:haproxy\"")),
        }
    }
}

impl Decode for JwtAlgorithm {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let words = [
            ("RS256", Self::Rs256),
            ("RS384", Self::Rs384),
            ("RS512", Self::Rs512),
            ("ES256", Self::Es256),
            ("ES384", Self::Es384),
            ("ES512", Self::Es512),
        ];
        word(value, base, &words)
    }
}

impl Decode for Evidence {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        match text.split_once(':') {
            None if text == "ring" => Ok(Self::Ring),
            Some(("datagram", path)) if path.starts_with('/') => Ok(Self::Datagram(path.into())),
            _ => {
                Err(format!("`{text}` is not a source of evidence: write \"ring\" or \"datagram:/absolute/path.sock\""))
            }
        }
    }
}

impl Decode for Form {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &[("whole", Self::Whole), ("fragment", Self::Fragment)])
    }
}

//! An image reference and the version in it.

/// The reference with another version: a tag, or a digest `ALGORITHM:HEX`.
pub(super) fn with_version(image: &str, version: &str) -> String {
    let (name, _) = parts(image);
    let mark = if is_digest(version) { '@' } else { ':' };
    format!("{name}{mark}{version}")
}

/// The digest where there is one, else the tag, else `latest`.
pub(super) fn version(image: &str) -> &str {
    parts(image).1.unwrap_or("latest")
}

/// The name, and the digest or tag behind it.
fn parts(image: &str) -> (&str, Option<&str>) {
    let (before, digest) = image.split_once('@').map_or((image, None), |(before, digest)| (before, Some(digest)));
    // A colon before the last slash is that of a registry's port.
    let path = before.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match before[path..].split_once(':') {
        Some((_, tag)) => (&before[..before.len() - tag.len() - 1], Some(tag)),
        None => (before, None),
    };
    (name, digest.or(tag))
}

fn is_digest(version: &str) -> bool {
    version.split_once(':').is_some_and(|(algorithm, hex)| !algorithm.is_empty() && hex.len() >= 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_takes_the_place_of_tag_and_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let check = |image: &str, was: &str, new: &str, wanted: &str| {
            assert_eq!(version(image), was, "{image}");
            assert_eq!(with_version(image, new), wanted, "{image} {new}");
        };
        check("api", "latest", "v2", "api:v2");
        check("api:v1", "v1", "v2", "api:v2");
        check("registry:5000/site/api", "latest", "v2", "registry:5000/site/api:v2");
        check("registry:5000/site/api:v1", "v1", &digest, &format!("registry:5000/site/api@{digest}"));
        check(&format!("site/api@{digest}"), &digest, "v2", "site/api:v2");
        check(&format!("site/api:v1@{digest}"), &digest, "v2", "site/api:v2");
    }
}

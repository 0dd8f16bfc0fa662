//! An image reference and the version in it.

/// Characters of a tag, at most.
const LONGEST: usize = 128;

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

/// Refuses what can be neither a tag nor a digest, before anything is written.
pub(super) fn check(version: &str) -> Result<(), String> {
    if is_tag(version) || is_digest(version) {
        return Ok(());
    }
    Err(format!(
        "`{version}` is no image tag (letters, digits, `_`, `.` and `-`, at most {LONGEST}, the first no `.` or `-`) and no digest \
         (`sha256:` and 64 characters of hex)"
    ))
}

fn is_tag(version: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=LONGEST).contains(&version.len()) && version.chars().all(plain) && !version.starts_with(['.', '-'])
}

fn is_digest(version: &str) -> bool {
    version.split_once(':').is_some_and(|(algorithm, hex)| {
        let is_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_name = algorithm.starts_with(|c: char| c.is_ascii_lowercase())
            && algorithm.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        is_name && is_hex && hex.len() >= 32 && (algorithm != "sha256" || hex.len() == 64)
    })
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

    #[test]
    fn what_can_be_no_tag_and_no_digest_is_refused_and_named() {
        let longest = "x".repeat(128);
        let digest = format!("sha256:{}", "0a".repeat(32));
        for good in ["v1.2.3", "latest", "_x", "2026-11-28_1", &longest, &digest] {
            assert_eq!(check(good), Ok(()));
        }
        let (long, short, odd) =
            ("x".repeat(129), format!("sha256:{}", "0a".repeat(16)), format!("sha256:{}", "0g".repeat(32)));
        for bad in ["", "a/b", "a b", "v1+2", "v1@2", "a:b", ".x", "-x", "é", &long, &short, &odd] {
            assert!(check(bad).unwrap_err().starts_with(&format!("`{bad}` is no image tag")));
        }
    }
}

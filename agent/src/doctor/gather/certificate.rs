//! Until when a certificate is good: the one field of X.509 that is needed, read by hand.
//!
//! ```text
//! SEQUENCE { SEQUENCE { [0] version, INTEGER, SEQUENCE, SEQUENCE issuer, SEQUENCE { Time from, Time until }, ...
//! ```
//! A library for certificates would be a dependency for one date. What is not as RFC 5280 has it is an error, never a guess.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// When the first certificate of a PEM file ends.
///
/// # Errors
/// The file cannot be read, or holds none that can be.
pub(super) fn until(path: &Path) -> Result<OffsetDateTime, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LONGEST {
        return Err(format!("{length} bytes are no certificate"));
    }
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| "it holds no certificate in PEM".to_owned())?;
    ends(&certificate).ok_or_else(|| "its end date cannot be read".to_owned())
}

fn ends(der: &[u8]) -> Option<OffsetDateTime> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = element(rest, tag)?.1;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, until) = any(validity)?;
    match *until.first()? {
        UTC_TIME => {
            // Of two digits, RFC 5280: 50 to 99 are of the last century.
            let text = std::str::from_utf8(element(until, UTC_TIME)?.0).ok()?;
            let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
            moment(&format!("{century}{text}"))
        }
        GENERALIZED_TIME => moment(std::str::from_utf8(element(until, GENERALIZED_TIME)?.0).ok()?),
        _ => None,
    }
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    const FORM: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day][hour][minute][second]Z");
    Some(PrimitiveDateTime::parse(text, FORM).ok()?.assume_utc())
}

/// The contents of an element with this tag, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    (*der.first()? == tag).then(|| any(der)).flatten()
}

/// The contents of any element, and what comes after it.
fn any(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match first {
        short @ ..=0x7f => (usize::from(short), rest),
        // A length of one to four bytes; in DER there is no indefinite one.
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn certificate(not_after: OffsetDateTime) -> rcgen::Certificate {
        let mut parameters = rcgen::CertificateParams::new(vec!["flags.internal".to_owned()]).unwrap();
        parameters.not_after = not_after;
        parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn the_end_is_read_from_a_real_certificate_of_either_century_and_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tls.pem");
        for end in
            [datetime!(2027-01-02 03:04:05 UTC), datetime!(1999-12-31 23:59:59 UTC), datetime!(2061-06-01 0:00 UTC)]
        {
            std::fs::write(&file, certificate(end).pem()).unwrap();
            assert_eq!(until(&file), Ok(end));
        }
    }

    #[test]
    fn what_is_no_certificate_is_an_error_wherever_it_is_cut_or_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tls.pem");
        assert!(until(&file).unwrap_err().contains("No such file"));
        std::fs::write(&file, "certificate").unwrap();
        assert_eq!(until(&file).unwrap_err(), "it holds no certificate in PEM");
        let whole = certificate(datetime!(2027-01-02 03:04:05 UTC));
        let whole = whole.der();
        for length in 0..whole.len() {
            assert_eq!(ends(&whole[..length]), None, "cut to {length} bytes");
        }
        // No change makes it panic, or loop.
        for at in 0..whole.len() {
            for value in [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = whole.to_vec();
                changed[at] = value;
                let _ = ends(&changed);
            }
        }
    }
}

//! Kubernetes' quantities (`250m`, `1.5Gi`, `2e3`) in thousandths of their unit.

/// Suffixes and the unit that each stands for, in powers of two and of ten.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// In thousandths, rounded up; none for what is no quantity.
pub(super) fn thousandths(text: &str) -> Option<i128> {
    let suffix = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (number, factor) = suffix.unwrap_or((text, 1.0));
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let value = number.parse::<f64>().ok().filter(|value| plain && value.is_finite())? * factor * 1000.0;
    // A float holds exactly what a cluster has.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the check before it")]
    (value.abs() < 1e30).then(|| value.ceil() as i128)
}

/// For people: bytes of `memory` and storage in the largest unit that divides them, all else as a decimal number.
pub(super) fn shown(resource: &str, thousandths: i128) -> String {
    let is_bytes = ["memory", "storage", "hugepages"].iter().any(|word| resource.contains(word));
    if is_bytes && thousandths % 1000 == 0 {
        let units = [("Gi", 1_i128 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
        let whole = thousandths / 1000;
        let unit = units.iter().find(|(_, size)| whole != 0 && whole % size == 0);
        return unit.map_or_else(|| whole.to_string(), |(unit, size)| format!("{}{unit}", whole / size));
    }
    let (whole, part) = (thousandths / 1000, (thousandths % 1000).abs());
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_api_writes_them() {
        let check = |text, expected| assert_eq!(thousandths(text), expected, "{text}");
        check("1", Some(1000));
        check("250m", Some(250));
        check("0.5", Some(500));
        check("128Mi", Some(134_217_728_000));
        check("1.5Gi", Some(1_610_612_736_000));
        check("2e3", Some(2_000_000));
        check("1k", Some(1_000_000));
        check("1E", Some(1_000_000_000_000_000_000_000));
        check("100u", Some(1));
        for bad in ["", "x", "1x", "inf", "NaN", "Mi"] {
            check(bad, None);
        }
    }

    #[test]
    fn people_read_them_in_the_units_they_write() {
        let check = |resource, text: &str, wanted| assert_eq!(shown(resource, thousandths(text).unwrap()), wanted);
        check("requests.cpu", "1200m", "1.2");
        check("cpu", "2", "2");
        check("cpu", "5m", "0.005");
        check("requests.memory", "512Mi", "512Mi");
        check("memory", "2048Mi", "2Gi");
        check("memory", "1000", "1000");
        check("pods", "3", "3");
        check("memory", "0", "0");
    }
}

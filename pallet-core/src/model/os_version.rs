//! Versions of operating systems: prefixes and ranges.

use std::cmp::Ordering;

/// Whether `version` matches `wanted`: it is equal, it begins with it (`12` also matches `12.4`),
/// or it is in the range (`>=11, <13`). A comparison considers only as many numbers as the bound
/// has, so `<=12` also matches `12.4`.
pub fn version_is(wanted: &str, version: &str) -> bool {
    wanted.split(',').map(str::trim).all(|part| {
        let operator = part.len() - part.trim_start_matches(['<', '>', '=']).len();
        let (operator, bound) = part.split_at(operator);
        let ordering = compare(version, bound.trim());
        match operator {
            ">=" => ordering != Ordering::Less,
            ">" => ordering == Ordering::Greater,
            "<=" => ordering != Ordering::Greater,
            "<" => ordering == Ordering::Less,
            _ => ordering == Ordering::Equal,
        }
    })
}

/// Compares as many parts of `version` as `bound` has.
fn compare(version: &str, bound: &str) -> Ordering {
    let mut parts = version.split('.');
    for wanted in bound.split('.') {
        let Some(part) = parts.next() else { return Ordering::Less };
        let ordering = match (part.parse::<u64>(), wanted.parse::<u64>()) {
            (Ok(part), Ok(wanted)) => part.cmp(&wanted),
            _ => part.cmp(wanted),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::version_is;

    #[test]
    fn a_version_is_wanted_by_its_beginning_or_a_range() {
        for (wanted, version, is) in [
            ("12", "12", true),
            ("12", "12.4", true),
            ("12.4", "12", false),
            ("1", "12", false),
            (">=11, <13", "12.4", true),
            (">=11, <13", "13", false),
            (">=11", "9.4", false),
            ("<=12", "12.4", true),
            (">12", "12.4", false),
            (">22.04", "22.10", true),
            ("=9", "9.4", true),
            ("rolling", "rolling", true),
            ("12", "", false),
        ] {
            assert_eq!(version_is(wanted, version), is, "{wanted} {version}");
        }
    }
}

//! Checks search domains and options of resolv.conf.

use pallet_core::prelude::*;

/// Options with a number, and the largest that the C library uses.
const NUMBERS: &[(&str, u8)] = &[("ndots", 15), ("timeout", 30), ("attempts", 5)];

const WORDS: &[&str] = &[
    "debug",
    "edns0",
    "inet6",
    "no-aaaa",
    "no-check-names",
    "no-reload",
    "no-tld-query",
    "rotate",
    "single-request",
    "single-request-reopen",
    "trust-ad",
    "use-vc",
];

/// Refuses what the C library would ignore.
pub(crate) fn check_option(option: &str) -> Result<()> {
    if let Some((name, value)) = option.split_once(':')
        && let Some((_, most)) = NUMBERS.iter().find(|(known, _)| *known == name)
    {
        ensure!(
            value.parse::<u8>().is_ok_and(|number| number <= *most),
            "the option {option:?} is out of range: {name} is 0 to {most}"
        );
        return Ok(());
    }
    ensure!(
        WORDS.contains(&option),
        "{option:?} is no option of the resolver; there are {}, ndots:N, timeout:N, attempts:N",
        WORDS.join(", ")
    );
    Ok(())
}

/// Refuses what is no domain.
pub(crate) fn check_domain(domain: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let parts = domain.strip_suffix('.').unwrap_or(domain).split('.');
    let right = |part: &str| !part.is_empty() && part.len() <= 63 && part.chars().all(good);
    ensure!(
        domain.len() <= 253 && parts.into_iter().all(right),
        "the search domain {domain:?} is no domain"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_options_pass() {
        for good in ["ndots:15", "rotate", "timeout:1"] {
            assert!(check_option(good).is_ok(), "{good}");
        }
        for bad in ["", "ndots", "ndots:16", "ndots:", "ndots:1 x", "rotate\n", "attempts:-1"] {
            assert!(check_option(bad).is_err(), "{bad:?}");
        }
        assert!(check_domain("a-b.example.").is_ok() && check_domain("a..b").is_err());
    }
}

//! Addresses and names of what is scraped.

use pallet_core::prelude::*;

/// Refuses what cannot be a host or an address, with or without a port.
pub(crate) fn check_address(address: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    ensure!(
        !address.is_empty() && !address.starts_with('-') && address.chars().all(good),
        "{address:?} is no address: give a host or an address, with or without a port"
    );
    Ok(())
}

/// An address with a port.
pub(crate) fn with_port(address: &str, port: u16) -> String {
    match address.contains(':') && !address.starts_with('[') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

/// Refuses what is no duration of Prometheus: `15s`, `1h30m`.
pub(crate) fn check_duration(what: &str, value: &str) -> Result<()> {
    let mut rest = value;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = ["ms", "s", "m", "h", "d", "w", "y"]
            .into_iter()
            .find(|unit| rest[digits..].starts_with(*unit));
        let (true, Some(unit)) = (digits > 0, unit) else {
            break;
        };
        rest = &rest[digits + unit.len()..];
        parts += 1;
    }
    ensure!(
        parts > 0 && rest.is_empty(),
        "the {what} {value:?} is no duration: write it as 15s, 5m or 1h30m"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for good in ["15s", "1h30m", "500ms", "1y"] {
            assert!(check_duration("interval", good).is_ok(), "{good}");
        }
        for bad in ["", "15", "s", "1.5h", "15 s", "1x"] {
            assert!(check_duration("interval", bad).is_err(), "{bad:?}");
        }
        assert_eq!(with_port("2001:db8::1", 1), "[2001:db8::1]:1");
        assert!(check_address("a b").is_err() && check_address("[::1]:9").is_ok());
    }
}

//! Checks names of hosts.

use pallet_core::prelude::*;

/// Refuses what is no host name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let right = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    ensure!(
        name.len() <= 253 && name.split('.').all(right),
        "{name:?} is no host name: use letters, digits, - and _, with dots between the parts"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn only_host_names_pass() {
        for name in ["web-1", "a.example.com", "db_1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a\n192.0.2.1 b", "-a", "a..b", "a#", "ä"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}

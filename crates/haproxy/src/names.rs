//! Checks names and values for HAProxy's configuration.

use pallet_core::prelude::*;

/// Refuses an invalid name of a proxy, which is also the name of a file.
pub(crate) fn check_proxy(name: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(good),
        "{name:?} cannot name a proxy: begin with a letter or a digit, and use letters, digits, \
         -, _ and ."
    );
    Ok(())
}

/// Refuses what cannot be the name or the address of a server.
pub(crate) fn check_server(server: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.:[]".contains(character);
    ensure!(
        server.starts_with(|first: char| first != '-') && server.chars().all(good),
        "{server:?} cannot be a server: give the name of a node, or an address with or without \
         a port"
    );
    Ok(())
}

/// Refuses text that is not one word of a line of the configuration.
pub(crate) fn check_word(what: &str, value: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_graphic() && !"\"'\\#$%".contains(character);
    ensure!(
        !value.is_empty() && value.chars().all(good),
        "the {what} {value:?} cannot stand in HAProxy's configuration"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for name in ["", "a b", "a\nb", "../a", ".a", "-a", "a'", "ä"] {
            assert!(check_proxy(name).is_err(), "{name:?}");
        }
        for server in ["", "a b", "a\nb", "-f", "a;", "a'", "a\"", "$(a)", "a/b"] {
            assert!(check_server(server).is_err(), "{server:?}");
        }
        for word in ["", "a b", "a\nb", "a#", "$HOME", "a\"b", "a\u{7f}"] {
            assert!(check_word("path", word).is_err(), "{word:?}");
        }
    }

    #[test]
    fn good_names_pass() {
        for server in ["web-1", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1", "a.example"] {
            assert!(check_server(server).is_ok(), "{server}");
        }
        assert!(check_proxy("app_2.x").is_ok() && check_word("path", "/health?a=b").is_ok());
    }
}

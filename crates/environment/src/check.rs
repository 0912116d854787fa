//! Checks names and values of environment variables.

use pallet_core::prelude::*;

/// Refuses what cannot name an environment variable in every shell.
pub(crate) fn check_variable(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ensure!(
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(good),
        "{name:?} cannot name an environment variable: use letters, digits and _, and begin with a \
         letter or _"
    );
    Ok(())
}

/// Refuses a secret: every user can read the files of this crate.
pub(crate) fn check_public(name: &str, value: &str) -> Result<()> {
    let secret = replace_secrets(value, |_| Result::<_>::Ok(String::new()))?.is_some();
    ensure!(!secret, "{name} would be a secret that every user can read; give it to one service");
    ensure!(!value.contains(['\n', '\r', '\0']), "the value of {name} must be one line");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_variable_is_refused() {
        for name in ["", "1A", "A-B", "A B", "A=", "A\n", "Ä"] {
            assert!(check_variable(name).is_err(), "{name:?}");
        }
        assert!(check_variable("_A1").is_ok() && check_public("A", "b c").is_ok());
        assert!(check_public("A", "a\nB=c").is_err());
        let error = check_public("A", &secret_placeholder("x")).unwrap_err().to_string();
        assert!(error.contains("every user can read"), "{error}");
    }
}

//! Checks names, words and environments.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

/// Refuses what is no name of a container, a network or a volume.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    check_file_name(what, name)?;
    ensure!(
        name.starts_with(|first: char| first.is_ascii_alphanumeric()),
        "{name:?} cannot name {what}: begin with a letter or a digit"
    );
    Ok(())
}

/// Refuses what cannot name an image: `[REGISTRY/]NAME[:TAG][@DIGEST]`.
pub(crate) fn check_image(image: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    ensure!(
        image.starts_with(|first: char| first.is_ascii_alphanumeric())
            && image.chars().all(good)
            && image.len() <= 300,
        "{image:?} cannot name an image"
    );
    Ok(())
}

/// Refuses what is not one word in one line.
pub(crate) fn check_line(what: &str, text: &str) -> Result<()> {
    ensure!(
        !text.trim().is_empty() && !text.contains(['\n', '\r', '\0']),
        "the {what} {text:?} is empty, or more than one line"
    );
    Ok(())
}

/// A secret would stand in a command line, where all users of the node see it.
pub(crate) fn refuse_secret(what: &str, text: &str) -> Result<()> {
    let found = replace_secrets(text, |_| Result::<_>::Ok(String::new()))?.is_some();
    ensure!(!found, "{what} would show a secret to every user; put it into the environment");
    Ok(())
}

/// A file of environment variables, whose values Docker takes literally.
pub(crate) fn environment(variables: &BTreeMap<String, String>) -> Result<String> {
    let mut out = "# written by pallet\n".to_owned();
    for (name, value) in variables {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        ensure!(
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(good),
            "{name:?} cannot name an environment variable"
        );
        ensure!(
            !value.contains(['\n', '\r', '\0']),
            "the value of {name} is more than one line, which Docker cannot read from a file"
        );
        writeln!(out, "{name}={value}")?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_checked() {
        for good in ["app", "registry.example:5000/team/app:1.0", "a@sha256:00"] {
            assert!(check_image(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a;b", "a\n"] {
            assert!(check_image(bad).is_err(), "{bad:?}");
            assert!(check_name("a container", bad).is_err(), "{bad:?}");
        }
        let of = |name: &str, value: &str| environment(&[(name.into(), value.into())].into());
        assert_eq!(of("A", "b $c").unwrap(), "# written by pallet\nA=b $c\n");
        assert!(of("A", "b\nC=d").is_err() && of("A B", "c").is_err());
        assert!(refuse_secret("command", &secret_placeholder("x")).is_err());
    }
}

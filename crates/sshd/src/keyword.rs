//! The keywords of sshd_config and their values.

use std::fmt::Write;

use pallet_core::prelude::*;

/// A value of a setting, or a list of them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Setting {
    One(Scalar),
    Several(Vec<Scalar>),
}

/// A value.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Scalar {
    Text(String),
    Number(i64),
    Switch(bool),
}

/// Keywords that are repeated for each value.
const REPEATED: [&str; 9] = [
    "port",
    "listenaddress",
    "hostkey",
    "hostcertificate",
    "subsystem",
    "setenv",
    "acceptenv",
    "permitlisten",
    "permitopen",
];

/// Keywords whose values are joined by commas.
const JOINED: [&str; 8] = [
    "ciphers",
    "macs",
    "kexalgorithms",
    "hostkeyalgorithms",
    "pubkeyacceptedalgorithms",
    "casignaturealgorithms",
    "hostbasedacceptedalgorithms",
    "pubkeyauthoptions",
];

/// The lines of one setting.
pub(crate) fn lines(keyword: &str, setting: &Setting) -> Result<String> {
    check_keyword(keyword)?;
    let values = match setting {
        Setting::One(value) => std::slice::from_ref(value),
        Setting::Several(values) => values.as_slice(),
    };
    ensure!(!values.is_empty(), "{keyword} has no value");
    let values = values.iter().map(|value| text(keyword, value)).collect::<Result<Vec<_>>>()?;
    let lower = keyword.to_ascii_lowercase();
    let mut out = String::new();
    if REPEATED.contains(&lower.as_str()) {
        for value in values {
            writeln!(out, "{keyword} {value}")?;
        }
    } else {
        let between = if JOINED.contains(&lower.as_str()) { "," } else { " " };
        writeln!(out, "{keyword} {}", values.join(between))?;
    }
    Ok(out)
}

fn check_keyword(keyword: &str) -> Result<()> {
    ensure!(
        !keyword.is_empty() && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{keyword:?} cannot be a keyword of sshd_config"
    );
    ensure!(
        !["match", "include"].contains(&keyword.to_ascii_lowercase().as_str()),
        "{keyword} is no setting; use sshd.match_block, or one call for each setting"
    );
    Ok(())
}

fn text(keyword: &str, value: &Scalar) -> Result<String> {
    Ok(match value {
        Scalar::Text(text) => one_line(keyword, text)?.to_owned(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Switch(true) => "yes".to_owned(),
        Scalar::Switch(false) => "no".to_owned(),
    })
}

/// Refuses what would not be the rest of one line.
pub(crate) fn one_line<'a>(what: &str, value: &'a str) -> Result<&'a str> {
    ensure!(
        !value.trim().is_empty() && !value.chars().any(char::is_control),
        "{what} must be one line without control characters, this is {value:?}"
    );
    Ok(value)
}

/// Refuses what is no pattern for the name of a user or a group.
pub(crate) fn check_pattern(what: &str, pattern: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@*?:/$+".contains(&byte);
    ensure!(
        !pattern.is_empty() && !pattern.starts_with('-') && pattern.bytes().all(good),
        "{pattern:?} cannot be a {what}: write a name, in which * and ? match any text, with \
         @ADDRESS where needed"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(keyword: &str, value: Value) -> Result<String> {
        lines(keyword, &Setting::deserialize(value)?)
    }

    #[test]
    fn lists_are_written_as_the_keyword_wants_them() {
        assert_eq!(made("Port", json!([22, 2222])).unwrap(), "Port 22\nPort 2222\n");
        assert_eq!(made("AllowUsers", json!(["ann", "bob"])).unwrap(), "AllowUsers ann bob\n");
        assert_eq!(made("Ciphers", json!(["a", "b"])).unwrap(), "Ciphers a,b\n");
        assert_eq!(made("X11Forwarding", json!(false)).unwrap(), "X11Forwarding no\n");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for (keyword, value) in [
            ("Match", json!("User a")),
            ("include", json!("/etc/a")),
            ("Port 22\nPermitRootLogin", json!("yes")),
            ("Banner", json!("/etc/a\nPermitRootLogin yes")),
            ("Banner", json!("")),
            ("AllowUsers", json!([])),
        ] {
            assert!(made(keyword, value).is_err(), "{keyword}");
        }
        for pattern in ["", "a b", "a\nb", "-a", "a;"] {
            assert!(check_pattern("user", pattern).is_err(), "{pattern:?}");
        }
        assert!(check_pattern("user", "deploy-*@10.0.0.0/8").is_ok());
    }
}

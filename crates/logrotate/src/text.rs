//! Checks text for logrotate's configuration.

use pallet_core::prelude::*;

/// How often files are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Frequency {
    /// Each hour, where `logrotate.schedule` runs it hourly.
    Hourly,
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each year.
    Yearly,
}

impl Frequency {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Frequency::Hourly => "hourly",
            Frequency::Daily => "daily",
            Frequency::Weekly => "weekly",
            Frequency::Monthly => "monthly",
            Frequency::Yearly => "yearly",
        }
    }
}

/// Refuses what is not one absolute path, which may have `*`, `?` and `[...]`.
pub(crate) fn check_path(path: &str) -> Result<()> {
    ensure!(
        path.starts_with('/') && !path.contains(|c: char| c.is_control() || "\"'{}#\\".contains(c)),
        "{path:?} cannot be rotated: give an absolute path without quotes, braces, # and \\"
    );
    Ok(())
}

/// Refuses what is not one word.
pub(crate) fn check_word(what: &str, value: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_graphic() && !"\"'{}#\\".contains(c);
    ensure!(
        !value.is_empty() && value.chars().all(good),
        "the {what} {value:?} cannot stand in logrotate's configuration"
    );
    Ok(())
}

/// Refuses what is no size: a number, with k, M or G for units of 1024.
pub(crate) fn check_size(what: &str, value: &str) -> Result<()> {
    let digits = value.strip_suffix(['k', 'M', 'G']).unwrap_or(value);
    ensure!(
        !digits.is_empty()
            && digits.len() <= 12
            && digits.bytes().all(|byte| byte.is_ascii_digit()),
        "the {what} {value:?} is no size: write a number of bytes, or one with k, M or G"
    );
    Ok(())
}

/// Refuses permissions that are not three or four octal digits.
pub(crate) fn check_mode(value: &str) -> Result<()> {
    ensure!(
        (3..=4).contains(&value.len()) && value.bytes().all(|byte| (b'0'..=b'7').contains(&byte)),
        "the mode {value:?} is none: write it in octal, as \"0640\""
    );
    Ok(())
}

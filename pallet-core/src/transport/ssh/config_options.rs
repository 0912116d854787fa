//! The options of the ssh configuration that apply to a host.

use std::time::Duration;

use super::super::TransportError;

/// An option that applies to the host.
#[derive(Debug, Clone)]
pub(super) struct ConfigOption {
    /// In lower case.
    pub(super) key: String,
    /// The first word of the value.
    pub(super) value: String,
    pub(super) words: Vec<String>,
    /// The rest of the line after the key, as written.
    pub(super) rest: String,
    /// File and line.
    pub(super) place: String,
}

impl ConfigOption {
    /// An error about this option.
    pub(super) fn error(&self, why: &str) -> TransportError {
        TransportError::Config {
            message: format!("{}: {} {} {why}", self.place, self.key, self.rest),
        }
    }

    pub(super) fn is_yes(&self) -> bool {
        matches!(self.value.to_ascii_lowercase().as_str(), "yes" | "true")
    }

    /// Parses `30`, `1m30s` or `2h`; `none` is `None`.
    pub(super) fn duration(&self) -> Result<Option<Duration>, TransportError> {
        if self.value.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        let (mut total, mut number) = (0, None);
        for char in self.value.chars() {
            let unit = match char.to_ascii_lowercase() {
                '0'..='9' => {
                    let digit = u64::from(char as u8 - b'0');
                    number = Some(number.unwrap_or(0u64).saturating_mul(10).saturating_add(digit));
                    continue;
                }
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86400,
                'w' => 604_800,
                _ => return Err(self.error("is not a time")),
            };
            let count = number.take().ok_or_else(|| self.error("is not a time"))?;
            total += count.saturating_mul(unit);
        }
        Ok(Some(Duration::from_secs(total + number.unwrap_or(0))))
    }
}

/// The options that apply to a host, in order.
#[derive(Debug, Default)]
pub(super) struct ConfigOptions(pub(super) Vec<ConfigOption>);

impl ConfigOptions {
    pub(super) fn first(&self, key: &str) -> Option<&ConfigOption> {
        self.first_of(&[key])
    }

    pub(super) fn first_of(&self, keys: &[&str]) -> Option<&ConfigOption> {
        self.0.iter().find(|option| keys.contains(&option.key.as_str()))
    }

    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a ConfigOption> {
        self.0.iter().filter(move |option| option.key == key)
    }
}

//! The names that users and groups may have.

use super::ActionError;

/// Refuses an invalid name of a user or a group.
pub(super) fn require_account_name(action: &str, name: &str) -> Result<(), ActionError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts && name.len() <= 32 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(ActionError::arguments(
        action,
        format!("{name:?} is not a name that a user or group can have"),
    ))
}

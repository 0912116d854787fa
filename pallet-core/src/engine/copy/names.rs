//! Names of copied files.

use std::collections::BTreeSet;

use crate::engine::EngineError;

/// The last part of a path, which names its copy. `None` if there is none.
pub(super) fn base_name(path: &str) -> Option<&str> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// Refuses two sources with the same name.
pub(super) fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), EngineError> {
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(EngineError::Refused(format!(
            "two sources are named {name}: one would replace the other"
        ))),
        None => Ok(()),
    }
}

/// Refuses a path on a node that is not absolute.
pub(super) fn check_target(path: &str) -> Result<(), EngineError> {
    match (path.starts_with('/'), path.contains('\0')) {
        (true, false) => Ok(()),
        (false, _) => {
            Err(EngineError::Refused(format!("{path:?}: a path on a node must be absolute")))
        }
        (_, true) => Err(EngineError::Refused(format!("{path:?} holds a NUL character"))),
    }
}

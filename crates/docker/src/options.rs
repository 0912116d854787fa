//! Options of `docker network create` and `docker volume create`.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::check::{check_line, refuse_secret};

/// `--NAME=KEY=VALUE` for each, checked.
pub(crate) fn pairs(name: &str, values: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for (key, value) in values {
        check_line(name, key)?;
        check_line(name, value)?;
        ensure!(!key.contains(['=', ' ']), "the {name} {key:?} has a space or a `=`");
        refuse_secret(name, value)?;
        words.push(format!("--{name}={key}={value}"));
    }
    Ok(words)
}

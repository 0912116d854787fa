//! `with_admin_user`: changes the admin user for a while.

use std::path::PathBuf;

use serde_json::Value as Json;
use starlark::values::Value;

use super::super::call::Call;
use crate::project::config::AdminUserConfig;
use crate::project::star::FunctionError;
use crate::project::star::plain_data::{describe, to_json};

pub(super) fn with_admin_user<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let user = call.value("user").unwrap_or_else(Value::new_none);
    let user = read(&call, user)?;
    let before = call.session.admin_user(user);
    let Some(function) = call.value("function") else { return Ok(Value::new_none()) };
    let result = call.evaluator.eval_function(function, &[], &[]);
    call.session.admin_user(before);
    result
}

/// The user that a value describes; omitted keys are those of pallet.toml.
fn read(
    call: &Call<'_, '_, '_, '_>,
    value: Value<'_>,
) -> Result<Option<AdminUserConfig>, FunctionError> {
    if value.is_none() {
        return Ok(None);
    }
    let mut user = call.session.configured_admin_user();
    if let Some(name) = value.unpack_str() {
        return Ok(Some(AdminUserConfig { name: Some(name.to_owned()), ..user }));
    }
    let wrong = || {
        call.complaint(format!(
            "`user` must be the name of a user, or a dict that describes one, not {}",
            describe(value)
        ))
    };
    let Json::Object(table) = to_json(value).map_err(|_| wrong())? else { return Err(wrong()) };
    for (key, value) in table {
        match (key.as_str(), value) {
            ("name", Json::String(name)) => user.name = Some(name),
            ("no_sudo", Json::Bool(no_sudo)) => user.no_sudo = Some(no_sudo),
            ("identity_files", Json::Array(files)) if files.iter().all(Json::is_string) => {
                user.identity_files =
                    files.iter().filter_map(Json::as_str).map(PathBuf::from).collect();
            }
            ("password" | "sudo_password", _) => {
                let help = "refer to it in [admin_user] of pallet.toml".to_owned();
                return Err(call
                    .complaint(format!(
                        "`user.{key}` is not allowed: secrets do not belong in code"
                    ))
                    .help(help));
            }
            ("name" | "no_sudo" | "identity_files", value) => {
                return Err(call.complaint(format!("`user.{key}` cannot be {value}")));
            }
            _ => {
                let help = crate::diagnostic::did_you_mean_or_list(
                    &key,
                    &["name", "identity_files", "no_sudo"],
                    "there are",
                );
                return Err(call.complaint(format!("`user` has no key `{key}`")).help(help));
            }
        }
    }
    Ok(Some(user))
}

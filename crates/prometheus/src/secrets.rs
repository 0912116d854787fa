//! Secrets, each in a file of its own, which configurations name.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

/// Writes each secret to a file that only a group can read.
pub(crate) fn put(
    request: &mut Request,
    directory: &str,
    group: &str,
    secrets: &BTreeMap<String, String>,
    flag: &str,
) -> Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    request.add(Directory::at(directory).owner("root").group(group).mode(0o750))?;
    for (name, value) in secrets {
        check_file_name("a secret", name)?;
        let file = RemoteFile::content(format!("{directory}/{name}"), value.clone());
        request.add_with(
            file.owner("root").group(group).mode(0o640),
            Options::new().flag_on_change(flag),
        )?;
    }
    Ok(())
}

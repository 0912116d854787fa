//! Variables of all sessions: lines of `/etc/environment`, which PAM reads at login.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::check::{check_public, check_variable};

const FILE: &str = "/etc/environment";

parameters! {
    /// Sets variables in `/etc/environment`, which every login session has, whatever its shell. The
    /// rest of the file is kept. Running sessions and services keep what they have.
    ///
    /// Example: `environment.variables(request, {"EDITOR": "vim", "HTTP_PROXY": "http://proxy:3128"})`
    pub(crate) struct Variables {
        /// The variables and their values. PAM has no way to escape quotes, `$`, `#` or `\`: use
        /// `profile` for such values.
        variables: BTreeMap<String, String>,
        /// Variables to remove from the file.
        #[serde(default)]
        remove: Vec<String>,
    }
}

pub(crate) fn variables(request: &mut Request, arguments: Variables) -> Result<()> {
    let Variables { variables, remove } = arguments;
    ensure!(!variables.is_empty() || !remove.is_empty(), "variables: name at least one variable");
    for (name, value) in &variables {
        check_variable(name)?;
        check_public(name, value)?;
        ensure!(
            !value.contains(['"', '\'', '\\', '$', '`', '#']),
            "the value {value:?} of {name} cannot stand in {FILE}; use environment.profile"
        );
        ensure!(!remove.contains(name), "{name} is both set and removed");
        request.add(
            LineInFile::new(FILE, format!("{name}=\"{value}\"")).matching(lines_of(name)).create(),
        )?;
    }
    for name in &remove {
        check_variable(name)?;
        request
            .add(LineInFile { create: true, ..LineInFile::none_matching(FILE, lines_of(name)) })?;
    }
    Ok(())
}

/// An expression that matches the lines that set a variable.
fn lines_of(name: &str) -> String {
    format!("^[[:blank:]]*(export[[:blank:]]+)?{name}=")
}

#[cfg(test)]
mod tests {
    use super::super::Environments;
    use super::*;

    #[test]
    fn each_variable_is_one_line() {
        let mut recorder = Recorder::<Environments>::on("debian 12");
        let arguments = json!({"variables": {"B": "x y", "A": "1"}, "remove": ["C"]});
        recorder.call("variables", arguments).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "line_in_file /etc/environment: A=\"1\"",
                "line_in_file /etc/environment: B=\"x y\"",
                "line_in_file /etc/environment: ^[[:blank:]]*(export[[:blank:]]+)?C=",
            ]
        );
    }

    #[test]
    fn what_pam_cannot_read_is_refused() {
        for (arguments, said) in [
            (json!({"variables": {}}), "at least one variable"),
            (json!({"variables": {"A": "a\"b"}}), "use environment.profile"),
            (json!({"variables": {"A": "a # b"}}), "use environment.profile"),
            (json!({"variables": {"A": "a\nB=1"}}), "must be one line"),
            (json!({"variables": {"A-B": "a"}}), "cannot name an environment variable"),
            (json!({"variables": {"A": "a"}, "remove": ["A"]}), "both set and removed"),
        ] {
            let mut recorder = Recorder::<Environments>::on("debian 12");
            let error = recorder.call("variables", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}

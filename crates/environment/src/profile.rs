//! Scripts in `/etc/profile.d`, which login shells run.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::check::{check_public, check_variable};

parameters! {
    /// Writes a script to `/etc/profile.d`, which login shells run: variables with any value, and
    /// directories of the search path. `sh -n` checks it before it takes its place.
    ///
    /// Example: `environment.profile(request, "java", variables = {"JAVA_HOME": "/opt/java"}, path = ["/opt/java/bin"])`
    pub(crate) struct Profile {
        /// Names the file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The variables and their values, which are taken literally.
        #[serde(default)]
        variables: BTreeMap<String, String>,
        /// Directories to put before the others of `PATH`.
        #[serde(default)]
        path: Vec<String>,
        /// Directories to put after the others of `PATH`.
        #[serde(default)]
        path_after: Vec<String>,
        /// More lines, in the language of `sh`.
        #[serde(default)]
        script: String,
        /// `create`, or `delete` the file.
        #[serde(default)]
        action: Existence,
    }
}

pub(crate) fn profile(request: &mut Request, profile: Profile) -> Result<()> {
    check_file_name("a profile", &profile.name)?;
    let path = format!("/etc/profile.d/{}.sh", profile.name);
    if profile.action == Existence::Delete {
        return request.add(File::at(path).absent());
    }
    let content = render(&profile)?;
    request.add(
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644).verify("sh -n"),
    )
}

fn render(profile: &Profile) -> Result<String> {
    let mut out = "# written by pallet\n".to_owned();
    for (name, value) in &profile.variables {
        check_variable(name)?;
        check_public(name, value)?;
        writeln!(out, "export {name}={}", quote(value))?;
    }
    // a nested login shell would add them again
    for (directories, joined) in
        [(&profile.path, "$directory:$PATH"), (&profile.path_after, "$PATH:$directory")]
    {
        for directory in directories {
            check_public("PATH", directory)?;
            ensure!(
                directory.starts_with('/') && !directory.contains(':'),
                "{directory:?} cannot be part of PATH: give an absolute path without `:`"
            );
            writeln!(
                out,
                "directory={}\ncase \":$PATH:\" in\n  *\":$directory:\"*) ;;\n  \
                 *) export PATH=\"{joined}\" ;;\nesac\nunset directory",
                quote(directory)
            )?;
        }
    }
    check_public("script", &profile.script.replace('\n', " "))?;
    if !profile.script.is_empty() {
        writeln!(out, "{}", profile.script.trim_end_matches('\n'))?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Environments;
    use super::*;

    fn content(arguments: Value) -> String {
        let mut recorder = Recorder::<Environments>::on("debian 12");
        recorder.call("profile", arguments).unwrap();
        let file = recorder.actions().remove(0);
        assert_eq!(file.subject, "/etc/profile.d/java.sh");
        file.arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_value_is_taken_literally() {
        let text = content(json!({"name": "java", "variables": {"A": "it's $HOME", "B": ""}}));
        assert_eq!(text, "# written by pallet\nexport A='it'\\''s $HOME'\nexport B=''\n");
    }

    #[test]
    fn a_directory_is_in_the_path_once() {
        let text = content(json!({"name": "java", "path": ["/opt/a b"], "path_after": ["/z"]}));
        let script = format!("PATH=/bin; {text}{text} printf '%s' \"$PATH\"");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "/opt/a b:/bin:/z");
    }

    #[test]
    fn what_makes_no_profile_is_refused() {
        for (arguments, said) in [
            (json!({"name": "../a"}), "cannot name a profile"),
            (json!({"name": "a", "path": ["bin"]}), "absolute path"),
            (json!({"name": "a", "path": ["/a:/b"]}), "absolute path"),
            (json!({"name": "a", "variables": {"A": secret_placeholder("x")}}), "every user"),
            (json!({"name": "a", "script": secret_placeholder("x")}), "every user"),
        ] {
            let error =
                Recorder::<Environments>::on("debian 12").call("profile", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}

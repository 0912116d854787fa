//! The variables of an application, which may hold secrets.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::names::{changed, check_app, environment_file};
use super::program::{command, put};

/// How the placeholder of a secret begins.
const SECRET: &str = "⟦secret:";

parameters! {
    /// Sets the environment variables of an application, in a file that only root can read and
    /// that systemd passes to its service.
    ///
    /// The service restarts if they change: `app_deploy.release` or `app_deploy.run`, called later
    /// in the phase, restarts it.
    ///
    /// Example: `app_deploy.environment(request, "hello", {"DATABASE_URL": "postgres://app:" + secret("db") + "@db/app"})`
    pub(crate) struct Environment {
        /// Name of the application.
        name: String,
        /// Variables, all of them: others are removed. Values may hold secrets, which must not
        /// have a single quote.
        variables: BTreeMap<String, String>,
    }
}

pub(crate) fn environment(request: &mut Request, environment: Environment) -> Result<()> {
    let Environment { name, variables } = environment;
    check_app(&name)?;
    let text = render(&variables)?;
    put(request)?;
    request.add(Directory::at("/etc/app-deploy").owner("root").group("root").mode(0o755))?;
    let mut file = RemoteFile::content(environment_file(&name), text);
    file = file.owner("root").group("root").mode(0o600);
    if !variables.is_empty() {
        let names = variables.keys().map(String::as_str);
        let check: Vec<&str> = ["check-environment"].into_iter().chain(names).collect();
        file = file.verify(command(&check));
    }
    request.add_with(file, Options::new().flag_on_change(changed(&name)))
}

fn render(variables: &BTreeMap<String, String>) -> Result<String> {
    let mut out = String::new();
    for (name, value) in variables {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ensure!(
            !name.is_empty()
                && name.bytes().all(good)
                && !name.starts_with(|first: char| first.is_ascii_digit()),
            "{name:?} is not a name of an environment variable"
        );
        ensure!(!value.contains('\0'), "the value of {name} holds a NUL character");
        writeln!(out, "{name}={}", quoted(name, value)?)?;
    }
    Ok(out)
}

/// A value in quotes. A secret is not known here, so it stands in single quotes, in which nothing
/// but a single quote has a meaning; the node checks that there is none.
fn quoted(name: &str, value: &str) -> Result<String> {
    if value.contains(SECRET) {
        ensure!(
            !value.contains('\''),
            "the value of {name} has a secret and a single quote; a file of variables cannot have \
             both"
        );
        return Ok(format!("'{value}'"));
    }
    let mut out = String::from("\"");
    for character in value.chars() {
        if "\"\\`$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    Ok(out + "\"")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::super::AppDeploy;
    use super::*;

    fn text(variables: Value) -> String {
        render(&BTreeMap::deserialize(variables).unwrap()).unwrap()
    }

    #[test]
    fn values_keep_their_meaning() {
        assert_eq!(
            text(json!({"A": "it's $5 \"now\" \\", "B": format!("x{}", "⟦secret:db⟧")})),
            "A=\"it's \\$5 \\\"now\\\" \\\\\"\nB='x⟦secret:db⟧'\n"
        );
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for name in ["", "1A", "A B", "A=B", "A\nB", "É"] {
            let mut recorder = Recorder::<AppDeploy>::on("debian 12");
            let arguments = json!({"name": "hello", "variables": {name: "x"}});
            let error = recorder.call("environment", arguments).unwrap_err().to_string();
            assert!(error.contains("is not a name of an environment variable"), "{error}");
        }
        assert!(quoted("A", "'⟦secret:a⟧").is_err());
    }

    /// What the program on the node says of a file.
    fn checked(names: &[&str], text: &str) -> bool {
        let mut file = std::env::temp_dir();
        file.push(format!("pallet-app-deploy-{}-{}", std::process::id(), text.len()));
        std::fs::write(&file, text).unwrap();
        let mut sh = Command::new("sh")
            .args(["-s", "check-environment"])
            .args(names)
            .arg(&file)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sh.stdin.take().unwrap().write_all(include_bytes!("app-deploy.sh")).unwrap();
        let good = sh.wait().unwrap().success();
        std::fs::remove_file(&file).unwrap();
        good
    }

    #[test]
    fn the_node_finds_secrets_that_end_their_quotes() {
        let tricky = text(json!({"A": "\"\\`$'\n=", "B": "", "C": "x'\nD='"}));
        assert!(checked(&["A", "B", "C"], &tricky), "{tricky}");
        assert!(checked(&["A", "B"], "A='a\n\"b\\'\nB='$x'\n"));
        for bad in [
            "A='it's'\nB='x'\n",
            "A='x'\nLD_PRELOAD='y'\nB='z'\n",
            "A='x'\nB='y'\nC='z'\n",
            "A='x'\n",
            "A='x'\nB='y\n",
            "A=x\nB='y'\n",
            "A=\"x\nB='y'\n",
        ] {
            assert!(!checked(&["A", "B"], bad), "{bad}");
        }
    }
}

//! A program of Node.js as a service.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::project::{changed, check_directory};

parameters! {
    /// Runs a program of Node.js as a systemd service, and restarts it if its dependencies, its
    /// variables or the unit changed.
    ///
    /// The service is that of `app_deploy.unit`: hardened, with a user of its own. Call
    /// `nodejs.project` before, if it has dependencies.
    ///
    /// Example: `nodejs.application(request, "hello", "/srv/hello", script = "server.js", environment = {"PORT": "3000"})`
    pub(crate) struct Application {
        /// Name of the application and of its service.
        name: String,
        /// Directory of the project.
        directory: String,
        /// File to run, as a path in the directory.
        #[serde(default = "index")]
        script: String,
        /// Arguments, on one line.
        #[serde(default)]
        arguments: Option<String>,
        /// Options of node, on one line, such as `--max-old-space-size=512`.
        #[serde(default)]
        node_options: Option<String>,
        /// User that runs it. Created if missing. Default: `name`.
        #[serde(default)]
        user: Option<String>,
        /// Environment variables. May hold secrets. `NODE_ENV` is `production` unless set.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Further parameters of `app_deploy.unit`, such as `{"memory": "512M"}`.
        #[serde(default)]
        unit: BTreeMap<String, Value>,
    }
}

fn index() -> String {
    "index.js".to_owned()
}

pub(crate) fn application(request: &mut Request, application: Application) -> Result<()> {
    let Application { name, directory, .. } = &application;
    check_directory(directory)?;
    let command = command(&application)?;
    let mut unit = application.unit.clone();
    for own in ["name", "command", "directory", "user"] {
        ensure!(!unit.contains_key(own), "{own} of `unit` is a parameter of nodejs.application");
    }
    unit.insert("name".into(), json!(name));
    unit.insert("command".into(), json!(command));
    unit.insert("directory".into(), json!(directory));
    unit.insert("user".into(), json!(application.user.as_ref().unwrap_or(name)));
    let mut variables = application.environment.clone();
    variables.entry("NODE_ENV".into()).or_insert_with(|| "production".into());
    let variables = json!({"name": name, "variables": variables});
    request.call("app-deploy", "environment", variables)?;
    request.call("app-deploy", "unit", unit)?;
    // a service has one flag; that of the dependencies sets it
    let what = format!("the dependencies of {directory} changed: restart {name}");
    let options =
        Options::new().if_flag(changed(directory)).flag_on_change(format!("app-deploy-{name}"));
    request.add_with(ExecCheckedScript::new(what, "true").only_looks(), options)?;
    request.call("app-deploy", "run", json!({"name": name}))?;
    Ok(())
}

fn command(application: &Application) -> Result<String> {
    let Application { script, .. } = application;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@".contains(&byte);
    ensure!(
        !script.is_empty()
            && !script.starts_with(['-', '/'])
            && script.bytes().all(good)
            && !script.split('/').any(|part| part == ".."),
        "the script {script:?} must be a path within the directory"
    );
    for text in application.arguments.iter().chain(&application.node_options) {
        ensure!(!text.contains(char::is_control), "arguments and node_options must be one line");
    }
    let options = application.node_options.as_deref().unwrap_or_default().trim();
    let arguments = application.arguments.as_deref().unwrap_or_default().trim();
    // where node is depends on where it comes from
    let words = ["/usr/bin/env", "node", options, script, arguments];
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::Nodejs;
    use super::*;

    #[test]
    fn a_program_runs_as_a_unit() {
        let mut recorder = Recorder::<Nodejs>::on("debian 12");
        let arguments = json!({
            "name": "hello", "directory": "/srv/hello", "script": "server.js",
            "node_options": "--max-old-space-size=512", "arguments": "--port 3000"
        });
        recorder.call("application", arguments).unwrap();
        let calls = recorder.calls();
        assert_eq!(calls[0].arguments["variables"]["NODE_ENV"], "production");
        assert_eq!(
            calls[1].arguments["command"],
            "/usr/bin/env node --max-old-space-size=512 server.js --port 3000"
        );
        let options = recorder.actions()[0].options.clone();
        assert_eq!(options.if_flag.as_deref(), Some("nodejs-project /srv/hello"));
        assert_eq!(options.flag_on_change.as_deref(), Some("app-deploy-hello"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (more, said) in [
            (json!({"script": "../x.js"}), "within the directory"),
            (json!({"script": "-e"}), "within the directory"),
            (json!({"arguments": "a\nUser=root"}), "one line"),
            (json!({"unit": {"user": "root"}}), "is a parameter of"),
            (json!({"directory": "srv"}), "absolute path"),
        ] {
            let mut all = json!({"name": "hello", "directory": "/srv/hello"});
            for (key, value) in more.as_object().unwrap() {
                all[key] = value.clone();
            }
            let mut recorder = Recorder::<Nodejs>::on("debian 12");
            let error = recorder.call("application", all).unwrap_err().to_string();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}

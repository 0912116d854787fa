//! A program of a virtual environment as a service.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::venv::{changed, check_path};

parameters! {
    /// Runs a program of a virtual environment as a systemd service, and restarts it if the
    /// environment, the variables or the unit changed.
    ///
    /// The service is that of `app_deploy.unit`: hardened, with a user of its own. Call
    /// `python.venv` before.
    ///
    /// Example: `python.application(request, "hello", "/srv/hello/venv", program = "gunicorn", arguments = "--bind 127.0.0.1:8000 hello:app")`
    pub(crate) struct Application {
        /// Name of the application and of its service.
        name: String,
        /// Path of the virtual environment.
        venv: String,
        /// Program in the environment, such as `gunicorn`.
        #[serde(default)]
        program: Option<String>,
        /// Module to run with `python -m`.
        #[serde(default)]
        module: Option<String>,
        /// Python file to run, by its absolute path.
        #[serde(default)]
        script: Option<String>,
        /// Arguments, on one line.
        #[serde(default)]
        arguments: Option<String>,
        /// Working directory. Default: `/`.
        #[serde(default)]
        directory: Option<String>,
        /// User that runs it. Created if missing. Default: `name`.
        #[serde(default)]
        user: Option<String>,
        /// Environment variables. May hold secrets.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Further parameters of `app_deploy.unit`, such as `{"memory": "512M"}`.
        #[serde(default)]
        unit: BTreeMap<String, Value>,
    }
}

pub(crate) fn application(request: &mut Request, application: Application) -> Result<()> {
    let Application { name, venv, .. } = &application;
    check_path(venv)?;
    let command = command(&application)?;
    let mut unit = application.unit.clone();
    for own in ["name", "command", "directory", "user"] {
        ensure!(!unit.contains_key(own), "{own} of `unit` is a parameter of python.application");
    }
    unit.insert("name".into(), json!(name));
    unit.insert("command".into(), json!(command));
    unit.insert("directory".into(), json!(application.directory.as_deref().unwrap_or("/")));
    unit.insert("user".into(), json!(application.user.as_ref().unwrap_or(name)));
    let mut variables = application.environment.clone();
    // what it prints is seen at once
    variables.entry("PYTHONUNBUFFERED".into()).or_insert_with(|| "1".into());
    let variables = json!({"name": name, "variables": variables});
    request.call("app-deploy", "environment", variables)?;
    request.call("app-deploy", "unit", unit)?;
    // a service has one flag; that of the environment sets it
    let passes = ExecCheckedScript::new(format!("{venv} changed: restart {name}"), "true");
    let options = Options::new().if_flag(changed(venv)).flag_on_change(restart_flag(name));
    request.add_with(passes.only_looks(), options)?;
    request.call("app-deploy", "run", json!({"name": name}))?;
    Ok(())
}

/// The flag that makes `app_deploy.run` restart a service.
fn restart_flag(name: &str) -> String {
    format!("app-deploy-{name}")
}

fn command(application: &Application) -> Result<String> {
    let Application { name, venv, .. } = application;
    let word = |what: &str, value: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        ensure!(
            value.bytes().all(good) && !value.is_empty() && !value.starts_with('-'),
            "{value:?} cannot be a {what}"
        );
        Ok(())
    };
    let mut command = match (&application.program, &application.module, &application.script) {
        (Some(program), None, None) => {
            check_file_name("a program", program)?;
            format!("{venv}/bin/{program}")
        }
        (None, Some(module), None) => {
            word("module", module)?;
            format!("{venv}/bin/python -m {module}")
        }
        (None, None, Some(script)) => {
            word("script", script)?;
            ensure!(script.starts_with('/'), "the script {script:?} must be an absolute path");
            format!("{venv}/bin/python {script}")
        }
        _ => bail!("{name}: give exactly one of program, module and script"),
    };
    if let Some(arguments) = &application.arguments {
        ensure!(!arguments.contains(char::is_control), "the arguments must be one line");
        command.push(' ');
        command.push_str(arguments.trim());
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::super::Python;
    use super::*;

    #[test]
    fn a_program_runs_as_a_unit() {
        let mut recorder = Recorder::<Python>::on("debian 12");
        recorder
            .call(
                "application",
                json!({
                    "name": "hello", "venv": "/srv/hello/venv", "module": "http.server",
                    "arguments": "8000", "unit": {"memory": "64M"}
                }),
            )
            .unwrap();
        let calls = recorder.calls();
        let names: Vec<_> = calls.iter().map(|call| call.function.as_str()).collect();
        assert_eq!(names, ["environment", "unit", "run"]);
        assert_eq!(calls[1].arguments["command"], "/srv/hello/venv/bin/python -m http.server 8000");
        assert_eq!(calls[1].arguments["memory"], "64M");
        let options = recorder.actions()[0].options.clone();
        assert_eq!(options.if_flag.as_deref(), Some("python-venv /srv/hello/venv"));
        assert_eq!(options.flag_on_change.as_deref(), Some("app-deploy-hello"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (more, said) in [
            (json!({}), "exactly one of"),
            (json!({"module": "a", "program": "b"}), "exactly one of"),
            (json!({"module": "a; b"}), "cannot be a module"),
            (json!({"program": "../sh"}), "cannot name a program"),
            (json!({"script": "a.py"}), "absolute path"),
            (json!({"module": "a", "arguments": "b\nUser=root"}), "one line"),
            (json!({"module": "a", "unit": {"command": "x"}}), "is a parameter of"),
        ] {
            let mut all = json!({"name": "hello", "venv": "/srv/hello/venv"});
            for (key, value) in more.as_object().unwrap() {
                all[key] = value.clone();
            }
            let mut recorder = Recorder::<Python>::on("debian 12");
            let error = recorder.call("application", all).unwrap_err().to_string();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}

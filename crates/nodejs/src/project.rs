//! The dependencies of a project.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::program::{check_registry, run};

parameters! {
    /// Installs the dependencies of a project with `npm ci`, exactly as its `package-lock.json`
    /// says.
    ///
    /// Does nothing if they were installed from the same `package.json` and `package-lock.json` by
    /// the same major version of Node.js. If npm fails, the dependencies before are put back.
    ///
    /// Example: `nodejs.project(request, "/srv/hello/current", user = "hello")`
    pub(crate) struct Project {
        /// Absolute path of the directory with `package.json`.
        directory: String,
        /// User that runs npm, and owns the dependencies. It must be able to write to the
        /// directory. Default: root.
        #[serde(default = "root")]
        user: String,
        /// Install the dependencies for development too.
        #[serde(default)]
        development: bool,
        /// Do not run the installation scripts of dependencies.
        #[serde(default)]
        ignore_scripts: bool,
        /// URL of the registry. Default: npm's.
        #[serde(default)]
        registry: Option<String>,
        /// Script of `package.json` to run afterwards, such as `build`.
        #[serde(default)]
        build: Option<String>,
    }
}

fn root() -> String {
    "root".to_owned()
}

/// The flag that is set when the dependencies in a directory changed.
pub(crate) fn changed(directory: &str) -> String {
    format!("nodejs-project {directory}")
}

/// Refuses what is no absolute path.
pub(crate) fn check_directory(directory: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@".contains(&byte);
    ensure!(
        directory.starts_with('/')
            && directory.bytes().all(good)
            && !directory.ends_with('/')
            && !directory.split('/').any(|part| part == ".."),
        "the directory {directory:?} must be an absolute path of letters, digits, -, _, @, . and /"
    );
    Ok(())
}

pub(crate) fn project(request: &mut Request, project: Project) -> Result<()> {
    let Project { directory, .. } = &project;
    check_directory(directory)?;
    check_registry(project.registry.as_deref())?;
    if let Some(build) = &project.build {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        ensure!(
            !build.is_empty() && !build.starts_with('-') && build.bytes().all(good),
            "{build:?} is not a name of a script of package.json"
        );
    }
    let word = |yes: bool| if yes { "yes" } else { "" }.to_owned();
    let settings = BTreeMap::from([
        ("NODE_USER", project.user.clone()),
        ("NODE_DEVELOPMENT", word(project.development)),
        ("NODE_SCRIPTS", word(!project.ignore_scripts)),
        ("NODE_REGISTRY", project.registry.clone().unwrap_or_default()),
        ("NODE_BUILD", project.build.clone().unwrap_or_default()),
    ]);
    let what = format!("install the dependencies of {directory}");
    let options = Options::new().flag_on_change(changed(directory));
    run(request, what, ("install-project", "has-project"), &[directory], &settings, options)
}

#[cfg(test)]
mod tests {
    use super::super::Nodejs;
    use super::*;

    #[test]
    fn dependencies_are_installed_unless_they_are_there() {
        let mut recorder = Recorder::<Nodejs>::on("debian 12");
        recorder.call("project", json!({"directory": "/srv/a", "user": "a"})).unwrap();
        let last = recorder.actions().pop().unwrap();
        let program = "sh /usr/local/lib/pallet/nodejs";
        assert_eq!(last.arguments["unless"], format!("{program} has-project /srv/a"));
        assert_eq!(last.arguments["environment"]["NODE_USER"], "a");
        assert_eq!(last.options.flag_on_change.as_deref(), Some("nodejs-project /srv/a"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for arguments in [
            json!({"directory": "srv"}),
            json!({"directory": "/srv/../etc"}),
            json!({"directory": "/srv/a b"}),
            json!({"directory": "/srv/a", "build": "x; y"}),
            json!({"directory": "/srv/a", "build": "--x"}),
            json!({"directory": "/srv/a", "registry": "file:///x"}),
        ] {
            let mut recorder = Recorder::<Nodejs>::on("debian 12");
            assert!(recorder.call("project", &arguments).is_err(), "{arguments}");
        }
    }
}

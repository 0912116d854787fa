//! Virtual environments.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::requirements::Requirements;
use super::system::program;

const PROGRAM: &str = "/usr/local/lib/pallet/python-venv";

parameters! {
    /// Ensures a virtual environment with certain packages.
    ///
    /// The environment is made anew if Python's version, the requirements or the options of pip
    /// changed. It is made beside the old one, and takes its place only when pip succeeded: `path`
    /// is a link that switches atomically. So a failure leaves the old one as it is. The
    /// environment before stays until the next change, for processes that still use it.
    ///
    /// Example: `python.venv(request, "/srv/hello/venv", requirements = ["gunicorn==23.0.0"])`
    ///
    /// Example: `python.venv(request, "/srv/hello/venv", requirements_file = "requirements.txt", require_hashes = True, owner = "hello")`
    pub(crate) struct Venv {
        /// Absolute path, below `/srv`, `/opt` or `/var/lib`. Its directory must belong to root,
        /// and is created if missing.
        path: String,
        /// Version of Python, such as `3.12`. Default: the system's own.
        #[serde(default)]
        version: Option<String>,
        /// Packages, as lines of a requirements file.
        #[serde(default)]
        requirements: Vec<String>,
        /// Requirements file in the project.
        #[serde(default)]
        requirements_file: Option<String>,
        /// Absolute path of a requirements file on the node, for example in a release.
        #[serde(default)]
        requirements_on_node: Option<String>,
        /// Refuse packages whose SHA-256 digest is not in the requirements.
        #[serde(default)]
        require_hashes: bool,
        /// Absolute path of a directory on the node with wheels. pip looks for packages there, and
        /// nowhere else.
        #[serde(default)]
        wheels: Option<String>,
        /// URL of the package index instead of PyPI. May hold a secret.
        #[serde(default)]
        index_url: Option<String>,
        /// Install wheels only, so that no code of a package runs during the installation.
        #[serde(default)]
        only_binary: bool,
        /// Let the environment use the system's packages too.
        #[serde(default)]
        system_packages: bool,
        /// Owner of the environment, who runs pip. Default: root, so that the application cannot
        /// change its own code.
        #[serde(default = "root")]
        owner: String,
    }
}

fn root() -> String {
    "root".to_owned()
}

/// The flag that is set when the environment at a path changed.
pub(crate) fn changed(path: &str) -> String {
    format!("python-venv {path}")
}

/// Refuses a path that is no place for an environment.
pub(crate) fn check_path(path: &str) -> Result<()> {
    let good = |part: &str| check_file_name("a virtual environment", part);
    let below = ["/srv/", "/opt/", "/var/lib/"].iter().find_map(|top| path.strip_prefix(top));
    let below = below.with_context(|| {
        format!("the path {path:?} of a virtual environment must be below /srv, /opt or /var/lib")
    })?;
    below.split('/').try_for_each(good)
}

pub(crate) fn venv(request: &mut Request, venv: Venv) -> Result<()> {
    let Venv { path, .. } = &venv;
    check_path(path)?;
    let python = program(venv.version.as_deref())?;
    let requirements = Requirements::of(
        &venv.requirements,
        venv.requirements_file.as_deref(),
        venv.requirements_on_node.as_deref(),
    )?;
    if let Some(wheels) = &venv.wheels {
        ensure!(
            wheels.starts_with('/') && !wheels.contains(char::is_control),
            "the directory of wheels {wheels:?} must be an absolute path"
        );
        ensure!(venv.index_url.is_none(), "give either wheels or index_url");
    }
    if let Some(url) = &venv.index_url {
        ensure!(
            (url.starts_with("https://") || url.starts_with("http://"))
                && !url.contains(|character: char| character.is_control() || character == ' '),
            "the index_url {url:?} is not a URL"
        );
    }
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    let file = RemoteFile::content(PROGRAM, include_str!("python-venv.sh"));
    request.add(file.owner("root").group("root").mode(0o644))?;
    if let Some((parent, _)) = path.rsplit_once('/') {
        request.add(Directory::at(parent))?;
    }
    let file = requirements.put(request, format!("{path}.requirements"))?;
    let settings = settings(&venv, &python, file);
    let script = ExecCheckedScript::new(format!("make {path}"), command("make", path));
    let script = script.unless(command("is-made", path));
    let script = settings.iter().fold(script, |script, (name, value)| script.env(*name, value));
    request.add_with(script, Options::new().flag_on_change(changed(path)))
}

fn command(job: &str, path: &str) -> String {
    format!("sh {PROGRAM} {job} {}", quote(path))
}

/// What the program is told. They are variables: a URL may hold a secret, and lists of processes
/// show arguments.
fn settings<'a>(
    venv: &'a Venv,
    python: &str,
    requirements: Option<String>,
) -> BTreeMap<&'a str, String> {
    let word = |yes: bool| if yes { "yes" } else { "" }.to_owned();
    BTreeMap::from([
        ("VENV_PYTHON", python.to_owned()),
        ("VENV_OWNER", venv.owner.clone()),
        ("VENV_REQUIREMENTS", requirements.unwrap_or_default()),
        ("VENV_HASHES", word(venv.require_hashes)),
        ("VENV_WHEELS", venv.wheels.clone().unwrap_or_default()),
        ("VENV_INDEX", venv.index_url.clone().unwrap_or_default()),
        ("VENV_BINARY", word(venv.only_binary)),
        ("VENV_SYSTEM", word(venv.system_packages)),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::Python;
    use super::*;

    #[test]
    fn a_venv_is_made_unless_it_is_right() {
        let mut recorder = Recorder::<Python>::on("debian 12");
        recorder
            .call(
                "venv",
                json!({
                    "path": "/srv/hello/venv", "requirements": ["a==1", "b"], "wheels": "/srv/w"
                }),
            )
            .unwrap();
        let actions = recorder.actions();
        let file = actions.iter().find(|one| one.subject == "/srv/hello/venv.requirements");
        assert_eq!(file.unwrap().arguments["content"], "a==1\nb\n");
        let make = actions.last().unwrap();
        let program = "sh /usr/local/lib/pallet/python-venv";
        assert_eq!(make.arguments["script"], format!("{program} make /srv/hello/venv"));
        assert_eq!(make.arguments["unless"], format!("{program} is-made /srv/hello/venv"));
        assert_eq!(make.arguments["environment"]["VENV_WHEELS"], "/srv/w");
        assert_eq!(make.options.flag_on_change.as_deref(), Some("python-venv /srv/hello/venv"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        let path = "/srv/hello/venv";
        for (arguments, said) in [
            (json!({"path": "/etc/venv"}), "must be below"),
            (json!({"path": "/srv/../etc/venv"}), "cannot name"),
            (json!({"path": "/srv/a b"}), "cannot name"),
            (json!({"path": path, "version": "2.7"}), "not a version"),
            (json!({"path": path, "requirements": ["-r x"]}), "without options"),
            (
                json!({"path": path, "requirements": ["a"], "requirements_file": "b"}),
                "at most one of",
            ),
            (json!({"path": path, "index_url": "ftp://x"}), "is not a URL"),
            (json!({"path": path, "wheels": "w"}), "absolute path"),
            (json!({"path": path, "wheels": "/w", "index_url": "https://x"}), "either wheels"),
        ] {
            let mut recorder = Recorder::<Python>::on("debian 12");
            let error = recorder.call("venv", &arguments).unwrap_err().to_string();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}

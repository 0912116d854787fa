//! The environment of the process: the only reader of environment variables.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The variable that makes this program complete a command line, for the shell that it names.
pub(crate) const COMPLETE: &str = "PALLET_COMPLETE";

/// The directories and properties of this user and this process.
#[derive(Debug, Clone)]
pub(crate) struct ProcessEnv {
    pub(crate) home: PathBuf,
    /// `~/.config/pallet`
    pub(crate) configuration: PathBuf,
    /// `~/.local/share/pallet`
    pub(crate) data: PathBuf,
    /// `~/.cache/pallet`
    pub(crate) cache: PathBuf,
    /// `~/.local/state/pallet`
    pub(crate) state: PathBuf,
    /// The words of the command line, without the program.
    pub(crate) arguments: Vec<String>,
    /// `PALLET_PLUGIN_PATH`
    pub(crate) plugin_path: Vec<PathBuf>,
    /// This program.
    pub(crate) executable: Option<PathBuf>,
    /// Where the plugins are that come with this program: beside it, and in `../lib/pallet`.
    pub(crate) bundled: Vec<PathBuf>,
    pub(crate) user: String,
    /// This machine's name.
    pub(crate) host: String,
    /// `PALLET_DIRECTORY`
    pub(crate) directory: Option<PathBuf>,
    /// `PALLET_SERVICE`
    pub(crate) service: Option<String>,
    /// `PALLET_STAGE`
    pub(crate) stage: Option<String>,
    /// Identifies this machine since its last boot; empty if unknown.
    pub(crate) machine: String,
    /// The socket of the ssh agent.
    pub(crate) agent: Option<PathBuf>,
    /// OpenSSH's client.
    pub(crate) ssh: Option<PathBuf>,
    /// Registry credential files of docker and podman.
    pub(crate) credentials: Vec<PathBuf>,
    /// `PATH`
    pub(crate) programs: Vec<PathBuf>,
    /// The proxies for `https://` and `http://`, and the hosts to reach without a proxy.
    pub(crate) proxies: [Option<String>; 3],
    /// The passphrase of the signing key.
    pub(crate) key_passphrase: Option<String>,
    /// Whether stdout and stderr are a terminal that supports cursor movement.
    pub(crate) terminal: bool,
    /// Whether the user can be asked.
    pub(crate) interactive: bool,
    /// Whether stdout is a terminal.
    pub(crate) screen: bool,
    /// Whether the terminal, if there is one, may show colours.
    pub(crate) colour: bool,
    /// Whether a job of GitHub Actions or a relative runs this, and reads the output for commands.
    pub(crate) in_job: bool,
}

#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
impl ProcessEnv {
    pub(crate) fn current() -> Self {
        let home = etcetera::home_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let base = etcetera::base_strategy::Xdg::new().ok();
        let directory = |found: fn(&etcetera::base_strategy::Xdg) -> PathBuf, usual: &str| {
            base.as_ref().map_or_else(|| home.join(usual), found)
        };
        let configuration = directory(|base| base.config_dir(), ".config");
        let data = directory(|base| base.data_dir(), ".local/share");
        let cache = directory(|base| base.cache_dir(), ".cache");
        let state = base.as_ref().and_then(|base| base.state_dir());
        let mut plugin_path: Vec<PathBuf> = std::env::var_os("PALLET_PLUGIN_PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        plugin_path.retain(|directory| !directory.as_os_str().is_empty());
        // where it is, not where links to it are
        let executable = std::env::current_exe().ok();
        let executable = executable.map(|program| program.canonicalize().unwrap_or(program));
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let programs: Vec<PathBuf> = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        let dumb = text("TERM").as_deref() == Some("dumb");
        ProcessEnv {
            configuration: configuration.join("pallet"),
            data: data.join("pallet"),
            cache: cache.join("pallet"),
            state: state.unwrap_or_else(|| home.join(".local/state")).join("pallet"),
            arguments: std::env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            plugin_path,
            bundled: executable.as_deref().map(bundled).unwrap_or_default(),
            executable,
            user: text("USER")
                .or_else(|| text("LOGNAME"))
                .or_else(user_of_system)
                .unwrap_or_else(|| "root".to_owned()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            // containers on a machine share its boot id, but have their own process namespace
            machine: first_line("/proc/sys/kernel/random/boot_id")
                .zip(std::fs::read_link("/proc/self/ns/pid").ok())
                .map(|(boot, namespace)| format!("{boot}/{}", namespace.display()))
                .unwrap_or_default(),
            directory: text("PALLET_DIRECTORY").map(PathBuf::from),
            service: text("PALLET_SERVICE"),
            stage: text("PALLET_STAGE"),
            agent: text("SSH_AUTH_SOCK").map(PathBuf::from),
            ssh: programs.iter().map(|directory| directory.join("ssh")).find(|ssh| ssh.is_file()),
            credentials: credentials(&home),
            programs,
            // like curl: only the lower-case variable for plain HTTP, because a request header can
            // set HTTP_PROXY in a CGI script
            proxies: [
                text("HTTPS_PROXY").or_else(|| text("https_proxy")),
                text("http_proxy"),
                text("NO_PROXY").or_else(|| text("no_proxy")),
            ],
            key_passphrase: text("PALLET_KEY_PASSPHRASE"),
            terminal: !dumb && std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            screen: std::io::stdout().is_terminal(),
            colour: !dumb && text("NO_COLOR").is_none(),
            in_job: text("GITHUB_ACTIONS").is_some(),
            home,
        }
    }

    /// The variable in a reference of pallet.toml: `{ env = "NAME" }`.
    pub(crate) fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Where the plugins of a program are: beside it in a directory of builds, else in `lib/pallet`
/// beside its `bin`.
fn bundled(program: &Path) -> Vec<PathBuf> {
    let beside = program.parent().map(PathBuf::from);
    let library = program.parent().and_then(Path::parent).map(|prefix| prefix.join("lib/pallet"));
    beside.into_iter().chain(library).collect()
}

/// Where docker and podman keep credentials, in search order.
#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn credentials(home: &Path) -> Vec<PathBuf> {
    let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = path("DOCKER_CONFIG").unwrap_or_else(|| home.join(".docker"));
    let podman = path("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json"));
    let files = [
        path("REGISTRY_AUTH_FILE"),
        Some(docker.join("config.json")),
        podman,
        Some(home.join(".config/containers/auth.json")),
    ];
    files.into_iter().flatten().collect()
}

fn first_line(path: &str) -> Option<String> {
    std::fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// The user of this process in the system's user database.
fn user_of_system() -> Option<String> {
    uzers::get_user_by_uid(uzers::get_effective_uid())
        .and_then(|user| user.name().to_str().map(str::to_owned))
}

/// Replaces `~` at the beginning of a path by the home directory.
pub(crate) fn expand(path: &Path, home: &Path) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => home.join(rest),
        Err(_) => path.to_owned(),
    }
}

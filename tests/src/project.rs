//! A project in a home of its own, and pallet-cli run on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::guard::Guard;
use crate::timing::measure;
use crate::{Bed, Events, Output, Process, Terminal, workspace};

/// A temporary home with a project directory. pallet-cli gets no other environment.
#[derive(Debug)]
pub struct Project {
    prefix: Vec<String>,
    variables: Vec<(String, String)>,
    timeout: Duration,
    guard: Option<Guard>,
    home: TempDir,
}

impl Drop for Project {
    fn drop(&mut self) {
        // nodes are destroyed before the project is deleted, so that nothing mounted into it is
        // deleted too
        drop(self.guard.take());
        if crate::mounts::is_mounted_below(self.home.path()) {
            self.home.disable_cleanup(true);
        }
    }
}

impl Default for Project {
    fn default() -> Self {
        Project::empty()
    }
}

impl Project {
    /// An empty project directory.
    pub fn empty() -> Self {
        measure();
        let home = tempfile::Builder::new().prefix("pallet-test-").tempdir().unwrap();
        std::fs::create_dir(home.path().join("project")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let home_path = home.path().to_str().unwrap();
        let variables =
            [("PATH", path.as_str()), ("HOME", home_path), ("LANG", "C.UTF-8"), ("USER", "tester")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Project {
            prefix: Vec::new(),
            variables,
            timeout: Duration::from_secs(180),
            guard: None,
            home,
        }
    }

    /// The project that `pallet-cli init` writes. Its nodes are destroyed with it, even if the test
    /// fails.
    pub fn quickstart() -> Self {
        let mut project = Project::empty();
        std::fs::remove_dir(project.directory()).unwrap();
        let directory = project.directory();
        project.run_in(project.home.path(), &["init", directory.to_str().unwrap()]).exits(0);
        project.take_down_at_the_end(&directory);
        project
    }

    /// A project with these files whose commands run in the network of a bed's nodes. Its home
    /// knows the nodes' host keys.
    pub fn on_bed(bed: &Bed, files: &[(&str, &str)]) -> Self {
        let mut project = Project::empty();
        project.prefix = bed.prefix();
        project.write_home(".ssh/known_hosts", std::fs::read(bed.known_hosts()).unwrap());
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Sets a prefix for every command.
    pub fn prefixed(mut self, prefix: Vec<String>) -> Self {
        self.prefix = prefix;
        self
    }

    /// Destroys the nodes of the project in `directory` when this value is dropped.
    pub fn take_down_at_the_end(&mut self, directory: &Path) {
        let cli = workspace().cli().to_str().unwrap();
        self.clean_up_with(&[cli, "-C", directory.to_str().unwrap(), "down", "--yes"]);
    }

    /// Runs this command when this value is dropped.
    pub(crate) fn clean_up_with(&mut self, command: &[&str]) {
        // the end of a guard also deletes the project
        assert!(self.guard.is_none(), "one command cleans up");
        self.guard = Some(Guard::run(command, &self.variables));
    }

    /// Sets a variable for all commands.
    pub fn set(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    /// Removes a variable for all commands.
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// The environment of all commands.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets the timeout of commands.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The directory with pallet.toml.
    pub fn directory(&self) -> PathBuf {
        self.home.path().join("project")
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write_home(Path::new("project").join(path), content);
    }

    pub(crate) fn write_home(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Replaces text in a file of the project; the text must exist.
    #[track_caller]
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.directory().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no `{from}`:\n{text}");
        self.write(path, text.replace(from, to));
    }

    /// Runs `pallet-cli` on the project.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).wait()
    }

    /// Runs an operation with `--output json`, and asserts its exit code.
    #[track_caller]
    pub fn events(&self, arguments: &[&str], code: i32) -> Events {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--output", "json"]).collect();
        Events::of(&self.run(&arguments).exits(code))
    }

    /// The project's nodes, as `nodes --output json` lists them.
    #[track_caller]
    pub fn nodes(&self) -> Vec<Value> {
        let output = self.run(&["nodes", "--output", "json"]).exits(0);
        match serde_json::from_str(&output.stdout) {
            Ok(Value::Array(nodes)) => nodes,
            _ => panic!("not one array\n{output}"),
        }
    }

    /// Starts `pallet-cli` on the project.
    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.on_project(arguments), self.timeout)
    }

    fn on_project(&self, arguments: &[&str]) -> Command {
        let directory = self.directory();
        let arguments: Vec<_> = ["-C", directory.to_str().unwrap()]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.command(&arguments)
    }

    /// Starts `pallet-cli` on the project, with this text as its standard input.
    pub fn start_with_input(&self, arguments: &[&str], input: &str) -> Process {
        Process::start_with_input(self.on_project(arguments), input, self.timeout)
    }

    /// Starts `pallet-cli` on a terminal, and waits for this prompt.
    pub fn terminal(&self, arguments: &[&str], prompt: &str) -> Terminal {
        Terminal::start(&self.on_project(arguments), prompt, self.timeout)
    }

    /// Starts `pallet-cli repl` on a terminal.
    pub fn repl(&self, arguments: &[&str]) -> Terminal {
        let arguments: Vec<_> = ["repl"].into_iter().chain(arguments.iter().copied()).collect();
        Terminal::start(&self.on_project(&arguments), ">>>", self.timeout)
    }

    /// Runs `pallet-cli` in a directory, without `-C`.
    pub fn run_in(&self, directory: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.current_dir(directory);
        Process::start(command, self.timeout).wait()
    }

    /// `pallet-cli` with these arguments, as all commands of the project run it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let cli = workspace().cli().to_str().unwrap();
        let mut words = self.prefix.iter().map(String::as_str).chain([cli]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path());
        command
    }
}

//! The journal of an operation: where it is, and what its header says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use pallet_core::engine::{
    Ending, Engine, EngineConfig, Journal, JournalFile, JournalHeader, Journals, Resume,
};
use pallet_core::plugins::{Digest, FoundPlugin};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::base::{Context, ProjectWithPlugins};
use crate::project::{LoadedProject, leaves};

/// What the user asked for, as the journal keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    arguments: Value,
    /// Words that follow those of the command line: the call of a session's function.
    words: Vec<String>,
    resumes: Option<String>,
}

impl Asked {
    /// A command with its arguments, from which it can be run again.
    pub(crate) fn of(verb: &str, arguments: &impl Serialize) -> Self {
        let mut asked = Map::from_iter([("verb".to_owned(), verb.into())]);
        // arguments that are not text cannot be kept
        if let Ok(Value::Object(arguments)) = serde_json::to_value(arguments) {
            asked.extend(arguments);
        }
        Asked { arguments: Value::Object(asked), words: Vec::new(), resumes: None }
    }

    /// A call of a session's function, as it was written.
    pub(crate) fn call(function: &str, text: &str) -> Self {
        Asked {
            arguments: json!({"function": function}),
            words: vec![text.split_whitespace().collect::<Vec<_>>().join(" ")],
            resumes: None,
        }
    }

    /// The command, if it can be resumed.
    pub(crate) fn resumable(&self) -> Option<&'static str> {
        let verb = self.arguments.get("verb")?.as_str()?;
        ["lift", "converge"].into_iter().find(|resumable| *resumable == verb)
    }

    /// Nothing, if no journal is wanted.
    pub(crate) fn unless(self, unwanted: bool) -> Option<Self> {
        (!unwanted).then_some(self)
    }

    /// The same, resuming an operation if there is one.
    pub(crate) fn resuming(self, resume: Option<&Resume>) -> Self {
        Asked { resumes: resume.map(|resume| resume.operation.clone()), ..self }
    }
}

impl Context {
    /// The journals of projects with this project's name.
    pub(crate) fn journals(&self, project: &LoadedProject) -> Journals {
        Journals::new(self.journal_directory(project), &self.env.machine)
    }

    /// The project's directory, as journals name it.
    pub(crate) fn journal_project(project: &LoadedProject) -> String {
        let directory = project.directory.canonicalize();
        directory.unwrap_or_else(|_| project.directory.clone()).to_string_lossy().into_owned()
    }

    /// The operation with this ID, or a part of it; without, the latest one of the project, or of
    /// `all` projects with its name.
    pub(crate) fn find_operation(
        &self,
        project: &LoadedProject,
        id: Option<&str>,
        all: bool,
    ) -> anyhow::Result<String> {
        let journals = self.journals(project);
        let own = (!all).then(|| Self::journal_project(project));
        match id {
            Some(id) => Ok(journals.find(id)?),
            None => journals.latest(own.as_deref())?.with_context(|| {
                format!("project {} has no operation in the journal yet", project.name)
            }),
        }
    }

    /// Reads a journal, and tells whether its last line is missing.
    pub(crate) fn read_journal(
        &self,
        journals: &Journals,
        operation: &str,
    ) -> anyhow::Result<JournalFile> {
        let journal = journals.read(operation)?;
        let is_killed = journal.ending(&self.env.machine) != Ending::Running;
        if let Some(line) = journal.incomplete.filter(|_| is_killed) {
            self.printer.aside(&format!(
                "{}: line {line} is incomplete and left out; the operation was killed while it was \
                 written",
                journal.path.display()
            ));
        }
        Ok(journal)
    }

    /// An engine like this one that writes its operation to a journal.
    pub(crate) fn journaled(
        &self,
        engine: &Engine,
        loaded: &ProjectWithPlugins,
        asked: Asked,
    ) -> (Engine, Arc<Journal>) {
        let project = &loaded.project;
        let service = project.config.service(self.global.service.as_deref());
        let header = JournalHeader {
            project: project.name.clone(),
            directory: Self::journal_project(project),
            service: service.map(|(name, _)| name).unwrap_or_default(),
            command: masked(&self.env.arguments).into_iter().chain(asked.words).collect(),
            asked: asked.arguments,
            inputs: self.inputs(loaded),
            user: self.env.user.clone(),
            host: self.env.host.clone(),
            machine: self.env.machine.clone(),
            pallet: env!("CARGO_PKG_VERSION").to_owned(),
            resumes: asked.resumes,
            ..JournalHeader::default()
        };
        let journal = Journal::new(self.journal_directory(project), header);
        let journal = Arc::new(journal.redacted(engine.vault.clone()));
        let mut sinks = engine.sinks.clone();
        sinks.push(journal.clone());
        (engine.with(EngineConfig { sinks, ..engine.config().clone() }), journal)
    }

    /// Removes old journals, so that there is room for one more.
    pub(crate) fn prune_journals(&self, project: &LoadedProject) {
        let history = &project.config.history;
        let others = history.operations().saturating_sub(1);
        if let Err(error) =
            self.journals(project).prune(&Self::journal_project(project), history.days(), others)
        {
            self.printer.warning(&error.to_string());
        }
    }

    /// Warns if the journal of an operation that is over could not be written to its end.
    pub(crate) fn warn_of_lost_records(&self, journal: Option<&Journal>) {
        if let Some(error) = journal.and_then(Journal::error) {
            self.printer.warning(&format!("{error}; the journal of this operation is incomplete"));
        }
    }

    /// What the project was loaded from: digests of its files, of its plugins, and of the
    /// environment. Values of the environment are not kept.
    pub(crate) fn inputs(&self, loaded: &ProjectWithPlugins) -> BTreeMap<String, String> {
        let project = &loaded.project;
        let files = project.digests.iter().map(|(file, digest)| (file.clone(), digest.to_string()));
        let mut inputs: BTreeMap<String, String> = files.collect();
        // whatever order the values were given in
        let environment: BTreeMap<_, _> = leaves(&project.environment).into_iter().collect();
        let environment = serde_json::to_vec(&environment).unwrap_or_default();
        inputs.insert("environment".to_owned(), Digest::of(&environment).to_string());
        inputs.extend(project.stage.iter().map(|(name, _)| ("stage".to_owned(), name.clone())));
        let mut used = self.used_plugins(loaded);
        // a crate may require others, which are plugins too
        let mut open: Vec<String> = used.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for required in loaded.registry.requires(&name) {
                if used.insert(required.to_owned()) {
                    open.push(required.to_owned());
                }
            }
        }
        let plugins = loaded.registry.plugins().iter();
        let plugins = plugins.filter(|found| used.contains(&found.summary.name));
        inputs
            .extend(plugins.map(|found| (format!("plugin {}", found.summary.name), state(found))));
        inputs
    }

    /// The names of the plugins that the project uses.
    fn used_plugins(&self, loaded: &ProjectWithPlugins) -> BTreeSet<String> {
        let config = &loaded.project.config;
        let service = config.service(self.global.service.as_deref());
        let providers = config.services.values().map(|service| service.provider.clone());
        providers
            .chain(service.map(|(_, service)| service.provider))
            .chain(loaded.project.inline.crates.keys().cloned())
            .chain(["automated-admin-user".to_owned()])
            .collect()
    }

    fn journal_directory(&self, project: &LoadedProject) -> PathBuf {
        self.env.state.join(safe(&project.name)).join("operations")
    }
}

/// The version of a plugin, and what tells its builds apart: the digest of a locked one, the size
/// and time of a file.
fn state(found: &FoundPlugin) -> String {
    let version = &found.summary.version;
    if let Some(pinned) = &found.pinned {
        return format!("{version} {}", pinned.h1);
    }
    let file = std::fs::metadata(&found.path).ok();
    let time = file.as_ref().and_then(|file| file.modified().ok());
    let time = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    match (file, time) {
        (Some(file), Some(time)) => {
            format!("{version}, {} bytes of {}", file.len(), time.as_nanos())
        }
        _ => version.to_string(),
    }
}

/// A project's name as the name of a directory.
fn safe(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = name.chars().map(|c| if safe(c) { c } else { '-' }).collect();
    if name.is_empty() { "project".to_owned() } else { name }
}

/// The words of a command line without the values of `--env`, and without the project's directory,
/// which the header has anyway.
fn masked(words: &[String]) -> Vec<String> {
    let mask = |word: &str| match word.split_once('=') {
        Some((key, _)) => format!("{key}=…"),
        None => word.to_owned(),
    };
    let (mut masked, mut words) = (Vec::new(), words.iter());
    while let Some(word) = words.next() {
        match word.as_str() {
            // the words of a command on nodes follow
            "--" => {
                masked.push(word.clone());
                masked.extend(words.by_ref().cloned());
            }
            "-C" | "--directory" => drop(words.next()),
            "--env" => {
                masked.push(word.clone());
                masked.extend(words.next().map(|value| mask(value)));
            }
            _ => match word.strip_prefix("--env=") {
                Some(value) => masked.push(format!("--env={}", mask(value))),
                None if word.starts_with("--directory=") => {}
                None => masked.push(word.clone()),
            },
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_environment_are_not_kept() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (line, kept) in [
            ("--env KEY=1 lift web", "--env KEY=… lift web"),
            ("lift --env=KEY=a=b --env OTHER=2", "lift --env=KEY=… --env OTHER=…"),
            ("lift --env KEY", "lift --env KEY"),
            ("-C /srv/shop lift --directory=x", "lift"),
            ("run web -- env --env A=1 -C b", "run web -- env --env A=1 -C b"),
        ] {
            assert_eq!(masked(&words(line)), words(kept));
        }
    }

    #[test]
    fn a_project_has_a_safe_directory() {
        assert_eq!(safe("shop-2"), "shop-2");
        assert_eq!(safe("../etc/passwd"), "---etc-passwd");
        assert_eq!(safe(""), "project");
    }
}

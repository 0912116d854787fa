//! Reads ssh configuration files for one host: `Host` and `Match` blocks, and included files.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use super::super::{ConnectSettings, TransportError};
use super::config_file::ConfigFile;
use super::config_options::{ConfigOption, ConfigOptions};
use super::host_query::HostQuery;
use super::tokens::{host_name, in_home};
use crate::model::pattern::list_matches;

/// Maximum depth of `Include`.
const MAX_DEPTH: usize = 16;

/// Collects the options that apply to one host.
pub(super) struct ConfigReader<'a> {
    asked: &'a HostQuery<'a>,
    settings: &'a ConnectSettings,
    pub(super) options: ConfigOptions,
    /// Why the options may be wrong: something that Pallet cannot evaluate.
    pub(super) unclear: Option<TransportError>,
    /// The result of each `Host` and `Match` line. Hosts with the same results have the same
    /// options.
    pub(super) decisions: String,
    /// Whether the options also depend on the host's name in another way.
    pub(super) about_host: bool,
}

/// Whether the lines of a block apply.
#[derive(Clone)]
enum Block {
    Applies,
    Skipped,
    /// Depends on something that Pallet cannot evaluate.
    Unclear(String),
}

impl<'a> ConfigReader<'a> {
    pub(super) fn new(asked: &'a HostQuery<'a>, settings: &'a ConnectSettings) -> Self {
        let decisions = String::new();
        ConfigReader {
            asked,
            settings,
            options: ConfigOptions::default(),
            unclear: None,
            decisions,
            about_host: false,
        }
    }

    /// Reads a configuration file. A missing file counts as empty.
    pub(super) fn read_file(&mut self, file: &Path) -> Result<(), TransportError> {
        self.read(file, file.parent().unwrap_or(Path::new("/")), &Block::Applies, 0)
    }

    fn read(
        &mut self,
        path: &Path,
        base: &Path,
        outer: &Block,
        depth: usize,
    ) -> Result<(), TransportError> {
        let Some(file) = self.settings.shared.ssh.configs.get(path, ConfigFile::parse)? else {
            return Ok(());
        };
        if let Some(number) = file.broken {
            return Err(TransportError::Config {
                message: format!("{}:{number}: a quote is not closed", path.display()),
            });
        }
        let mut block = outer.clone();
        for line in &file.lines {
            let option = || ConfigOption {
                key: line.key.clone(),
                value: line.words.first().cloned().unwrap_or_default(),
                words: line.words.clone(),
                rest: line.rest.clone(),
                place: format!("{}:{}", path.display(), line.number),
            };
            match (line.key.as_str(), &block) {
                ("host" | "match", _) if matches!(outer, Block::Skipped) => {}
                ("host", _) => {
                    let about =
                        list_matches(line.words.iter().map(String::as_str), self.asked.host);
                    block = if about { outer.clone() } else { Block::Skipped };
                    self.decisions.push(if about { '1' } else { '0' });
                }
                ("match", _) => {
                    let (found, decision) = match self.matched(&line.words) {
                        Block::Applies => (outer.clone(), '1'),
                        Block::Skipped => (Block::Skipped, '0'),
                        unclear => (unclear, '?'),
                    };
                    self.decisions.push(decision);
                    block = found;
                }
                (_, Block::Skipped) => {}
                ("include", _) => self.include(&option(), &block, base, depth)?,
                (_, block) => self.apply(option(), block)?,
            }
        }
        Ok(())
    }

    fn apply(&mut self, option: ConfigOption, block: &Block) -> Result<(), TransportError> {
        if option.words.is_empty() {
            return Err(option.error("has no value"));
        }
        // Tokens in a ProxyCommand are expanded by Pallet, for each host.
        self.about_host |= option.key != "proxycommand" && option.rest.contains('%');
        if option.key == "canonicalizehostname"
            && !["no", "false"].contains(&option.value.to_ascii_lowercase().as_str())
        {
            self.about_host = true;
            // Without OpenSSH, the resolver's search domains have the same effect for most users.
            if self.settings.ssh_program.is_some() {
                self.doubt(option.error("is not supported"));
            }
        }
        match block {
            Block::Unclear(why) => {
                let adds_up = ["identityfile", "certificatefile"].contains(&option.key.as_str());
                if adds_up || self.options.first(&option.key).is_none() {
                    self.doubt(
                        option.error(&format!(
                            "depends on {why}, which is not supported: use `Host`"
                        )),
                    );
                }
            }
            _ => self.options.0.push(option),
        }
        Ok(())
    }

    fn include(
        &mut self,
        option: &ConfigOption,
        block: &Block,
        base: &Path,
        depth: usize,
    ) -> Result<(), TransportError> {
        if depth == MAX_DEPTH {
            return Err(option.error("is nested too deeply: do the files include each other?"));
        }
        for word in &option.words {
            if word.contains("${") {
                self.doubt(option.error("names an environment variable, which is not supported"));
            }
            for file in files(base.join(in_home(word, self.settings.home.as_deref()))) {
                self.read(&file, base, block, depth + 1)?;
            }
        }
        Ok(())
    }

    fn doubt(&mut self, why: TransportError) {
        self.unclear.get_or_insert(why);
    }

    /// Evaluates a `Match` line for the host.
    fn matched(&mut self, line: &[String]) -> Block {
        let mut unclear = None;
        let mut words = line.iter().flat_map(|word| match word.split_once('=') {
            Some((criterion, patterns))
                if criterion.chars().all(|char| char.is_ascii_alphabetic() || char == '!') =>
            {
                vec![criterion, patterns]
            }
            _ => vec![word.as_str()],
        });
        while let Some(word) = words.next() {
            let (negated, criterion) = match word.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            let first = |key: &str| self.options.first(key).map(|option| option.value.clone());
            let about = match criterion.to_ascii_lowercase().as_str() {
                "all" => Some(true),
                "canonical" => Some(false),
                "final" => None,
                name => {
                    let patterns = words.next().unwrap_or_default();
                    let host = self.asked.host;
                    let subject = match name {
                        "host" => Some(first("hostname").map_or_else(
                            || host.to_owned(),
                            |name| host_name(&name, host).unwrap_or(name),
                        )),
                        "originalhost" => Some(host.to_owned()),
                        "user" => {
                            let given = self.asked.user.map(str::to_owned);
                            Some(
                                given
                                    .or_else(|| first("user"))
                                    .unwrap_or_else(|| self.settings.user.clone()),
                            )
                        }
                        _ => None,
                    };
                    self.about_host |= subject.is_none() && patterns.contains('%');
                    subject.map(|subject| list_matches(patterns.split(','), &subject))
                }
            };
            match about {
                Some(about) if about == negated => return Block::Skipped,
                Some(_) => {}
                None => unclear = Some(format!("`Match {criterion}`")),
            }
        }
        unclear.map_or(Block::Applies, Block::Unclear)
    }
}

/// The files that match a path with `*`, `?` and `[`, in order.
fn files(path: PathBuf) -> Vec<PathBuf> {
    let text = path.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return vec![path];
    }
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    glob_with(&text, options).map(|found| found.flatten().collect()).unwrap_or_default()
}

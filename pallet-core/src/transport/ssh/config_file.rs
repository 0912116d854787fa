//! The text of the ssh configuration: lines, `Host` and `Match` blocks, included files; which of
//! its options apply to a host.

use std::path::{Path, PathBuf};
use std::time::Duration;

use glob::{MatchOptions, glob_with};

use super::super::{ConnectSettings, TransportError};
use super::config::Asked;
use super::tokens::{host_name, in_home};
use crate::model::pattern::list_matches;

/// How deep files may include files.
const MAX_DEPTH: usize = 16;
/// The options that anything here looks at.
const KNOWN: [&str; 18] = [
    "hostname",
    "port",
    "user",
    "identityfile",
    "certificatefile",
    "identitiesonly",
    "identityagent",
    "userknownhostsfile",
    "globalknownhostsfile",
    "stricthostkeychecking",
    "hostkeyalias",
    "proxyjump",
    "proxycommand",
    "proxyusefdpass",
    "connecttimeout",
    "serveraliveinterval",
    "canonicalizehostname",
    "include",
];

/// An option that applies.
#[derive(Debug, Clone)]
pub(super) struct Opt {
    /// In lower case.
    pub(super) key: String,
    /// Its first word.
    pub(super) value: String,
    pub(super) words: Vec<String>,
    /// All that stands behind the key, as it stands there.
    pub(super) rest: String,
    /// File and line.
    pub(super) place: String,
}

impl Opt {
    /// Why it cannot be followed.
    pub(super) fn error(&self, why: &str) -> TransportError {
        TransportError::Config {
            message: format!("{}: {} {} {why}", self.place, self.key, self.rest),
        }
    }

    pub(super) fn is_yes(&self) -> bool {
        matches!(self.value.to_ascii_lowercase().as_str(), "yes" | "true")
    }

    /// `30`, `1m30s`, `2h`; `none` is none.
    pub(super) fn duration(&self) -> Result<Option<Duration>, TransportError> {
        if self.value.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        let (mut total, mut number) = (0, None);
        for char in self.value.chars() {
            let unit = match char.to_ascii_lowercase() {
                '0'..='9' => {
                    let digit = u64::from(char as u8 - b'0');
                    number = Some(number.unwrap_or(0u64).saturating_mul(10).saturating_add(digit));
                    continue;
                }
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86400,
                'w' => 604_800,
                _ => return Err(self.error("is no time")),
            };
            let count = number.take().ok_or_else(|| self.error("is no time"))?;
            total += count.saturating_mul(unit);
        }
        Ok(Some(Duration::from_secs(total + number.unwrap_or(0))))
    }
}

/// The options that apply to a host, in order.
#[derive(Debug, Default)]
pub(super) struct Options(pub(super) Vec<Opt>);

impl Options {
    pub(super) fn first(&self, key: &str) -> Option<&Opt> {
        self.first_of(&[key])
    }

    pub(super) fn first_of(&self, keys: &[&str]) -> Option<&Opt> {
        self.0.iter().find(|option| keys.contains(&option.key.as_str()))
    }

    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Opt> {
        self.0.iter().filter(move |option| option.key == key)
    }
}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    lines: Vec<Line>,
    /// A line whose quotes do not match.
    broken: Option<usize>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    key: String,
    words: Vec<String>,
    rest: String,
}

impl ConfigFile {
    pub(super) fn parse(text: &str) -> Self {
        let mut file = ConfigFile { lines: Vec::new(), broken: None };
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            match split(text) {
                None => file.broken = file.broken.or(Some(number)),
                Some((key, rest, words))
                    if KNOWN.contains(&key.as_str())
                        || ["host", "match"].contains(&key.as_str()) =>
                {
                    file.lines.push(Line { number, key, words, rest });
                }
                Some(_) => {}
            }
        }
        file
    }
}

/// Collects the options that apply to one host.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    settings: &'a ConnectSettings,
    pub(super) options: Options,
    /// Why the options may be others than these.
    pub(super) unclear: Option<TransportError>,
    /// What was decided at each `Host` and `Match` line: hosts of which it is the same are told the
    /// same.
    pub(super) decisions: String,
    /// Whether the options depend on the host's name in another way.
    pub(super) about_host: bool,
}

/// Whether the lines of a block apply.
#[derive(Clone)]
enum Block {
    Applies,
    Skipped,
    /// It depends on something that cannot be told here.
    Unclear(String),
}

impl<'a> Reader<'a> {
    pub(super) fn new(asked: &'a Asked<'a>, settings: &'a ConnectSettings) -> Self {
        let decisions = String::new();
        Reader {
            asked,
            settings,
            options: Options::default(),
            unclear: None,
            decisions,
            about_host: false,
        }
    }

    /// Reads a file of the configuration; one that does not exist is empty.
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
                message: format!(
                    "{}:{number}: a quote is not \
                closed",
                    path.display()
                ),
            });
        }
        let mut block = outer.clone();
        for line in &file.lines {
            let option = || Opt {
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

    fn apply(&mut self, option: Opt, block: &Block) -> Result<(), TransportError> {
        if option.words.is_empty() {
            return Err(option.error("has no value"));
        }
        // commands are expanded here, for each host
        self.about_host |= option.key != "proxycommand" && option.rest.contains('%');
        if option.key == "canonicalizehostname"
            && !["no", "false"].contains(&option.value.to_ascii_lowercase().as_str())
        {
            self.about_host = true;
            // where there is no ssh to ask, the resolver's own search domains do the same for most
            if self.settings.ssh_program.is_some() {
                self.doubt(option.error("is not supported"));
            }
        }
        match block {
            Block::Unclear(why) => {
                let adds_up = ["identityfile", "certificatefile"].contains(&option.key.as_str());
                if adds_up || self.options.first(&option.key).is_none() {
                    self.doubt(option.error(&format!(
                        "depends on {why}, which is not supported: \
                        use `Host`"
                    )));
                }
            }
            _ => self.options.0.push(option),
        }
        Ok(())
    }

    fn include(
        &mut self,
        option: &Opt,
        block: &Block,
        base: &Path,
        depth: usize,
    ) -> Result<(), TransportError> {
        if depth == MAX_DEPTH {
            return Err(option.error("goes too deep: do the files include each other?"));
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

    /// Whether a `Match` line is about the host.
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

/// The key of a line, in lower case, all that stands behind it, and that as words: `Key value`,
/// `Key=value`, quotes, `#` for the rest. An empty line has an empty key. `None` if a quote is not
/// closed.
fn split(line: &str) -> Option<(String, String, Vec<String>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return Some((String::new(), String::new(), Vec::new()));
    }
    let end = line.find(|char: char| char.is_whitespace() || char == '=').unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let key = key.trim_matches('"').to_ascii_lowercase();
    // the rest of such a line is for a shell
    if key == "proxycommand" {
        return Some((key, rest.to_owned(), rest.split_whitespace().map(str::to_owned).collect()));
    }
    let mut words: Vec<String> = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|char| char.is_whitespace()).is_some() {}
        if chars.peek().is_none_or(|char| *char == '#') {
            return Some((key, rest.to_owned(), words));
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(char) = chars.next_if(|char| quote.is_some() || !char.is_whitespace()) {
            let escaped =
                |next: &char| ['\'', '"', '\\'].contains(next) || (quote.is_none() && *next == ' ');
            match (char, quote) {
                ('\\', _) => word.push(chars.next_if(escaped).unwrap_or('\\')),
                ('"' | '\'', None) => quote = Some(char),
                (char, Some(open)) if char == open => quote = None,
                (char, _) => word.push(char),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

/// The files that a path with `*`, `?` and `[` means, in order.
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

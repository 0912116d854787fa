//! The text of the ssh configuration: lines, `Host` and `Match` blocks, included files; which of its options apply to a host.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{ConnectSettings, TransportError};
use super::config::in_home;
use super::pattern::{list_matches, matches};

/// How deep files may include files.
const MAX_DEPTH: usize = 16;
/// The options that anything here looks at.
const KNOWN: [&str; 15] = [
    "hostname",
    "port",
    "user",
    "identityfile",
    "identitiesonly",
    "identityagent",
    "userknownhostsfile",
    "globalknownhostsfile",
    "stricthostkeychecking",
    "hostkeyalias",
    "proxyjump",
    "proxycommand",
    "connecttimeout",
    "serveraliveinterval",
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
    place: String,
}

impl Opt {
    /// Why it cannot be followed.
    pub(super) fn error(&self, why: &str) -> TransportError {
        TransportError::Config { message: format!("{}: {} {} {why}", self.place, self.key, self.value) }
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
pub(super) struct Options(Vec<Opt>);

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

/// Collects the options that apply to one host.
pub(super) struct Reader<'a> {
    host: &'a str,
    settings: &'a ConnectSettings,
    options: Vec<Opt>,
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
    pub(super) fn new(host: &'a str, settings: &'a ConnectSettings) -> Self {
        Reader { host, settings, options: Vec::new() }
    }

    /// Reads a file of the configuration; one that does not exist is empty.
    pub(super) fn read_file(&mut self, file: &Path) -> Result<(), TransportError> {
        self.read(file, file.parent().unwrap_or(Path::new("/")), &Block::Applies, 0)
    }

    pub(super) fn finish(self) -> Options {
        Options(self.options)
    }

    fn read(&mut self, file: &Path, base: &Path, outer: &Block, depth: usize) -> Result<(), TransportError> {
        let text = match fs::read(file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(TransportError::Input { path: file.to_owned(), message: error.to_string() }),
        };
        let mut block = outer.clone();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{}:{}", file.display(), index + 1);
            let words = split(line).ok_or_else(|| TransportError::Config { message: format!("{place}: a quote is not closed") })?;
            let Some((key, words)) = words.split_first() else { continue };
            let key = key.to_ascii_lowercase();
            let option = Opt { value: words.first().cloned().unwrap_or_default(), words: words.to_vec(), key, place };
            match (option.key.as_str(), outer) {
                ("host" | "match", Block::Skipped) => {}
                ("host", _) if list_matches(words.iter().map(String::as_str), self.host) => block = outer.clone(),
                ("host", _) => block = Block::Skipped,
                ("match", _) => {
                    block = match self.matched(&option) {
                        Block::Applies => outer.clone(),
                        other => other,
                    }
                }
                _ => self.apply(option, &block, base, depth)?,
            }
        }
        Ok(())
    }

    fn apply(&mut self, option: Opt, block: &Block, base: &Path, depth: usize) -> Result<(), TransportError> {
        if !KNOWN.contains(&option.key.as_str()) {
            return Ok(());
        }
        match block {
            Block::Skipped => return Ok(()),
            Block::Unclear(why) => {
                let decided =
                    !["identityfile", "include"].contains(&option.key.as_str()) && self.options.iter().any(|it| it.key == option.key);
                return if decided { Ok(()) } else { Err(option.error(&format!("depends on {why}, which is not supported: use `Host`"))) };
            }
            Block::Applies => {}
        }
        if option.key != "include" {
            if option.words.is_empty() {
                return Err(option.error("has no value"));
            }
            self.options.push(option);
            return Ok(());
        }
        if depth == MAX_DEPTH {
            return Err(option.error("goes too deep: do the files include each other?"));
        }
        for word in &option.words {
            for file in glob(&base.join(in_home(word, self.settings.home.as_deref()))) {
                self.read(&file, base, block, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether a `Match` line is about the host.
    fn matched(&self, line: &Opt) -> Block {
        let mut unclear = None;
        let mut words = line.words.iter();
        while let Some(word) = words.next() {
            let (negated, criterion) = match word.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, word.as_str()),
            };
            let first = |key: &str| self.options.iter().find(|option| option.key == key).map(|option| option.value.clone());
            let about = match criterion.to_ascii_lowercase().as_str() {
                "all" => Some(true),
                "canonical" => Some(false),
                "final" => None,
                name => {
                    let patterns = words.next().map(String::as_str).unwrap_or_default();
                    let subject = match name {
                        "host" => Some(first("hostname").map_or_else(|| self.host.to_owned(), |name| name.replace("%h", self.host))),
                        "originalhost" => Some(self.host.to_owned()),
                        "user" => Some(first("user").unwrap_or_else(|| self.settings.user.clone())),
                        _ => None,
                    };
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

/// The words of a line: `Key value`, `Key=value`, quotes, `#` for the rest. `None` if a quote is not closed.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut chars = line.trim().chars().peekable();
    loop {
        while chars.next_if(|char| char.is_whitespace() || (*char == '=' && words.len() == 1)).is_some() {}
        let Some(&first) = chars.peek() else { return Some(words) };
        if first == '#' {
            return Some(words);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(&char) = chars.peek() {
            match (char, quote) {
                ('"' | '\'', None) => quote = Some(char),
                (char, Some(open)) if char == open => quote = None,
                (char, None) if char.is_whitespace() || (char == '=' && words.is_empty()) => break,
                (char, _) => word.push(char),
            }
            chars.next();
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

/// The files that a path with `*` and `?` means, in order.
fn glob(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let part = part.as_os_str().to_string_lossy();
        if !part.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(&*part));
            continue;
        }
        let mut next = Vec::new();
        for directory in &found {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            let names = entries.filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                matches(&part, &name) && (!name.starts_with('.') || part.starts_with('.'))
            });
            next.extend(names.map(|entry| entry.path()));
        }
        next.sort();
        found = next;
    }
    found
}

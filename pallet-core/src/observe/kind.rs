//! What every kind of thing that can be observed implements.

use std::collections::BTreeMap;

use super::ObserveError;
use super::answer::Answer;
use crate::model::Os;
use crate::script::Script;

/// A kind of thing that can be observed on a node; the type holds what is known of such things. To
/// add one, copy a neighbour in `kinds/`, such as `group.rs`, and add its line to the table in
/// `table.rs`.
pub trait Kind: Sized {
    /// What is asked of such things.
    type Questions;

    /// Asks for all that `other` asks for as well.
    fn ask(questions: &mut Self::Questions, other: Self::Questions);

    /// The shell functions that `script` calls. Each stands in the observing script once.
    fn functions(_questions: &Self::Questions) -> Vec<&'static str> {
        Vec::new()
    }

    /// Adds what answers the questions to the observing script.
    fn script(questions: &Self::Questions, script: Script) -> Script;

    /// Takes in the answers of a node with this system. Answers of other kinds are passed over.
    fn read(
        &mut self,
        questions: &Self::Questions,
        answers: &[Answer<'_>],
        os: &Os,
    ) -> Result<(), ObserveError>;

    /// Keeps only what `other` knows just the same: after a change that may or may not be made.
    fn keep_what_agrees(&mut self, other: &Self);

    /// Adds what `newer` knows, which replaces what was known before.
    fn learn(&mut self, newer: Self);

    /// Where `observed` is not what this predicted, one line each. What is not known is not
    /// predicted.
    fn contradictions(&self, _observed: &Self) -> Vec<String> {
        Vec::new()
    }

    /// What is asked and what is known of it, in words. `outputs`: also digests of contents and the
    /// output of commands, which may reveal a secret.
    fn describe(&self, questions: &Self::Questions, outputs: bool) -> Vec<KindDescription>;
}

/// What is asked of one thing, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindDescription {
    /// The thing: `file /etc/motd`, `package nginx`.
    pub what: String,
    /// What is known of it; `None`: nothing.
    pub found: Option<String>,
}

impl KindDescription {
    pub(super) fn new(what: impl Into<String>, found: Option<String>) -> Self {
        KindDescription { what: what.into(), found }
    }
}

/// Calls a function of the observing script with all names, if there are any.
pub(super) fn call_with_names<'a>(
    script: Script,
    function: &'a str,
    names: impl IntoIterator<Item = &'a String>,
) -> Script {
    let mut names = names.into_iter().map(String::as_str).peekable();
    match names.peek() {
        Some(_) => script.call(std::iter::once(function).chain(names)),
        None => script,
    }
}

/// Each thing that is asked for by its name, and what is known of it in words. `what` names the
/// kind.
pub(super) fn describe<'a, T>(
    what: &str,
    names: impl IntoIterator<Item = &'a String>,
    known: &BTreeMap<String, T>,
    words: impl Fn(&T) -> String,
) -> Vec<KindDescription> {
    let describe =
        |name| KindDescription::new(format!("{what} {name}"), known.get(name).map(&words));
    names.into_iter().map(describe).collect()
}

/// Keeps of a map what is the same in `other`.
pub(super) fn keep_same<T: PartialEq>(map: &mut BTreeMap<String, T>, other: &BTreeMap<String, T>) {
    map.retain(|key, value| other.get(key) == Some(value));
}

/// A line for each thing that is not as it was predicted. `what` names the kind.
pub(super) fn contradictions<T: std::fmt::Debug>(
    what: &str,
    predicted: &BTreeMap<String, T>,
    observed: &BTreeMap<String, T>,
    allows: impl Fn(&T, &T) -> bool,
) -> Vec<String> {
    let found = predicted.iter().filter_map(|(name, predicted)| {
        let seen = observed.get(name).filter(|seen| !allows(predicted, seen))?;
        Some(format!("{what} {name}: predicted {predicted:?}, found {seen:?}"))
    });
    found.collect()
}

/// Whether a value is the wanted one, or nothing certain is wanted.
pub(super) fn open_or_same<T: PartialEq>(wanted: &Option<T>, seen: &Option<T>) -> bool {
    wanted.is_none() || wanted == seen
}

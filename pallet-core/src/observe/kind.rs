//! The trait that every kind of observable thing implements.

use std::collections::BTreeMap;

use super::ObserveError;
use super::answer::Answer;
use crate::model::Os;
use crate::script::Script;

/// A kind of thing that can be observed on a node; the type holds the known state of such things.
/// To add a kind, copy a neighbour in `kinds/`, such as `group.rs`, and add its line to the table
/// in `table.rs`.
pub trait Kind: Sized {
    /// The questions about this kind.
    type Questions;

    /// Adds the questions of `other`.
    fn ask(questions: &mut Self::Questions, other: Self::Questions);

    /// The shell functions that `script` calls. Each is included in the observing script once.
    fn functions(_questions: &Self::Questions) -> Vec<&'static str> {
        Vec::new()
    }

    /// Adds the commands that answer the questions to the observing script.
    fn script(questions: &Self::Questions, script: Script) -> Script;

    /// Reads the answers of a node with this system, ignoring those of other kinds.
    fn read(
        &mut self,
        questions: &Self::Questions,
        answers: &[Answer<'_>],
        os: &Os,
    ) -> Result<(), ObserveError>;

    /// Keeps only what is the same in `other`: used after a change that may or may not be made.
    fn keep_what_agrees(&mut self, other: &Self);

    /// Adds the state in `newer`, which overrides older state.
    fn learn(&mut self, newer: Self);

    /// Where `observed` differs from this predicted state, one line each. Unknown state predicts
    /// nothing.
    fn contradictions(&self, _observed: &Self) -> Vec<String> {
        Vec::new()
    }

    /// Describes the questions and their answers in words. `outputs`: also include digests and the
    /// output of commands, which may reveal a secret.
    fn describe(&self, questions: &Self::Questions, outputs: bool) -> Vec<KindDescription>;
}

/// One question and its answer, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindDescription {
    /// The thing: `file /etc/motd`, `package nginx`.
    pub what: String,
    /// The answer; `None`: unknown.
    pub found: Option<String>,
}

impl KindDescription {
    pub(super) fn new(what: impl Into<String>, found: Option<String>) -> Self {
        KindDescription { what: what.into(), found }
    }
}

/// Calls a function of the observing script with these names, if there are any.
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

/// Describes each named thing and its known state. `what` names the kind.
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

/// Keeps the entries of a map that are equal in `other`.
pub(super) fn keep_same<T: PartialEq>(map: &mut BTreeMap<String, T>, other: &BTreeMap<String, T>) {
    map.retain(|key, value| other.get(key) == Some(value));
}

/// A line for each thing that differs from its prediction. `what` names the kind.
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

/// Whether a value is the wanted one, or no particular value is wanted.
pub(super) fn open_or_same<T: PartialEq>(wanted: &Option<T>, seen: &Option<T>) -> bool {
    wanted.is_none() || wanted == seen
}

//! A call of a session function, with checked arguments.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use pallet_core::engine::{LiftOptions, NodeChanges, PhaseChoice, RolloutOptions, Tags};
use serde_json::Value as Json;
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::state::Session;
use crate::project::star::plain_data::{describe, names, sequence};
use crate::project::star::signature::Signature;
use crate::project::star::table::TableValue;
use crate::project::star::{BoundArguments, FunctionError, phase};

/// A call.
pub(crate) struct Call<'c, 'v, 'a, 'e> {
    pub(crate) session: &'c Arc<Session>,
    pub(crate) signature: &'c Signature,
    pub(crate) bound: BoundArguments<'v>,
    pub(crate) evaluator: &'c mut Evaluator<'v, 'a, 'e>,
}

impl<'v> Call<'_, 'v, '_, '_> {
    /// The name of the function.
    pub(crate) fn function(&self) -> &str {
        &self.signature.function
    }

    /// A value that is not plain data.
    pub(crate) fn value(&self, name: &str) -> Option<Value<'v>> {
        self.bound.value(name)
    }

    /// A boolean; false if omitted.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.bound.data.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    /// A string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.bound.data.get(name).and_then(Json::as_str).map(str::to_owned)
    }

    /// A non-negative integer.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.bound.data.get(name).and_then(Json::as_u64)
    }

    /// An error of this function.
    pub(crate) fn complaint(&self, message: impl std::fmt::Display) -> FunctionError {
        FunctionError::new(format!("{}: {message}", self.function()))
    }

    /// The given phases, by name or as functions.
    pub(crate) fn phases(&mut self) -> Result<Vec<PhaseChoice>, FunctionError> {
        let Some(value) = self.value("phase") else { return Ok(Vec::new()) };
        let items = sequence(value).unwrap_or_else(|| vec![value]);
        items.into_iter().map(|item| self.phase(item)).collect()
    }

    /// A phase, by name or as a function.
    pub(crate) fn phase(&mut self, item: Value<'v>) -> Result<PhaseChoice, FunctionError> {
        if let Some(name) = item.unpack_str() {
            return Ok(PhaseChoice::Named(name.to_owned()));
        }
        if item.get_type() != "function" {
            let message = format!(
                "`phase` must be the name of a phase, a function of the request, or a list of \
                 them, not {}",
                describe(item)
            );
            return Err(self.complaint(message));
        }
        Ok(PhaseChoice::Inline(phase(self.signature, "inline", item, self.evaluator)?))
    }

    /// The maximum number of nodes in parallel.
    pub(crate) fn parallel(&self) -> usize {
        self.number("parallel")
            .map_or(50, |number| usize::try_from(number).unwrap_or(usize::MAX).clamp(1, 10_000))
    }

    /// The options for an operation.
    pub(crate) fn lift_options(&mut self) -> Result<LiftOptions, FunctionError> {
        Ok(LiftOptions {
            phases: self.phases()?,
            dry_run: self.flag("dry_run"),
            overwrite_changes: self.flag("overwrite_changes"),
            parallel: self.parallel(),
            tags: Tags { only: self.names("tags")?, skip: self.names("skip_tags")? },
            rollout: RolloutOptions {
                waves: self.words("waves")?,
                max_failures: self.words("max_failures")?,
                confirm: None,
            },
            ..LiftOptions::default()
        })
    }

    /// A number, text or list of them, as it would be written on the command line.
    fn words<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, FunctionError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let items = sequence(value).unwrap_or_else(|| vec![value]);
        let words: Vec<_> = items
            .into_iter()
            .map(|item| item.unpack_str().map_or_else(|| item.to_str(), str::to_owned))
            .collect();
        let parsed = words.join(",").parse();
        parsed.map(Some).map_err(|error: T::Err| self.complaint(format!("`{name}`: {error}")))
    }

    /// What may happen to nodes beyond their number.
    pub(crate) fn node_changes(&self) -> Result<NodeChanges, FunctionError> {
        Ok(NodeChanges {
            replace: self.names("replace")?,
            replace_outdated: self.flag("replace_outdated"),
            unprotect: self.names("unprotect")?,
        })
    }

    /// Names; none if omitted.
    fn names(&self, name: &str) -> Result<Vec<String>, FunctionError> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let wrong = || {
            let expected = "a name, or a list of names";
            self.complaint(format!("`{name}` must be {expected}, not {}", describe(value)))
        };
        names(value).ok_or_else(wrong)
    }

    /// Converts a table to a value.
    pub(crate) fn give(&self, table: Option<TableValue>) -> Value<'v> {
        table.map_or_else(Value::new_none, |table| self.evaluator.heap().alloc(table))
    }

    /// Converts rows to a list of tables that messages call `name`.
    pub(crate) fn rows(&self, name: &str, rows: Vec<Json>) -> Value<'v> {
        let tables: Vec<TableValue> = rows
            .into_iter()
            .map(|row| TableValue::new(name, super::outcome::object(row)))
            .collect();
        self.evaluator.heap().alloc(tables)
    }
}

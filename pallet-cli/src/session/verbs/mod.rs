//! The functions of a session, one family a file. To add one: its file, or its function in a file,
//! and its line in the table below.

mod admin_user;
mod check;
mod converge;
mod explain;
mod help;
mod lift;
mod nodes;
mod offers;
mod run;
mod services;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use starlark::eval::Evaluator;
use starlark::typing::Ty;
use starlark::values::Value;

use super::Session;
use super::arguments::Call;
use crate::project::star::signature::{Parameter, Signature};
use crate::project::star::types::Kind;
use crate::project::star::{Bound, Does, HostFunction, Verb};

/// A function of a session.
pub(super) struct Entry {
    name: &'static str,
    /// Sentences, and paragraphs that begin with `Example: `.
    doc: &'static str,
    parameters: &'static [Param],
    does: for<'c, 'v, 'a, 'e> fn(Call<'c, 'v, 'a, 'e>) -> starlark::Result<Value<'v>>,
}

/// A parameter of one.
#[derive(Clone, Copy)]
struct Param {
    name: &'static str,
    takes: Takes,
    doc: &'static str,
    required: bool,
    positional: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy)]
enum Takes {
    Targets,
    Counts,
    Phases,
    Service,
    Flag,
    Number,
    Text,

    Any(&'static str),
}

/// The functions, in the order in which help lists them.
static TABLE: &[&Entry] = &[
    &nodes::NODES,
    &nodes::GROUPS,
    &converge::CONVERGE,
    &lift::LIFT,
    &converge::DOWN,
    &explain::EXPLAIN,
    &explain::EXPLAIN_PLAN,
    &explain::EXPLAIN_SESSION,
    &run::RUN,
    &run::RUN_SCRIPT,
    &lift::DRIFT,
    &nodes::SHOW_NODES,
    &nodes::SHOW_GROUP,
    &offers::IMAGES,
    &offers::HARDWARE,
    &offers::LOCATIONS,
    &services::PROVIDERS,
    &services::SERVICES,
    &services::COMPUTE_SERVICE,
    &services::USE_SERVICE,
    &admin_user::WITH_ADMIN_USER,
    &check::CHECK,
    &check::RELOAD,
    &help::HELP,
];

/// What every operation that configures takes.
const PHASE: Param = Param::named(
    "phase",
    Takes::Phases,
    "Run this instead of the default phases: the name of a phase, a function of the request, or a \
     list of them.",
);
const DRY_RUN: Param = Param::named(
    "dry_run",
    Takes::Flag,
    "Show what would change, and change \
    nothing.",
);
const OVERWRITE: Param = Param::named(
    "overwrite_changes",
    Takes::Flag,
    "Replace what was changed by hand since Pallet \
        wrote it; else it is reported and kept.",
);
const PARALLEL: Param = Param::named("parallel", Takes::Number, "Work on so many nodes at once.");
const YES: Param = Param::named("yes", Takes::Flag, "Destroy nodes without asking.");

impl Param {
    /// One that may be given by position, and left out.
    const fn first(name: &'static str, takes: Takes, doc: &'static str) -> Self {
        Param { name, takes, doc, required: false, positional: true }
    }

    /// One that must be given.
    const fn required(name: &'static str, takes: Takes, doc: &'static str) -> Self {
        Param { name, takes, doc, required: true, positional: true }
    }

    /// One that is given by keyword, and may be left out.
    const fn named(name: &'static str, takes: Takes, doc: &'static str) -> Self {
        Param { name, takes, doc, required: false, positional: false }
    }

    fn parameter(&self) -> Parameter {
        let data = |ty: Json| Kind::Data(json!({"type": ty, "description": self.doc}));
        let kind = match self.takes {
            Takes::Targets => Kind::Targets,
            Takes::Counts => Kind::Counts,
            Takes::Phases => Kind::PhaseChoices,
            Takes::Service => Kind::Service,
            Takes::Flag => data(json!("boolean")),
            Takes::Number => {
                Kind::Data(json!({"type": "integer", "minimum": 0, "description": self.doc}))
            }
            Takes::Text => data(json!("string")),
            Takes::Any(what) => Kind::Any(what),
        };
        Parameter {
            name: self.name.to_owned(),
            kind,
            required: self.required,
            positional: self.positional,
        }
    }
}

impl Entry {
    fn signature(&self) -> Signature {
        let docs: Map<String, Json> = self
            .parameters
            .iter()
            .map(|one| (one.name.to_owned(), json!({"description": one.doc})))
            .collect();
        Signature {
            function: self.name.to_owned(),
            doc: self.doc.to_owned(),
            parameters: self.parameters.iter().map(Param::parameter).collect(),
            root: json!({"properties": docs}),
            phases: false,
            returns: Ty::any(),
        }
    }
}

/// All of them, bound to a session.
pub(super) fn functions(session: &Arc<Session>) -> Vec<HostFunction> {
    let bound = |entry: &&'static Entry| {
        let does = Does::Verb(Arc::new(Bind { session: session.clone(), entry }));
        HostFunction::new(Arc::new(entry.signature()), does)
    };
    TABLE.iter().map(bound).collect()
}

/// The signatures of all of them.
pub(crate) fn signatures() -> Vec<Signature> {
    TABLE.iter().map(|entry| entry.signature()).collect()
}

/// A function with its session.
struct Bind {
    session: Arc<Session>,
    entry: &'static Entry,
}

impl fmt::Debug for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)
    }
}

impl Verb for Bind {
    fn call<'v>(
        &self,
        signature: &Signature,
        bound: Bound<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        (self.entry.does)(Call { session: &self.session, signature, bound, evaluator })
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_function_says_what_it_does_and_how_it_is_called() {
        for entry in TABLE {
            assert!(entry.doc.contains(". ") || entry.doc.contains(".\n"), "{}", entry.name);
            assert!(entry.doc.contains(&format!("Example: `{}(", entry.name)), "{}", entry.name);
            assert!(
                entry.parameters.iter().all(|parameter| parameter.doc.ends_with('.')),
                "{}",
                entry.name
            );
        }
    }
}

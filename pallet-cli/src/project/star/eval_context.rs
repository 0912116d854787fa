//! The context of an evaluation, which Pallet's functions need when they are called.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use pallet_core::action::SourceLocation;
use pallet_core::plugin::Request;
use starlark::any::ProvidesStaticType;
use starlark::codemap::FileSpan;
use starlark::eval::Evaluator;

use super::declared::Declarations;
use super::limits::Clock;
use crate::diagnostic::SourceSpan;

/// What is being evaluated.
#[derive(Debug, ProvidesStaticType)]
pub(crate) enum EvalContext {
    /// The project's files, which add declarations.
    Loading(RefCell<Declarations>),
    /// An input of a session.
    Session(Rc<SessionContext>),
    /// A phase function.
    Phase {
        /// The place that declared the function as a phase.
        declared: Option<SourceLocation>,
    },
}

/// The context of a session's inputs.
#[derive(ProvidesStaticType)]
pub(crate) struct SessionContext {
    /// The session's declarations.
    pub(crate) declared: RefCell<Declarations>,
    /// The phase function that an operation of the session is running: the place that declared it,
    /// and its request.
    pub(crate) phase: RefCell<Option<(Option<SourceLocation>, Request)>>,
    /// The remaining time of the evaluation.
    pub(crate) clock: Clock,
    /// The names defined by inputs.
    pub(crate) own: RefCell<BTreeSet<String>>,
}

impl fmt::Debug for SessionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionContext").field("declared", &self.declared).finish_non_exhaustive()
    }
}

impl EvalContext {
    /// The context of an evaluation.
    pub(crate) fn of<'a>(evaluator: &Evaluator<'_, 'a, '_>) -> Option<&'a EvalContext> {
        evaluator.extra.and_then(|extra| extra.downcast_ref::<EvalContext>())
    }
}

/// The place of the innermost call in a file of the project.
pub(crate) fn call_place(evaluator: &Evaluator<'_, '_, '_>) -> Option<SourceSpan> {
    (0..evaluator.call_stack_count())
        .find_map(|depth| evaluator.call_stack_nth_location(depth))
        .map(|span| place(&span))
}

/// The place to report for a call: the call itself, or the declaration of the phase that runs.
pub(crate) fn source(evaluator: &Evaluator<'_, '_, '_>) -> Option<SourceLocation> {
    match (call_place(evaluator), EvalContext::of(evaluator)) {
        (Some(place), _) => Some(place.location()),
        (None, Some(EvalContext::Phase { declared })) => declared.clone(),
        (None, Some(EvalContext::Session(session))) => {
            session.phase.borrow().as_ref().and_then(|(declared, _)| declared.clone())
        }
        (None, _) => None,
    }
}

/// A file name that begins with this has an extra first line, which is not the user's.
pub(crate) const SCOPED: &str = "scoped ";

/// Converts a span of Starlark.
pub(crate) fn place(span: &FileSpan) -> SourceSpan {
    let range = span.span.begin().get() as usize..span.span.end().get() as usize;
    let place = SourceSpan::of(span.filename(), span.file.source(), range);
    match span.filename().strip_prefix(SCOPED) {
        Some(file) => {
            SourceSpan { file: file.to_owned(), line: place.line.saturating_sub(1), ..place }
        }
        None => place,
    }
}

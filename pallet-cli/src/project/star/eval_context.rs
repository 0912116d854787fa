//! What the functions that Pallet gives to the project know while they are called.
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

/// Where in the life of a project an evaluation stands.
#[derive(Debug, ProvidesStaticType)]
pub(crate) enum EvalContext {
    /// The files are read; what they declare is collected.
    Loading(RefCell<Declarations>),
    /// An input of a session is evaluated.
    Session(Rc<SessionContext>),
    /// A phase function runs.
    Phase {
        /// The place that made the function a phase.
        declared: Option<SourceLocation>,
    },
}

/// What the functions of a session know while they are called.
#[derive(ProvidesStaticType)]
pub(crate) struct SessionContext {
    /// What was declared in the session.
    pub(crate) declared: RefCell<Declarations>,
    /// The phase function that an operation of the session has called: the place that made it a
    /// phase, and its request.
    pub(crate) phase: RefCell<Option<(Option<SourceLocation>, Request)>>,
    /// How long the evaluation may still take.
    pub(crate) clock: Clock,
    /// The names that inputs define.
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

/// The place that asks for something: the call, or the place that made the called function a phase.
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

/// Begins the name of a text whose first line is not the user's.
pub(crate) const SCOPED: &str = "@";

/// A span of Starlark as a place.
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

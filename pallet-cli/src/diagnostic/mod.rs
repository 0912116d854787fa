//! Errors and warnings of a project, with suggestions.

mod diagnostics;
mod source_span;
mod suggest;

pub(crate) use diagnostics::{Diagnostic, Diagnostics, Note, Severity, unknown_name};
pub(crate) use source_span::SourceSpan;
pub(crate) use suggest::{closest, did_you_mean, did_you_mean_or_list, same_meaning};

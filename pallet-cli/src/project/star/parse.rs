//! Parses a file, and finds its load statements.

use starlark::syntax::AstModule;
use starlark::syntax::ast::{AstStmt, Load, Stmt};

use super::error::diagnose;
use super::language::dialect;
use super::nesting::check_nesting;
use crate::diagnostic::Diagnostic;

/// Parses a file of the project.
pub(crate) fn parse(name: &str, text: String) -> Result<AstModule, Diagnostic> {
    check_nesting(name, &text)?;
    AstModule::parse(name, text, &dialect())
        .map_err(|error| diagnose(&error, "the file", Default::default(), None))
}

/// The load statements of a file, in order. They are only at its top level.
pub(crate) fn loads(statement: &AstStmt) -> Vec<&Load> {
    match &statement.node {
        Stmt::Load(load) => vec![load],
        Stmt::Statements(several) => several.iter().flat_map(loads).collect(),
        _ => Vec::new(),
    }
}

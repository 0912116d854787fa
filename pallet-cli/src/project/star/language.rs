//! The language: its dialect, and the names that need no load.

use std::collections::HashMap;

use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::syntax::{Dialect, DialectTypes};

use super::function::HostFunction;
use super::functions::{actions, functions, scopes};
use super::scope::KnownName;

/// The names that need no load.
#[derive(Debug, Clone)]
pub(crate) struct Language {
    /// The names with their values.
    pub(crate) globals: Globals,
    known: HashMap<String, KnownName>,
}

impl Language {
    /// The language of this version of Pallet, for a project with these secrets.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        Self::with(secrets, Vec::new())
    }

    /// The language with additional functions.
    pub(crate) fn with<'a>(
        secrets: impl Iterator<Item = &'a str>,
        more: Vec<HostFunction>,
    ) -> Self {
        Self::of(functions(secrets).into_iter().chain(more))
    }

    /// The language of crates: they declare actions, and neither groups nor secrets.
    pub(crate) fn of_crates() -> Self {
        Self::of(actions().chain(scopes()))
    }

    fn of(functions: impl Iterator<Item = HostFunction>) -> Self {
        let mut builder = GlobalsBuilder::extended_by(&[
            LibraryExtension::StructType,
            LibraryExtension::RecordType,
            LibraryExtension::EnumType,
            LibraryExtension::SetType,
            LibraryExtension::Map,
            LibraryExtension::Filter,
            LibraryExtension::Partial,
            LibraryExtension::Print,
            LibraryExtension::Pstr,
            LibraryExtension::Json,
            LibraryExtension::Typing,
        ]);
        let mut known = HashMap::new();
        for function in functions {
            let name = function.signature.function.clone();
            known.insert(name.clone(), KnownName::Function(function.signature.clone()));
            builder.set(&name, function);
        }
        Language { globals: builder.build(), known }
    }

    /// What the static check knows about the names.
    pub(crate) fn known(&self) -> HashMap<String, KnownName> {
        self.known.clone()
    }
}

/// Starlark with typed parameters, f-strings, and statements at the top level.
pub(crate) fn dialect() -> Dialect {
    Dialect {
        enable_keyword_only_arguments: true,
        enable_positional_only_arguments: true,
        enable_types: DialectTypes::Enable,
        enable_top_level_stmt: true,
        enable_f_strings: true,
        ..Dialect::Standard
    }
}

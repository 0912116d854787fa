//! Starlark, the language of pallet.star.

mod check;
mod complaint;
mod context;
mod crates;
mod error;
mod function;
mod functions;
mod guard;
mod inline;
mod language;
mod limits;
mod literal;
mod load;
mod nesting;
mod phase;
mod registry;
mod request;
mod scope;
mod scoped;
mod signature;
mod spec;
mod spec_parts;
mod table;
mod types;

pub(crate) use guard::with_room;
pub(crate) use inline::InlineScope;
pub(crate) use language::Language;
pub(crate) use limits::Limits;
pub(crate) use load::{Files, MAIN};
pub(crate) use registry::Run;

//! The verbs: each is described once, for both its command and its REPL function.
//!
//! The doc comments of a command's arguments are its help. The function reuses summary and
//! parameters; what only one of the two has is marked.

mod converge;
mod explain;
mod facts;
mod junit;
mod lift;
mod nodes;
mod offers;
mod operation;
mod project;
mod run;
mod selection;
mod services;
mod table;
mod verb;

pub(crate) use converge::{Converge, Down};
pub(crate) use explain::Explain;
pub(crate) use facts::Facts;
pub(crate) use junit::JunitOptions;
pub(crate) use lift::Lift;
pub(crate) use nodes::Nodes;
pub(crate) use offers::{Hardware, Images, Locations, OfferOptions};
pub(crate) use operation::{OperationOptions, ResumeOptions};
pub(crate) use project::Check;
pub(crate) use run::Run;
pub(crate) use selection::SelectionOptions;
pub(crate) use services::{AddService, Providers};
pub(crate) use table::ALL;
pub(crate) use verb::{ParameterType, Verb, VerbParameter};

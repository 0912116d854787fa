//! Pallet's command line as a library.
//!
//! A program opens a project, a directory with `pallet.toml` and `pallet.star`, and works on it
//! with the engine that the project configures:
//!
//! ```no_run
//! # async fn lift() -> Result<(), pallet_cli::Error> {
//! use pallet_core::engine::LiftOptions;
//!
//! let project = pallet_cli::Project::open("shop")?;
//! let outcome = project.lift(project.groups(), &LiftOptions::default()).await?;
//! println!("{outcome}");
//! # Ok(())
//! # }
//! ```
//!
//! `pallet_core::engine` documents what an [`Engine`](pallet_core::engine::Engine) does;
//! `docs/from-code.md` is the guide.

#![cfg_attr(not(feature = "lsp"), allow(dead_code, reason = "some parts serve only editors"))]

mod api;
mod cli;
mod commands;
mod completion;
mod console;
mod context;
mod diagnostic;
mod distribution;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "lsp")]
mod lsp;
mod operation;
mod output;
mod package;
mod process;
mod project;
mod reference;
mod report;
mod session;
mod telemetry;
mod terminal;
mod verbs;

pub use api::{Error, OpenOptions, Project};
pub use cli::{command, main};

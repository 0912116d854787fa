//! How Pallet reaches a node: over ssh, through a command prefix, or locally. One trait, and one
//! way to run a script.

mod agent;
mod become_root;
mod connect;
mod error;
mod exec;
mod input;
mod local;
mod markers;
mod output_filter;
mod program;
mod put;
mod recorded;
mod script;
mod script_options;
mod secret;
mod settings;
mod shell;
mod ssh;
mod start_error;
mod traits;

pub use become_root::Become;
pub use connect::{connect, login_user};
pub use error::TransportError;
pub use exec::Exec;
pub use input::{Gate, Input, InputPart};
pub(crate) use markers::token;
pub use program::{run_program, run_program_with};
pub use put::{put, put_with};
pub use recorded::Recorded;
pub use script::{ScriptExit, run_script, run_script_with};
pub use script_options::ScriptOptions;
pub use secret::Secret;
pub use settings::{ConnectSettings, Prompt, Shared};
pub use ssh::Ssh;
pub use traits::{Output, Stream, Transport};

//! Secrets: from where pallet.toml says, or from the user at the terminal. Each kind of place is a
//! file, and a line in [`SecretFinder::source`](finder).

mod age;
#[cfg(feature = "aws")]
mod aws;
mod cache;
mod command;
mod env_file;
mod finder;
mod found;
mod prompt;
mod sops;
mod source;
#[cfg(feature = "vault")]
mod vault;

pub(crate) use cache::SecretCache;
pub(super) use prompt::TerminalPrompt;
pub(crate) use source::SecretFinder;
pub(super) use source::TTL;

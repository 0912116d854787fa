//! A node that is copied from or to, and the programs that run there.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::node::Session;
use crate::engine::operation::Copied;
use crate::script::quote;
use crate::transport::{self, Become, Input, Stream};

/// What is to be copied with a node, in order.
pub(super) type Jobs = Vec<Arc<dyn Job>>;

/// One thing to copy with one node; the error is one line.
#[async_trait::async_trait]
pub(super) trait Job: Send + Sync {
    async fn copy(&self, remote: &mut Remote<'_>) -> Result<Copied, String>;
}

/// A node that is copied from or to.
pub(super) struct Remote<'a> {
    pub(super) engine: &'a Engine,
    pub(super) session: Session,
    pub(super) no_sudo: bool,
}

impl Remote<'_> {
    /// Runs a program on the node. Its error is the last line of what it said.
    pub(super) async fn run(
        &mut self,
        program: &str,
        input: Input,
        out: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), String> {
        let engine = self.engine;
        let mut errors = Vec::new();
        let no_sudo = self.no_sudo;
        let session = &mut self.session;
        let work = async {
            let (transport, r#become) = session.connect(engine).await?;
            let r#become = if no_sudo { &Become::Login } else { r#become };
            let mut take = |stream, piece: &[u8]| match stream {
                Stream::Out => out(piece),
                Stream::Err if errors.len() < SAID => errors.extend_from_slice(piece),
                Stream::Err => {}
            };
            let options = engine.script_options();
            transport::run_program_with(transport, r#become, program, input, &options, &mut take)
                .await
        };
        let result = engine.unless_stopped("the copy", work).await;
        self.session.settle(&result);
        match result {
            Ok(0) => Ok(()),
            Ok(code) => Err(said(&errors, code)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// So much of what a program says on standard error is kept.
const SAID: usize = 64 * 1024;

/// What a program on a node said before it failed.
fn said(errors: &[u8], code: i32) -> String {
    let errors = String::from_utf8_lossy(errors);
    // that is all that tar says of itself, and not why
    let why = |line: &&str| !line.is_empty() && !line.contains("Exiting with failure status");
    let last = errors.lines().rev().map(str::trim).find(why);
    match last {
        // tar tells of a disk that is full in the middle of a block that it wrote only a part
        _ if errors.contains("No space left on device") || errors.contains("Wrote only") => "no \
            space left on the device there"
            .to_owned(),
        Some(line) => line.strip_prefix("pallet: ").unwrap_or(line).to_owned(),
        None => format!("the shell there ended with code {code}"),
    }
}

/// What programs on nodes begin with; `fail` says why it ends.
pub(super) fn program(values: &[(&str, &str)], body: &str) -> String {
    let values: String =
        values.iter().map(|(name, value)| format!("{name}={}\n", quote(value))).collect();
    format!(
        "LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/local/bin:/usr/bin:/bin\n\
         fail() {{ printf 'pallet: %s\\n' \"$*\" >&2; exit 1; }}\n\
         trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM\n{values}{body}"
    )
}

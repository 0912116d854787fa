//! A node to copy from or to, and the programs that run there.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::node::Session;
use crate::engine::operation::Copied;
use crate::script::quote;
use crate::transport::{self, Become, Input, Stream};

/// The copies to make with a node, in order.
pub(super) type Jobs = Vec<Arc<dyn Job>>;

/// One copy with one node; the error is one line.
#[async_trait::async_trait]
pub(super) trait Job: Send + Sync {
    async fn copy(&self, remote: &mut Remote<'_>) -> Result<Copied, String>;
}

/// A node to copy from or to.
pub(super) struct Remote<'a> {
    pub(super) engine: &'a Engine,
    pub(super) session: Session,
    pub(super) no_sudo: bool,
}

impl Remote<'_> {
    /// Runs a program on the node. The error is the last line of its standard error.
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

/// How much of a program's standard error is kept, in bytes.
const SAID: usize = 64 * 1024;

/// The error that a program on a node printed before it failed.
fn said(errors: &[u8], code: i32) -> String {
    let errors = String::from_utf8_lossy(errors);
    // this is tar's last line, and does not say why it failed
    let why = |line: &&str| !line.is_empty() && !line.contains("Exiting with failure status");
    let last = errors.lines().rev().map(str::trim).find(why);
    match last {
        // when a disk fills up in the middle of a block, tar only says "Wrote only ... bytes"
        _ if errors.contains("No space left on device") || errors.contains("Wrote only") => "no \
            space left on the device there"
            .to_owned(),
        Some(line) => line.strip_prefix("pallet: ").unwrap_or(line).to_owned(),
        None => format!("the shell on the node exited with code {code}"),
    }
}

/// A program with the common beginning; its `fail` prints the error and ends it.
pub(super) fn program(values: &[(&str, &str)], body: &str) -> String {
    let values: String =
        values.iter().map(|(name, value)| format!("{name}={}\n", quote(value))).collect();
    format!(
        "LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/local/bin:/usr/bin:/bin\n\
         fail() {{ printf 'pallet: %s\\n' \"$*\" >&2; exit 1; }}\n\
         trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM\n{values}{body}"
    )
}

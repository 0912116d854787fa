//! Writes a file on a node.

use super::output_filter::NOISE;
use super::start_error::last_line;
use super::{Become, Input, ScriptOptions, Stream, Transport, TransportError, run_program_with};
use crate::script::quote;

/// Writes a file on the node at `path`, atomically. Creates the directory (mode 0700) if it is
/// missing. A new file has mode 0600.
pub async fn put(
    transport: &mut dyn Transport,
    as_: &Become,
    path: &str,
    input: Input,
) -> Result<(), TransportError> {
    put_with(transport, as_, path, input, &ScriptOptions::default()).await
}

/// Like [`put`], with options.
pub async fn put_with(
    transport: &mut dyn Transport,
    as_: &Become,
    path: &str,
    input: Input,
    options: &ScriptOptions,
) -> Result<(), TransportError> {
    let size = input.size().await?;
    let (file, part) = (quote(path), quote(&format!("{path}.part")));
    let parent = match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    };
    let program = format!(
        "umask 077; mkdir -p -- {parent} && cat >{part} && if [ $(wc -c <{part}) -eq {size} ]; \
         then mv -f -- {part} {file}; \
         else echo 'the content arrived incomplete' >&2; false; fi \
         || {{ rm -f -- {part}; exit 1; }}",
        parent = quote(parent),
    );
    let mut errors = Vec::new();
    let code = run_program_with(transport, as_, &program, input, options, &mut |stream, bytes| {
        if stream == Stream::Err && errors.len() < NOISE {
            errors.extend_from_slice(bytes);
        }
    })
    .await?;
    if code == 0 {
        return Ok(());
    }
    let message = match last_line(&errors) {
        line if line.contains("No space left on device") => {
            format!("no space left on the device: {size} bytes are needed")
        }
        line if line.is_empty() => format!("the shell ended with code {code}"),
        line => line,
    };
    Err(TransportError::Write { host: transport.peer().to_owned(), path: path.to_owned(), message })
}

//! Runs a short program with `sh`, as the login user or as root.

use super::markers::BEGIN;
use super::shell::run;
use super::{Become, Input, InputPart, Output, ScriptOptions, Transport, TransportError};

/// Reads a program from its input, up to the next marker, and runs it with the rest as input.
const TAKER: &str = r##"n=$(echo; echo .); p=; while IFS= read -r l && [ "$l" != "#begin" ]; do p=$p$l${n%.}; done; eval "$p""##;

/// Runs a short program with `sh`, feeds it `input`, streams its output, and returns its exit code.
/// The program may be passed as an argument, which process lists show: it must not contain secrets.
pub async fn run_program(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run_program_with(transport, as_, program, input, &ScriptOptions::default(), output).await
}

/// Like [`run_program`], with options.
pub async fn run_program_with(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    options: &ScriptOptions,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    let (mut parts, gate) = options.gated();
    // login shells disagree on how to read these characters
    let program = match program.contains(['\n', '!', '\\']) {
        false => program,
        true => {
            parts.push(InputPart::Bytes(format!("{program}\n{BEGIN}").into_bytes()));
            TAKER
        }
    };
    parts.extend(input.0);
    run(transport, as_, program, parts, (options, &gate), None, output)
        .await
        .map(|heard| heard.code)
}

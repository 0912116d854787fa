//! Runs a short program with `sh`, as the login user or as root.

use super::markers::BEGIN;
use super::shell::run;
use super::{Become, Input, InputPart, Output, ScriptOptions, Transport, TransportError};

/// Takes a program from its input, up to the next marker, and runs it on the rest.
const TAKER: &str = r##"n=$(echo; echo .); p=; while IFS= read -r l && [ "$l" != "#begin" ]; do p=$p$l${n%.}; done; eval "$p""##;

/// Runs a short program with `sh`, feeds it `input`, hands over its output as it comes, and returns
/// its exit code. The program may be an argument, so it holds nothing that a list of processes may
/// not show.
pub async fn run_program(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run_program_with(transport, as_, program, input, &ScriptOptions::default(), output).await
}

/// The same with options.
pub async fn run_program_with(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    options: &ScriptOptions,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    let (mut parts, gate) = options.gated();
    // login shells differ in how they read these
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

//! Runs a script with `sh`, as the login user or as root.
//!
//! The script is one compound command without input of its own, so the shell reads all of it before
//! it runs any of it. If the connection breaks while the script is being sent, nothing runs; and no
//! command in the script can read the rest of the script. If the connection breaks while the script
//! runs, the script and its current command are terminated. The script prints a last line when it
//! ends, because a process that it leaves running may keep its output open.

use std::time::Duration;

use super::become_root::WITH_AGENT;
use super::markers::{BEHEADED, LOGIN_SHELL, token};
use super::output_filter::NOISE;
use super::shell::{hear, run};
use super::{
    Become, Input, InputPart, Output, ScriptOptions, Stream, Transport, TransportError, run_program,
};

/// Terminates the script's processes when its input ends. The input has nothing left to read once
/// the shell has read the whole script. Processes that ignore TERM are killed, except package
/// transactions: half a transaction is worse than a whole one.
const WATCH: &str = r#"{ while read -r line; do :; done <&3
trap '' TERM
kill -TERM 0
sleep 5
read -r own </proc/self/stat; own=${own##*) }; set -- $own; own=$3
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  busy=
  for of in $(grep -ls PALLET_TRANSACTION= /proc/[0-9]*/environ); do
    read -r stat <"${of%environ}stat" || continue
    stat=${stat##*) }; set -- $stat
    if [ "$3" = "$own" ]; then busy=yes; fi
  done
  [ -n "$busy" ] || break
  sleep 30
done
kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
"#;
/// Timeout for listing the processes that a script left running.
const LISTING: Duration = Duration::from_secs(10);
/// The environment variable that marks the processes of a script.
const RUN: &str = "PALLET_RUN";

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptExit {
    /// Its exit code.
    pub code: i32,
    /// A warning about processes of the script that still run with its output open; `None` if there
    /// are none.
    pub left: Option<String>,
}

/// Runs a script with `sh`, streams its output, and returns its exit code.
pub async fn run_script(
    transport: &mut dyn Transport,
    as_: &Become,
    script: &str,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run_script_with(transport, as_, script, &ScriptOptions::default(), output)
        .await
        .map(|ran| ran.code)
}

/// Like [`run_script`], with options.
pub async fn run_script_with(
    transport: &mut dyn Transport,
    as_: &Become,
    script: &str,
    options: &ScriptOptions,
    output: &mut Output<'_>,
) -> Result<ScriptExit, TransportError> {
    if options.agent {
        transport.lend_agent().await?;
    }
    let token = token();
    let end = format!("#pallet-end {token} ");
    // The script's input stays open while it runs and ends with the connection: then WATCH
    // terminates all its processes.
    let body = format!(
        "{{ :\n{WATCH}( exec 3<&-; export {RUN}={token}\n{script}\n) </dev/null\n\
        status=$?\nkill \"$watch\"\nprintf '{end}%s\\n' \"$status\"\nexit \"$status\"\n}}\n"
    );
    let (program, head, body) = match as_ {
        // Nothing precedes the script, so there is nothing to skip. But a start-up file that reads
        // its input may have swallowed the first line.
        Become::Login => {
            let head = format!("pallet={token}; echo '#pallet'; echo '#pallet' >&2; exec 3<&0\n");
            (None, head, format!("{{ [ \"$pallet\" = {token} ] || exit {BEHEADED}\n{body}}}\n"))
        }
        Become::Root(_) if options.agent => (Some(WITH_AGENT), "exec 3<&0\n".to_owned(), body),
        Become::Root(_) => (Some("exec sh"), "exec 3<&0\n".to_owned(), body),
    };
    let (mut parts, gate) = options.gated();
    parts.push(InputPart::Bytes(body.into_bytes()));
    parts.push(InputPart::Open);
    let mut before = vec![InputPart::Bytes(head.into_bytes())];
    let heard = match program {
        None => {
            before.append(&mut parts);
            hear(transport, as_, LOGIN_SHELL, Input(before), (options, &gate), Some(&end), output)
                .await?
        }
        Some(program) => {
            parts.insert(usize::from(options.slots.is_some()), before.remove(0));
            run(transport, as_, program, parts, (options, &gate), Some(&end), output).await?
        }
    };
    let left = if heard.left { Some(left_behind(transport, as_, &token).await) } else { None };
    Ok(ScriptExit { code: heard.code, left })
}

/// Describes what an ended script left running with its output open.
async fn left_behind(transport: &mut dyn Transport, as_: &Become, token: &str) -> String {
    let program = format!(
        "for of in $(grep -ls {RUN}={token} /proc/[0-9]*/environ); do read -r name \
         <\"${{of%environ}}comm\" && of=${{of%/environ}} && echo \"$name (process \
         ${{of#/proc/}})\"; done"
    );
    let mut said = Vec::new();
    let mut listen = |stream: Stream, bytes: &[u8]| {
        if stream == Stream::Out && said.len() < NOISE {
            said.extend_from_slice(bytes);
        }
    };
    let _ = tokio::time::timeout(
        LISTING,
        run_program(transport, as_, &program, Input::none(), &mut listen),
    )
    .await;
    let said = String::from_utf8_lossy(&said);
    let found: Vec<_> = said.lines().take(5).collect();
    let what = if found.is_empty() { "something".to_owned() } else { found.join(", ") };
    format!(
        "{what} was started by a script and still runs with the script's output open; start \
         it with `>/dev/null 2>&1`, or as a service"
    )
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;

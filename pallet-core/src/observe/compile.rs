//! Writes the observing script: the shell functions that are needed, and one call of each with all
//! its questions.

use super::Observation;
use crate::script::{Script, quote};

const FACTS: &str = include_str!("facts.sh");

/// The script that reads the facts of a node and answers everything in `wanted`. It is meant to be
/// fed to `sh` on standard input.
///
/// `token` frames its answers: letters and digits that nothing on the node can know.
pub fn compile(wanted: &Observation, token: &str) -> String {
    let script = Script::new().raw("{").raw(&format!("token={}", quote(token))).raw(FACTS);
    wanted.script(script).raw("answer end\n} </dev/null").as_str().to_owned()
}

//! Asks before each wave.

use anyhow::bail;
use pallet_core::engine::{ConfirmWave, LiftOptions, NextWave, RolloutOptions};

use crate::context::Context;

/// Options that ask before each wave, if that is wanted. It needs a terminal.
pub(crate) fn confirm_waves(
    context: &Context,
    wanted: bool,
    options: LiftOptions,
) -> anyhow::Result<LiftOptions> {
    if !wanted || options.dry_run || options.drift_only {
        return Ok(options);
    }
    if !context.env.interactive || context.printer.json() {
        bail!("--confirm-waves asks before each wave, so it needs a terminal; leave it out");
    }
    let printer = context.printer.clone();
    let ask = move |next: &NextWave, stop: &dyn Fn() -> bool| {
        let NextWave { wave, waves, nodes, failed } = next;
        let failed = match failed {
            0 => String::new(),
            failed => format!(" {failed} failed so far."),
        };
        let question = format!(
            "{failed} Begin wave {wave} of {waves} ({})? Type `yes` to confirm: ",
            nodes.join(", ")
        );
        printer.ask_unless(question.trim_start(), stop).is_some_and(|answer| answer == "yes")
    };
    let rollout = RolloutOptions { confirm: Some(ConfirmWave::new(ask)), ..options.rollout };
    Ok(LiftOptions { rollout, ..options })
}

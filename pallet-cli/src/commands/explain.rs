//! `pallet-cli explain`

use std::process::ExitCode;

use pallet_core::engine::ExplainOptions;
use pallet_core::model::Os;

use crate::context::Context;
use crate::operation::{drive, phases, selection};
use crate::output::explanation::text;
use crate::process::SOME_NODE_FAILED;

pub(crate) use crate::verbs::Explain;

impl Explain {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let options = ExplainOptions {
            phases: phases(&loaded, &self.phases, &self.code)?,
            os: self
                .os
                .as_deref()
                .map(|name| Os::of_name(name, std::env::consts::ARCH))
                .transpose()?,
            ..ExplainOptions::default()
        };
        let selection = selection(context, &loaded, &self.names, &self.selection, None)?;
        let (explanations, _) = drive(context, &loaded, None, async |engine| {
            engine.explain_selected(&loaded.project.groups, &selection, &options).await
        })?;
        match context.printer.json() {
            true => context.printer.value(&serde_json::to_value(&explanations)?),
            false => {
                let texts: Vec<_> = explanations
                    .iter()
                    .map(|explanation| text(&context.printer, explanation, self.script))
                    .collect();
                context.printer.text(&texts.join("\n"));
            }
        }
        let failed = explanations.iter().any(|explanation| explanation.error.is_some());
        Ok(if failed { ExitCode::from(SOME_NODE_FAILED) } else { ExitCode::SUCCESS })
    }
}

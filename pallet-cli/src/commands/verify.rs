//! `pallet-cli verify`

use std::process::ExitCode;

use serde_json::json;

use crate::context::Context;
use crate::distribution::{InstallContext, SourceOptions, block_on};
use crate::process::USAGE;

/// Verify locked plugins: their files, signatures and sources; exit with code 2 if anything differs
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    reach: SourceOptions,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = InstallContext::read(context, &self.reach, Default::default(), false)?;
        let lock = setup.locked()?;
        let mut session = setup.installer.session();
        let differs = session.differs(&setup.wanted(), lock);
        let findings = block_on(async { Ok(session.verify(lock).await?) })?;
        let ok = differs.is_none() && findings.iter().all(|finding| finding.problems.is_empty());
        if context.printer.json() {
            let value = |finding: &pallet_core::distribution::install::Finding| {
                json!({
                    "kind": finding.locked.kind, "name": finding.locked.name,
                    "version": finding.locked.version, "problems": finding.problems,
                })
            };
            let values: Vec<_> = findings.iter().map(value).collect();
            context.printer.value(&json!({ "ok": ok, "lock": differs, "plugins": values }));
        } else {
            if let Some(why) = differs {
                context.printer.line(&format!(
                    "{}: does not match: {why}; run `pallet-cli install`",
                    setup.scope.lock.display()
                ));
            }
            for finding in &findings {
                match finding.problems.as_slice() {
                    [] => context.printer.line(&format!("{}: good", finding.locked)),
                    problems => problems.iter().for_each(|problem| {
                        context.printer.line(&format!("{}: {problem}", finding.locked))
                    }),
                }
            }
        }
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
    }
}

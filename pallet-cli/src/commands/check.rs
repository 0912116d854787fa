//! `pallet-cli check`

use std::process::ExitCode;

use serde_json::json;

use crate::context::{Context, ProjectWithPlugins};
use crate::operation::{JunitFile, check};
use crate::output::Printer;
use crate::output::junit::Case;

pub(crate) use crate::verbs::Check;

impl Check {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let junit = JunitFile::of(&self.junit, false)?;
        let result = self.show(context, &junit);
        junit.write(result)
    }

    /// Checks the project, and shows its groups.
    fn show(&self, context: &Context, junit: &JunitFile) -> anyhow::Result<ExitCode> {
        let (loaded, groups) = check(context, &self.names, &self.selection)?;
        check_stages(context, &loaded)?;
        for group in &groups {
            let name = format!("group {}", group.name);
            junit.add("project", Case { name, ..Case::default() });
        }
        if context.printer.json() {
            let groups: Vec<_> = groups
                .iter()
                .map(|group| {
                    json!({
                        "group": group.name, "count": group.count,
                        "phases": group.server.phases.keys().collect::<Vec<_>>(),
                    })
                })
                .collect();
            context.printer.value(&json!({"ok": true, "groups": groups}));
            return Ok(ExitCode::SUCCESS);
        }
        for group in &groups {
            let count = match group.count {
                None => "no count".to_owned(),
                Some(1) => "1 node".to_owned(),
                Some(count) => format!("{count} nodes"),
            };
            let phases: Vec<_> = group.server.phases.keys().map(String::as_str).collect();
            let phases = match phases.is_empty() {
                true => "no phases".to_owned(),
                false => format!("phases {}", phases.join(", ")),
            };
            context.printer.line(&format!("{}: {count}; {phases}", group.name));
        }
        let valid = match groups.len() == loaded.project.groups.len() {
            true => "the project is valid",
            false => "these groups are valid; the others were not checked",
        };
        context.printer.line(valid);
        Ok(ExitCode::SUCCESS)
    }
}

/// Loads the project in each of its stages, if none is chosen.
fn check_stages(context: &Context, loaded: &ProjectWithPlugins) -> anyhow::Result<()> {
    let stages = loaded.project.config.stages.keys();
    for name in stages.filter(|_| context.global.stage.is_none()) {
        let staged = Context { printer: Printer::silent(), ..context.in_stage(name) };
        if let Err(error) = staged.load(loaded.registry.clone()) {
            context.printer.status(&format!("in stage {name}:"));
            return Err(error);
        }
    }
    Ok(())
}

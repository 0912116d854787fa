//! Asks before nodes are destroyed.

use anyhow::bail;
use pallet_core::engine::EngineError;
use pallet_core::model::Node;

use super::base::Context;
use crate::project::LoadedProject;

impl Context {
    /// Asks for the name of the stage that is about to be changed, if the stage wants that. Without
    /// a terminal, `--confirm-stage` is required.
    pub(crate) fn confirm_stage(&self, project: &LoadedProject) -> anyhow::Result<()> {
        // a stage may have taken over the nodes of the project
        if project.stage.is_none() {
            let own = Some(&project.name);
            let mut stages = project.config.stages.iter();
            let named = stages.find(|(_, stage)| stage.confirm && stage.project.as_ref() == own);
            if let Some((name, _)) = named {
                bail!(
                    "the nodes of {} are those of stage {name}; use --stage {name}",
                    project.name
                );
            }
        }
        match (&self.global.confirm_stage, &project.stage) {
            (Some(given), None) => {
                bail!("--confirm-stage {given}: no stage is in use; add --stage {given}")
            }
            (Some(given), Some((name, _))) if given != name => {
                bail!("--confirm-stage {given}: the stage in use is {name}")
            }
            _ => {}
        }
        let Some((name, _)) = project.stage.as_ref().filter(|(_, stage)| stage.confirm) else {
            return Ok(());
        };
        match &self.global.confirm_stage {
            Some(_) => Ok(()),
            None if !self.env.interactive || self.printer.json() => {
                bail!("this changes stage {name}; use --confirm-stage {name} to confirm")
            }
            None => {
                let question = format!("This changes stage {name}. Type its name to confirm: ");
                match self.printer.ask(&question) == *name {
                    true => Ok(()),
                    false => bail!("stage {name} was not confirmed; nothing was changed"),
                }
            }
        }
    }

    /// Asks whether nodes may be destroyed. Without a terminal, `--yes` is required.
    /// `stop`: whether an answer is no longer wanted.
    pub(crate) fn confirm_destroy(
        &self,
        nodes: &[Node],
        yes: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, EngineError> {
        if yes || nodes.is_empty() {
            return Ok(true);
        }
        let list = names(nodes);
        if !self.env.interactive || self.printer.json() {
            return Err(EngineError::Refused(format!(
                "this destroys {list}; use --yes to confirm"
            )));
        }
        let question = format!("Destroy {list}? Type `yes` to confirm: ");
        let agreed = self.printer.ask_unless(&question, stop).is_some_and(|it| it == "yes");
        if !agreed {
            self.printer.line("cancelled");
        }
        Ok(agreed)
    }

    /// Asks whether to destroy nodes of undeclared groups, if there is a terminal.
    pub(crate) fn confirm_undeclared(&self, nodes: &[Node], stop: &dyn Fn() -> bool) -> bool {
        let nodes: Vec<Node> = nodes.iter().filter(|node| !node.permanent).cloned().collect();
        if nodes.is_empty() || !self.env.interactive || self.printer.json() {
            return false;
        }
        let mut groups: Vec<&str> = nodes.iter().filter_map(|node| node.group.as_deref()).collect();
        groups.sort_unstable();
        groups.dedup();
        let question = format!(
            "{} of {}, which the project does not declare. Also destroy them? Type `yes` to \
             confirm: ",
            names(&nodes),
            groups.join(", ")
        );
        self.printer.ask_unless(&question, stop).is_some_and(|answer| answer == "yes")
    }
}

/// The names of nodes in one line.
fn names(nodes: &[Node]) -> String {
    nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

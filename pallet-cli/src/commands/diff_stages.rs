//! `pallet-cli diff-stages`

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::environment::shown;
use crate::context::Context;
use crate::output::table;
use crate::project::{LoadedProject, leaves};

/// Show how two stages differ: service, environment, counts, protected groups, signers
#[derive(Debug, clap::Args)]
pub(crate) struct DiffStages {
    /// First stage
    first: String,
    /// Second stage
    second: String,
}

impl DiffStages {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let [first, second] = [&self.first, &self.second].map(|stage| described(context, stage));
        let (first, second) = (first?, second?);
        let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
        let differ: Vec<_> = keys
            .into_iter()
            .map(|key| (key, first.get(key), second.get(key)))
            .filter(|(_, one, other)| one != other)
            .collect();
        let printer = &context.printer;
        if printer.json() {
            let differ = differ.iter().map(|(key, one, other)| {
                ((*key).clone(), json!({&self.first: one, &self.second: other}))
            });
            printer.value(&Value::Object(differ.collect::<Map<_, _>>()));
        } else if differ.is_empty() {
            printer.line("the stages do not differ");
        } else {
            let rows = differ
                .iter()
                .map(|(key, one, other)| vec![(*key).clone(), or_none(*one), or_none(*other)]);
            printer.text(&table(&["", &self.first, &self.second], rows));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a stage is, by name.
fn described(context: &Context, stage: &str) -> anyhow::Result<Map<String, Value>> {
    let context = context.in_stage(stage);
    let loaded = context.load(context.registry(false)?)?;
    let LoadedProject { config, environment, groups, name, stage, .. } = &loaded.project;
    let service = config.service(context.global.service.as_deref());
    let mut described = Map::new();
    let mut add = |key: String, value: Value| drop(described.insert(key, value));
    add("project".to_owned(), json!(name));
    if let Ok((name, service)) = service {
        add("service".to_owned(), json!(name));
        add("provider".to_owned(), json!(service.provider));
        for (key, value) in leaves(&service.options) {
            add(format!("service.{key}"), value);
        }
    }
    for (key, value) in leaves(environment) {
        add(format!("environment.{key}"), value);
    }
    for group in groups {
        add(format!("count of {}", group.name), json!(group.count));
        add(format!("protect {}", group.name), json!(group.protect));
    }
    for (prefix, signers) in &config.trust {
        let signers: Vec<String> = signers.iter().map(|signer| format!("{signer:?}")).collect();
        add(format!("trust {prefix}"), json!(signers));
    }
    let confirm = stage.as_ref().is_some_and(|(_, stage)| stage.confirm);
    add("confirm".to_owned(), json!(confirm));
    Ok(described)
}

fn or_none(value: Option<&Value>) -> String {
    value.filter(|value| !value.is_null()).map_or_else(|| "-".to_owned(), shown)
}

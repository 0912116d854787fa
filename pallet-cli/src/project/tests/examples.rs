//! The examples in the documentation of actions work as they are.

use std::path::{Path, PathBuf};

use super::bed::{run, star};
use pallet_core::action::{ActionEntry, ActionError, Listed, TABLE, Workspace};
use serde_json::Value;

/// The examples in an action's documentation.
fn examples(entry: &ActionEntry) -> Vec<String> {
    let schema = (entry.parameters)();
    let text = schema["description"].as_str().unwrap_or_default();
    let examples = text
        .split("Example: `")
        .skip(1)
        .map(|rest| rest.split('`').next().unwrap_or_default().to_owned());
    examples.collect()
}

/// A project without files.
struct Empty;

impl Workspace for Empty {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        Err(ActionError::arguments("example", format!("reads {}", path.display())))
    }

    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError> {
        Err(ActionError::arguments("example", format!("reads {}", path.display())))
    }

    fn list(&self, _path: &Path) -> Result<Vec<Listed>, ActionError> {
        Ok(Vec::new())
    }

    fn render(&self, _name: &str, template: &str, _values: &Value) -> Result<String, ActionError> {
        Ok(template.to_owned())
    }
}

#[test]
fn every_example_of_an_action_declares_it() {
    for entry in TABLE {
        let examples = examples(entry);
        assert!(!examples.is_empty(), "{}", entry.name);
        for example in examples {
            let text = format!(
                "def configure(request):\n    {example}\n\n\
                 group_spec(\"web\", phases = {{\"configure\": configure}})\n"
            );
            let project =
                star(&text).load_with(Default::default()).unwrap_or_else(|found| panic!("{found}"));
            let asked = run(&project.groups[0].server.phases["configure"])
                .unwrap_or_else(|error| panic!("{}", error.rendered));
            let asked: Value =
                serde_json::from_str(asked.strip_prefix("action ").unwrap()).unwrap();
            assert_eq!(asked["action"], entry.name, "{example}");
            let mut action = (entry.parse)(asked["arguments"].clone())
                .unwrap_or_else(|error| panic!("{example}: {error}"));
            action.prepare(&Empty).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}

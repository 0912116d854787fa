//! The project's names in a session.

use std::collections::BTreeSet;

use starlark::environment::Module;
use starlark::values::Value;

use super::complete::Name;
use super::spec_values::GroupValue;
use crate::project::LoadedProject;

/// Binds the project's names and its groups in a module, if `free` allows it. Returns all of these
/// names.
pub(crate) fn bring_in(
    module: &Module<'_>,
    project: &LoadedProject,
    free: &dyn Fn(&str) -> bool,
) -> BTreeSet<String> {
    let main = &project.inline.main;
    let mut names = BTreeSet::new();
    for name in main.names() {
        let name = name.as_str();
        let Ok(value) = main.get(name) else { continue };
        if free(name) {
            module.set(name, module.heap().access_owned_frozen_value(&value));
        }
        names.insert(name.to_owned());
    }
    for group in &project.groups {
        let name = group.name.replace('-', "_");
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && !names.contains(&name) {
            if free(&name) {
                let value = GroupValue {
                    name: group.name.clone(),
                    cluster: false,
                    groups: vec![group.clone()],
                    numbers: Vec::new(),
                };
                module.set(&name, module.heap().alloc(value));
            }
            names.insert(name);
        }
    }
    names
}

/// A short description of a value.
pub(super) fn of_value(value: Value<'_>) -> Name {
    let attributes = if matches!(value.get_type(), "struct" | "table" | "group_spec") {
        value.dir_attr()
    } else {
        Vec::new()
    };
    let attributes = attributes.into_iter().map(|name| (name, Name::default())).collect();
    Name { attributes, ..Name::about(&format!("a {}", value.get_type())) }
}

//! Resolves groups and nodes in arguments: values, or their names.

use pallet_core::engine::{GroupSpec, Selection};
use starlark::eval::Evaluator;
use starlark::values::Value;
use starlark::values::dict::DictRef;

use super::call::Call;
use super::state::Session;
use crate::project::star::plain_data::{describe, function_name, sequence};
use crate::project::star::spec_values::GroupValue;
use crate::project::star::table::TableValue;
use crate::project::star::{FunctionError, own_groups};

/// Groups, or some nodes of groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    pub(crate) groups: Vec<GroupSpec>,
    /// Only these nodes; if empty, all nodes of the groups.
    pub(crate) nodes: Vec<String>,
}

impl Targets {
    /// The names of the nodes or, if there are none, of the groups.
    pub(crate) fn names(self) -> Vec<String> {
        let groups = self.groups.into_iter().map(|group| group.name);
        if self.nodes.is_empty() { groups.collect() } else { self.nodes }
    }
}

/// One item of an argument.
enum TargetItem {
    Groups(Vec<GroupSpec>),
    Node(String),
}

impl Session {
    /// All groups: those of the project, overridden by groups that inputs have defined.
    pub(crate) fn all_groups(&self, evaluator: &Evaluator<'_, '_, '_>) -> Vec<GroupSpec> {
        let mut groups = self.loaded().project.groups.clone();
        for own in own_groups(evaluator) {
            match groups.iter_mut().find(|group| group.name == own.name) {
                Some(group) => *group = own,
                None => groups.push(own),
            }
        }
        groups
    }
}

impl<'v> Call<'_, 'v, '_, '_> {
    /// All groups: those of the project, overridden by groups that inputs have defined.
    pub(crate) fn all_groups(&self) -> Vec<GroupSpec> {
        self.session.all_groups(self.evaluator)
    }

    /// The targets in a parameter; if omitted, all groups.
    pub(crate) fn targets(&self, parameter: &str) -> Result<Targets, FunctionError> {
        let Some(value) = self.value(parameter) else {
            return Ok(Targets { groups: self.all_groups(), nodes: Vec::new() });
        };
        let mut targets = Targets::default();
        let items = sequence(value).unwrap_or_else(|| vec![value]);
        // an empty list must not mean all nodes
        if items.is_empty() {
            return Err(self.complaint(format!("`{parameter}` is an empty list: no node is meant")));
        }
        for item in items {
            match self.meant(parameter, item)? {
                TargetItem::Groups(groups) => {
                    groups.into_iter().try_for_each(|group| self.add(&mut targets.groups, group))?
                }
                TargetItem::Node(node) => targets.nodes.push(node),
            }
        }
        match (targets.groups.is_empty(), targets.nodes.is_empty()) {
            (true, false) => Ok(Targets { groups: self.all_groups(), ..targets }),
            (false, false) => {
                Err(self.complaint(format!("`{parameter}` is either groups or nodes, not both")))
            }
            _ => Ok(targets),
        }
    }

    /// The selection of nodes with these names; a name may be a pattern.
    pub(crate) fn selection(&self, names: &[String]) -> Result<Selection, FunctionError> {
        Selection::of(names).map_err(|error| self.complaint(error.to_string()))
    }

    /// The groups in a parameter, possibly with counts; if omitted, all groups.
    pub(crate) fn counts(&self, parameter: &str) -> Result<Vec<GroupSpec>, FunctionError> {
        let Some(value) = self.value(parameter) else { return Ok(self.all_groups()) };
        let Some(counts) = DictRef::from_value(value) else {
            let targets = self.targets(parameter)?;
            return match targets.nodes.first() {
                None => Ok(targets.groups),
                Some(node) => Err(self.no_group(node)),
            };
        };
        let mut groups = Vec::new();
        for (key, count) in counts.iter() {
            let number = count.unpack_i32().and_then(|count| u32::try_from(count).ok());
            if number.is_none() && !count.is_none() {
                return Err(self.complaint(format!(
                    "a count must be a non-negative integer, not {}",
                    describe(count)
                )));
            }
            let meant = match self.meant(parameter, key)? {
                TargetItem::Groups(meant) => meant,
                // nodes of undeclared groups can still be destroyed
                TargetItem::Node(name) => {
                    GroupSpec::choose(&[], &[format!("{name}={}", number.unwrap_or(1))])
                        .map_err(|_| self.no_group(&name))?
                }
            };
            let [mut group]: [GroupSpec; 1] = meant.try_into().map_err(|_| {
                self.complaint(format!(
                    "{} is a cluster; set the counts of its groups instead",
                    describe(key)
                ))
            })?;
            group.count = number.or(group.count);
            self.add(&mut groups, group)?;
        }
        Ok(groups)
    }

    fn meant(&self, parameter: &str, item: Value<'v>) -> Result<TargetItem, FunctionError> {
        if let Some(value) = GroupValue::of(item) {
            // a stage may have another count than the value
            let now = |group: &GroupSpec| self.named(&group.name).unwrap_or_default();
            let mut groups: Vec<GroupSpec> = value.groups.iter().flat_map(now).collect();
            if groups.len() < value.groups.len() {
                groups.clone_from(&value.groups);
            }
            return Ok(TargetItem::Groups(groups));
        }
        if let Some(table) = TableValue::of(item) {
            let text = |key: &str| table.values().get(key).and_then(serde_json::Value::as_str);
            // a row with `group` or `node` is about a node, one with only a name is a group
            return match (text("name"), table.values().contains_key("group"), text("node")) {
                (Some(name), true, _) | (_, _, Some(name)) => Ok(TargetItem::Node(name.to_owned())),
                (Some(name), false, None) => {
                    self.named(name).map(TargetItem::Groups).ok_or_else(|| self.no_group(name))
                }
                _ => Err(self.wrong(parameter, item)),
            };
        }
        match (item.unpack_str(), item.get_type()) {
            (Some(name), _) => Ok(self
                .named(name)
                .map_or_else(|| TargetItem::Node(name.to_owned()), TargetItem::Groups)),
            // functions often have the name of the group that they configure
            (None, "function") => {
                let name = function_name(item);
                self.named(&name).map(TargetItem::Groups).ok_or_else(|| self.wrong(parameter, item))
            }
            _ => Err(self.wrong(parameter, item)),
        }
    }

    fn named(&self, name: &str) -> Option<Vec<GroupSpec>> {
        self.all_groups().into_iter().find(|group| group.name == name).map(|group| vec![group])
    }

    fn add(&self, groups: &mut Vec<GroupSpec>, group: GroupSpec) -> Result<(), FunctionError> {
        if groups.iter().any(|known| known.name == group.name) {
            return Err(self.complaint(format!("group {} is named twice", group.name)));
        }
        groups.push(group);
        Ok(())
    }

    pub(crate) fn no_group(&self, name: &str) -> FunctionError {
        let groups = self.all_groups();
        let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        let help = crate::diagnostic::did_you_mean_or_list(name, &known, "there are");
        self.complaint(format!("there is no group {name}")).help(help)
    }

    fn wrong(&self, parameter: &str, item: Value<'v>) -> FunctionError {
        self.complaint(format!(
            "`{parameter}` must be a group, a node, the name of one, or a list of them, not {}",
            describe(item)
        ))
    }
}

//! The data of a project's graph.

use serde::Serialize;

/// A project as a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The groups, in the order in which they are declared.
    pub groups: Vec<GraphGroup>,
    /// The functions of crates that are called, sorted by their names.
    pub functions: Vec<GraphFunction>,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphGroup {
    /// Its name.
    pub name: String,
    /// Its count, if declared.
    pub count: Option<u32>,
    /// What its node-spec asks for, in a few words.
    pub node_spec: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its phases: first those that a converge runs, in their order.
    pub phases: Vec<GraphPhase>,
}

/// A phase of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphPhase {
    /// Its name.
    pub name: String,
    /// It runs by default.
    pub default: bool,
    /// How many actions it declares.
    pub actions: usize,
    /// What its own functions do.
    #[serde(flatten)]
    pub does: Does,
    /// Why it cannot be declared, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A function of a crate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphFunction {
    /// Its name: `nginx.site`.
    pub name: String,
    /// What it does.
    #[serde(flatten)]
    pub does: Does,
}

/// What functions do besides declaring actions; each entry once, in the order of first use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Does {
    /// The functions of crates that they call: `nginx.site`.
    pub calls: Vec<String>,
    /// The facilities that they write settings for.
    pub writes: Vec<String>,
    /// The facilities that they read settings for.
    pub reads: Vec<String>,
}

impl GraphGroup {
    /// The heading above its phases, one line each.
    pub(super) fn heading(&self) -> Vec<String> {
        let count = self.count.map(|count| format!(" x {count}")).unwrap_or_default();
        let mut lines = vec![format!("{}{count}", self.name)];
        lines.extend((!self.node_spec.is_empty()).then(|| self.node_spec.clone()));
        lines.extend((!self.roles.is_empty()).then(|| format!("roles: {}", self.roles.join(", "))));
        lines
    }
}

impl GraphPhase {
    /// The phase in one line.
    pub(super) fn line(&self) -> String {
        let actions = match self.actions {
            0 => String::new(),
            1 => ": 1 action".to_owned(),
            count => format!(": {count} actions"),
        };
        let asked = if self.default { "" } else { " (when asked for)" };
        let failed = if self.error.is_some() { " fails here" } else { "" };
        format!("{}{asked}{actions}{failed}", self.name)
    }
}

impl Graph {
    /// The facilities whose settings are written or read, sorted.
    pub(super) fn facilities(&self) -> Vec<&str> {
        let phases = self.groups.iter().flat_map(|group| &group.phases).map(|phase| &phase.does);
        let all = phases
            .chain(self.functions.iter().map(|function| &function.does))
            .flat_map(|does| does.writes.iter().chain(&does.reads));
        let mut facilities: Vec<_> = all.map(String::as_str).collect();
        facilities.sort_unstable();
        facilities.dedup();
        facilities
    }
}

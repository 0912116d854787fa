//! Tracks which names in a file are Pallet's functions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use starlark::syntax::ast::{
    AssignTargetP, AstAssignTarget, AstNoPayload, AstParameter, AstStmt, Clause, ForClause, Stmt,
};

use super::signature::Signature;

/// The meaning of a name.
#[derive(Debug, Clone)]
pub(crate) enum KnownName {
    /// A function.
    Function(Arc<Signature>),
    /// A crate with its functions.
    Namespace(BTreeMap<String, Arc<Signature>>),
}

/// The names visible at a position in a file.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    known: HashMap<String, KnownName>,
    /// The names bound by the enclosing functions, and whether each is a request.
    local: Vec<HashMap<String, bool>>,
}

impl Scope {
    /// The top level of a file in which these names are known.
    pub(crate) fn new(mut known: HashMap<String, KnownName>, file: &AstStmt) -> Self {
        let mut own = HashMap::new();
        assigned(file, &mut own);
        known.retain(|name, _| !own.contains_key(name));
        Scope { known, local: Vec::new() }
    }

    /// The names of the top level.
    pub(crate) fn into_known(self) -> HashMap<String, KnownName> {
        self.known
    }

    /// The meaning of a name, if it is Pallet's.
    pub(crate) fn get(&self, name: &str) -> Option<&KnownName> {
        if self.local.iter().any(|names| names.contains_key(name)) {
            None
        } else {
            self.known.get(name)
        }
    }

    /// Whether a name is the request of a phase function.
    pub(crate) fn is_request(&self, name: &str) -> bool {
        self.local.iter().rev().find_map(|names| names.get(name)).copied().unwrap_or(false)
    }

    /// Enters a function.
    pub(crate) fn enter_function(&mut self, parameters: &[AstParameter], body: Option<&AstStmt>) {
        let mut names = HashMap::new();
        if let Some(body) = body {
            assigned(body, &mut names);
        }
        for (index, parameter) in parameters.iter().enumerate() {
            if let Some(ident) = parameter.ident() {
                // a parameter that is reassigned may be anything
                let request =
                    index == 0 && ident.ident == "request" && !names.contains_key(&ident.ident);
                names.insert(ident.ident.clone(), request);
            }
        }
        self.local.push(names);
    }

    /// Enters a comprehension.
    pub(crate) fn enter_clauses(&mut self, first: &ForClause, clauses: &[Clause]) {
        self.local.push(bound_by_clauses(first, clauses));
    }

    /// Leaves the innermost function or comprehension.
    pub(crate) fn leave(&mut self) {
        self.local.pop();
    }
}

/// The names that a comprehension binds.
pub(crate) fn bound_by_clauses(first: &ForClause, clauses: &[Clause]) -> HashMap<String, bool> {
    let mut names = HashMap::new();
    target(&first.var, &mut names);
    for clause in clauses {
        if let Clause::For(clause) = clause {
            target(&clause.var, &mut names);
        }
    }
    names
}

/// The names that statements bind, without those bound in nested functions.
pub(crate) fn assigned(statement: &AstStmt, names: &mut HashMap<String, bool>) {
    match &statement.node {
        Stmt::Def(def) => {
            names.insert(def.name.ident.clone(), false);
        }
        Stmt::Assign(assign) => target(&assign.lhs, names),
        Stmt::AssignModify(to, ..) => target(to, names),
        other => {
            if let Stmt::For(each) = other {
                target(&each.var, names);
            }
            other.visit_stmt(|inner| assigned(inner, names));
        }
    }
}

fn target(to: &AstAssignTarget, names: &mut HashMap<String, bool>) {
    match &to.node {
        AssignTargetP::<AstNoPayload>::Tuple(several) => {
            several.iter().for_each(|one| target(one, names))
        }
        AssignTargetP::Identifier(ident) => {
            names.insert(ident.ident.clone(), false);
        }
        AssignTargetP::Index(_) | AssignTargetP::Dot(..) => {}
    }
}

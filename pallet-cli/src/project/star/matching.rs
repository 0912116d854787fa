//! Conditions on the facts of nodes: `--where 'os.family == "debian"'`.

use std::collections::BTreeSet;

use pallet_core::engine::Matching;
use serde_json::{Map, Value as Json};
use starlark::environment::{Globals, Module};
use starlark::eval::Evaluator;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{AstExpr, Expr, Stmt};
use starlark::values::Heap;

use super::error::diagnose;
use super::guard::{self, with_room};
use super::inline::identifiers;
use super::language::dialect;
use super::limits::Limits;
use super::parse::parse;
use super::plain_data::describe;
use super::scope::bound_by_clauses;
use super::table::TableValue;
use super::target::{TARGET_ATTRIBUTES, names};
use crate::diagnostic::{Diagnostic, did_you_mean_or_list};

/// The name of the text in messages.
const FILE: &str = "--where";

/// The condition of a text: an expression with the attributes of a target as names.
pub(crate) fn matching(text: &str) -> Result<Matching, Diagnostic> {
    let source = with_our_names(text);
    let ast = parse(FILE, source.clone())?;
    let Stmt::Expression(expression) = &ast.statement().node else {
        let message = format!("{FILE} {text:?} is no condition");
        let help = "write one expression: 'os.family == \"debian\" and cores > 2'".to_owned();
        return Err(Diagnostic::error(message).suggest(help));
    };
    let mut used = BTreeSet::new();
    identifiers(expression, &mut used);
    let (globals, known) = (Globals::standard(), names(TARGET_ATTRIBUTES));
    let own = bound(expression);
    let is_known = |name: &&String| {
        known.contains(&name.as_str())
            || own.contains(name.as_str())
            || globals.names().any(|global| global.as_str() == name.as_str())
    };
    if let Some(name) = used.iter().find(|name| !is_known(name)) {
        let message = format!("{FILE} {text:?}: there is no fact `{name}`");
        let help = did_you_mean_or_list(name, &known, "there are");
        return Err(Diagnostic::error(message).suggest(help));
    }
    let mut paths = BTreeSet::new();
    collect_paths(expression, &mut paths);
    paths.retain(|path| known.contains(&path.split('.').next().unwrap_or_default()));
    let holds = move |attributes: Map<String, Json>| {
        with_room(|| evaluate(&globals, &source, attributes))
            .flatten()
            .map_err(|error| error.one_line())
    };
    Ok(Matching::new(text, paths.into_iter().collect(), holds))
}

/// Accepts the family's name as node-specs do.
fn with_our_names(text: &str) -> String {
    text.replace("\"redhat\"", "\"red_hat\"").replace("'redhat'", "'red_hat'")
}

/// The names that comprehensions and lambdas in an expression bind.
fn bound(expression: &AstExpr) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    let mut open = vec![expression];
    while let Some(next) = open.pop() {
        match &next.node {
            Expr::ListComprehension(_, first, clauses) => {
                own.extend(bound_by_clauses(first, clauses).into_keys());
            }
            Expr::DictComprehension(_, first, clauses) => {
                own.extend(bound_by_clauses(first, clauses).into_keys());
            }
            Expr::Lambda(lambda) => own.extend(
                lambda.params.iter().filter_map(|one| one.ident()).map(|one| one.ident.clone()),
            ),
            _ => {}
        }
        next.visit_expr(|inner| open.push(inner));
    }
    own
}

/// The longest paths of attributes: `os.family`.
fn collect_paths(expression: &AstExpr, paths: &mut BTreeSet<String>) {
    match path(expression) {
        Some(path) => {
            paths.insert(path);
        }
        None => expression.visit_expr(|inner| collect_paths(inner, paths)),
    }
}

fn path(expression: &AstExpr) -> Option<String> {
    match &expression.node {
        Expr::Identifier(name) => Some(name.node.ident.clone()),
        Expr::Dot(outer, name) => Some(format!("{}.{}", path(outer)?, name.node)),
        _ => None,
    }
}

fn evaluate(
    globals: &Globals,
    source: &str,
    attributes: Map<String, Json>,
) -> Result<bool, Diagnostic> {
    let limits = Limits::default();
    let evaluated = || -> starlark::Result<Result<bool, String>> {
        let ast = AstModule::parse(FILE, source.to_owned(), &dialect())?;
        Module::with_temp_heap(|module| {
            let heap: Heap<'_> = module.heap();
            let table = TableValue::new("the node", attributes);
            for name in names(TARGET_ATTRIBUTES) {
                if let Some(value) = table.item(name, heap) {
                    module.set(name, value);
                }
            }
            let mut evaluator = Evaluator::new(&module);
            let value = guard::evaluate(&mut evaluator, limits, |evaluator| {
                evaluator.eval_module(ast, globals)
            })?;
            Ok(value.unpack_bool().ok_or_else(|| describe(value)))
        })
    };
    let value = evaluated().map_err(|error| diagnose(&error, FILE, limits, None))?;
    value.map_err(|what| Diagnostic::error(format!("{FILE} must be true or false, not {what}")))
}

#[cfg(test)]
mod tests {
    use pallet_core::model::Details;

    use super::*;

    #[test]
    fn conditions_are_checked_before_a_node_is_asked() {
        for (text, expected) in [
            ("os.famly == 1 and cors > 2", "there is no fact `cors`"),
            ("import os", "syntax error"),
            ("x = 1", "is no condition"),
            ("", "is no condition"),
        ] {
            let error = matching(text).unwrap_err().one_line();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn conditions_hold_or_not() {
        let target = crate::project::tests::bed::target(1, "web");
        for (text, expected) in [
            ("os.family == 'debian'", Ok(true)),
            ("os.family == 'redhat' or name == \"web-2\"", Ok(false)),
            ("any([role == 'web-role' for role in roles]) and len(mounts) == 0", Ok(true)),
            ("cores", Err("must be true or false, not 0")),
            ("os.familie == ''", Err("familie")),
        ] {
            let attributes = target.attributes(&Details::default());
            let held = matching(text).unwrap().holds(attributes);
            match expected {
                Ok(expected) => assert_eq!(held, Ok(expected), "{text}"),
                Err(expected) => {
                    let error = held.unwrap_err();
                    assert!(error.contains(expected), "{text}: {error}");
                }
            }
        }
    }
}

//! The static check of a file: finds wrong calls before anything runs, even in functions that are
//! never called.

use std::collections::HashMap;

use starlark::codemap::Span;
use starlark::environment::Globals;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{Argument as AstArgument, AstExpr, AstStmt, Expr, Stmt};
use starlark::typing::{AstModuleTypecheck, Interface};

use super::error::reworded;
use super::eval_context::place;
use super::function_error::FunctionError;
use super::literal::{Literal, not_a_dict, not_a_function, span_at};
use super::node_spec_schema::node_spec_schema;
use super::request::ATTRIBUTES;
use super::scope::{KnownName, Scope};
use super::signature::{Argument, Signature};
use super::target::{OS_ATTRIBUTES, TARGET_ATTRIBUTES, names};
use super::types::Kind;
use crate::diagnostic::{Diagnostic, did_you_mean_or_list};
use crate::project::schema::{Problem, Schema};

/// Checks a file in which these names are known. Returns its errors, and the types of its
/// definitions.
pub(crate) fn check(
    ast: &AstModule,
    globals: &Globals,
    known: HashMap<String, KnownName>,
    loads: &HashMap<String, Interface>,
) -> (Vec<Diagnostic>, Interface) {
    let mut checker = Checker {
        ast,
        scope: Scope::new(known, ast.statement()),
        calls: Vec::new(),
        found: Vec::new(),
    };
    checker.statement(ast.statement());
    let (errors, _, interface, _) = ast.clone().typecheck(globals, loads);
    for error in errors {
        checker.type_error(&error);
    }
    checker.found.sort_by_key(|(span, _)| (span.begin(), span.end()));
    (checker.found.into_iter().map(|(_, diagnostic)| diagnostic).collect(), interface)
}

struct Checker<'a> {
    ast: &'a AstModule,
    scope: Scope,
    calls: Vec<CheckedCall>,
    found: Vec<(Span, Diagnostic)>,
}

/// A call of one of Pallet's functions.
struct CheckedCall {
    span: Span,
    function: String,
    /// Each argument's span, its parameter, and the expected type.
    arguments: Vec<(Span, String, String)>,
    wrong: bool,
}

impl Checker<'_> {
    fn report(&mut self, span: Span, complaint: FunctionError) {
        let diagnostic = Diagnostic::error(complaint.message)
            .at(place(&self.ast.file_span(span)))
            .suggest(complaint.help);
        self.found.push((span, diagnostic));
    }

    fn statement(&mut self, statement: &AstStmt) {
        match &statement.node {
            Stmt::Def(def) => {
                for parameter in &def.params {
                    parameter.visit_expr(|expression| self.expression(expression));
                }
                self.scope.enter_function(&def.params, Some(&def.body));
                self.statement(&def.body);
                self.scope.leave();
            }
            Stmt::Statements(several) => several.iter().for_each(|one| self.statement(one)),
            Stmt::If(condition, then) => {
                self.expression(condition);
                self.statement(then);
            }
            Stmt::IfElse(condition, branches) => {
                self.expression(condition);
                self.statement(&branches.0);
                self.statement(&branches.1);
            }
            Stmt::For(each) => {
                self.expression(&each.over);
                self.statement(&each.body);
            }
            other => other.visit_expr(|expression| self.expression(expression)),
        }
    }

    fn expression(&mut self, expression: &AstExpr) {
        match &expression.node {
            Expr::Lambda(lambda) => {
                self.scope.enter_function(&lambda.params, None);
                self.expression(&lambda.body);
                self.scope.leave();
            }
            Expr::ListComprehension(_, first, clauses)
            | Expr::DictComprehension(_, first, clauses) => {
                self.scope.enter_clauses(first, clauses);
                expression.visit_expr(|inner| self.expression(inner));
                self.scope.leave();
            }
            other => {
                match other {
                    Expr::Call(callee, arguments) => {
                        self.call(expression.span, callee, &arguments.args)
                    }
                    Expr::Dot(object, attribute) => {
                        self.attribute(object, &attribute.node, attribute.span)
                    }
                    _ => {}
                }
                other.visit_expr(|inner| self.expression(inner));
            }
        }
    }

    fn callee(&self, callee: &AstExpr) -> Option<Signature> {
        let found = match &callee.node {
            Expr::Identifier(name) => match self.scope.get(&name.ident)? {
                KnownName::Function(signature) => Some(signature),
                KnownName::Namespace(_) => None,
            },
            Expr::Dot(object, attribute) => match &object.node {
                Expr::Identifier(name) => match self.scope.get(&name.ident)? {
                    KnownName::Namespace(functions) => functions.get(&attribute.node),
                    KnownName::Function(_) => None,
                },
                _ => None,
            },
            _ => None,
        };
        found.map(|signature| signature.as_ref().clone())
    }

    fn call(
        &mut self,
        span: Span,
        callee: &AstExpr,
        arguments: &[starlark::codemap::Spanned<AstArgument>],
    ) {
        let Some(signature) = self.callee(callee) else { return };
        let (mut positional, mut named, mut open) = (Vec::new(), Vec::new(), false);
        for argument in arguments {
            match &argument.node {
                AstArgument::Positional(value) => positional.push(value),
                AstArgument::Named(name, value) => named.push((name, value)),
                AstArgument::Args(_) | AstArgument::KwArgs(_) => open = true,
            }
        }
        let takes_request =
            signature.parameters.first().is_some_and(|parameter| parameter.kind == Kind::Request);
        if let Some(first) =
            positional.first().filter(|first| takes_request && not_a_function(first).is_some())
        {
            self.report(
                first.span,
                signature.no_request(not_a_function(first).unwrap_or_default()),
            );
            let call = CheckedCall {
                span,
                function: signature.function.clone(),
                arguments: Vec::new(),
                wrong: true,
            };
            return self.calls.push(call);
        }
        let names: Vec<&str> = named.iter().map(|(name, _)| name.node.as_str()).collect();
        let matched = signature.matched(positional.len(), &names, open);
        let before = self.found.len();
        for (argument, complaint) in matched.problems {
            let at = match argument {
                Argument::Positional(index) => positional.get(index).map(|value| value.span),
                Argument::Named(index) => named.get(index).map(|(name, _)| name.span),
                Argument::Call => None,
            };
            self.report(at.unwrap_or(callee.span), complaint);
        }
        for index in matched.phases {
            if let Some((name, value)) = named.get(index)
                && let Some(what) = not_a_function(value)
            {
                self.report(name.span, signature.no_phase(&name.node, what));
            }
        }
        let mut record = CheckedCall {
            span,
            function: signature.function.clone(),
            arguments: Vec::new(),
            wrong: false,
        };
        for (argument, index) in matched.arguments {
            let value = match argument {
                Argument::Positional(index) => positional.get(index).copied(),
                Argument::Named(index) => named.get(index).map(|(_, value)| *value),
                Argument::Call => None,
            };
            if let (Some(value), Some(parameter)) = (value, signature.parameters.get(index)) {
                record.arguments.push((
                    value.span,
                    parameter.name.clone(),
                    parameter.kind.expected(&signature.root),
                ));
                self.argument(
                    &signature,
                    &parameter.name,
                    &parameter.kind,
                    parameter.required,
                    value,
                );
            }
        }
        record.wrong = self.found.len() > before;
        self.calls.push(record);
    }

    fn argument(
        &mut self,
        signature: &Signature,
        name: &str,
        kind: &Kind,
        required: bool,
        value: &AstExpr,
    ) {
        let literal = Literal::of(value);
        if literal.is_hole(&[]) || (literal.value.is_null() && !required) {
            return;
        }
        let node_spec;
        let schema = match kind {
            Kind::Data(node) => Schema::new(&signature.root).part(node),
            Kind::NodeSpec => {
                node_spec = node_spec_schema();
                Schema::closed(&node_spec)
            }
            Kind::Phases => return self.phases(signature, value),
            _ => return,
        };
        for problem in schema.check(&literal.value) {
            let Problem { path, unknown_key, suggestion, .. } = &problem;
            if !literal.is_hole(path) {
                let complaint = FunctionError::new(format!(
                    "{}: {}",
                    signature.function,
                    problem.sentence(name)
                ))
                .help(suggestion.clone());
                self.report(span_at(value, path, unknown_key.as_deref()), complaint);
            }
        }
    }

    fn phases(&mut self, signature: &Signature, value: &AstExpr) {
        let Expr::Dict(entries) = &value.node else {
            if let Some(what) = not_a_dict(value) {
                let expected = Kind::Phases.expected(&signature.root);
                self.report(
                    value.span,
                    FunctionError::new(format!(
                        "{}: `phases` must be {expected}, not {what}",
                        signature.function
                    )),
                );
            }
            return;
        };
        for (key, function) in entries {
            if let (Some(what), Some(name)) =
                (not_a_function(function), Literal::of(key).value.as_str())
            {
                self.report(function.span, signature.no_phase(name, what));
            }
        }
    }

    fn attribute(&mut self, object: &AstExpr, attribute: &str, span: Span) {
        let known = match &object.node {
            Expr::Identifier(name) if self.scope.is_request(&name.ident) => {
                Some(("request".to_owned(), ATTRIBUTES.to_vec()))
            }
            Expr::Identifier(name) => match self.scope.get(&name.ident) {
                Some(KnownName::Namespace(functions)) => {
                    Some((name.ident.clone(), functions.keys().map(String::as_str).collect()))
                }
                _ => None,
            },
            Expr::Dot(outer, name) if name.node == "target" && self.is_request(outer) => {
                Some(("request.target".to_owned(), names(TARGET_ATTRIBUTES)))
            }
            Expr::Dot(outer, name) if name.node == "os" => match &outer.node {
                Expr::Dot(outer, name) if name.node == "target" && self.is_request(outer) => {
                    Some(("request.target.os".to_owned(), names(OS_ATTRIBUTES)))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((object, known)) = known else { return };
        if !known.contains(&attribute) {
            let complaint = FunctionError::new(format!("{object} has no `{attribute}`"))
                .help(did_you_mean_or_list(attribute, &known, "it has"));
            self.report(span, complaint);
        }
    }

    fn is_request(&self, object: &AstExpr) -> bool {
        matches!(&object.node, Expr::Identifier(name) if self.scope.is_request(&name.ident))
    }

    /// Adds an error of Starlark's type check, unless it is already known.
    fn type_error(&mut self, error: &starlark::Error) {
        let Some(at) = error.span() else { return };
        let span = at.span;
        let within = |outer: Span| outer.begin() <= span.begin() && span.end() <= outer.end();
        let call = self
            .calls
            .iter()
            .filter(|call| within(call.span))
            .min_by_key(|call| call.span.end().get() - call.span.begin().get());
        if call.is_some_and(|call| call.wrong)
            || self.found.iter().any(|(known, _)| known.intersects(span))
        {
            return;
        }
        let text = error.without_diagnostic().to_string();
        let ((mut message, suggestion), mut place_of) = (reworded(&text), span);
        if let (Some(call), Some(got)) =
            (call, text.split_once("` but got `").map(|(_, got)| got.trim_end_matches('`')))
        {
            // the span of a keyword's error begins at the keyword
            let inside = |inner: Span| span.begin() <= inner.begin() && inner.end() <= span.end();
            let argument =
                call.arguments.iter().find(|(argument, ..)| within(*argument) || inside(*argument));
            if let Some((argument, name, expected)) = argument {
                place_of = *argument;
                message = format!(
                    "{}: `{name}` must be {expected}, not {}",
                    call.function,
                    type_in_words(got)
                );
            }
        }
        self.report(place_of, FunctionError::new(message).help(suggestion));
    }
}

fn type_in_words(name: &str) -> String {
    match name.split(['[', '(']).next().unwrap_or(name).trim() {
        _ if name.contains(" | ") && !name.contains('[') => {
            name.split(" | ").map(type_in_words).collect::<Vec<_>>().join(" or ")
        }
        "str" => "a string".to_owned(),
        "int" => "an integer".to_owned(),
        "float" => "a number".to_owned(),
        "bool" => "true or false".to_owned(),
        "list" => "a list".to_owned(),
        "dict" => "a dict".to_owned(),
        "tuple" => "a tuple".to_owned(),
        "struct" => "a struct".to_owned(),
        "def" | "function" => "a function".to_owned(),
        "None" => "None".to_owned(),
        other => format!("a {other}"),
    }
}

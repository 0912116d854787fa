//! The functions of a crate, from the definitions in its main module.

use std::collections::HashMap;

use pallet_core::model::FunctionManifest;
use pallet_core::plugins::source::MAIN_MODULE;
use serde_json::{Map, Value as Json, json};
use starlark::syntax::AstModule;
use starlark::syntax::ast::{AssignTargetP, AstNoPayload, AstStmt, DefP, Expr, ParameterP, Stmt};

use super::data_type::data_type;
use super::docstring::Docstring;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::project::file_name;
use crate::project::star::eval_context::place;
use crate::project::star::literal::Literal;
use crate::project::star::load::Files;
use crate::project::star::outline::docstring;
use crate::project::star::parse::loads;

/// A function of a crate.
pub(super) struct CrateFunction {
    pub(super) manifest: FunctionManifest,
    /// The parameters that take a number with a fraction.
    pub(super) floats: Vec<String>,
}

/// The public functions of a crate's main module: those that it defines, and those of other modules
/// that it gives a public name.
pub(super) fn functions(files: &Files<'_>, found: &mut Diagnostics) -> Vec<CrateFunction> {
    let parsed = files.parsed();
    let Some(main) = module(parsed, MAIN_MODULE) else { return Vec::new() };
    let mut loaded: HashMap<&str, (String, &str)> = HashMap::new();
    for load in loads(main.statement()) {
        let file = file_name(&load.module.node);
        for one in &load.args {
            loaded.insert(&one.local.node.ident, (file.clone(), &one.their.node));
        }
    }
    let mut functions: Vec<CrateFunction> = Vec::new();
    for statement in top_level(main.statement()) {
        let (name, ast, def) = match &statement.node {
            Stmt::Def(def) => (def.name.ident.as_str(), main, def),
            // `site = _site` makes a function of another module public
            Stmt::Assign(assign) => {
                let (AssignTargetP::Identifier(name), Expr::Identifier(value)) =
                    (&assign.lhs.node, &assign.rhs.node)
                else {
                    continue;
                };
                let there = loaded.get(value.node.ident.as_str()).and_then(|(file, their)| {
                    let ast = module(parsed, file)?;
                    Some((ast, definition(ast, their)?))
                });
                let Some((ast, def)) = there else { continue };
                (name.node.ident.as_str(), ast, def)
            }
            _ => continue,
        };
        if name.starts_with('_') {
            continue;
        }
        match function(ast, name, def) {
            Ok(function) => functions.push(function),
            Err(error) => found.push(error),
        }
    }
    if functions.is_empty() && !found.has_errors() {
        let message = format!("{MAIN_MODULE} defines no function");
        let help = "define one: `def configure(request): ...`".to_owned();
        found.push(Diagnostic::error(message).suggest(help));
    }
    functions
}

fn module<'a>(files: &'a [(String, AstModule)], name: &str) -> Option<&'a AstModule> {
    files.iter().find(|(known, _)| known == name).map(|(_, ast)| ast)
}

fn definition<'a>(ast: &'a AstModule, name: &str) -> Option<&'a DefP<AstNoPayload>> {
    top_level(ast.statement()).into_iter().rev().find_map(|statement| match &statement.node {
        Stmt::Def(def) if def.name.ident == name => Some(def),
        _ => None,
    })
}

fn top_level(statement: &AstStmt) -> Vec<&AstStmt> {
    match &statement.node {
        Stmt::Statements(several) => several.iter().flat_map(top_level).collect(),
        _ => vec![statement],
    }
}

fn function(
    ast: &AstModule,
    name: &str,
    def: &DefP<AstNoPayload>,
) -> Result<CrateFunction, Diagnostic> {
    let at = |span| place(&ast.file_span(span));
    let wrong = |message: String, span, help: &str| {
        Diagnostic::error(message).at(at(span)).suggest(help.to_owned())
    };
    let mut parameters = def.params.iter();
    let first = parameters.next().and_then(|parameter| parameter.ident());
    if first.is_none_or(|first| first.ident != "request") {
        return Err(wrong(
            format!("the first parameter of `{name}` must be `request`"),
            def.name.span,
            "if it is not for the crate's users, begin its name with _",
        ));
    }
    let docs = Docstring::read(&docstring(&def.body).unwrap_or_default());
    let (mut properties, mut required, mut floats) = (Map::new(), Vec::new(), Vec::new());
    for parameter in parameters {
        let (ident, annotation, default) = match &parameter.node {
            ParameterP::NoArgs => continue,
            ParameterP::Normal(ident, annotation, default) => (ident, annotation, default),
            other => {
                let what = shown(other);
                let help = "name every parameter; callers pass them by name";
                return Err(wrong(format!("`{name}` cannot take {what}"), parameter.span, help));
            }
        };
        let mut schema = match annotation {
            None => json!({}),
            Some(annotation) => data_type(&annotation.node.expr).map_err(|help| {
                let message = format!(
                    "the type of `{}` of `{name}` cannot be passed to a crate",
                    ident.ident
                );
                wrong(message, annotation.span, &help)
            })?,
        };
        if schema["type"] == "number" {
            floats.push(ident.ident.clone());
        }
        if let (Some(text), Json::Object(schema)) = (docs.parameters.get(&ident.ident), &mut schema)
        {
            schema.insert("description".to_owned(), json!(text));
        }
        match default {
            None => required.push(json!(ident.ident)),
            Some(default) => {
                let literal = Literal::of(default);
                if let (false, Json::Object(schema)) = (literal.is_hole(&[]), &mut schema) {
                    schema.insert("default".to_owned(), literal.value);
                }
            }
        }
        properties.insert(ident.ident.clone(), schema);
    }
    if let Some(unknown) = docs.parameters.keys().find(|name| !properties.contains_key(*name)) {
        return Err(wrong(
            format!("the docstring of `{name}` describes `{unknown}`, which is no parameter"),
            def.name.span,
            "describe each parameter after `Args:` as `name: text`",
        ));
    }
    let parameters = json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false, "description": docs.text,
    });
    let manifest = FunctionManifest { name: name.to_owned(), doc: docs.text, parameters };
    Ok(CrateFunction { manifest, floats })
}

fn shown(parameter: &ParameterP<AstNoPayload>) -> String {
    match parameter {
        ParameterP::Args(name, _) => format!("`*{}`", name.ident),
        ParameterP::KwArgs(name, _) => format!("`**{}`", name.ident),
        _ => "parameters by position only".to_owned(),
    }
}

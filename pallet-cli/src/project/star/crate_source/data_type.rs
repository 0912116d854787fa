//! The types of parameters, as JSON schemas: what can cross to a crate is plain data.

use serde_json::{Value as Json, json};
use starlark::syntax::ast::{AstExpr, BinOp, Expr};

/// The schema of a type annotation; the error says what is possible instead.
pub(super) fn data_type(annotation: &AstExpr) -> Result<Json, String> {
    let mut alternatives = Vec::new();
    collect(annotation, &mut alternatives)?;
    match alternatives.as_slice() {
        [one] => Ok(one.clone()),
        // as schemars writes optional values, which messages know how to describe
        several => {
            let names: Option<Vec<&Json>> =
                several.iter().map(|one| one.get("type").filter(|name| name.is_string())).collect();
            let plain = several.iter().all(|one| one.as_object().is_some_and(|one| one.len() == 1));
            match names.filter(|_| plain) {
                Some(names) => Ok(json!({"type": names})),
                None => Ok(json!({"anyOf": several})),
            }
        }
    }
}

fn collect(annotation: &AstExpr, found: &mut Vec<Json>) -> Result<(), String> {
    if let Expr::Op(left, BinOp::BitOr, right) = &annotation.node {
        collect(left, found)?;
        return collect(right, found);
    }
    found.push(one(annotation)?);
    Ok(())
}

fn one(annotation: &AstExpr) -> Result<Json, String> {
    let name = |expression: &AstExpr| match &expression.node {
        Expr::Identifier(name) => Some(name.node.ident.clone()),
        _ => None,
    };
    let schema = match &annotation.node {
        Expr::Identifier(name) => match name.node.ident.as_str() {
            "str" => Some(json!({"type": "string"})),
            "int" => Some(json!({"type": "integer"})),
            "float" => Some(json!({"type": "number"})),
            "bool" => Some(json!({"type": "boolean"})),
            "None" => Some(json!({"type": "null"})),
            "list" => Some(json!({"type": "array"})),
            "dict" => Some(json!({"type": "object"})),
            _ => None,
        },
        Expr::Dot(object, attribute)
            if name(object).as_deref() == Some("typing") && attribute.node == "Any" =>
        {
            Some(json!({}))
        }
        Expr::Index(parts) if name(&parts.0).as_deref() == Some("list") => {
            Some(json!({"type": "array", "items": data_type(&parts.1)?}))
        }
        Expr::Index2(parts)
            if name(&parts.0).as_deref() == Some("dict")
                && name(&parts.1).as_deref() == Some("str") =>
        {
            Some(json!({"type": "object", "additionalProperties": data_type(&parts.2)?}))
        }
        _ => None,
    };
    schema.ok_or_else(|| {
        "use plain data: str, int, float, bool, None, list[...], dict[str, ...], typing.Any, or \
         several of them with |"
            .to_owned()
    })
}

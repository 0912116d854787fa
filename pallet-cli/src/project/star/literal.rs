//! Literals in the source, which can be checked before anything runs.

use serde_json::{Map, Value as Json};
use starlark::codemap::Span;
use starlark::syntax::ast::{AstExpr, AstLiteral, Expr};

/// The value of an expression, with holes for parts that are known only at run time.
#[derive(Debug, Default)]
pub(crate) struct Literal {
    /// The value; `null` in a hole.
    pub(crate) value: Json,
    holes: Vec<Vec<String>>,
}

impl Literal {
    /// Reads an expression.
    pub(crate) fn of(expression: &AstExpr) -> Self {
        let mut holes = Vec::new();
        let value = read(expression, &mut Vec::new(), &mut holes);
        Literal { value, holes }
    }

    /// Whether the value at `path` is unknown.
    pub(crate) fn is_hole(&self, path: &[String]) -> bool {
        self.holes.iter().any(|hole| path.starts_with(hole))
    }
}

fn read(expression: &AstExpr, path: &mut Vec<String>, holes: &mut Vec<Vec<String>>) -> Json {
    let known = match &expression.node {
        Expr::Literal(AstLiteral::Int(number)) => {
            number.node.to_string().parse::<i64>().ok().map(Json::from)
        }
        Expr::Literal(AstLiteral::Float(number)) => Some(Json::from(number.node)),
        Expr::Literal(AstLiteral::String(text)) => Some(Json::from(text.node.as_str())),
        Expr::Minus(inner) => match read(inner, path, &mut Vec::new()) {
            Json::Number(number) if number.is_i64() => {
                number.as_i64().map(|number| Json::from(-number))
            }
            Json::Number(number) => number.as_f64().map(|number| Json::from(-number)),
            _ => None,
        },
        Expr::Identifier(name) => match name.node.ident.as_str() {
            "None" => Some(Json::Null),
            "True" => Some(true.into()),
            "False" => Some(false.into()),
            _ => None,
        },
        Expr::List(items) | Expr::Tuple(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| part(item, index.to_string(), path, holes))
                .collect(),
        ),
        Expr::Dict(entries) => entries
            .iter()
            .map(|(key, value)| Some((key_of(key)?, value)))
            .collect::<Option<Vec<_>>>()
            .map(|entries| {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), part(value, key.to_owned(), path, holes)));
                Json::Object(entries.collect::<Map<_, _>>())
            }),
        _ => None,
    };
    known.unwrap_or_else(|| {
        holes.push(path.clone());
        Json::Null
    })
}

fn part(
    expression: &AstExpr,
    key: String,
    path: &mut Vec<String>,
    holes: &mut Vec<Vec<String>>,
) -> Json {
    path.push(key);
    let value = read(expression, path, holes);
    path.pop();
    value
}

fn key_of(expression: &AstExpr) -> Option<&str> {
    match &expression.node {
        Expr::Literal(AstLiteral::String(text)) => Some(&text.node),
        _ => None,
    }
}

/// The span of the part at `path`; with `key`, of that key in it.
pub(crate) fn span_at(expression: &AstExpr, path: &[String], key: Option<&str>) -> Span {
    let mut at = expression;
    for step in path {
        let next = match &at.node {
            Expr::Dict(entries) => entries
                .iter()
                .find(|(known, _)| key_of(known) == Some(step.as_str()))
                .map(|(_, value)| value),
            Expr::List(items) | Expr::Tuple(items) => {
                step.parse::<usize>().ok().and_then(|index| items.get(index))
            }
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return at.span,
        }
    }
    match (&at.node, key) {
        (Expr::Dict(entries), Some(key)) => entries
            .iter()
            .find(|(known, _)| key_of(known) == Some(key))
            .map_or(at.span, |(known, _)| known.span),
        _ => at.span,
    }
}

/// The type of an expression that cannot be a dict: `a list`.
pub(crate) fn not_a_dict(expression: &AstExpr) -> Option<&'static str> {
    match &expression.node {
        Expr::List(_) | Expr::ListComprehension(..) => Some("a list"),
        Expr::Lambda(_) => Some("a function"),
        Expr::Dict(_) | Expr::DictComprehension(..) => None,
        _ => not_a_function(expression),
    }
}

/// The type of an expression that cannot be a function: `a dict`.
pub(crate) fn not_a_function(expression: &AstExpr) -> Option<&'static str> {
    match &expression.node {
        Expr::Literal(AstLiteral::String(_)) | Expr::FString(_) => Some("a string"),
        Expr::Literal(_) | Expr::Minus(_) => Some("a number"),
        Expr::Dict(_) | Expr::DictComprehension(..) => Some("a dict"),
        _ => None,
    }
}

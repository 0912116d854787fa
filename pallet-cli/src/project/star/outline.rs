//! The definitions in a file, with their places, for editors.

use starlark::codemap::Span;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{
    AssignTargetP, AstAssignTarget, AstExpr, AstNoPayload, AstParameter, AstStmt, DefP, Expr, Stmt,
};

use super::eval_context::place;
use super::parse::loads;
use crate::diagnostic::SourceSpan;

/// The definitions in a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    /// The whole file first, then each function in it.
    scopes: Vec<Block>,
    /// The strings of its load statements.
    loads: Vec<LoadString>,
}

/// A part of a file with its own names.
#[derive(Debug, Clone)]
struct Block {
    /// The first line and the last one, from 1.
    lines: (u32, u32),
    names: Vec<Definition>,
}

/// A name and its definition.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) place: SourceSpan,
    pub(crate) what: DefinitionKind,
}

/// The kind of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DefinitionKind {
    /// A function.
    Function {
        /// `web(request, port = 80)`
        call: String,
        parameters: Vec<String>,
        doc: Option<String>,
    },
    /// A parameter of the enclosing function.
    Parameter,
    /// A variable.
    Variable,
    /// A name from a load statement.
    Loaded {
        /// `@crate`, or a file.
        module: String,
        /// Its name in the module.
        name: String,
    },
}

/// A string of a load statement.
#[derive(Debug, Clone)]
pub(crate) struct LoadString {
    pub(crate) place: SourceSpan,
    pub(crate) module: String,
    /// The loaded name; `None` for the module itself.
    pub(crate) name: Option<String>,
}

impl Outline {
    /// The outline of a file.
    pub(crate) fn of(ast: &AstModule) -> Self {
        let mut reader = OutlineBuilder { ast, outline: Outline::default() };
        reader.scope(ast.statement().span, &[], Some(ast.statement()));
        ast.statement().visit_expr(|expression| reader.lambdas(expression));
        if let Some(whole) = reader.outline.scopes.first_mut() {
            whole.lines = (1, u32::MAX);
        }
        for load in loads(ast.statement()) {
            let module = load.module.node.clone();
            let string = |span: Span, name| LoadString {
                place: place(&ast.file_span(span)),
                module: module.clone(),
                name,
            };
            reader.outline.loads.push(string(load.module.span, None));
            let names =
                load.args.iter().map(|one| string(one.their.span, Some(one.their.node.clone())));
            reader.outline.loads.extend(names);
        }
        reader.outline
    }

    /// The definition of a name in a line (from 1); the innermost function wins.
    pub(crate) fn find(&self, name: &str, line: u32) -> Option<&Definition> {
        self.around(line).find_map(|scope| scope.names.iter().find(|known| known.name == name))
    }

    /// The definition of a name at the top level.
    pub(crate) fn top(&self, name: &str) -> Option<&Definition> {
        self.scopes.first()?.names.iter().find(|known| known.name == name)
    }

    /// All names visible in a line (from 1), innermost first.
    pub(crate) fn visible(&self, line: u32) -> impl Iterator<Item = &Definition> {
        self.around(line).flat_map(|scope| &scope.names)
    }

    /// Whether a line (from 1) is in a function.
    pub(crate) fn is_in_function(&self, line: u32) -> bool {
        self.around(line).count() > 1
    }

    /// The names that other files can load.
    pub(crate) fn exported(&self) -> impl Iterator<Item = &str> {
        let names = self
            .scopes
            .first()
            .into_iter()
            .flat_map(|whole| &whole.names)
            .map(|known| known.name.as_str());
        names.filter(|name| !name.starts_with('_'))
    }

    /// The load string at a line and column, both from 1.
    pub(crate) fn load_at(&self, line: u32, column: u32) -> Option<&LoadString> {
        let within = |place: &SourceSpan| {
            place.line == line && (place.column..=place.column + place.length).contains(&column)
        };
        self.loads.iter().find(|load| within(&load.place))
    }

    fn around(&self, line: u32) -> impl Iterator<Item = &Block> {
        self.scopes
            .iter()
            .rev()
            .filter(move |scope| (scope.lines.0..=scope.lines.1).contains(&line))
    }
}

struct OutlineBuilder<'a> {
    ast: &'a AstModule,
    outline: Outline,
}

impl OutlineBuilder<'_> {
    fn scope(&mut self, span: Span, parameters: &[AstParameter], body: Option<&AstStmt>) {
        let (begin, end) = (
            self.place(Span::new(span.begin(), span.begin())),
            self.place(Span::new(span.end(), span.end())),
        );
        let mut names: Vec<Definition> = Vec::new();
        for ident in parameters.iter().filter_map(|parameter| parameter.ident()) {
            names.push(Definition {
                name: ident.ident.clone(),
                place: self.place(ident.span),
                what: DefinitionKind::Parameter,
            });
        }
        let index = self.outline.scopes.len();
        self.outline.scopes.push(Block { lines: (begin.line, end.line), names });
        if let Some(body) = body {
            self.statement(body, index);
        }
    }

    fn add(&mut self, scope: usize, definition: Definition) {
        if let Some(scope) = self.outline.scopes.get_mut(scope)
            && !scope.names.iter().any(|known| known.name == definition.name)
        {
            scope.names.push(definition);
        }
    }

    fn statement(&mut self, statement: &AstStmt, scope: usize) {
        match &statement.node {
            Stmt::Def(def) => {
                let what = DefinitionKind::Function {
                    call: self.call(def),
                    parameters: parameters(&def.params),
                    doc: docstring(&def.body),
                };
                self.add(
                    scope,
                    Definition {
                        name: def.name.ident.clone(),
                        place: self.place(def.name.span),
                        what,
                    },
                );
                self.scope(statement.span, &def.params, Some(&def.body));
            }
            Stmt::Load(load) => {
                for one in &load.args {
                    let what = DefinitionKind::Loaded {
                        module: load.module.node.clone(),
                        name: one.their.node.clone(),
                    };
                    self.add(
                        scope,
                        Definition {
                            name: one.local.ident.clone(),
                            place: self.place(one.local.span),
                            what,
                        },
                    );
                }
            }
            other => {
                match other {
                    Stmt::Assign(assign) => self.target(&assign.lhs, scope),
                    Stmt::AssignModify(to, ..) => self.target(to, scope),
                    Stmt::For(each) => self.target(&each.var, scope),
                    _ => {}
                }
                other.visit_stmt(|inner| self.statement(inner, scope));
            }
        }
    }

    fn lambdas(&mut self, expression: &AstExpr) {
        if let Expr::Lambda(lambda) = &expression.node {
            self.scope(expression.span, &lambda.params, None);
        }
        expression.visit_expr(|inner| self.lambdas(inner));
    }

    fn target(&mut self, to: &AstAssignTarget, scope: usize) {
        match &to.node {
            AssignTargetP::<AstNoPayload>::Tuple(several) => {
                several.iter().for_each(|one| self.target(one, scope))
            }
            AssignTargetP::Identifier(ident) => {
                self.add(
                    scope,
                    Definition {
                        name: ident.ident.clone(),
                        place: self.place(ident.span),
                        what: DefinitionKind::Variable,
                    },
                );
            }
            AssignTargetP::Index(_) | AssignTargetP::Dot(..) => {}
        }
    }

    fn place(&self, span: Span) -> SourceSpan {
        place(&self.ast.file_span(span))
    }

    /// The signature of a function, without `def`.
    fn call(&self, def: &DefP<AstNoPayload>) -> String {
        let text = self.ast.file_span(def.signature_span()).source_span().to_owned();
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // the span ends after the last parameter
        if def.params.is_empty() {
            format!("{}()", def.name.ident)
        } else {
            format!("{})", one_line.trim_end_matches(')'))
        }
    }
}

fn parameters(parameters: &[AstParameter]) -> Vec<String> {
    parameters
        .iter()
        .filter_map(|parameter| parameter.ident())
        .map(|ident| ident.ident.clone())
        .collect()
}

/// The docstring of a function.
pub(crate) fn docstring(body: &AstStmt) -> Option<String> {
    match &body.node {
        Stmt::Statements(several) => docstring(several.first()?),
        Stmt::Expression(expression) => match &expression.node {
            Expr::Literal(starlark::syntax::ast::AstLiteral::String(text)) => {
                Some(dedented(&text.node))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The text without the common indentation of all lines but the first.
fn dedented(text: &str) -> String {
    let rest = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let indent = rest.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let line = |(number, line): (usize, &str)| {
        if number == 0 { line.to_owned() } else { line.chars().skip(indent).collect() }
    };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

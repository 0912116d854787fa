//! Loads the files of a project: reads them in load order, checks all of them, and then evaluates
//! them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use pallet_core::plugins::Digest;
use starlark::PrintHandler;
use starlark::codemap::Span;
use starlark::environment::{FrozenModule, Globals, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use starlark::syntax::ast::Load;
use starlark::typing::{Interface, Ty};

use super::check::check;
use super::crates::{Crate, find_crate};
use super::declared::Declarations;
use super::error::diagnose;
use super::eval_context::{EvalContext, place};
use super::language::Language;
use super::modules::{Modules, path_of};
use super::outline::Outline;
use super::parse::{loads, parse};
use super::scope::KnownName;
use super::slot::RunSettings;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan, did_you_mean_or_list};
use crate::project::{CrateCatalog, MAIN, UnsavedFiles, utf8};

/// Maximum size of a file of Starlark, in bytes.
const LARGEST: u64 = 4 << 20;

/// The files of a project, read and checked.
pub(crate) struct Files<'a> {
    directory: &'a Path,
    home: Home,
    /// Unsaved texts, which replace the files on disk.
    unsaved: &'a UnsavedFiles,
    /// `None`: the types of what other crates have are unknown.
    catalog: Option<&'a dyn CrateCatalog>,
    language: &'a Language,
    /// The crates that the files load; `None` if loading failed, which is reported.
    pub(crate) crates: BTreeMap<String, Option<Crate>>,
    files: Vec<(String, AstModule)>,
    /// The digest of each file that was read.
    pub(crate) digests: BTreeMap<String, Digest>,
    interfaces: HashMap<String, Interface>,
    /// The names bound by the load statements of the last file, which is pallet.star in the end.
    known: HashMap<String, KnownName>,
    /// The files whose loads are being read, outermost first.
    open: Vec<String>,
    pub(crate) found: Diagnostics,
}

/// Whose files they are.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    Project,
    /// The crate with this name.
    Crate(String),
}

impl Home {
    /// The name of a file in messages.
    fn shown(&self, file: &str) -> String {
        match self {
            Home::Project => file.to_owned(),
            Home::Crate(name) => format!("@{name}/{file}"),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Home::Project => "project",
            Home::Crate(_) => "crate",
        }
    }
}

/// The result of evaluating the files.
pub(crate) struct Evaluated {
    pub(crate) main: FrozenModule,
    pub(crate) interface: Interface,
    pub(crate) declared: Declarations,
    /// Pallet's functions bound by pallet.star's load statements.
    pub(crate) known: HashMap<String, KnownName>,
}

impl<'a> Files<'a> {
    /// Reads and checks pallet.star and everything that it loads.
    pub(crate) fn read(
        directory: &'a Path,
        unsaved: &'a UnsavedFiles,
        catalog: &'a dyn CrateCatalog,
        language: &'a Language,
    ) -> Self {
        let mut files = Self::none(directory, unsaved, Some(catalog), language);
        files.add(MAIN);
        files
    }

    /// No files yet.
    pub(crate) fn none(
        directory: &'a Path,
        unsaved: &'a UnsavedFiles,
        catalog: Option<&'a dyn CrateCatalog>,
        language: &'a Language,
    ) -> Self {
        Files {
            directory,
            home: Home::Project,
            unsaved,
            catalog,
            language,
            crates: BTreeMap::new(),
            files: Vec::new(),
            digests: BTreeMap::new(),
            interfaces: HashMap::new(),
            known: HashMap::new(),
            open: Vec::new(),
            found: Diagnostics::default(),
        }
    }

    /// The files of a crate, none of them yet.
    pub(crate) fn of_crate(
        name: &str,
        directory: &'a Path,
        unsaved: &'a UnsavedFiles,
        catalog: Option<&'a dyn CrateCatalog>,
        language: &'a Language,
    ) -> Self {
        let home = Home::Crate(name.to_owned());
        Files { home, ..Self::none(directory, unsaved, catalog, language) }
    }

    /// The files in load order.
    pub(crate) fn parsed(&self) -> &[(String, AstModule)] {
        &self.files
    }

    /// Reads and checks a file and everything that it loads, unless already done.
    pub(crate) fn add(&mut self, name: &str) {
        self.file(name, None);
    }

    /// The definitions by file, without files that cannot be parsed.
    pub(crate) fn outlines(&self) -> BTreeMap<String, Outline> {
        self.files.iter().map(|(name, ast)| (name.clone(), Outline::of(ast))).collect()
    }

    fn file(&mut self, name: &str, asked: Option<&SourceSpan>) {
        if self.interfaces.contains_key(name) {
            return;
        }
        if self.open.iter().any(|open| open == name) {
            let circle: Vec<&str> = self
                .open
                .iter()
                .map(String::as_str)
                .skip_while(|open| *open != name)
                .chain([name])
                .collect();
            self.found.push(
                Diagnostic::error(format!(
                    "the files load each other in a cycle: {}",
                    circle.join(" -> ")
                ))
                .at(asked.cloned()),
            );
            return;
        }
        let source = self.read_source(name);
        if let Ok(text) = &source {
            self.digests.insert(name.to_owned(), Digest::of(text.as_bytes()));
        }
        let ast = match source.and_then(|text| parse(&self.home.shown(name), text)) {
            Ok(ast) => ast,
            Err(diagnostic) => {
                let unplaced = diagnostic.place.is_none();
                self.found.push(if unplaced { diagnostic.at(asked.cloned()) } else { diagnostic });
                return;
            }
        };
        self.open.push(name.to_owned());
        let mut known = self.language.known();
        let mut interfaces = HashMap::new();
        for load in loads(ast.statement()) {
            let interface = self.load(&ast, load, &mut known);
            interfaces.insert(load.module.node.clone(), interface);
        }
        self.open.pop();
        self.known = super::scope::Scope::new(known.clone(), ast.statement()).into_known();
        if let Home::Crate(_) = self.home {
            self.found.extend(shadowing(&ast, &self.language.globals));
        }
        let (found, interface) = check(&ast, &self.language.globals, known, &interfaces);
        self.found.extend(found);
        self.interfaces.insert(name.to_owned(), interface);
        self.files.push((name.to_owned(), ast));
    }

    fn read_source(&self, name: &str) -> Result<String, Diagnostic> {
        if let Some(text) = self.unsaved.get(name) {
            return Ok(text.clone());
        }
        let path = self.directory.join(name);
        let shown = self.home.shown(name);
        let cannot = |why: &str| Diagnostic::error(format!("cannot read {shown}: {why}"));
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let directory = self.directory.display();
                Diagnostic::error(format!("there is no file {name} in {directory}"))
            }
            _ => cannot(&error.to_string()),
        };
        let data = std::fs::metadata(&path).map_err(failed)?;
        // reading anything else might never end
        if !data.is_file() {
            return Err(cannot("it is not a regular file"));
        }
        if data.len() > LARGEST {
            return Err(cannot(&format!("it has more than {} MiB", LARGEST >> 20)));
        }
        if let Home::Crate(_) = self.home {
            let (real, root) = (path.canonicalize(), self.directory.canonicalize());
            if !real.map_err(failed)?.starts_with(root.map_err(failed)?) {
                return Err(cannot("it leads out of its crate"));
            }
        }
        utf8(&shown, std::fs::read(&path).map_err(failed)?)
    }

    /// Reads the target of a load statement, and returns its types.
    fn load(
        &mut self,
        ast: &AstModule,
        load: &Load,
        known: &mut HashMap<String, KnownName>,
    ) -> Interface {
        let at = |span: Span| place(&ast.file_span(span));
        let module = load.module.node.as_str();
        let asked = at(load.module.span);
        let (names, interface): (Vec<String>, Interface) =
            if let Some(name) = module.strip_prefix('@') {
                let Some(found) = self.config_crate(name, &asked) else { return anything(load) };
                known.extend(load.args.iter().filter_map(|one| {
                    Some((one.local.node.ident.clone(), found.known(&one.their.node)?))
                }));
                (found.names().into_iter().map(str::to_owned).collect(), found.interface)
            } else {
                let name = match path_of(self.directory, module, self.home.word()) {
                    Ok(name) => name,
                    Err(diagnostic) => {
                        self.found.push(diagnostic.at(asked));
                        return anything(load);
                    }
                };
                self.file(&name, Some(&asked));
                let Some(interface) = self.interfaces.get(&name) else { return anything(load) };
                (self.names_of(&name), interface.clone())
            };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut complete = true;
        for one in &load.args {
            if !names.contains(&one.their.node.as_str()) {
                let message = match one.their.node.starts_with('_') {
                    true => format!(
                        "`{}` cannot be loaded: names that begin with _ are private",
                        one.their.node
                    ),
                    false => format!("{module} has no `{}`", one.their.node),
                };
                let suggestion = did_you_mean_or_list(&one.their.node, &names, "it has");
                self.found
                    .push(Diagnostic::error(message).at(at(one.their.span)).suggest(suggestion));
                complete = false;
            }
        }
        if complete { interface } else { anything(load) }
    }

    fn names_of(&self, file: &str) -> Vec<String> {
        let Some((_, ast)) = self.files.iter().find(|(name, _)| name == file) else {
            return Vec::new();
        };
        let mut names = HashMap::new();
        super::scope::assigned(ast.statement(), &mut names);
        let loaded = loads(ast.statement())
            .into_iter()
            .flat_map(|load| load.args.iter().map(|one| one.local.node.ident.clone()));
        names.into_keys().chain(loaded).filter(|name| !name.starts_with('_')).collect()
    }

    fn config_crate(&mut self, name: &str, asked: &SourceSpan) -> Option<Crate> {
        if let Some(known) = self.crates.get(name) {
            return known.clone();
        }
        // without a catalog it is not looked up, and may have anything
        let loaded = find_crate(self.catalog?, name);
        let loaded =
            loaded.map_err(|diagnostic| self.found.push(diagnostic.at(asked.clone()))).ok();
        self.crates.insert(name.to_owned(), loaded.clone());
        loaded
    }

    /// Evaluates each file once, in load order. `main` is the last one.
    pub(crate) fn evaluate(
        &mut self,
        main: &str,
        run: RunSettings,
        print: &dyn PrintHandler,
    ) -> Result<Evaluated, Diagnostic> {
        let context = EvalContext::Loading(RefCell::new(Declarations::new(run)));
        let mut modules = Modules { directory: self.directory, modules: HashMap::new() };
        for (name, config_crate) in &self.crates {
            if let Some(config_crate) = config_crate {
                modules.modules.insert(format!("@{name}"), config_crate.module.clone());
            }
        }
        for (name, ast) in std::mem::take(&mut self.files) {
            // constants that Starlark computes at compile time have no place in errors
            let first = place(&ast.file_span(ast.statement().span));
            let module = evaluate(ast, &self.language.globals, &modules, &context, run, print);
            let module = module.map_err(|error| {
                diagnose(&error, "the top level of the file", run.limits, Some(first))
            })?;
            modules.modules.insert(name, module);
        }
        let EvalContext::Loading(declared) = context else {
            return Err(Diagnostic::error("the project was not loaded"));
        };
        match (modules.modules.remove(main), self.interfaces.remove(main)) {
            (Some(module), Some(interface)) => Ok(Evaluated {
                main: module,
                interface,
                declared: declared.into_inner(),
                known: std::mem::take(&mut self.known),
            }),
            _ => Err(Diagnostic::error(format!("{main} was not evaluated"))),
        }
    }
}

fn evaluate(
    ast: AstModule,
    globals: &Globals,
    loader: &dyn FileLoader,
    context: &EvalContext,
    run: RunSettings,
    print: &dyn PrintHandler,
) -> starlark::Result<FrozenModule> {
    let frozen = Module::with_temp_heap(|module| {
        {
            let mut evaluator = Evaluator::new(&module);
            evaluator.extra = Some(context);
            evaluator.set_loader(loader);
            evaluator.set_print_handler(print);
            super::guard::evaluate(&mut evaluator, run.limits, |evaluator| {
                evaluator.eval_module(ast, globals)
            })?;
        }
        module.freeze().map_err(|error| starlark::Error::from(anyhow::anyhow!("{error:?}")))
    })?;
    if let EvalContext::Loading(declared) = context {
        declared.borrow_mut().fill(&frozen)?;
    }
    Ok(frozen)
}

/// The unknown types of a module that could not be loaded.
fn anything(load: &Load) -> Interface {
    Interface::new(load.args.iter().map(|one| (one.their.node.clone(), Ty::any())).collect())
}

/// The names of Pallet or Starlark that a file of a crate binds: within the crate they would no
/// longer mean what they mean elsewhere.
fn shadowing(ast: &AstModule, globals: &Globals) -> Vec<Diagnostic> {
    let outline = Outline::of(ast);
    let shadows = globals.names().filter_map(|name| outline.top(name.as_str()));
    let found = shadows.map(|definition| {
        Diagnostic::error(format!(
            "`{}` is a name of Pallet or Starlark, which a crate cannot define again",
            definition.name
        ))
        .at(definition.place.clone())
        .suggest("give it another name".to_owned())
    });
    found.collect()
}

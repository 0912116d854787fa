//! No cyclic imports: what a file uses never leads back to it.
//!
//! A file uses another if it names something that is defined there, in a `use` or in a path. A
//! re-export stands for its target; a file that only re-exports names of its own children does not
//! use them.

mod graph;
mod imports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item};

use self::graph::circles;
use self::imports::each_import;
use super::sources::{Source, none, sources};

/// The folder of each package's sources, and the file that is the root of its modules.
const PACKAGES: [(&str, &str); 4] = [
    ("pallet-core/src", "lib.rs"),
    ("pallet-cli/src", "lib.rs"),
    ("tests/src", "lib.rs"),
    ("tests/it", "main.rs"),
];

/// Accepted cycles, identified by one of their files, with the reason.
const ALLOWED: [(&str, &str); 0] = [];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut offences = Vec::new();
    for (folder, root) in packages() {
        let package = Package::read(&folder, &root);
        for circle in circles(&package.uses()) {
            let allowed = ALLOWED.iter().any(|(file, _)| circle.files.contains(Path::new(file)));
            if !allowed {
                offences.push(circle.to_string());
            }
        }
    }
    none("no file uses what leads back to it", offences);
}

fn packages() -> Vec<(String, String)> {
    let fixed = PACKAGES.iter().map(|(folder, root)| ((*folder).to_owned(), (*root).to_owned()));
    let plugins = sources("").into_iter().filter_map(|source| {
        let folder = source.path.parent()?;
        let plugin = folder.starts_with("providers") || folder.starts_with("crates");
        let root = plugin && folder.components().count() == 3 && source.path.ends_with("lib.rs");
        root.then(|| (folder.display().to_string(), "lib.rs".to_owned()))
    });
    fixed.chain(plugins).collect()
}

/// A module's path within its package, by its segments; the root's is empty.
type Module = Vec<String>;

/// The meaning of a name in a module.
enum Name {
    /// A definition in this file.
    Item(PathBuf),
    /// An import: its path.
    Import(Vec<String>),
}

#[derive(Default)]
struct Names {
    names: BTreeMap<String, Vec<Name>>,
    globs: Vec<Vec<String>>,
}

struct Package {
    modules: BTreeMap<Module, Names>,
    files: Vec<(PathBuf, Module, syn::File)>,
}

impl Package {
    fn read(folder: &str, root: &str) -> Self {
        let mut package = Package { modules: BTreeMap::new(), files: Vec::new() };
        for source in sources(folder).into_iter().filter(|source| !source.is_test()) {
            let module = module_of(source.path.strip_prefix(folder).unwrap(), root);
            let Source { path, text } = source;
            let file = syn::parse_file(&text);
            let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            package.define(&file.items, &module, &path);
            package.files.push((path, module, file));
        }
        package
    }

    /// Notes what the items of a module define and import.
    fn define(&mut self, items: &[Item], module: &[String], path: &Path) {
        self.modules.entry(module.to_owned()).or_default();
        for item in items {
            let defined = match item {
                Item::Const(item) => Some(&item.ident),
                Item::Enum(item) => Some(&item.ident),
                Item::Fn(item) => Some(&item.sig.ident),
                Item::Static(item) => Some(&item.ident),
                Item::Struct(item) => Some(&item.ident),
                Item::Trait(item) => Some(&item.ident),
                Item::TraitAlias(item) => Some(&item.ident),
                Item::Type(item) => Some(&item.ident),
                Item::Union(item) => Some(&item.ident),
                Item::Macro(item) => item.ident.as_ref(),
                _ => None,
            };
            if let Some(name) = defined {
                let names = self.modules.entry(module.to_owned()).or_default();
                let names = names.names.entry(name.to_string()).or_default();
                names.push(Name::Item(path.to_owned()));
            }
            match item {
                Item::Mod(inner) if !is_for_tests(&inner.attrs) => {
                    if let Some((_, items)) = &inner.content {
                        let mut below = module.to_owned();
                        below.push(inner.ident.to_string());
                        self.define(items, &below, path);
                    }
                }
                Item::Use(import) => {
                    let names = self.modules.entry(module.to_owned()).or_default();
                    each_import(&import.tree, &mut Vec::new(), &mut |path, name| match name {
                        Some(name) if name != "_" => {
                            names.names.entry(name).or_default().push(Name::Import(path.to_vec()));
                        }
                        Some(_) => {}
                        None => names.globs.push(path.to_vec()),
                    });
                }
                Item::Macro(item)
                    if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) =>
                {
                    if let Some(name) = &item.ident {
                        let names = self.modules.entry(Vec::new()).or_default();
                        let names = names.names.entry(name.to_string()).or_default();
                        names.push(Name::Item(path.to_owned()));
                    }
                }
                _ => {}
            }
        }
    }

    /// The files that define the target of a path, as seen from a module.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Vec<PathBuf> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        if depth > 12 {
            return Vec::new();
        }
        match first.as_str() {
            "crate" => self.member(&[], rest, depth),
            "self" => self.member(module, rest, depth),
            "super" => {
                let above = &module[..module.len().saturating_sub(1)];
                match rest.first().is_some_and(|next| next == "super") {
                    true => self.resolve(above, rest, depth + 1),
                    false => self.member(above, rest, depth),
                }
            }
            _ => self.member(module, path, depth),
        }
    }

    /// The same for a path that begins in a module.
    fn member(&self, module: &[String], path: &[String], depth: usize) -> Vec<PathBuf> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let below: Module = module.iter().chain([first]).cloned().collect();
        if self.modules.contains_key(&below) && !rest.is_empty() {
            let found = self.member(&below, rest, depth);
            if !found.is_empty() {
                return found;
            }
        }
        let Some(names) = self.modules.get(module) else { return Vec::new() };
        let mut found = Vec::new();
        for name in names.names.get(first).into_iter().flatten() {
            match name {
                Name::Item(file) => found.push(file.clone()),
                Name::Import(import) => {
                    let whole: Vec<_> = import.iter().chain(rest).cloned().collect();
                    found.extend(self.resolve(module, &whole, depth + 1));
                }
            }
        }
        if found.is_empty() {
            for glob in &names.globs {
                let whole: Vec<_> = glob.iter().chain(path).cloned().collect();
                found.extend(self.resolve(module, &whole, depth + 1));
            }
        }
        found
    }

    /// Which file uses which others.
    fn uses(&self) -> BTreeMap<PathBuf, BTreeMap<PathBuf, String>> {
        let mut uses: BTreeMap<PathBuf, BTreeMap<PathBuf, String>> = BTreeMap::new();
        for (path, module, file) in &self.files {
            let mut reader = Reader { package: self, module: module.clone(), found: Vec::new() };
            reader.visit_file(file);
            let used = uses.entry(path.clone()).or_default();
            for (other, name) in reader.found.into_iter().filter(|(other, _)| other != path) {
                used.entry(other).or_insert(name);
            }
        }
        uses
    }
}

fn module_of(below: &Path, root: &str) -> Module {
    if below == Path::new(root) {
        return Vec::new();
    }
    let module = below.with_extension("");
    let module = if module.ends_with("mod") { module.parent().unwrap() } else { &module };
    module.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

/// Reads a file for what it names.
struct Reader<'a> {
    package: &'a Package,
    module: Module,
    found: Vec<(PathBuf, String)>,
}

impl Reader<'_> {
    fn name(&mut self, path: &[String]) {
        let files = self.package.resolve(&self.module, path, 0);
        self.found.extend(files.into_iter().map(|file| (file, path.join("::"))));
    }

    /// The paths in the arguments of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut member) = (0, false);
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                }
                TokenTree::Ident(ident) => {
                    self.end(&mut path);
                    if !member {
                        path.push(ident.to_string());
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.tokens(group.stream());
                }
                _ => self.end(&mut path),
            }
            colons = 0;
            member = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.name(path);
            path.clear();
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let passes_on = !matches!(item.vis, syn::Visibility::Inherited);
        let mut paths = Vec::new();
        each_import(&item.tree, &mut Vec::new(), &mut |path, name| {
            if name.is_some() {
                paths.push(path.to_vec());
            }
        });
        for path in paths {
            let child = self.module.iter().chain(path.first()).cloned().collect::<Module>();
            let own = path[0] == "self" || self.package.modules.contains_key(&child);
            if !(passes_on && own) {
                self.name(&path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        if path.leading_colon.is_none() {
            self.name(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        // what a definition uses depends on who uses it
        if item.ident.is_none() {
            visit::visit_item_macro(self, item);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

#[test]
fn circles_are_found() {
    let parse = |path: &str, text: &str| (PathBuf::from(path), syn::parse_str(text).unwrap());
    let files: [(PathBuf, syn::File); 5] = [
        parse("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use c::d::D;"),
        parse("a.rs", "use crate::b; pub struct A; fn f() { b::b() }"),
        parse("b.rs", "pub fn b() { let _ = vec![super::A]; }"),
        parse("c/mod.rs", "pub mod d; fn c() { crate::a::A; }"),
        parse("c/d.rs", "#[cfg(test)] mod tests { use super::super::c; } pub struct D;"),
    ];
    let mut package = Package { modules: BTreeMap::new(), files: Vec::new() };
    for (path, file) in files {
        let module = module_of(&path, "lib.rs");
        package.define(&file.items, &module, &path);
        package.files.push((path, module, file));
    }
    let circles = circles(&package.uses());
    let edges: Vec<_> = circles.into_iter().flat_map(|circle| circle.edges).collect();
    assert_eq!(edges, ["a.rs uses b::b of b.rs", "b.rs uses super::A of a.rs"]);
}

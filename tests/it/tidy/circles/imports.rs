//! The paths that a `use` imports.

use syn::UseTree;

/// Calls back for each name that a `use` imports, with its path; for a glob, with its path alone.
pub(super) fn each_import(
    tree: &UseTree,
    path: &mut Vec<String>,
    tell: &mut dyn FnMut(&[String], Option<String>),
) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            each_import(&inner.tree, path, tell);
            path.pop();
        }
        UseTree::Name(name) if name.ident == "self" => tell(path, path.last().cloned()),
        UseTree::Name(name) => {
            path.push(name.ident.to_string());
            tell(path, path.last().cloned());
            path.pop();
        }
        UseTree::Rename(name) => {
            let is_self = name.ident == "self";
            if !is_self {
                path.push(name.ident.to_string());
            }
            tell(path, Some(name.rename.to_string()));
            if !is_self {
                path.pop();
            }
        }
        UseTree::Glob(_) => tell(path, None),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| each_import(tree, path, tell));
        }
    }
}

//! Loaded crates: their functions, from the schemas of their manifests.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pallet_core::model::Manifest;
use starlark::environment::{FrozenModule, Module};
use starlark::typing::{Interface, Ty};
use starlark::values::Value;
use starlark::values::structs::AllocStruct;

use super::function::{HostBehavior, HostFunction};
use super::functions::data_signature;
use super::scope::KnownName;
use super::signature::Signature;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::project::CrateCatalog;

/// A loaded crate.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    /// Its functions, by name.
    pub(crate) functions: BTreeMap<String, Arc<Signature>>,
    /// The name of its namespace, unless a function has that name.
    pub(crate) namespace: Option<String>,
    /// What can be loaded from it.
    pub(crate) module: FrozenModule,
    /// The types of what can be loaded from it.
    pub(crate) interface: Interface,
}

/// The crate with this name. If there is none, the error says how to install it.
pub(crate) fn find_crate(catalog: &dyn CrateCatalog, name: &str) -> Result<Crate, Diagnostic> {
    let there = catalog.crates();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    match catalog.manifest(name) {
        Ok(manifest) => {
            crate_of(&manifest).map_err(|error| Diagnostic::error(format!("{error:#}")))
        }
        Err(_) if !there.contains(&name) => {
            let get = || {
                format!(
                    "install it with `pallet-cli install oci://HOST/PATH/crate/{name}`, or by its \
                     name if `registry` is set; "
                )
            };
            let list = || {
                if there.is_empty() {
                    "none are installed".to_owned()
                } else {
                    format!("there are {}", there.join(", "))
                }
            };
            let suggestion =
                did_you_mean(name, there.iter().copied()).unwrap_or_else(|| get() + &list());
            Err(Diagnostic::error(format!("there is no crate `{name}`")).suggest(suggestion))
        }
        Err(error) => {
            // it may begin with the name itself
            let why = error.strip_prefix(&format!("crate {name}: ")).unwrap_or(&error);
            Err(Diagnostic::error(format!("crate `{name}` cannot be loaded: {why}")))
        }
    }
}

/// Resolves `@NAME` in a load statement of a session or of inline code.
pub(crate) fn module_of(
    crates: &BTreeMap<String, Crate>,
    path: &str,
) -> starlark::Result<FrozenModule> {
    let found = path.strip_prefix('@').and_then(|name| crates.get(name));
    found
        .map(|found| found.module.clone())
        .ok_or_else(|| starlark::Error::new_other(anyhow::anyhow!("`{path}` was not loaded")))
}

/// Builds the crate from its manifest.
fn crate_of(manifest: &Manifest) -> anyhow::Result<Crate> {
    let own_name = manifest.name.replace('-', "_");
    let signatures: Vec<(String, Arc<Signature>)> = manifest
        .functions
        .iter()
        .map(|function| {
            // the main function of a crate has the crate's name, without a dot
            let shown = if function.name == own_name {
                own_name.clone()
            } else {
                format!("{own_name}.{}", function.name)
            };
            let signature = data_signature(&shown, function.parameters.clone());
            let doc =
                if function.doc.is_empty() { signature.doc.clone() } else { function.doc.clone() };
            (function.name.clone(), Arc::new(Signature { doc, ..signature }))
        })
        .collect();
    let namespace = signatures.iter().all(|(name, _)| *name != own_name).then_some(own_name);
    let function = |name: &str, signature: &Arc<Signature>| {
        HostFunction::new(
            signature.clone(),
            HostBehavior::Call { config_crate: manifest.name.clone(), function: name.to_owned() },
        )
    };
    let mut types = HashMap::new();
    let module = Module::with_temp_heap(|module| {
        let values: Vec<(&str, Value<'_>)> = signatures
            .iter()
            .map(|(name, signature)| {
                (name.as_str(), module.heap().alloc(function(name, signature)))
            })
            .collect();
        for (name, value) in &values {
            types.insert((*name).to_owned(), Ty::of_value(*value));
            module.set(name, *value);
        }
        if let Some(namespace) = &namespace {
            let value = module.heap().alloc(AllocStruct(values));
            types.insert(namespace.clone(), Ty::of_value(value));
            module.set(namespace, value);
        }
        module.freeze().map_err(|error| anyhow::anyhow!("crate {}: {error:?}", manifest.name))
    })?;
    Ok(Crate {
        functions: signatures.into_iter().collect(),
        namespace,
        module,
        interface: Interface::new(types),
    })
}

impl Crate {
    /// What the static check knows about a name loaded from it.
    pub(crate) fn known(&self, name: &str) -> Option<KnownName> {
        match self.functions.get(name) {
            Some(signature) => Some(KnownName::Function(signature.clone())),
            None => (self.namespace.as_deref() == Some(name))
                .then(|| KnownName::Namespace(self.functions.clone())),
        }
    }

    /// The names that can be loaded.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.functions.keys().chain(&self.namespace).map(String::as_str).collect()
    }
}

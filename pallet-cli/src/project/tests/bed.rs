//! Test helpers: a project in a temporary directory, crates from manifests, and a host that records
//! requests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use expect_test::Expect;
use pallet_core::engine::{Phase, PhaseError};
use pallet_core::model::{
    AdminUser, FunctionManifest, Machine, Manifest, Os, OsFamily, PackageManager, ServiceManager,
    Target,
};
use pallet_core::plugin::{ErrorKind, PluginError, Request, RequestHost, operation};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::diagnostic::Diagnostics;
use crate::project::{CrateCatalog, LoadOptions, LoadedProject};

/// A project in a temporary directory.
pub(crate) struct Bed(TempDir);

/// A project with this pallet.star.
pub(crate) fn star(text: &str) -> Bed {
    Bed::new(&[("pallet.toml", ""), ("pallet.star", text)])
}

impl Bed {
    /// A project with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let bed = Bed(TempDir::new().unwrap());
        for (name, text) in files {
            bed.write(name, text.as_bytes());
        }
        bed
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn load_with(&self, options: LoadOptions) -> Result<LoadedProject, Diagnostics> {
        LoadedProject::load(self.path(), &Crates, options)
    }

    pub(crate) fn load(&self) -> LoadedProject {
        self.load_with(LoadOptions::default()).unwrap_or_else(|found| panic!("{found}"))
    }

    /// Checks the project's errors.
    pub(crate) fn wrong(&self, expected: Expect) {
        let found = match self.load_with(LoadOptions::default()) {
            Ok(project) => format!("loads; {}", project.warnings.render(false)),
            Err(found) => found.render(false),
        };
        expected.assert_eq(&found.replace(&self.path().display().to_string(), "DIR"));
    }
}

/// nginx, automated-admin-user, and a crate that cannot be loaded.
pub(crate) struct Crates;

impl CrateCatalog for Crates {
    fn crates(&self) -> Vec<String> {
        vec!["automated-admin-user".into(), "broken".into(), "nginx".into()]
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        let functions = match name {
            "nginx" => vec![
                ("install", json!({"type": "object", "properties": {}})),
                (
                    "site",
                    json!({
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {
                            "name": {"type": "string"},
                            "port": {
                                "type": "integer", "format": "uint16", "minimum": 0,
                                "maximum": 65535, "default": 80,
                            },
                            "root": {"type": ["string", "null"], "default": null},
                            "scheme": {"$ref": "#/$defs/Scheme", "default": "http"},
                            "aliases": {
                                "type": "array", "items": {"type": "string"}, "default": [],
                            },
                            "tls": {
                                "anyOf": [{"$ref": "#/$defs/Tls"}, {"type": "null"}],
                                "default": null,
                            },
                        },
                        "required": ["name"],
                        "$defs": {
                            "Scheme": {"oneOf": [
                                {"type": "string", "const": "http"},
                                {"type": "string", "const": "https"},
                            ]},
                            "Tls": {
                                "type": "object",
                                "additionalProperties": false,
                                "properties": {
                                    "certificate": {"type": "string"}, "days": {"type": "integer"},
                                },
                                "required": ["certificate"],
                            },
                        },
                    }),
                ),
            ],
            "automated-admin-user" => vec![(
                "automated_admin_user",
                json!({
                    "type": "object", "properties": {"username": {"type": ["string", "null"]}},
                    "additionalProperties": false,
                }),
            )],
            "broken" => return Err("it was built for another interface".into()),
            _ => return Err(format!("there is no crate {name}")),
        };
        let functions = functions.into_iter().map(|(name, parameters)| FunctionManifest {
            name: name.into(),
            doc: String::new(),
            parameters,
        });
        Ok(Manifest {
            name: name.into(),
            version: "1.0.0".into(),
            functions: functions.collect(),
            ..Manifest::default()
        })
    }
}

/// A host that records requests.
#[derive(Default)]
pub(crate) struct Host {
    asked: Mutex<Vec<String>>,
}

impl Host {
    /// A request with a new host.
    pub(crate) fn request() -> (Request, Arc<Host>) {
        let host = Arc::new(Host::default());
        (Request::new(host.clone()), host)
    }

    pub(crate) fn asked(&self) -> String {
        self.asked.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
    }
}

pub(crate) fn target(number: u32, group: &str) -> Target {
    Target {
        id: format!("id-{group}-{number}"),
        name: format!("{group}-{number}"),
        group: group.into(),
        address: Some(format!("10.0.0.{number}")),
        roles: vec![format!("{group}-role")],
        os: Os {
            id: "debian".into(),
            version: "12".into(),
            family: OsFamily::Debian,
            arch: "x86_64".into(),
            package_manager: PackageManager::Apt,
            service_manager: ServiceManager::Systemd,
        },
        machine: Machine::default(),
        facts: BTreeMap::new(),
    }
}

impl RequestHost for Host {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        let answer = match operation {
            operation::TARGET => serde_json::to_value(target(1, "web")).unwrap(),
            operation::TARGETS => json!([target(1, "web"), target(2, "web"), target(3, "db")]),
            operation::ENVIRONMENT => {
                json!({"proxy": "http://proxy", "mirror": {"debian": "http://mirror"}})
            }
            operation::ADMIN_USER => {
                serde_json::to_value(AdminUser { name: "admin".into(), ..AdminUser::default() })
                    .unwrap()
            }
            operation::PHASE => json!("configure"),
            operation::GET_SETTINGS if payload["facility"] == "none" => Value::Null,
            operation::GET_SETTINGS => json!({"node": payload["node"]}),
            operation::CALL if payload["arguments"]["name"] == "refused" => {
                return Err(PluginError::new(
                    ErrorKind::InvalidInput,
                    "the site `refused` has no root",
                )
                .with_help("give it one"));
            }
            _ => {
                self.asked.lock().unwrap().push(format!("{operation} {payload}"));
                Value::Null
            }
        };
        Ok(answer)
    }
}

/// Runs a phase on a node, and returns what it requested from its host.
pub(crate) fn run(phase: &Phase) -> Result<String, PhaseError> {
    let (mut request, host) = Host::request();
    for function in phase.functions() {
        function.call(&mut request)?;
    }
    Ok(host.asked())
}

/// Checks the requests of a phase of the project's first group, or its error.
pub(crate) fn check_phase(project: &LoadedProject, phase: &str, expected: Expect) {
    let phase = &project.groups[0].server.phases[phase];
    expected.assert_eq(&run(phase).unwrap_or_else(|error| error.rendered));
}

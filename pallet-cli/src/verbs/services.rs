//! `providers`, `services` and `add-service`: sources of nodes.

use super::verb::ParameterType::{Any, Service, Text as TextType};
use super::verb::{Text, Verb, VerbParameter, command};

/// List installed providers, their options, and where they look for credentials
#[derive(Debug, clap::Args)]
pub(crate) struct Providers {}

/// Add a service to pallet.toml, after testing it
#[derive(Debug, clap::Args)]
pub(crate) struct AddService {
    /// Name of the service
    pub(crate) name: String,
    /// Provider of the service; `pallet-cli providers` lists them
    pub(crate) provider: String,
    /// Provider options; VALUE may be JSON
    #[arg(value_name = "OPTION=VALUE")]
    pub(crate) options: Vec<String>,
    /// Make it the default service
    #[arg(long)]
    pub(crate) default: bool,
}

pub(super) const PROVIDERS: Verb = Verb {
    name: "providers",
    command: Some(|| command::<Providers>("providers")),
    command_only: &[],
    summary: Text::Own("List installed providers, with the names of their options."),
    more: "",
    examples: &["providers()"],
    parameters: &[],
};

pub(super) const SERVICES: Verb = Verb {
    name: "services",
    command: None,
    command_only: &[],
    summary: Text::Own("List the services of pallet.toml."),
    more: "",
    examples: &["services()"],
    parameters: &[],
};

pub(super) const USE_SERVICE: Verb = Verb {
    name: "use_service",
    command: None,
    command_only: &[],
    summary: Text::Own("Use another service of pallet.toml from now on, with its environment."),
    more: "",
    examples: &["use_service(\"ec2\")"],
    parameters: &[VerbParameter::required("name", Service, Text::Own("Name of the service."))],
};

pub(super) const COMPUTE_SERVICE: Verb = Verb {
    name: "compute_service",
    command: Some(|| command::<AddService>("add-service")),
    command_only: &["default"],
    summary: Text::Own(
        "Create a service that exists only in this session, and use it from now on.",
    ),
    more: "Returns its name.",
    examples: &["compute_service(\"node-list\", {\"nodes\": {\"vm-1\": {\"group\": \"vm\", \
        \"host\": \"192.0.2.10\"}}})"],
    parameters: &[
        VerbParameter::required("provider", TextType, Text::Argument("provider")),
        VerbParameter::optional(
            "options",
            Any("a dict"),
            Text::Own("Provider options; `pallet-cli doc provider:NAME` lists them."),
        ),
        VerbParameter::keyword(
            "name",
            TextType,
            Text::Own("Name of the service [default: the name of the provider]."),
        ),
    ],
};

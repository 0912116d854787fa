//! `images`, `hardware` and `locations`: what the service offers.

use super::verb::ParameterType::Targets;
use super::verb::{Text, Verb, VerbParameter, command};

/// Options of the commands that list what a service offers.
#[derive(Debug, clap::Args)]
pub(crate) struct OfferOptions {
    /// Also show which ones suit this group, which one is chosen, and why the others are rejected
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
}

/// List the images that the service offers
#[derive(Debug, clap::Args)]
pub(crate) struct Images {
    #[command(flatten)]
    pub(crate) options: OfferOptions,
}

/// List the hardware types that the service offers
#[derive(Debug, clap::Args)]
pub(crate) struct Hardware {
    #[command(flatten)]
    pub(crate) options: OfferOptions,
}

/// List the locations that the service offers
#[derive(Debug, clap::Args)]
pub(crate) struct Locations {
    #[command(flatten)]
    pub(crate) options: OfferOptions,
}

const GROUP: VerbParameter = VerbParameter::optional("group", Targets, Text::Argument("group"));

pub(super) const IMAGES: Verb = Verb {
    name: "images",
    command: Some(|| command::<Images>("images")),
    command_only: &[],
    summary: Text::Command,
    more: "",
    examples: &["images(web)"],
    parameters: &[GROUP],
};

pub(super) const HARDWARE: Verb = Verb {
    name: "hardware",
    command: Some(|| command::<Hardware>("hardware")),
    examples: &["hardware(web)"],
    ..IMAGES
};

pub(super) const LOCATIONS: Verb = Verb {
    name: "locations",
    command: Some(|| command::<Locations>("locations")),
    examples: &["locations()"],
    ..IMAGES
};

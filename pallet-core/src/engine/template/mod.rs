//! The template: chooses the image, hardware and location that a node-spec selects from a
//! provider's offers, and says why.
//!
//! The smallest and cheapest hardware that satisfies every condition wins; of images, the one that
//! the provider prefers. All candidates are kept with the conditions that they fail, to explain a
//! choice or the lack of one.

mod conditions;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde::Serialize;

use self::conditions::{hardware_fails, image_fails, location_fails};
use crate::model::{ImageSpec, LocationSpec, NodeSpec};
use crate::plugin::{Hardware, Image, Location, Offers};

/// The choice for a node-spec. If a service has no offers, the provider decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Choice {
    /// The image.
    pub image: Option<Image>,
    /// The hardware type.
    pub hardware: Option<Hardware>,
    /// The location, if the spec names one.
    pub location: Option<Location>,
    /// All candidates, the best first.
    pub considered: Vec<Candidate>,
    /// The order in which hardware was compared.
    pub order: Order,
}

/// Which of the matching hardware types is best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The cheapest; the smallest if prices are unknown.
    #[default]
    Smallest,
    /// The one with the most cores and memory.
    Fastest,
}

impl Order {
    fn as_str(self) -> &'static str {
        match self {
            Order::Smallest => "cheapest, then smallest",
            Order::Fastest => "most cores and memory",
        }
    }

    fn compare(self, one: &Hardware, other: &Hardware) -> Ordering {
        match self {
            Order::Smallest => by_size(one, other),
            Order::Fastest => by_speed(one, other),
        }
    }
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its kind.
    pub kind: OfferKind,
    /// The provider's name for it.
    pub id: String,
    /// A description, in a few words.
    pub about: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The conditions that it fails, each with the actual value; empty if it matches.
    pub fails: Vec<String>,
}

impl Candidate {
    /// Its verdict, for people: `chosen`, `would do`, or what it fails.
    pub fn verdict(&self) -> String {
        match (self.chosen, self.fails.as_slice()) {
            (true, _) => "chosen".to_owned(),
            (false, []) => "would do".to_owned(),
            (false, fails) => fails.join(", "),
        }
    }
}

/// Kinds of offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// An image.
    Image,
    /// A hardware type.
    Hardware,
    /// A location.
    Location,
}

impl OfferKind {
    /// The word for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            OfferKind::Image => "image",
            OfferKind::Hardware => "hardware",
            OfferKind::Location => "location",
        }
    }
}

/// Nothing matches a node-spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoMatch {
    /// The kind of which nothing matches.
    pub kind: OfferKind,
    /// All candidates, the closest first.
    pub considered: Vec<Candidate>,
}

/// How many of the closest candidates an error names.
const NEAREST: usize = 3;

impl std::fmt::Display for NoMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let near =
            |candidate: &Candidate| format!("{} ({})", candidate.id, candidate.fails.join(", "));
        let nearest: Vec<_> = self.considered.iter().take(NEAREST).map(near).collect();
        write!(
            f,
            "no {} satisfies the node-spec; the nearest of {}: {}",
            self.kind.as_str(),
            self.considered.len(),
            nearest.join("; ")
        )
    }
}

impl Choice {
    /// What was chosen and why, one line each.
    pub fn why(&self) -> Vec<String> {
        let chosen = self.considered.iter().filter(|candidate| candidate.chosen);
        let line = |candidate: &Candidate| {
            let fit = self
                .considered
                .iter()
                .filter(|other| other.kind == candidate.kind && other.fails.is_empty())
                .count();
            let best = match (candidate.kind, fit) {
                (_, 1) => "the only one that fits".to_owned(),
                (OfferKind::Hardware, fit) => {
                    format!("the best of {fit} that fit: {}", self.order.as_str())
                }
                (_, fit) => format!("the provider's first of {fit} that fit"),
            };
            format!("{} {}: {} ({best})", candidate.kind.as_str(), candidate.id, candidate.about)
        };
        chosen.map(line).collect()
    }
}

impl Offers {
    /// Chooses offers for a node-spec.
    pub fn choose(&self, spec: &NodeSpec) -> Result<Choice, NoMatch> {
        let wanted = spec.image.clone().unwrap_or_default();
        let mut choice = Choice::default();
        let image = pick(
            OfferKind::Image,
            &self.images,
            |image| (image_fails(&wanted, image), about_image(image)),
            |_, _| Ordering::Equal,
            &mut choice,
        )?;
        choice.image = image.map(|image| with_login_user(image, &wanted));

        let hardware = spec.hardware.clone().unwrap_or_default();
        let image = choice.image.clone();
        let order = if hardware.fastest == Some(true) { Order::Fastest } else { Order::Smallest };
        choice.order = order;
        let fails = |offer: &Hardware| {
            (hardware_fails(&hardware, image.as_ref(), offer), about_hardware(offer))
        };
        choice.hardware = pick(
            OfferKind::Hardware,
            &self.hardware,
            fails,
            |one, other| order.compare(one, other),
            &mut choice,
        )?;

        if let Some(LocationSpec { location_id: Some(wanted) }) = &spec.location {
            let fails = |offer: &Location| (location_fails(wanted, offer), offer.name.clone());
            let location = pick(
                OfferKind::Location,
                &self.locations,
                fails,
                |_, _| Ordering::Equal,
                &mut choice,
            )?;
            choice.location =
                location.or_else(|| Some(Location { id: wanted.clone(), name: wanted.clone() }));
        }
        Ok(choice)
    }
}

/// An offer with an ID at its provider.
trait Offer: Clone {
    fn id(&self) -> &str;
}

macro_rules! offers {
    ($($offer:ty),*) => {
        $(impl Offer for $offer {
            fn id(&self) -> &str {
                &self.id
            }
        })*
    };
}
offers!(Image, Hardware, Location);

/// The first candidate in this order that fails nothing; equal ones keep the order in which they
/// were offered.
fn pick<T: Offer>(
    kind: OfferKind,
    offers: &[T],
    judge: impl Fn(&T) -> (Vec<String>, String),
    order: impl Fn(&T, &T) -> Ordering,
    choice: &mut Choice,
) -> Result<Option<T>, NoMatch> {
    let mut judged: Vec<_> = offers.iter().map(|offer| (offer, judge(offer))).collect();
    judged.sort_by(|(one, (one_fails, _)), (other, (other_fails, _))| {
        one_fails.len().cmp(&other_fails.len()).then_with(|| order(one, other))
    });
    let best = judged
        .first()
        .filter(|(_, (fails, _))| fails.is_empty())
        .map(|(offer, _)| (*offer).clone());
    let considered =
        judged.into_iter().enumerate().map(|(position, (offer, (fails, about)))| Candidate {
            kind,
            id: offer.id().to_owned(),
            about,
            chosen: position == 0 && fails.is_empty(),
            fails,
        });
    let considered: Vec<_> = considered.collect();
    if best.is_none() && !considered.is_empty() {
        return Err(NoMatch { kind, considered });
    }
    choice.considered.extend(considered);
    Ok(best)
}

fn with_login_user(mut image: Image, wanted: &ImageSpec) -> Image {
    image.login_user = wanted.login_user.clone().or(image.login_user);
    image
}

/// The cheapest first, then the smallest. Hardware without a price comes last.
fn by_size(one: &Hardware, other: &Hardware) -> Ordering {
    let price = |hardware: &Hardware| hardware.price.unwrap_or(f64::INFINITY);
    let size =
        |hardware: &Hardware| (hardware.cores, hardware.ram, hardware.disk.unwrap_or_default());
    price(one)
        .total_cmp(&price(other))
        .then_with(|| size(one).cmp(&size(other)))
        .then_with(|| one.id.cmp(&other.id))
}

/// The most cores and memory first.
fn by_speed(one: &Hardware, other: &Hardware) -> Ordering {
    (other.cores, other.ram).cmp(&(one.cores, one.ram)).then_with(|| by_size(one, other))
}

/// Describes an image in a few words.
pub fn about_image(image: &Image) -> String {
    match &image.os {
        Some(os) if image.name.is_empty() => os.to_string(),
        Some(os) => format!("{}: {os}", image.name),
        None => image.name.clone(),
    }
}

/// Describes a hardware type in a few words.
pub fn about_hardware(hardware: &Hardware) -> String {
    let mut words = format!(
        "{} {}, {} MiB",
        hardware.cores,
        if hardware.cores == 1 { "core" } else { "cores" },
        hardware.ram
    );
    if let Some(disk) = hardware.disk {
        words += &format!(", {disk} GiB disk");
    }
    if let Some(price) = hardware.price {
        words += &format!(", {price} an hour");
    }
    words
}

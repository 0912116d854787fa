//! The page: one document with its style and its script, which loads nothing from anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pallet_core::engine::Ending;
use pallet_core::plugins::Digest;

use super::super::model::Report;
use super::markup::Markup;
use super::{changes, failures, heading, lanes, notes, results, timeline};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A file.
    File,
    /// It follows an operation that runs.
    Live,
}

/// The page of an operation.
pub(crate) fn page(report: &Report<'_>, mode: Mode) -> String {
    let live = mode == Mode::Live && report.ending == Ending::Running;
    document(&heading::title(report), mode, live, |markup| {
        heading::heading(markup, report);
        failures::failures(markup, report);
        results::results(markup, report);
        timeline::timeline(markup, report);
        changes::changes(markup, report);
        notes::waves(markup, report);
        notes::machines(markup, report);
        notes::notes(markup, report);
        lanes::lanes(markup, report);
    })
}

/// The page that waits for an operation of a project.
pub(crate) fn waiting(project: &str) -> String {
    document(&format!("{project}: no operation runs"), Mode::Live, true, |markup| {
        markup.element("h1", "", project);
        markup.element("p", "", "No operation runs. The next one is shown here.");
    })
}

/// What the page may load and run: its own style and its own script, by their digests.
pub(crate) fn policy(mode: Mode) -> String {
    let digest = |text: &str| STANDARD.encode(Digest::of(text.as_bytes()).bytes());
    let connect = match mode {
        Mode::File => "",
        Mode::Live => "connect-src 'self'; ",
    };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; {connect}\
         img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

/// A document; `live`: it asks for itself again.
fn document(title: &str, mode: Mode, live: bool, inner: impl FnOnce(&mut Markup)) -> String {
    let mut markup = Markup::default();
    markup.fixed("<!DOCTYPE html>\n");
    markup.inside("html", &[("lang", "en")], |markup| {
        markup.inside("head", &[], |markup| head(markup, title, mode, live));
        markup.inside("body", &[], |markup| {
            let live = if live { "yes" } else { "" };
            markup.inside("main", &[("data-live", live)], inner);
            markup.inside("script", &[], |markup| markup.fixed(SCRIPT));
        });
    });
    markup.fixed("\n");
    markup.finish()
}

fn head(markup: &mut Markup, title: &str, mode: Mode, live: bool) {
    markup.empty("meta", &[("charset", "utf-8")]);
    let policy = policy(mode);
    markup.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    for (name, content) in [
        ("referrer", "no-referrer"),
        ("robots", "noindex"),
        ("color-scheme", "light dark"),
        ("viewport", "width=device-width, initial-scale=1"),
    ] {
        markup.empty("meta", &[("name", name), ("content", content)]);
    }
    if live {
        markup.fixed("<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>");
    }
    // or else the browser asks for one
    markup.empty("link", &[("rel", "icon"), ("href", "data:,")]);
    markup.element("title", "", title);
    markup.inside("style", &[], |markup| markup.fixed(STYLE));
}

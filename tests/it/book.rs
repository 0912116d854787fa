//! The documentation is consistent: the summary lists every page, every link and anchor exists, and
//! prose is not too wide. The book itself is not built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use pallet_tests::root;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The repository, as documents of the book link to files that are not in the book.
const REPOSITORY: &str = "https://github.com/pallet/pallet/";

/// A document of the repository.
struct Document {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let name = anchor(&heading.take().unwrap_or_default());
                    let before = seen.entry(name.clone()).or_default();
                    anchors.insert(match *before {
                        0 => name,
                        number => format!("{name}-{number}"),
                    });
                    *before += 1;
                }
                _ => {}
            }
        }
        Document { links, anchors }
    }
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// All documents that git knows, and new ones, relative to the repository.
fn documents() -> BTreeMap<PathBuf, Document> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]);
    let output = git.current_dir(root()).output().expect("git runs");
    let listed = String::from_utf8(output.stdout).unwrap();
    let paths = listed.lines().map(PathBuf::from).filter(|path| root().join(path).is_file());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        (path, Document::parse(&text))
    };
    let documents: BTreeMap<_, _> = paths.map(read).collect();
    assert!(documents.len() > 20, "{:?}", documents.keys());
    documents
}

/// The pages of the book, as the summary lists them.
fn pages(documents: &BTreeMap<PathBuf, Document>) -> Vec<PathBuf> {
    let summary = documents.get(Path::new("docs/SUMMARY.md")).expect("a summary");
    summary.links.iter().map(|link| Path::new("docs").join(link)).collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn the_summary_lists_every_page_once() {
    let documents = documents();
    let pages = pages(&documents);
    let listed: BTreeSet<_> = pages.iter().cloned().collect();
    assert_eq!(pages.len(), listed.len(), "a page is listed twice");
    let there = documents.keys().filter(|path| path.starts_with("docs")).cloned();
    let there: BTreeSet<_> = there.filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, there);
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let pages: BTreeSet<_> = pages(&documents).into_iter().collect();
    let mut wrong = Vec::new();
    for (path, document) in &documents {
        for link in &document.links {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let to = match target.strip_prefix(REPOSITORY) {
                Some(inside) => inside
                    .strip_prefix("blob/main/")
                    .or(inside.strip_prefix("tree/main/"))
                    .map(PathBuf::from)
                    .unwrap_or_default(),
                None if target.contains("://") || target.starts_with("mailto:") => continue,
                None if target.is_empty() => path.clone(),
                None => plain(&path.parent().unwrap().join(target)),
            };
            let in_repository = target.starts_with(REPOSITORY.trim_end_matches('/'));
            if target == REPOSITORY.trim_end_matches('/') {
                continue;
            }
            let mut say = |why: &str| wrong.push(format!("{}: {link}: {why}", path.display()));
            if to.as_os_str().is_empty() || !root().join(&to).exists() {
                say("there is no such file");
            } else if !anchor.is_empty()
                && !documents.get(&to).is_some_and(|to| to.anchors.contains(anchor))
            {
                say("there is no such heading");
            } else if pages.contains(path)
                && !in_repository
                && !pages.contains(&to)
                && !is_picture(&to)
            {
                say("a page of the book links to other files by their URL in the repository");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether mdBook copies a file into the book.
fn is_picture(path: &Path) -> bool {
    path.starts_with("docs") && path.extension().is_some_and(|end| end == "png" || end == "svg")
}

#[test]
fn prose_is_at_most_100_characters_wide() {
    let mut wrong = Vec::new();
    for path in documents().keys() {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let ours = path.starts_with("docs") || path.parent() == Some(Path::new(""));
        if !ours || path.ends_with("CHANGELOG.md") || text.contains("<!-- generated by") {
            continue;
        }
        let mut code = false;
        for (number, line) in text.lines().enumerate() {
            code ^= line.trim_start().starts_with("```");
            let is_prose = !code && !line.starts_with(['|', ' ']) && line.contains(' ');
            // a link cannot be wrapped
            if is_prose && line.chars().count() > 100 && !line.contains("](http") {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "wrap these lines:\n{}", wrong.join("\n"));
}

/// The page of events names each of them, with its fields.
#[test]
fn every_event_is_documented() {
    let page = fs::read_to_string(root().join("docs/events.md")).unwrap();
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "pallet-core/src/engine"]);
    let output = git.current_dir(root()).output().expect("git runs");
    let listed = String::from_utf8(output.stdout).unwrap();
    let files = listed.lines().filter(|path| path.ends_with("/event.rs"));
    let sources = files.filter_map(|path| fs::read_to_string(root().join(path)).ok());
    let items = sources.flat_map(|source| syn::parse_file(&source).unwrap().items);
    let event = items.into_iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Event" => Some(item),
        _ => None,
    });
    let variants = &event.expect("the enum Event").variants;
    assert!(variants.len() > 10);
    // an older reader gets this for a newer event
    for variant in variants.iter().filter(|variant| variant.ident != "Unknown") {
        let name = snake_case(&variant.ident.to_string());
        assert!(page.contains(&format!("`{name}`")), "docs/events.md lacks `{name}`");
        for field in variant.fields.iter().filter_map(|field| field.ident.as_ref()) {
            let flat = ["change", "result", "totals"].iter().any(|name| field == name);
            assert!(flat || page.contains(&format!("`{field}`")), "{name} lacks `{field}`");
        }
    }
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn anchors_are_those_of_headings() {
    let document = Document::parse(
        "# A `b_c` d!\n\n## Same\n## Same\n\n```sh\n# not this\n[nor](this)\n```\n\
         [x](y.md#z) `[n](m)`\n",
    );
    assert_eq!(document.anchors.iter().collect::<Vec<_>>(), ["a-b_c-d", "same", "same-1"]);
    assert_eq!(document.links, ["y.md#z"]);
}

//! Random states of a node, and random declarations of every action that writes files.

mod own;
mod tables;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use self::own::{key, own};
use self::tables::entries;
use super::tree::{APP, Content, NAMELESS, Parent, Standing, What};

/// A node, and its declarations.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// Whether it is also applied from an unknown state.
    pub(super) unknown: bool,
    /// The number of the shell, among those that are installed.
    pub(super) shell: usize,
    /// Whether Pallet ran on the node before, so that its directory for records exists.
    pub(super) known_to_pallet: bool,
    pub(super) targets: Vec<Target>,
}

/// One action, and the state that it finds.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// An action with a path parameter.
    At { parent: Parent, name: String, standing: Standing, wish: Wish },
    /// An action with paths of its own: the state of the first one with this prefix.
    Own { path: &'static str, standing: Standing, wish: Wish },
    /// A key of the user `app`, in its home directory.
    Key { directory: Option<Standing>, file: Standing, wish: Wish },
}

/// An action by name, with its arguments except the path.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) action: &'static str,
    pub(super) arguments: Map<String, Value>,
}

impl Target {
    pub(super) fn wish(&self) -> &Wish {
        match self {
            Target::At { wish, .. } | Target::Own { wish, .. } | Target::Key { wish, .. } => wish,
        }
    }
}

/// Known bugs, which are not tried: the names are those of [`What`], [`Parent`] and so on.
struct Tried {
    nameless: bool,
    mounted: bool,
    attributes: bool,
    foreign_links: bool,
    links_to_directories: bool,
    large_settings: bool,
}

const TRIED: Tried = Tried {
    nameless: true,
    mounted: true,
    attributes: true,
    foreign_links: true,
    links_to_directories: true,
    large_settings: true,
};

pub(super) fn case() -> impl Strategy<Value = Case> {
    (0..3_usize, any::<bool>(), any::<bool>(), prop::collection::vec(target(), 1..4)).prop_map(
        |(shell, unknown, known_to_pallet, mut targets)| {
            // two actions that write the same file are covered by another law
            let mut seen = Vec::new();
            targets.retain(|target| {
                let own = match target {
                    Target::At { .. } => return true,
                    Target::Own { path, .. } => *path,
                    Target::Key { .. } => "key",
                };
                !seen.contains(&own) && {
                    seen.push(own);
                    true
                }
            });
            Case { unknown, shell, known_to_pallet, targets }
        },
    )
}

fn target() -> impl Strategy<Value = Target> {
    let at = (parent(), name(), standing(), wish())
        .prop_map(|(parent, name, standing, wish)| Target::At { parent, name, standing, wish });
    prop_oneof![12 => at.boxed(), 3 => own().boxed(), 1 => key().boxed(), 1 => entries().boxed()]
}

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        3 => Just(Parent::Plain),
        4 => select(vec![
            Parent::Foreign, Parent::Nameless, Parent::Sticky, Parent::GivesGroup,
            Parent::GivesAcl, Parent::Mounted,
        ]),
        1 => select(vec![
            Parent::ReadOnly, Parent::Missing, Parent::File, Parent::Link, Parent::ForeignLink,
        ]),
    ]
    .prop_filter("not tried yet", |parent| TRIED.foreign_links || *parent != Parent::ForeignLink)
}

/// Names that shells and the output of tools often get wrong.
const HOSTILE: [&str; 18] = [
    "it's a \"quoted\" \u{fc}n\u{ef}c\u{f6}d\u{e9}",
    "new\nline\n",
    "back\\slash \\n \\",
    "-leading dash",
    "--",
    "-n",
    "$HOME `id` $(id) %s *?[a] # ~",
    "...",
    ".hidden",
    " ",
    "\t\r",
    "a  b",
    "~",
    "*",
    "\u{202e}gpj.exe",
    "\u{1b}[31mred",
    "00  file: OK",
    "\u{1f980}",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,6}",
        3 => select(HOSTILE.to_vec()).prop_map(str::to_owned),
        1 => "[^/\0]{1,20}".prop_filter("no path ends so", |name| name != "." && name != ".."),
    ]
}

fn standing() -> impl Strategy<Value = Standing> {
    let what = prop_oneof![
        2 => Just(What::Nothing),
        6 => content().prop_map(What::File),
        1 => any::<bool>().prop_map(|filled| What::Directory { filled }),
        1 => link().prop_map(What::Link),
        1 => select(vec![What::Fifo, What::Device, What::MountedDirectory]),
        1 => content().prop_map(What::TwoNames),
        1 => content().prop_map(What::MountedFile),
    ];
    stood(what)
}

fn stood(what: impl Strategy<Value = What> + 'static) -> BoxedStrategy<Standing> {
    let owner = select(vec![(0, 0), (APP, APP), (APP, 50), NAMELESS, (0, NAMELESS.1)]);
    let mode = select(vec![0o644, 0o600, 0o640, 0o755, 0o4755, 0o2711, 0o1777, 0o000, 0o444]);
    let rarely = || prop_oneof![4 => Just(false), 1 => Just(true)];
    (what, owner, mode, rarely(), rarely())
        .prop_map(|(what, owner, mode, acl, xattr)| Standing { what, owner, mode, acl, xattr })
        .prop_filter("not tried yet", |standing| {
            let nameless = [standing.owner.0, standing.owner.1].iter().any(|number| *number > 4000);
            (TRIED.nameless || !nameless)
                && (TRIED.attributes || !standing.acl && !standing.xattr)
                && (TRIED.mounted || !matches!(standing.what, What::MountedFile(_)))
        })
        .boxed()
}

fn link() -> impl Strategy<Value = &'static str> {
    select(vec![
        "/home/elsewhere/victim",
        "/root/victim",
        "nowhere",
        ".",
        "/",
        "../source",
        "/home/elsewhere",
        "-n",
        "a\nb",
    ])
    .prop_filter("not tried yet", |target| {
        TRIED.links_to_directories || ![".", "/", "/home/elsewhere"].contains(target)
    })
}

const TEXTS: [&str; 17] = [
    "",
    "a\n",
    "\n",
    "a",
    "x=1\ny=2\n",
    "x=1\r\ny=2\r\n",
    "x=1\ny=2\r\nz",
    "\r\n",
    "\u{feff}[s]\nk=1\n",
    "[ s ]\nk=1\n[t]\n",
    "[s]\nkey = a\n    b\n    c\nx=1\n",
    "[s]\r\nk=1\r\n\r\n[t]\r\nk=2",
    "\u{fc}\n\u{6f22}\u{5b57}\n",
    "# a comment\nx = 1 # one\n\n\n",
    "a\\\nb\\n\n%s $x `id`\n",
    "# begin pallet x\na\n# end pallet x\n",
    "k=1\n;k=2\n[s]\n#k=3\nk = 4\nk=5\n",
];

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        6 => select(TEXTS.to_vec()).prop_map(|text| Content::Text(text.to_owned())),
        3 => "([a-c#= \t\\[\\]]{0,6}(\n|\r\n)){0,5}[a-c]{0,2}".prop_map(Content::Text),
        1 => select(vec![
            &b"a\xff\nx=1\n"[..], b"a\0b\nx=1\n", b"\0", b"\xef\xbb\xbf\xff\r\n",
        ]).prop_map(Content::Bytes),
        1 => select(vec![("x", 65_536), ("x", 65_537), ("a\n", 32_768), ("x=1\r\n", 20_000), ("abc \
            = defg hijkl\n", 61_681)])
            .prop_map(|(line, times)| Content::Lines(line, times)),
    ]
}

/// The wanted owner, group and mode.
fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let owner = select(vec![None, None, Some("app"), Some("root")]);
    let group = select(vec![None, None, Some("staff"), Some("root")]);
    let mode = select(vec![
        None,
        None,
        None,
        Some("0644"),
        Some("0600"),
        Some("4755"),
        Some("2750"),
        Some("1777"),
        Some("0000"),
    ]);
    (owner, group, mode).prop_map(|(owner, group, mode)| {
        let mut arguments = Map::new();
        for (name, value) in [("owner", owner), ("group", group), ("mode", mode)] {
            if let Some(value) = value {
                arguments.insert(name.to_owned(), json!(value));
            }
        }
        arguments
    })
}

/// The action with this name, these arguments, and attributes.
fn with_attributes(
    action: &'static str,
    arguments: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Wish> {
    let wish = (plain(action, arguments), attributes()).prop_map(|(mut wish, attributes)| {
        wish.arguments.extend(attributes);
        wish
    });
    wish.boxed()
}

fn plain(
    action: &'static str,
    arguments: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Wish> {
    let wish = arguments.prop_map(move |arguments| {
        let Value::Object(mut arguments) = arguments else {
            unreachable!("arguments are an object")
        };
        arguments.retain(|_, value| !value.is_null());
        Wish { action, arguments }
    });
    // trees of all arguments at once are too large for the stack of a test
    wish.boxed()
}

/// Text for a line, a value or a pattern: plain and weird.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["x=1", "y=2", "a", "1", "k", "b c"]).prop_map(str::to_owned),
        2 => select(vec![
            "", "-e \\n", "it's $x `id` \\\\", "\u{fc}n\u{ef}", "a\tb", "%s%n", "x=1\r", "[s]",
            "#a", "a\nb", "\0", " a ", "&\\1/|",
        ])
            .prop_map(str::to_owned),
        1 => "[a-c= \\\\'\"$#]{0,8}",
        1 => Just("long ".repeat(40_000) + "end"),
    ]
}

fn pattern() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![
        None,
        None,
        Some("^x="),
        Some("a"),
        Some("^#?k"),
        Some("^$"),
        Some("="),
        Some("^[^a]*$"),
        Some("(b|c)+$"),
        Some("["),
        Some("1$"),
    ])
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        2 => with_attributes(
            "file",
            select(vec!["create", "touch", "delete"]).prop_map(|action| json!({"action": action}))
        ),
        2 => with_attributes("directory", (
            select(vec!["create", "create", "delete"]), any::<bool>()
        )
            .prop_map(|(action, recursive)| json!({"action": action, "recursive": recursive}))),
        1 => with_attributes(
            "fifo", select(vec!["create", "delete"]).prop_map(|action| json!({"action": action}))
        ),
        2 => plain("symbolic_link", (
            link(), any::<bool>(), select(vec!["create", "create", "delete"])
        )
            .prop_map(|(target, force, action)| json!({
                "target": target, "force": force, "action": action,
            }))),
        4 => with_attributes("remote_file", source()),
        3 => with_attributes("line_in_file", line()),
        3 => with_attributes("ini_setting", setting()),
        3 => with_attributes("block_in_file", block()),
        2 => plain("sed", (
            select(vec![
                "s/^x/y/", "/^$/d", "s/\\r$//", "s/\\r*$/\\r/", "/a/{x;d;}", "/b/q", "s/(/",
                "y/ab/cc/", "s/\u{fc}/u/", "s#^k.*#k=it's $HOME#",
            ]),
            any::<bool>()
        )
            .prop_map(|(command, extended)| json!({
                "expressions": [command], "extended": extended,
            }))),
        1 => with_attributes("remote_directory", (
            select(vec!["plain.tar.gz", "links.tar", "climbing.tar", "text"]), 0..2_u32
        )
            .prop_map(|(archive, strip)| json!({
                "local_file": archive, "strip_components": strip, "unpack": "tar",
            }))),
    ]
}

fn source() -> impl Strategy<Value = Value> {
    let content = prop_oneof![
        4 => text().prop_map(|content| json!({"content": content})),
        2 => select(TEXTS.to_vec()).prop_map(|content| json!({"content": content})),
        2 => select(vec!["text", "binary", "large"]).prop_map(|file| json!({"local_file": file})),
        1 => text().prop_map(|name| json!({"template": "template", "values": {"name": name}})),
        1 => select(vec![
            "/srv/source", "/srv/none", "/home/elsewhere",
        ]).prop_map(|path| json!({"remote_file": path})),
        1 => link().prop_map(|target| json!({"link": target})),
    ];
    (
        content,
        select(vec![None, None, None, Some("grep -q .")]),
        select(vec![None, None, Some(0), Some(1)]),
    )
        .prop_map(|(mut content, verify, versions)| {
            if content["link"].is_null() {
                content["verify"] = json!(verify);
                content["max_versions"] = json!(versions);
            }
            content
        })
}

fn line() -> impl Strategy<Value = Value> {
    let what = (text(), pattern(), pattern(), any::<bool>(), any::<bool>(), any::<bool>());
    what.prop_map(|(line, matching, place, before, create, absent)| match (absent, matching) {
        (true, Some(matching)) => json!({"match": matching, "action": "absent"}),
        (true, None) => json!({"line": line, "action": "absent"}),
        (false, matching) if before => {
            json!({"line": line, "match": matching, "before": place, "create": create})
        }
        (false, matching) => {
            json!({"line": line, "match": matching, "after": place, "create": create})
        }
    })
}

fn block() -> impl Strategy<Value = Value> {
    let place = prop_oneof![
        2 => pattern().prop_map(|after| json!({"after": after})),
        2 => pattern().prop_map(|before| json!({"before": before})),
        1 => select(vec!["begin", "end"]).prop_map(|at| json!({"at": at})),
    ];
    let verify = select(vec![None, None, None, Some("grep -q .")]);
    let marker = select(vec![None, Some("# {mark} pallet {name}"), Some("[{mark}]")]);
    (text(), select(vec!["x", "it's"]), place, marker, verify, any::<bool>(), any::<bool>())
        .prop_map(|(content, name, mut block, marker, verify, create, absent)| {
            block["name"] = json!(name);
            block["marker"] = json!(marker);
            block["verify"] = json!(verify);
            block["create"] = json!(create);
            if absent {
                block["action"] = json!("absent");
            } else {
                block["content"] = json!(content);
            }
            block
        })
}

fn setting() -> impl Strategy<Value = Value> {
    let text =
        || text().prop_filter("not tried yet", |text| TRIED.large_settings || text.len() < 10_000);
    let section = select(vec!["", "s", "t", "new", "a b"]);
    let key = select(vec!["k", "key", "x", "new key", "\u{fc}"]);
    (section, key, text(), any::<bool>(), select(vec![" = ", "="]), any::<bool>()).prop_map(
        |(section, key, value, absent, separator, create)| {
            let value = (value != "k").then_some(value);
            let action = if absent { "absent" } else { "present" };
            json!({
                "section": section, "key": key, "value": value, "action": action,
                "separator": separator, "create": create,
            })
        },
    )
}

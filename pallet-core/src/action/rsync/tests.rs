//! Tests of `rsync`.

use std::path::PathBuf;

use super::super::Listed;
use super::super::check::{NodeBuilder, node};
use super::*;
use crate::model::{Capabilities, digest};
use expect_test::{Expect, expect};
use serde_json::Value;

/// A project with one directory.
struct Site;

const FILES: [(&str, &str, bool); 4] = [
    ("bin/run", "run\n", true),
    ("index.html", "hello\n", false),
    ("it's", "", false),
    ("x.tmp", "", false),
];

impl Workspace for Site {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        let name =
            path.strip_prefix("site").map_err(|error| ActionError::node(error.to_string()))?;
        let file = FILES.iter().find(|(file, ..)| Path::new(file) == name);
        Ok(file.map(|(_, content, _)| content.as_bytes().to_vec()).unwrap_or_default())
    }
    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError> {
        let content = self.read(path)?;
        Ok((digest(&content), content.len() as u64, path.to_owned()))
    }
    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError> {
        if path != Path::new("site") {
            return Err(ActionError::node(format!("cannot read {}", path.display())));
        }
        let file = |(path, _, executable): &(&str, &str, bool)| Listed {
            path: (*path).to_owned(),
            directory: false,
            executable: *executable,
        };
        let directory = Listed { path: "bin".to_owned(), directory: true, executable: true };
        Ok(std::iter::once(directory).chain(FILES.iter().map(file)).collect())
    }
    fn render(&self, _name: &str, template: &str, _values: &Value) -> Result<String, ActionError> {
        Ok(template.to_owned())
    }
}

fn check(mut action: Rsync, node: NodeBuilder, expected: Expect) {
    match action.prepare(&Site) {
        Ok(()) => super::super::check::check(Prepared(action), node, expected),
        Err(error) => expected.assert_eq(&format!("error: {error}")),
    }
}

/// A prepared action.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Prepared(Rsync);

impl Action for Prepared {
    const NAME: &'static str = "rsync";
    fn subject(&self) -> String {
        self.0.subject()
    }
    fn needs(&self, needed: &mut Capabilities) {
        self.0.needs(needed);
    }
    fn observe(&self, wanted: &mut Observation) {
        self.0.observe(wanted);
    }
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        self.0.plan(node)
    }
}

fn site() -> Rsync {
    Rsync::new("site", "/srv/www").exclude(["*.tmp"])
}

const LIST: &str = "cd -- /srv/www && find . ! -name . ! -path '*\n*' -print | LC_ALL=C sort";

fn there() -> NodeBuilder {
    let node = node().directory("/srv/www", 0o755).directory("/srv/www/bin", 0o755).file(
        "/srv/www/bin/run",
        "run\n",
        0o755,
    );
    node.file("/srv/www/index.html", "hello\n", 0o644).file("/srv/www/it's", "", 0o644)
}

#[test]
fn creates_what_is_missing() {
    check(
        site().owner("app").delete(),
        node().without_file("/srv/www"),
        expect![[r#"
        will create 5
        + .
        + bin
        + bin/run
        + index.html
        + it's
        ---
        ensure_directory /srv/www app '' ''
        ensure_directory /srv/www/bin app '' ''
        content() { printf %s 'run
        '; }
        ensure_content /srv/www/bin/run b5004f26a852b0d60ec1237432c1a33c2307ff2458c374d9d99749d045c7feb9 app '' 0755 '' 0
        content() { printf %s 'hello
        '; }
        ensure_content /srv/www/index.html 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 app '' 0644 '' 0
        content() { printf %s ''; }
        ensure_content '/srv/www/it'\''s' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 app '' 0644 '' 0
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(site(), there(), expect!["nothing to do"]);
    check(
        site().delete(),
        there().reading(
            LIST,
            0,
            "./bin\n./bin/run\n./index.html\n./it's\n\
        ./old.tmp",
        ),
        expect!["nothing to do"],
    );
}

#[test]
fn changes_what_differs() {
    let old = || there().file("/srv/www/index.html", "old\n", 0o600).without_file("/srv/www/it's");
    check(
        site(),
        old(),
        expect![[r#"
        will create 1, change 1
          index.html: change content
        - file root:root 0600
        + file root:root 0644
        @@ -1 +1 @@
        -old
        +hello
        + it's
        ---
        content() { printf %s 'hello
        '; }
        ensure_content /srv/www/index.html 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 '' '' 0644 '' 0
        content() { printf %s ''; }
        ensure_content '/srv/www/it'\''s' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 '' '' 0644 '' 0
    "#]],
    );
    check(
        site(),
        old().written("/srv/www/index.html", "other\n"),
        expect![[r#"
        will create 1
          index.html: content changed by hand, and kept
        - file root:root 0600
        + file root:root 0644
        @@ -1 +1 @@
        -old
        +hello
        + it's
        ---
        drifted
        content() { printf %s ''; }
        ensure_content '/srv/www/it'\''s' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 '' '' 0644 '' 0
    "#]],
    );
    check(
        site(),
        there()
            .file("/srv/www/index.html", "old\n", 0o600)
            .written("/srv/www/index.html", "other\n"),
        expect![[r#"
        drifted content of 1 changed by hand
          index.html: content changed by hand, and kept
        - file root:root 0600
        + file root:root 0644
        @@ -1 +1 @@
        -old
        +hello
        ---
    "#]],
    );
    check(
        site().mode(0o640),
        there(),
        expect![[r#"
        will change 3
          bin/run: change owner or mode
        - file root:root 0755
        + file root:root 0640
          index.html: change owner or mode
        - file root:root 0644
        + file root:root 0640
          it's: change owner or mode
        - file root:root 0644
        + file root:root 0640
        ---
        ensure_attributes /srv/www/bin/run '' '' 0640
        ensure_attributes /srv/www/index.html '' '' 0640
        ensure_attributes '/srv/www/it'\''s' '' '' 0640
    "#]],
    );
}

#[test]
fn deletes_what_else_is_there() {
    let list = "./bin\n./bin/run\n./index.html\n./it's\n./kept\n./kept/x.tmp\n./kept/y\n./old\n\
        ./old/file";
    check(
        site().delete(),
        there().reading(LIST, 0, list),
        expect![[r#"
        will delete 3
        - kept/y
        - old
        - old/file
        ---
        names() { printf '%s\n' ./bin ./bin/run ./index.html './it'\''s'; }
        excluded() { case $1 in *.tmp) ;; *) false ;; esac; }
        ensure_only /srv/www
    "#]],
    );
    let mut action = site().delete();
    action.prepare(&Site).expect("it is right");
    let mut state = there().reading(LIST, 0, list).file("/srv/www/old/file", "", 0o644).0;
    action.plan(&mut state).expect("it can be planned").expect("it changes");
    assert_eq!(state.file("/srv/www/old/file"), Known::Known(&FileState::Absent));
    let then = state.reading(LIST).known().expect("it is known").output.clone();
    assert_eq!(then, "./bin\n./bin/run\n./index.html\n./it's\n./kept\n./kept/x.tmp");
    assert!(action.plan(&mut state).expect("it can be planned").is_none());
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        site(),
        node(),
        expect![[r#"
        may ensure 5
          .: ensure directory
          bin: ensure directory
          bin/run: ensure file
        + file ?:? 0755
        +run
          index.html: ensure file
        + file ?:? 0644
        +hello
          it's: ensure file
        + file ?:? 0644
        ---
        ensure_directory /srv/www '' '' ''
        ensure_directory /srv/www/bin '' '' ''
        require_kind /srv/www/bin/run 'file link'
        content() { printf %s 'run
        '; }
        ensure_content /srv/www/bin/run b5004f26a852b0d60ec1237432c1a33c2307ff2458c374d9d99749d045c7feb9 '' '' 0755 '' 0
        require_kind /srv/www/index.html 'file link'
        content() { printf %s 'hello
        '; }
        ensure_content /srv/www/index.html 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 '' '' 0644 '' 0
        require_kind '/srv/www/it'\''s' 'file link'
        content() { printf %s ''; }
        ensure_content '/srv/www/it'\''s' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 '' '' 0644 '' 0
    "#]],
    );
    check(
        site().delete(),
        there(),
        expect![[r#"
        may ensure 1
          what else is there is deleted
        ---
        names() { printf '%s\n' ./bin ./bin/run ./index.html './it'\''s'; }
        excluded() { case $1 in *.tmp) ;; *) false ;; esac; }
        ensure_only /srv/www
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    check(Rsync::new("none", "/srv/www"), node(), expect!["error: cannot read none"]);
    check(
        Rsync::new("site", "srv/www"),
        node(),
        expect![[r#"error: rsync: the path "srv/www" is not absolute; write it from /"#]],
    );
    check(
        Rsync::new("site", "/etc").delete(),
        node(),
        expect![
            "error: rsync: /etc is a part of \
        the system, and what is in it is not deleted; omit delete"
        ],
    );
    check(
        site().exclude(["a/b"]),
        node(),
        expect![[
            r#"error: rsync: "a/b" in exclude is not a name, with `*` and `?` at most; a path cannot be excluded"#
        ]],
    );
    check(
        site().mode(0o10000),
        node(),
        expect![[r#"error: rsync: the mode "10000" is not octal permissions such as "0644""#]],
    );
    check(
        site(),
        there().directory("/srv/www/index.html", 0o755),
        expect!["error: /srv/www/index.html is a directory; there can be no file of that name"],
    );
}

//! Ensures a key that may log in as a user over ssh, or that it may not. No-op: the user's file has the key, whatever its comment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{Edit, LinesKept, Line, Missing, Wrong, bare, ended, joined, plan_no_line, require_line};
use super::ere::{Ere, literal};
use super::file_support::{parent, plan_file, require_absolute, require_name};
use super::line_in_file::LineAction;
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Attributes, Capabilities, FileState, Known, NodeState, Observation, UserState};
use crate::script::{Script, quote};

/// Ensures that a public key may log in as a user over ssh, or that it may not. Nothing to do where the file has the key already with the same
/// options, whatever its comment. The file is `.ssh/authorized_keys` in the user's home directory; it and its directory are made as sshd wants them.
///
/// Example: `authorized_key(request, "app", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@example.com")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKey {
    /// The user.
    pub user: String,
    /// The public key, as one line of a file such as `id_ed25519.pub`.
    pub key: String,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// What stands before the key, such as `no-pty,from="10.0.0.0/8"`.
    #[serde(default)]
    pub options: Option<String>,
    /// Whether all other keys of the user are taken away.
    #[serde(default)]
    pub exclusive: bool,
    /// The absolute path of another file, whose directory is left as it is.
    #[serde(default)]
    pub path: Option<String>,
}

/// A key without its comment.
struct Parts<'a> {
    kind: &'a str,
    blob: &'a str,
}

impl AuthorizedKey {
    /// The key of a user.
    pub fn new(user: impl Into<String>, key: impl Into<String>) -> Self {
        AuthorizedKey { user: user.into(), key: key.into(), action: LineAction::Present, options: None, exclusive: false, path: None }
    }

    /// With these options.
    pub fn options(mut self, options: impl Into<String>) -> Self {
        self.options = Some(options.into());
        self
    }

    /// As the only one.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// In the file at `path`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Not allowed.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self
    }

    fn parts(&self) -> Result<Parts<'_>, ActionError> {
        let wrong = |why: &str| ActionError::arguments(Self::NAME, format!("the key of {} {why}; give a line such as that of id_ed25519.pub", self.user));
        require_line(Self::NAME, "the key", &self.key)?;
        let mut words = self.key.split_whitespace();
        let (kind, blob) = words.next().zip(words.next()).ok_or_else(|| wrong("is not a type and a key"))?;
        let known = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].iter().any(|start| kind.starts_with(start));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.@".contains(&byte);
        if !known || !kind.bytes().all(plain) {
            return Err(wrong("does not begin with a type such as ssh-ed25519; options have a parameter of their own"));
        }
        if !blob.starts_with("AAAA") || !blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) {
            return Err(wrong("is not in base64"));
        }
        Ok(Parts { kind, blob })
    }

    fn line(&self) -> String {
        let key = self.key.trim();
        self.options.as_ref().map_or_else(|| key.to_owned(), |options| format!("{options} {key}"))
    }

    /// A line with the key, whatever stands around it.
    fn any(&self) -> Result<Ere, ActionError> {
        let Parts { kind, blob } = self.parts()?;
        let text = format!("^([^#].*[[:space:]])?{}[[:space:]]+{}([[:space:]]|$)", literal(kind), literal(blob));
        Ere::new(Self::NAME, "key", &text)
    }

    /// A line with the key and the wanted options.
    fn right(&self) -> Result<Ere, ActionError> {
        let Parts { kind, blob } = self.parts()?;
        let options = self.options.as_ref().map(|options| format!("{}[[:space:]]+", literal(options))).unwrap_or_default();
        let text = format!("^{options}{}[[:space:]]+{}([[:space:]]|$)", literal(kind), literal(blob));
        Ere::new(Self::NAME, "key", &text)
    }

    /// Where the file stands if nothing was changed from what is usual: what is asked of the node before its home is known.
    fn usual(&self) -> String {
        let home = if self.user == "root" { "/root".to_owned() } else { format!("/home/{}", self.user) };
        format!("{home}/.ssh/authorized_keys")
    }

    fn attributes(&self, group: Option<String>) -> Attributes {
        Attributes { owner: Some(self.user.clone()), group, mode: Some(0o600) }
    }

    fn missing(&self) -> Missing {
        if self.action == LineAction::Present { Missing::Create } else { Missing::Leave }
    }

    /// What is to be done in the file at `edit`'s path.
    fn plan_lines(&self, edit: &Edit<'_>, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        if self.action == LineAction::Absent {
            return plan_no_line(edit, node, &Wrong::Match(self.any()?));
        }
        let (right, line) = (self.right()?, self.line());
        if self.exclusive {
            let script = edit.call("ensure_only_line", &[&line, right.text()]);
            return edit.plan(node, script, |text| {
                let left: String = text.lines_kept().filter(|line| right.matches(bare(line))).collect();
                ended(if left.is_empty() { line.clone() } else { left })
            });
        }
        Line { line: &line, replaces: Some(self.any()?), enough: Some(right), place: None }.plan(edit, node)
    }

    /// The change of a file whose place only the node knows.
    fn plan_unknown(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = Edit::of("$file", self.missing(), self.attributes(Some("$primary".to_owned())));
        let Some(change) = self.plan_lines(&edit, &mut NodeState::new(node.os.clone()))? else { return Ok(None) };
        let user = quote(&self.user);
        let file = match &self.path {
            Some(path) => format!("file={}\n", quote(path)),
            None if self.action == LineAction::Absent => {
                "file=$home/.ssh/authorized_keys\nrequire_directory \"$home/.ssh\"\n".to_owned()
            }
            None => format!("file=$home/.ssh/authorized_keys\nensure_directory \"$home/.ssh\" {user} \"$primary\" 0700\n"),
        };
        // the first two words that are quoted stand for variables; what comes behind them is the user's
        let script = change.script.as_str().replacen("'$file'", "\"$file\"", 1).replacen("'$primary'", "\"$primary\"", 1);
        let script = Script::new().raw(&format!("home_of {user}\n{file}{script}"));
        let path = self.path.clone().unwrap_or_else(|| self.usual());
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        node.forget_files_below(if self.path.is_some() { &path } else { directory });
        Ok(Some(Change::may("edit the keys", script)))
    }
}

impl Action for AuthorizedKey {
    const NAME: &'static str = "authorized_key";

    fn subject(&self) -> String {
        let comment = self.key.split_whitespace().nth(2).or_else(|| self.key.split_whitespace().nth(1)).unwrap_or_default();
        format!("{}: {comment}", self.user)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_name(Self::NAME, "user", &self.user)?;
        if let Some(path) = &self.path {
            require_absolute(Self::NAME, path)?;
        }
        if let Some(options) = &self.options {
            require_line(Self::NAME, "options", options)?;
            if options.trim() != options || options.is_empty() || options.starts_with('#') {
                return Err(ActionError::arguments(Self::NAME, format!("options {options:?} are empty or have spaces around them")));
            }
        }
        if self.exclusive && self.action == LineAction::Absent {
            return Err(ActionError::arguments(Self::NAME, "exclusive is for a key that is present; leave it away"));
        }
        self.any().and(self.right()).map(drop)
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.user(&self.user);
        self.path.iter().for_each(|path| needed.path(path));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.user(&self.user);
        let path = self.path.clone().unwrap_or_else(|| self.usual());
        Edit::of(&path, self.missing(), Attributes::default()).observe(wanted);
        if let Some(directory) = parent(&path).filter(|_| self.path.is_none()) {
            wanted.file(directory);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (home, group) = match node.user(&self.user) {
            Known::Known(None) if self.action == LineAction::Absent && self.path.is_none() => return Ok(None),
            Known::Known(None) => {
                return Err(ActionError::node(format!("there is no user {}; declare user({:?}) before it", self.user, self.user)));
            }
            Known::Known(Some(UserState { home: Some(home), group: Some(group), .. })) => (home.clone(), group.clone()),
            _ => return self.plan_unknown(node),
        };
        let usual = format!("{home}/.ssh/authorized_keys");
        let path = self.path.clone().unwrap_or(usual);
        if node.file(&path) == Known::Unknown {
            return self.plan_unknown(node);
        }
        let place = format!("{home}/.ssh");
        if self.path.is_none()
            && let Known::Known(FileState::Link { target }) = node.file(&place)
        {
            // it is the user's, and root would follow it to any file
            return Err(ActionError::node(format!("{place} is a link to {target}, not a directory; put a directory in its place")));
        }
        let mut directory = None;
        if self.path.is_none() && self.action == LineAction::Present {
            let attributes = Attributes { mode: Some(0o700), ..self.attributes(Some(group.clone())) };
            let script = Script::new().call(["ensure_directory", &place, &self.user, &group, "0700"]);
            directory = plan_file(node, &place, FileState::Directory(attributes), script)?;
        }
        let lines = self.plan_lines(&Edit::of(&path, self.missing(), self.attributes(Some(group))), node)?;
        let lines = lines.map(|change| match self.path {
            Some(_) => change,
            None => Change { script: Script::new().call(["require_directory", &place]).raw(change.script.as_str()), ..change },
        });
        Ok(joined(directory, lines))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    const KEY: &str = "ssh-ed25519 AAAAC3Nz+/a= ann@home";
    const FILE: &str = "/home/app/.ssh/authorized_keys";

    fn with_user() -> NodeBuilder {
        let user = UserState { home: Some("/home/app".into()), group: Some("app".into()), ..UserState::default() };
        let mut node = node().user("app", user);
        let attributes = |mode| Attributes { owner: Some("app".into()), group: Some("app".into()), mode: Some(mode) };
        node.0.set_file("/home/app/.ssh", FileState::Directory(attributes(0o700)));
        node
    }

    fn with_keys(text: &str) -> NodeBuilder {
        let mut node = with_user();
        let attributes = Attributes { owner: Some("app".into()), group: Some("app".into()), mode: Some(0o600) };
        let digest = Some(crate::model::digest(text.as_bytes()));
        node.0.set_file(FILE, FileState::File { digest, text: Some(text.into()), attributes });
        node
    }

    #[test]
    fn adds_what_is_missing() {
        check(AuthorizedKey::new("app", KEY), with_user().without_file("/home/app/.ssh").without_file(FILE), expect![[r#"
            will create directory, create file
            + directory app:app 0700
            + file app:app 0600
            @@ -0,0 +1 @@
            +ssh-ed25519 AAAAC3Nz+/a= ann@home
            ---
            ensure_directory /home/app/.ssh app app 0700
            require_directory /home/app/.ssh
            ensure_line /home/app/.ssh/authorized_keys create app app 0600 'ssh-ed25519 AAAAC3Nz+/a= ann@home' '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)' itself '' '' '^ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
        check(AuthorizedKey::new("app", KEY), with_keys("ssh-rsa AAAAB x\n"), expect![[r#"
            will change content
            @@ -1 +1,2 @@
             ssh-rsa AAAAB x
            +ssh-ed25519 AAAAC3Nz+/a= ann@home
            ---
            require_directory /home/app/.ssh
            ensure_line /home/app/.ssh/authorized_keys create app app 0600 'ssh-ed25519 AAAAC3Nz+/a= ann@home' '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)' itself '' '' '^ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
        check(AuthorizedKey::new("app", KEY).options("no-pty"), with_keys("ssh-ed25519 AAAAC3Nz+/a=\n"), expect![[r#"
            will change content
            @@ -1 +1 @@
            -ssh-ed25519 AAAAC3Nz+/a=
            +no-pty ssh-ed25519 AAAAC3Nz+/a= ann@home
            ---
            require_directory /home/app/.ssh
            ensure_line /home/app/.ssh/authorized_keys create app app 0600 'no-pty ssh-ed25519 AAAAC3Nz+/a= ann@home' '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)' itself '' '' '^no-pty[[:space:]]+ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
        check(AuthorizedKey::new("app", KEY).exclusive(), with_keys("ssh-rsa AAAAB x\n"), expect![[r#"
            will change content
            @@ -1 +1 @@
            -ssh-rsa AAAAB x
            +ssh-ed25519 AAAAC3Nz+/a= ann@home
            ---
            require_directory /home/app/.ssh
            ensure_only_line /home/app/.ssh/authorized_keys create app app 0600 'ssh-ed25519 AAAAC3Nz+/a= ann@home' '^ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
    }

    #[test]
    fn leaves_what_is_right() {
        check(AuthorizedKey::new("app", KEY), with_keys("x\nssh-ed25519 AAAAC3Nz+/a= other comment\n"), expect!["nothing to do"]);
        check(AuthorizedKey::new("app", KEY).exclusive(), with_keys("ssh-ed25519 AAAAC3Nz+/a=\n"), expect!["nothing to do"]);
        check(AuthorizedKey::new("app", KEY).absent(), with_keys("ssh-ed25519 AAAAC3Nz+/aa=\n"), expect!["nothing to do"]);
        check(AuthorizedKey::new("app", KEY).absent(), node().without_user("app"), expect!["nothing to do"]);
    }

    #[test]
    fn takes_keys_away() {
        check(AuthorizedKey::new("app", KEY).absent(), with_keys("from=\"x y\" ssh-ed25519  AAAAC3Nz+/a=\n"), expect![[r#"
            will change content
            @@ -1 +0,0 @@
            -from="x y" ssh-ed25519  AAAAC3Nz+/a=
            ---
            require_directory /home/app/.ssh
            ensure_no_line /home/app/.ssh/authorized_keys leave app app 0600 -E '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(AuthorizedKey::new("app", KEY), node(), expect![[r#"
            may edit the keys
            ---
            home_of app
            file=$home/.ssh/authorized_keys
            ensure_directory "$home/.ssh" app "$primary" 0700
            ensure_line "$file" create app "$primary" 0600 'ssh-ed25519 AAAAC3Nz+/a= ann@home' '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)' itself '' '' '^ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
        check(AuthorizedKey::new("app", KEY).absent(), node(), expect![[r#"
            may edit the keys
            ---
            home_of app
            file=$home/.ssh/authorized_keys
            require_directory "$home/.ssh"
            ensure_no_line "$file" leave app "$primary" 0600 -E '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
        check(AuthorizedKey::new("app", KEY).path("/etc/ssh/keys/app"), node(), expect![[r#"
            may edit the keys
            ---
            home_of app
            file=/etc/ssh/keys/app
            ensure_line "$file" create app "$primary" 0600 'ssh-ed25519 AAAAC3Nz+/a= ann@home' '^([^#].*[[:space:]])?ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)' itself '' '' '^ssh-ed25519[[:space:]]+AAAAC3Nz\+/a=([[:space:]]|$)'
        "#]]);
    }

    #[test]
    fn refuses_what_cannot_be() {
        for key in [AuthorizedKey::new("app", KEY), AuthorizedKey::new("app", KEY).absent()] {
            let linked = with_keys("").link("/home/app/.ssh", "/root/.ssh").file(FILE, "x\n", 0o600);
            check(key, linked, expect!["error: /home/app/.ssh is a link to /root/.ssh, not a directory; put a directory in its place"]);
        }
        check(AuthorizedKey::new("app", KEY), node().without_user("app"), expect![[r#"error: there is no user app; declare user("app") before it"#]]);
        check(AuthorizedKey::new("app", "no-pty ssh-rsa AAAA"), node(), expect!["error: authorized_key: the key of app does not begin with a type such as ssh-ed25519; options have a parameter of their own; give a line such as that of id_ed25519.pub"]);
        check(AuthorizedKey::new("app", "ssh-rsa x"), node(), expect!["error: authorized_key: the key of app is not in base64; give a line such as that of id_ed25519.pub"]);
        check(AuthorizedKey::new("app", KEY).absent().exclusive(), node(), expect!["error: authorized_key: exclusive is for a key that is present; leave it away"]);
    }
}

//! Ensures that an archive was unpacked to a directory, without trusting what is in it. No-op: this
//! archive was already unpacked there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{attributes, require_absolute};
use super::remote_file::source::ContentSource;
use super::unpacking::source::{ArchiveArguments, kind_of};
use super::unpacking::{Unpack, Unpacking};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures that an archive was unpacked to a directory. It need not be trusted: see below.
///
/// The archive is a tar file, uncompressed or compressed with gzip, bzip2, xz or zstd, or a zip
/// file. It comes from the project, a URL, or the node.
///
/// Does nothing if an archive with this digest was already unpacked there, which the node records
/// in `/var/lib/pallet/unpacked`, and the directory has the given owner, group and mode. Of an
/// archive at a URL without `sha256` or `checksum_url`, the URL takes the place of the digest.
/// Several archives can be unpacked to one directory. Files that are changed or removed afterwards
/// do not trigger another unpacking, and files of an older archive are not removed.
///
/// The archive is unpacked in a private directory, checked, and only then moved. It is refused if
/// it has devices, named pipes, links that lead out of it, or hard links to files that are not in
/// it. Names that begin with `/` or hold `..` never lead out of the directory. Files lose their
/// setuid and setgid bits. `remote_directory` takes links and devices as they are.
///
/// The node needs tar and the program for the compression (gzip, bzip2, xz or zstd), or unzip.
/// Everything belongs to root unless an owner or a group is given, which then applies to everything
/// in the directory.
///
/// Example: `archive(request, "/opt/app", url = "https://example.com/app-1.2.tar.xz", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", strip_components = 1)`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Absolute path of the directory.
    pub path: String,
    /// Path of the archive in the project.
    #[serde(default)]
    pub local_file: Option<String>,
    /// Absolute path of the archive on the node.
    #[serde(default)]
    pub remote_file: Option<String>,
    /// URL that the node downloads the archive from: `http://`, `https://`, `ftp://` or `ftps://`.
    #[serde(default)]
    pub url: Option<String>,
    /// Expected SHA-256 digest of the archive at `url`, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// URL of the expected MD5, SHA-1, SHA-256 or SHA-512 digest of the archive: the digest alone,
    /// or a list as written by `sha256sum`.
    #[serde(default)]
    pub checksum_url: Option<String>,
    /// HTTP headers for the request to `url`, by name. They are not sent to `checksum_url`.
    /// Requires curl on the node.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Proxy for the download: `"http://proxy:3128"`.
    #[serde(default)]
    pub proxy: Option<String>,
    /// Type of the archive: `tar` or `zip`. Default: `zip` if the name of the archive ends with
    /// `.zip`, `.jar` or `.war`, otherwise `tar`.
    #[serde(default)]
    pub unpack: Option<Unpack>,
    /// Number of leading components to strip from each name: with 1, `app-1.2/bin/app` becomes
    /// `bin/app`.
    #[serde(default)]
    pub strip_components: u32,
    /// Absolute path in the directory that the archive creates: unpack it if nothing is there, and
    /// only then, whatever was unpacked before.
    #[serde(default)]
    pub creates: Option<String>,
    /// Owner of the directory and of everything in it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group of the directory and of everything in it.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions of the directory itself, in octal. New directories get `"0755"`.
    #[serde(default)]
    pub mode: Option<String>,
    #[serde(skip)]
    source: Option<ContentSource>,
}

impl Archive {
    fn at(path: impl Into<String>) -> Self {
        Archive { path: path.into(), ..Self::default() }
    }

    /// An archive of the project, unpacked to the directory at `path`.
    pub fn local_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        Archive { local_file: Some(file.into()), ..Self::at(path) }
    }

    /// An archive on the node, unpacked to the directory at `path`.
    pub fn remote_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        Archive { remote_file: Some(file.into()), ..Self::at(path) }
    }

    /// An archive that the node downloads, unpacked to the directory at `path`.
    pub fn url(path: impl Into<String>, url: impl Into<String>) -> Self {
        Archive { url: Some(url.into()), ..Self::at(path) }
    }

    /// The download must have this SHA-256 digest.
    pub fn sha256(mut self, digest: impl Into<String>) -> Self {
        self.sha256 = Some(digest.into());
        self
    }

    /// Sets the type of the archive, whatever its name.
    pub fn unpack(mut self, kind: Unpack) -> Self {
        self.unpack = Some(kind);
        self
    }

    /// Strip this many leading components from each name.
    pub fn strip_components(mut self, number: u32) -> Self {
        self.strip_components = number;
        self
    }

    /// Unpack only if nothing is at `path`, which the archive creates.
    pub fn creates(mut self, path: impl Into<String>) -> Self {
        self.creates = Some(path.into());
        self
    }

    attribute_builders!();

    fn arguments(&self) -> ArchiveArguments<'_> {
        ArchiveArguments {
            local_file: &self.local_file,
            remote_file: &self.remote_file,
            url: &self.url,
            sha256: &self.sha256,
            md5: &None,
            checksum_url: &self.checksum_url,
            headers: &self.headers,
            insecure: false,
            proxy: &self.proxy,
        }
    }

    fn unpacking(&self) -> Unpacking<'_> {
        let archive = self.arguments().name(self.source.as_ref());
        Unpacking {
            action: Self::NAME,
            path: &self.path,
            source: self.source.as_ref(),
            kind: self.unpack.unwrap_or_else(|| kind_of(&archive)),
            archive,
            strip: self.strip_components,
            files: &[],
            owner: &self.owner,
            group: &self.group,
            mode: &self.mode,
            strict: true,
            creates: self.creates.as_deref(),
        }
    }
}

impl Action for Archive {
    const NAME: &'static str = "archive";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        if let Some(creates) = &self.creates {
            require_absolute(Self::NAME, creates)?;
            if !creates.strip_prefix(&self.path).is_some_and(|below| below.starts_with('/')) {
                return Err(ActionError::arguments(
                    Self::NAME,
                    format!(
                        "creates is {creates:?}, which is not in {}; name what the archive creates",
                        self.path
                    ),
                ));
            }
        }
        self.source = Some(self.arguments().read(Self::NAME, workspace)?);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        self.unpacking().claims(claims);
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.below(&self.path);
        self.arguments().needs(needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        self.unpacking().observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        self.unpacking().plan(node)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use crate::model::digest;
    use expect_test::expect;

    fn app() -> Archive {
        Archive::url("/opt/app", "https://me:secret@example.com/app.tar.gz?token=x")
            .sha256(digest(b"app"))
            .strip_components(1)
    }

    /// The record of this archive.
    const RECORD: &str =
        "/var/lib/pallet/unpacked/b6aec2d3ff5cc88a-694b58a954cec68e.901a73858398a2d1";

    fn unpacked(action: &Archive) -> NodeBuilder {
        let record = format!("{} {}\n", digest(b"app"), action.unpacking().how());
        node()
            .directory("/opt/app", 0o755)
            .file(RECORD, &record, 0o600)
            .without_file("/opt/app/.pallet.directory")
    }

    #[test]
    fn unpacks_what_is_missing() {
        check(
            app().mode(0o750),
            node().without_file("/opt/app"),
            expect![[r#"
            will unpack https://example.com/app.tar.gz
            + directory root:root 0750
            + content of https://example.com/app.tar.gz
            ---
            unpacked_anew=1
            unpacked_strictly=1
            archive=
            content() {
            download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
            has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
            }
            unpacked_as b6aec2d3ff5cc88a-694b58a954cec68e.901a73858398a2d1
            ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 a87e500bd0affb6ca70fde5c15c3f6691950630e5f15ab0bde1701afc25b7885' '' '' 0750 tar 1
        "#]],
        );
        check(
            app().creates("/opt/app/bin/it's").owner("app"),
            node().directory("/opt/app", 0o755).without_file("/opt/app/bin/it's"),
            expect![[r#"
                will unpack https://example.com/app.tar.gz
                - directory root:root 0755
                + directory app:root 0755
                + content of https://example.com/app.tar.gz
                ---
                unpacked_anew=1
                unpacked_strictly=1
                if is_missing '/opt/app/bin/it'\''s'; then
                unpacked_anew=1 unpacked_creates='bin/it'\''s'
                archive=
                content() {
                download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
                has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
                }
                unpacked_as b6aec2d3ff5cc88a-694b58a954cec68e.901a73858398a2d1
                ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 a87e500bd0affb6ca70fde5c15c3f6691950630e5f15ab0bde1701afc25b7885' app '' '' tar 1
                else
                ensure_directory /opt/app app '' ''
                fi
                ensure_owners /opt/app app ''
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(app(), unpacked(&app()), expect!["nothing to do"]);
        check(
            app().creates("/opt/app/bin"),
            node().directory("/opt/app", 0o755).directory("/opt/app/bin", 0o755),
            expect!["nothing to do"],
        );
        // an archive that is not needed may be gone
        check(
            Archive::remote_file("/opt/app", "/srv/app.zip").creates("/opt/app/bin"),
            node()
                .directory("/opt/app", 0o755)
                .directory("/opt/app/bin", 0o755)
                .without_file("/srv/app.zip"),
            expect!["nothing to do"],
        );
        check(
            app().creates("/opt/app/bin").mode(0o700),
            node().directory("/opt/app", 0o755).directory("/opt/app/bin", 0o755),
            expect![[r#"
                will change owner or mode
                - directory root:root 0755
                + directory root:root 0700
                ---
                ensure_directory /opt/app '' '' 0700
            "#]],
        );
    }

    #[test]
    fn unpacks_another_archive() {
        check(
            app().sha256(digest(b"new")),
            unpacked(&app()),
            expect![[r#"
            will unpack https://example.com/app.tar.gz
            + content of https://example.com/app.tar.gz
            ---
            unpacked_anew=1
            unpacked_strictly=1
            archive=
            content() {
            download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
            has_checksum "$1" https://example.com/app.tar.gz sha256sum 11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437
            }
            unpacked_as b6aec2d3ff5cc88a-694b58a954cec68e.901a73858398a2d1
            ensure_unpacked /opt/app '11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437 a87e500bd0affb6ca70fde5c15c3f6691950630e5f15ab0bde1701afc25b7885' '' '' '' tar 1
        "#]],
        );
        // what remote_directory unpacked was not checked
        assert_ne!(app().unpacking().how(), Unpacking { strict: false, ..app().unpacking() }.how());
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Archive::remote_file("/opt/app", "/srv/app.zip"),
            node(),
            expect![[r#"
            may ensure it is unpacked: /srv/app.zip
            + content of /srv/app.zip
            ---
            unpacked_anew=
            unpacked_strictly=1
            read_from /srv/app.zip
            archive=$source
            digest_of "$archive"
            unpacked_as b6aec2d3ff5cc88a-77f4e8778e934983.34dd4ff83c803c7e
            ensure_unpacked /opt/app "$digest 9e8f06f1b2f38e7022b459036497fbaf6f981e7aaa8e9397a49c8dfebedd9ef3" '' '' '' zip 0
        "#]],
        );
        check(
            Archive::remote_file("/opt/app", "/srv/app.zip").creates("/opt/app/bin").group("app"),
            node(),
            expect![[r#"
                may ensure it is unpacked: /srv/app.zip
                + directory ?:app ?
                + content of /srv/app.zip
                ---
                unpacked_anew=
                unpacked_strictly=1
                if is_missing /opt/app/bin; then
                unpacked_anew=1 unpacked_creates=bin
                read_from /srv/app.zip
                archive=$source
                digest_of "$archive"
                unpacked_as b6aec2d3ff5cc88a-77f4e8778e934983.34dd4ff83c803c7e
                ensure_unpacked /opt/app "$digest 9e8f06f1b2f38e7022b459036497fbaf6f981e7aaa8e9397a49c8dfebedd9ef3" '' app '' zip 0
                else
                ensure_directory /opt/app '' app ''
                fi
                ensure_owners /opt/app '' app
            "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        for (action, expected) in [
            (
                Archive::at("/opt/app"),
                expect!["error: archive: give exactly one of local_file, remote_file and url"],
            ),
            (
                Archive { remote_file: Some("/x".into()), ..app() },
                expect!["error: archive: give exactly one of local_file, remote_file and url"],
            ),
            (
                Archive::remote_file("opt", "/x"),
                expect![[r#"error: archive: the path "opt" is not absolute; write it from /"#]],
            ),
            (
                Archive::remote_file("/opt/app", "x.tar"),
                expect![[r#"error: archive: the path "x.tar" is not absolute; write it from /"#]],
            ),
            (
                Archive::remote_file("/opt/app", "/x").sha256("0"),
                expect!["error: archive: sha256 is for a download; give url, or omit sha256"],
            ),
            (
                app().sha256("0"),
                expect![[r#"error: archive: the sha256 "0" is not 64 hexadecimal digits"#]],
            ),
            (
                app().creates("/opt/app"),
                expect![[
                    r#"error: archive: creates is "/opt/app", which is not in /opt/app; name what the archive creates"#
                ]],
            ),
            (
                app().creates("/opt/apps/bin"),
                expect![[
                    r#"error: archive: creates is "/opt/apps/bin", which is not in /opt/app; name what the archive creates"#
                ]],
            ),
            (
                app().creates("bin"),
                expect![[r#"error: archive: the path "bin" is not absolute; write it from /"#]],
            ),
            (
                app().owner("0"),
                expect![[
                    r#"error: archive: the owner "0" is not a name; write the name, not a number"#
                ]],
            ),
        ] {
            check(action, node(), expected);
        }
        check(
            Archive::remote_file("/opt/app", "/srv/app.tar"),
            node().directory("/opt/app", 0o755).without_file("/srv/app.tar"),
            expect!["error: there is no archive /srv/app.tar on the node"],
        );
        check(
            app(),
            node().file("/opt/app", "", 0o644),
            expect![[
                r#"error: /opt/app is a file, not a directory; delete it with file("/opt/app", action = "delete") before"#
            ]],
        );
    }
}

//! The repository that backups go to.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::check::check_line;
use super::program::{self, command};
use super::system::SYSTEMS;

parameters! {
    /// Installs restic.
    ///
    /// Example: `backup.install(request)`
    pub(crate) struct Install {}

    /// Declares a repository, and creates it if there is none. Several nodes can share one.
    ///
    /// Location, password and environment are in files that only root can read. If the password
    /// changes, that of the repository is changed.
    ///
    /// Example: `backup.repository(request, "offsite", "s3:https://s3.example.com/backups", password = secret("backup"), environment = {"AWS_ACCESS_KEY_ID": "backup", "AWS_SECRET_ACCESS_KEY": secret("backup_s3")})`
    pub(crate) struct Repository {
        /// Its name on the node: letters, digits, `-`, `_` and `.`.
        name: String,
        /// Where it is: a path, `sftp:USER@HOST:/PATH`, `s3:URL`, `rest:URL`, ... It may be a
        /// secret.
        location: String,
        /// The password that encrypts it. Pass it as a secret, and keep it: without it, nothing can
        /// be restored.
        password: String,
        /// Environment variables of restic, such as `AWS_SECRET_ACCESS_KEY`. Values may be secrets
        /// of one line.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Extended options of restic, such as `{"sftp.args": "-i /root/.ssh/backup"}`.
        #[serde(default)]
        options: BTreeMap<String, String>,
    }
}

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    let system = SYSTEMS.row(&request.target()?.os)?;
    if let Some(repository) = system.repository {
        request.add(PackageRepository { id: repository.to_owned() })?;
    }
    request.add(Package::install(system.package))?;
    program::put(request)
}

pub(crate) fn repository(request: &mut Request, repository: Repository) -> Result<()> {
    let Repository { name, location, password, environment, options } = repository;
    check_file_name("a repository", &name)?;
    check_line("location", &location)?;
    check_line("password", &password)?;
    let mut variables = format!("# written by pallet\nRESTIC_REPOSITORY={location}\n");
    for (variable, value) in &environment {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ensure!(
            variable.starts_with(|c: char| c.is_ascii_alphabetic()) && variable.bytes().all(good),
            "{variable:?} cannot name an environment variable"
        );
        ensure!(
            !["RESTIC_REPOSITORY", "RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE"]
                .contains(&variable.as_str()),
            "{variable} has a parameter of its own"
        );
        check_line(variable, value)?;
        writeln!(variables, "{variable}={value}")?;
    }
    let mut lines = String::new();
    for (option, value) in &options {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ensure!(
            option.contains('.') && option.chars().all(good),
            "{option:?} is no extended option of restic; `restic options` lists them"
        );
        check_line(option, value)?;
        writeln!(lines, "{option}={value}")?;
    }

    install(request, Install {})?;
    let directory = format!("/etc/restic/{name}");
    let private = |path: &str, content: String| {
        let file = RemoteFile::content(format!("{directory}/{path}"), content);
        file.owner("root").group("root").mode(0o600)
    };
    request.add(Directory::at("/etc/restic").owner("root").group("root").mode(0o700))?;
    request.add(Directory::at(&directory).owner("root").group("root").mode(0o700))?;
    request.add(private("environment", variables))?;
    request.add(private("options", lines))?;
    request.add(private("password", format!("{password}\n")))?;
    let call = |what: &str| command(&name, &[what.to_owned()]);
    request.add(
        ExecCheckedScript::new(format!("prepare the repository {name}"), call("prepare"))
            .unless(call("is-ready")),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Backup;
    use super::*;

    #[test]
    fn secrets_are_in_files_of_root_alone() {
        let mut recorder = Recorder::<Backup>::on("debian 12");
        let arguments = json!({"name": "offsite", "location": "s3:https://a.example/b",
            "password": secret_placeholder("p"), "environment": {"AWS_SECRET_ACCESS_KEY": "k"},
            "options": {"s3.storage-class": "STANDARD_IA"}});
        recorder.call("repository", arguments).unwrap();
        let actions = recorder.actions();
        let at = |path: &str| {
            let file = actions.iter().find(|one| one.subject == path).unwrap();
            assert_eq!(file.arguments["mode"], "0600");
            file.arguments["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            at("/etc/restic/offsite/environment"),
            "# written by pallet\nRESTIC_REPOSITORY=s3:https://a.example/b\n\
             AWS_SECRET_ACCESS_KEY=k\n"
        );
        assert_eq!(at("/etc/restic/offsite/options"), "s3.storage-class=STANDARD_IA\n");
        assert_eq!(at("/etc/restic/offsite/password"), secret_placeholder("p") + "\n");
        let last = actions.last().unwrap();
        assert_eq!(
            last.arguments["script"],
            "sh /usr/local/lib/pallet/restic-repository offsite prepare"
        );
    }

    #[test]
    fn what_makes_no_repository_is_refused() {
        let with = |more: Value| {
            let mut all = json!({"name": "a", "location": "/srv/b", "password": "p"});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        for (arguments, said) in [
            (with(json!({"name": "a/b"})), "cannot name a repository"),
            (with(json!({"location": "/a\nB=c"})), "not one line"),
            (with(json!({"password": ""})), "not one line"),
            (with(json!({"environment": {"A B": "c"}})), "cannot name an environment"),
            (with(json!({"environment": {"A": "c\nD=e"}})), "not one line"),
            (with(json!({"environment": {"RESTIC_PASSWORD": "c"}})), "a parameter of its own"),
            (with(json!({"options": {"args": "c"}})), "no extended option"),
        ] {
            let error =
                Recorder::<Backup>::on("debian 12").call("repository", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}

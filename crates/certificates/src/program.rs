//! The program on the node that makes and renews certificates, and the timer that runs it.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::layout::directory;
use super::specification::Specification;

const PROGRAM: &str = "/usr/local/lib/pallet/certificates";

const TEXT: &str =
    concat!("#!/bin/sh\n", include_str!("common.sh"), "\n", include_str!("certificates.sh"));

/// The certificates that the program has when the node was set up for them.
pub(crate) struct Declared<'a> {
    pub(crate) name: &'a str,
    pub(crate) specification: Specification,
    /// Files that the user gives, with their names. They may be secrets.
    pub(crate) given: Vec<(&'a str, String)>,
    /// The number of seconds to wait for an authority.
    pub(crate) wait: u32,
}

/// Installs the program, and what it needs.
pub(crate) fn install(request: &mut Request) -> Result<()> {
    request.add(Package::install("openssl"))?;
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(RemoteFile::content(PROGRAM, TEXT).owner("root").group("root").mode(0o644))
}

/// Makes the certificate what is declared, and keeps it so.
pub(crate) fn put(request: &mut Request, declared: Declared<'_>) -> Result<()> {
    let Declared { name, specification, given, wait } = declared;
    let at = directory(name);
    request.add(Directory::at(&at).owner("root").group("root").mode(0o755))?;
    if !given.is_empty() {
        let directory = format!("{at}/given");
        request.add(Directory::at(&directory).owner("root").group("root").mode(0o700))?;
        for (file, content) in given {
            let file = RemoteFile::content(format!("{directory}/{file}"), content);
            request.add(file.owner("root").group("root").mode(0o600).max_versions(0))?;
        }
    }
    request.add(
        RemoteFile::content(format!("{at}/spec"), specification.text())
            .owner("root")
            .group("root")
            .mode(0o644),
    )?;
    request.add(
        ExecCheckedScript::new(
            format!("make the certificate {name}"),
            command(&["make", name, &wait.to_string()]),
        )
        .unless(command(&["is-current", name])),
    )?;
    renewal(request)
}

/// Renews the certificates of the node twice a day, those that are due.
fn renewal(request: &mut Request) -> Result<()> {
    match request.target()?.os.service_manager {
        ServiceManager::Systemd => {
            let unit = format!(
                "[Unit]\nDescription=Renew certificates\nAfter=network-online.target\n\
                 Wants=network-online.target\n\n[Service]\nType=oneshot\n\
                 ExecStart=/bin/sh {PROGRAM} renew\n"
            );
            let timer = "[Unit]\nDescription=Renew certificates\n\n[Timer]\n\
                         OnCalendar=*-*-* 00/12:00:00\nRandomizedDelaySec=6h\nPersistent=true\n\n\
                         [Install]\nWantedBy=timers.target\n";
            request.add(ServiceScript::content("pallet-certificates.service", unit))?;
            request.add(ServiceScript::content("pallet-certificates.timer", timer))?;
            request.add(Service::start("pallet-certificates.timer").enabled(true))
        }
        ServiceManager::Process => request.warn(
            "nothing runs timers on this node, so its certificates are renewed only when it is \
             lifted",
        ),
        _ => request.add(
            Cron::new("certificates", format!("sh {PROGRAM} renew"))
                .at(["17", "3,15", "*", "*", "*"]),
        ),
    }
}

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn requests_are_signed_as_the_standard_says() {
        let key = std::env::temp_dir().join(format!("pallet-certificates-{}", std::process::id()));
        std::fs::write(&key, "topsecret").unwrap();
        let script = format!("{}\nhmac '{}'", include_str!("common.sh"), key.display());
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(b"hello\nworld\n").unwrap();
        let answer = shell.wait_with_output().unwrap().stdout;
        std::fs::remove_file(&key).unwrap();
        // `openssl dgst -sha256 -mac HMAC -macopt hexkey:$(sha256sum <KEY)`
        assert_eq!(
            String::from_utf8(answer).unwrap().trim(),
            "7470bd2413ab98289ad29c620386376124e2277512a2b5f6e22ed798b6ac0481"
        );
    }
}

//! Limits of sessions: a file of `/etc/security/limits.d` for each user, group or all users.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::value::{Table, item};

parameters! {
    /// Limits what the login sessions of a user, a group or all users may use. PAM applies it to
    /// new sessions; services have the limits of `limits.services`.
    ///
    /// Example: `limits.limit(request, "app", {"nofile": 65536, "nproc": {"soft": 2048, "hard": 4096}})`
    pub(crate) struct LimitArguments {
        /// A user, `@GROUP`, or `*` for all users except root.
        domain: String,
        /// The limits: each a number, `"unlimited"`, or a table with `soft` and `hard`. Sizes are
        /// in KiB, `cpu` is in minutes. `{}` removes those of this domain.
        limits: Table,
    }
}

pub(crate) fn limit(request: &mut Request, arguments: LimitArguments) -> Result<()> {
    let LimitArguments { domain, limits } = arguments;
    let path = format!("/etc/security/limits.d/90-pallet-{}.conf", file_name(&domain)?);
    if limits.is_empty() {
        return request.add(File::at(path).absent());
    }
    let content = render(&domain, &limits)?;
    request.add(Directory::at("/etc/security/limits.d"))?;
    request.add(RemoteFile::content(path, content).owner("root").group("root").mode(0o644))
}

fn file_name(domain: &str) -> Result<String> {
    if domain == "*" {
        return Ok("all".to_owned());
    }
    let (kind, name) = match domain.strip_prefix('@') {
        Some(name) => ("group", name),
        None => ("user", domain),
    };
    check_file_name("a user or a group", name)?;
    Ok(format!("{kind}-{name}"))
}

fn render(domain: &str, limits: &Table) -> Result<String> {
    let mut out = "# written by pallet\n".to_owned();
    for (name, limit) in limits {
        item(name)?;
        let [soft, hard] = limit.parts(name)?;
        let shown = |value: Option<i64>| match value {
            None => "unlimited".to_owned(),
            Some(value) => value.to_string(),
        };
        let lines = match (soft, hard) {
            (Some(soft), Some(hard)) if soft == hard => vec![("-", soft)],
            _ => [("soft", soft), ("hard", hard)]
                .into_iter()
                .filter_map(|(kind, value)| value.map(|value| (kind, value)))
                .collect(),
        };
        for (kind, value) in lines {
            writeln!(out, "{domain} {kind} {name} {}", shown(value))?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    #[test]
    fn each_domain_has_a_file() {
        for (domain, file) in [("app", "user-app"), ("@app", "group-app"), ("*", "all")] {
            let mut recorder = Recorder::<Limits>::on("debian 12");
            let limits = json!({"nofile": 9, "core": "unlimited", "nproc": {"soft": 1, "hard": 2}});
            recorder.call("limit", json!({"domain": domain, "limits": limits})).unwrap();
            let wanted = format!("/etc/security/limits.d/90-pallet-{file}.conf");
            assert_eq!(recorder.actions()[1].subject, wanted);
            assert_eq!(
                recorder.actions()[1].arguments["content"],
                format!(
                    "# written by pallet\n{domain} - core unlimited\n{domain} - nofile 9\n\
                     {domain} soft nproc 1\n{domain} hard nproc 2\n"
                )
            );
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for (domain, limits, said) in [
            ("", json!({"core": 1}), "cannot name a user"),
            ("a b", json!({"core": 1}), "cannot name a user"),
            ("@", json!({"core": 1}), "cannot name a user"),
            ("a\n* - core 1", json!({"core": 1}), "cannot name a user"),
            ("a", json!({"cores": 1}), "cannot be limited"),
        ] {
            let error = Recorder::<Limits>::on("debian 12")
                .call("limit", json!({"domain": domain, "limits": limits}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{domain}: {error}");
        }
    }
}

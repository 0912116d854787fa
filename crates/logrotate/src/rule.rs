//! A rule: which files are rotated, how often, and what is done with them.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::text::{Frequency, check_mode, check_path, check_size, check_word};

parameters! {
    /// Rotates log files by a rule of its own in `/etc/logrotate.d`. Options that are omitted are
    /// those of `/etc/logrotate.conf`. `logrotate -d` checks the rule before it takes its place.
    ///
    /// Example: `logrotate.rule(request, "app", paths = ["/var/log/app/*.log"], frequency = "daily", rotate = 14, compress = True, postrotate = "systemctl kill -s HUP app")`
    pub(crate) struct Rule {
        /// Names the rule's file: letters, digits, `-` and `_`.
        name: String,
        /// The files, as absolute paths, with `*` where there are several.
        #[serde(default)]
        paths: Vec<String>,
        /// How often.
        #[serde(default)]
        frequency: Option<Frequency>,
        /// The number of old files to keep.
        #[serde(default)]
        rotate: Option<u32>,
        /// Rotate a file if it is larger, however old it is: `"100M"`.
        #[serde(default)]
        size: Option<String>,
        /// Rotate only files that are at least this large, when their time has come.
        #[serde(default)]
        min_size: Option<String>,
        /// Rotate files that are larger, also before their time has come.
        #[serde(default)]
        max_size: Option<String>,
        /// Remove old files after this number of days.
        #[serde(default)]
        max_age: Option<u32>,
        /// Compress old files.
        #[serde(default)]
        compress: Option<bool>,
        /// Compress a file one rotation later, for programs that still write to it.
        #[serde(default)]
        delay_compress: Option<bool>,
        /// Go on if a file is missing.
        #[serde(default = "yes")]
        missing_ok: bool,
        /// Do not rotate empty files.
        #[serde(default = "yes")]
        not_if_empty: bool,
        /// Permissions of the new file, in octal. With `create_owner` and `create_group`.
        #[serde(default)]
        create_mode: Option<String>,
        /// The owner of the new file.
        #[serde(default)]
        create_owner: Option<String>,
        /// The group of the new file.
        #[serde(default)]
        create_group: Option<String>,
        /// Copy the file and empty it, for programs that cannot reopen it. What is written
        /// meanwhile is lost.
        #[serde(default)]
        copy_truncate: bool,
        /// The user and the group that rotate, where more than root may write to the directory:
        /// `"app app"`.
        #[serde(default)]
        su: Option<String>,
        /// Name old files by their date.
        #[serde(default)]
        date_ext: Option<bool>,
        /// The form of that date: `"-%Y%m%d-%s"`.
        #[serde(default)]
        date_format: Option<String>,
        /// The directory of old files, on the same file system.
        #[serde(default)]
        old_directory: Option<String>,
        /// Keep this at the end of the names of old files: `".log"`.
        #[serde(default)]
        extension: Option<String>,
        /// Run the scripts once for all files, not once for each.
        #[serde(default)]
        shared_scripts: bool,
        /// Commands before the files are rotated.
        #[serde(default)]
        prerotate: Option<String>,
        /// Commands after the files were rotated.
        #[serde(default)]
        postrotate: Option<String>,
        /// Commands once before all of it, if anything is rotated.
        #[serde(default)]
        first_action: Option<String>,
        /// Commands once after all of it, if anything was rotated.
        #[serde(default)]
        last_action: Option<String>,
        /// More directives, one a line.
        #[serde(default)]
        options: Vec<String>,
        /// `create`, or `delete` the rule.
        #[serde(default)]
        action: Existence,
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn rule(request: &mut Request, rule: Rule) -> Result<()> {
    check_file_name("a rule", &rule.name)?;
    // logrotate ignores files that look like copies: .dpkg-old, .rpmsave, .swp
    ensure!(!rule.name.contains('.'), "{:?} cannot name a rule: leave the dot out", rule.name);
    let path = format!("/etc/logrotate.d/{}", rule.name);
    if rule.action == Existence::Delete {
        return request.add(File::at(path).absent());
    }
    let content = render(&rule)?;
    request.add(
        RemoteFile::content(path, content)
            .owner("root")
            .group("root")
            .mode(0o644)
            .verify("logrotate -d"),
    )
}

fn render(rule: &Rule) -> Result<String> {
    ensure!(!rule.paths.is_empty(), "rule {}: give at least one path", rule.name);
    let mut out = "# written by pallet\n".to_owned();
    for path in &rule.paths {
        check_path(path)?;
        writeln!(out, "\"{path}\"")?;
    }
    out.push_str("{\n");
    for line in directives(rule)? {
        writeln!(out, "    {line}")?;
    }
    for (name, script) in [
        ("firstaction", &rule.first_action),
        ("prerotate", &rule.prerotate),
        ("postrotate", &rule.postrotate),
        ("lastaction", &rule.last_action),
    ] {
        let Some(script) = script else { continue };
        ensure!(
            !script.trim().is_empty()
                && !script.contains(['\0', '\r'])
                && script.lines().all(|line| line.trim() != "endscript"),
            "rule {}: {name} is empty, or has a line `endscript`",
            rule.name
        );
        writeln!(out, "    {name}")?;
        for line in script.trim_end_matches('\n').lines() {
            writeln!(out, "        {line}")?;
        }
        out.push_str("    endscript\n");
    }
    out.push_str("}\n");
    Ok(out)
}

fn directives(rule: &Rule) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    lines.extend(rule.frequency.map(|frequency| frequency.as_str().to_owned()));
    lines.extend(rule.rotate.map(|number| format!("rotate {number}")));
    for (name, size) in
        [("size", &rule.size), ("minsize", &rule.min_size), ("maxsize", &rule.max_size)]
    {
        if let Some(size) = size {
            check_size(name, size)?;
            lines.push(format!("{name} {size}"));
        }
    }
    lines.extend(rule.max_age.map(|days| format!("maxage {days}")));
    for (name, opposite, on) in [
        ("compress", "nocompress", rule.compress),
        ("delaycompress", "nodelaycompress", rule.delay_compress),
        ("missingok", "nomissingok", Some(rule.missing_ok)),
        ("notifempty", "ifempty", Some(rule.not_if_empty)),
        ("dateext", "nodateext", rule.date_ext),
        ("sharedscripts", "nosharedscripts", Some(rule.shared_scripts)),
    ] {
        lines.extend(on.map(|on| if on { name } else { opposite }.to_owned()));
    }
    lines.extend(create(rule)?);
    if let Some(su) = &rule.su {
        let words: Vec<_> = su.split(' ').collect();
        ensure!(words.len() == 2, "rule {}: su is a user and a group: \"app app\"", rule.name);
        words.iter().try_for_each(|word| check_word("su", word))?;
        lines.push(format!("su {su}"));
    }
    for (name, value) in [("dateformat", &rule.date_format), ("extension", &rule.extension)] {
        if let Some(value) = value {
            check_word(name, value)?;
            lines.push(format!("{name} {value}"));
        }
    }
    if let Some(directory) = &rule.old_directory {
        check_path(directory)?;
        lines.push(format!("olddir \"{directory}\""));
    }
    for option in &rule.options {
        ensure!(
            !option.trim().is_empty()
                && !option.contains(|c: char| c.is_control() || "{}".contains(c)),
            "rule {}: the option {option:?} is not one line, or has a brace",
            rule.name
        );
        lines.push(option.clone());
    }
    Ok(lines)
}

fn create(rule: &Rule) -> Result<Option<String>> {
    let Rule { create_mode, create_owner, create_group, copy_truncate, name, .. } = rule;
    let (mode, owner, group) = match (create_mode, create_owner, create_group) {
        (None, None, None) => return Ok(copy_truncate.then(|| "copytruncate".to_owned())),
        (Some(mode), Some(owner), Some(group)) => (mode, owner, group),
        _ => bail!("rule {name}: give create_mode, create_owner and create_group together"),
    };
    ensure!(!copy_truncate, "rule {name}: copy_truncate creates no file; omit create_mode");
    check_mode(mode)?;
    check_word("owner", owner)?;
    check_word("group", group)?;
    Ok(Some(format!("create {mode} {owner} {group}")))
}

#[cfg(test)]
mod tests {
    use super::super::Logrotate;
    use super::*;

    fn content(arguments: Value) -> String {
        let mut recorder = Recorder::<Logrotate>::on("debian 12");
        recorder.call("rule", arguments).unwrap();
        recorder.actions()[0].arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_rule_says_what_was_asked_for() {
        let text = content(json!({"name": "app", "paths": ["/var/log/app/*.log", "/srv/a b.log"],
            "frequency": "weekly", "rotate": 4, "size": "10M", "compress": true,
            "create_mode": "0640", "create_owner": "app", "create_group": "adm",
            "postrotate": "kill -HUP 1\ntrue\n", "options": ["nomail"]}));
        assert_eq!(
            text,
            "# written by pallet\n\"/var/log/app/*.log\"\n\"/srv/a b.log\"\n{\n    weekly\n    \
             rotate 4\n    size 10M\n    compress\n    missingok\n    notifempty\n    \
             nosharedscripts\n    create 0640 app adm\n    nomail\n    postrotate\n        \
             kill -HUP 1\n        true\n    endscript\n}\n"
        );
    }

    #[test]
    fn what_makes_no_rule_is_refused() {
        let rule = |more: Value| {
            let mut rule = json!({"name": "app", "paths": ["/var/log/a"]});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rule
        };
        for (arguments, said) in [
            (json!({"name": "app"}), "at least one path"),
            (rule(json!({"name": "a/b"})), "cannot name a rule"),
            (rule(json!({"name": "a.swp"})), "leave the dot out"),
            (rule(json!({"paths": ["log"]})), "absolute path"),
            (rule(json!({"paths": ["/a\" {"]})), "absolute path"),
            (rule(json!({"size": "10 MB"})), "is no size"),
            (rule(json!({"postrotate": "a\n endscript \nb"})), "endscript"),
            (rule(json!({"create_mode": "0640"})), "together"),
            (rule(json!({"su": "app"})), "a user and a group"),
            (rule(json!({"options": ["a\n}"]})), "not one line"),
            (rule(json!({"date_format": "%Y {"})), "cannot stand in"),
        ] {
            let error =
                Recorder::<Logrotate>::on("debian 12").call("rule", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}

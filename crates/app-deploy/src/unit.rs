//! The systemd service of an application, with its user.

use pallet_core::action::service_script::ServiceImpl;
use pallet_core::action::user::UserAction;
use pallet_core::prelude::*;

use super::names::{changed, check_app, check_line, home};
use super::unit_arguments::Unit;
use super::unit_text::render;

pub(crate) fn unit(request: &mut Request, unit: Unit) -> Result<()> {
    let name = &unit.name;
    check(&unit)?;
    let manager = request.target()?.os.service_manager;
    ensure!(
        manager == ServiceManager::Systemd,
        "the service {name} needs systemd, and this node has {}",
        manager.as_str()
    );
    let user = unit.user.as_ref().unwrap_or(name);
    if user != "root" {
        let account = User::new(user).system().home(home(name)).shell("/usr/sbin/nologin");
        request.add(account.action(UserAction::Create))?;
    }
    let file = ServiceScript::content(name, render(&unit, user));
    let file = file.service_impl(ServiceImpl::Systemd);
    request.add_with(file, Options::new().flag_on_change(changed(name)))
}

fn check(unit: &Unit) -> Result<()> {
    let Unit { name, .. } = unit;
    check_app(name)?;
    ensure!(!name.contains('.'), "{name:?} cannot name a service: omit the `.`");
    for (what, command) in [
        ("command", Some(&unit.command)),
        ("reload command", unit.reload.as_ref()),
        ("command before the start", unit.before_start.as_ref()),
    ] {
        let Some(command) = command else { continue };
        check_line(what, command)?;
        ensure!(
            command.starts_with('/') && !command.ends_with('\\'),
            "the {what} {command:?} must begin with an absolute path"
        );
    }
    let directories = unit.writable.iter().chain(&unit.directory);
    for path in directories {
        check_line("directory", path)?;
        ensure!(
            path.starts_with('/') && !path.contains([' ', '"', '\'', '\\', '%']),
            "the directory {path:?} must be an absolute path without spaces"
        );
    }
    let account = |what: &str, value: &Option<String>| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let refused = value.as_ref().filter(|name| name.is_empty() || !name.bytes().all(good));
        refused.map_or(Ok(()), |name| Err(anyhow!("{name:?} cannot be a {what}")))
    };
    account("user", &unit.user)?;
    account("group", &unit.group)?;
    for text in unit.description.iter().chain(&unit.memory).chain(&unit.after) {
        check_line("setting", text)?;
        ensure!(!text.ends_with('\\'), "the setting {text:?} cannot end with a backslash");
    }
    ensure!(
        !unit.after.iter().any(|unit| unit.contains(char::is_whitespace)),
        "{name}: `after` is a list of units, such as postgresql.service"
    );
    for (key, value) in &unit.service {
        ensure!(
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{key:?} is not a setting of a unit"
        );
        let bad = value.contains(char::is_control) || value.ends_with('\\');
        ensure!(!bad, "the setting {key} of the unit must be one line");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::AppDeploy;
    use super::*;

    fn with(more: Value) -> Value {
        let mut all = json!({"name": "hello", "command": "/bin/hello"});
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        all
    }

    #[test]
    fn a_unit_has_a_user_and_a_file() {
        let mut recorder = Recorder::<AppDeploy>::on("debian 12");
        recorder.call("unit", with(json!({}))).unwrap();
        assert_eq!(recorder.declared(), ["user hello", "service_script hello"]);
        let flag = recorder.actions()[1].options.flag_on_change.clone();
        assert_eq!(flag.as_deref(), Some("app-deploy-hello"));
    }

    #[test]
    fn text_that_ends_a_line_is_refused() {
        for (more, said) in [
            (json!({"command": "hello"}), "absolute path"),
            (json!({"command": "+/bin/hello"}), "absolute path"),
            (json!({"command": "/bin/a\nUser=root"}), "one line"),
            (json!({"command": "/bin/a \\"}), "absolute path"),
            (json!({"user": "a\nb"}), "cannot be a user"),
            (json!({"group": ""}), "cannot be a group"),
            (json!({"directory": "srv"}), "absolute path"),
            (json!({"writable": ["/a b"]}), "absolute path"),
            (json!({"description": "a\nb"}), "one line"),
            (json!({"after": ["a b"]}), "list of units"),
            (json!({"service": {"Nice": "5\nUser=root"}}), "one line"),
            (json!({"service": {"A=b\nC": "5"}}), "is not a setting"),
            (json!({"name": "a.timer"}), "cannot name a service"),
        ] {
            let mut recorder = Recorder::<AppDeploy>::on("debian 12");
            let error = recorder.call("unit", with(more.clone())).unwrap_err().to_string();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}

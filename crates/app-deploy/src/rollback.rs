//! Goes back to an earlier release.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::health::{Health, need};
use super::names::check_app;
use super::program::{put, script};
use super::release::{service_and_user, sixty, two_hundred};

parameters! {
    /// Goes back to an earlier release, restarts the service and checks its health. If the earlier
    /// release fails the check, the current one is put back and the node fails.
    ///
    /// Call it in a phase of its own, and then set `version` in the project to the release that
    /// serves: `app_deploy.release` deploys what the project names.
    ///
    /// Example: `app_deploy.rollback(request, "hello")`
    pub(crate) struct Rollback {
        /// Name of the application.
        name: String,
        /// Release to go back to; does nothing if it serves. Default: the one before the current
        /// one, in every run.
        #[serde(default)]
        version: Option<String>,
        /// Service to restart. Default: `name`. `""`: none.
        #[serde(default)]
        service: Option<String>,
        /// User that runs `health_command`. Default: `name`, or root if there is no service.
        #[serde(default)]
        user: Option<String>,
        /// URL that must answer, as seen from the node.
        #[serde(default)]
        health_url: Option<String>,
        /// Expected status.
        #[serde(default = "two_hundred")]
        health_status: u16,
        /// Command that must succeed.
        #[serde(default)]
        health_command: Option<String>,
        /// Maximum time until the health check succeeds, in seconds.
        #[serde(default = "sixty")]
        timeout: u32,
    }
}

pub(crate) fn rollback(request: &mut Request, rollback: Rollback) -> Result<()> {
    let name = &rollback.name;
    check_app(name)?;
    let (service, user) =
        service_and_user(name, rollback.service.as_deref(), rollback.user.as_deref())?;
    let mut settings = BTreeMap::from([
        ("APP_USER".to_owned(), user),
        ("APP_SERVICE".to_owned(), service.unwrap_or_default()),
    ]);
    Health {
        url: rollback.health_url.as_deref(),
        status: rollback.health_status,
        command: rollback.health_command.as_deref(),
        timeout: rollback.timeout,
    }
    .add_to(&mut settings)?;
    if rollback.health_url.is_some() {
        need(request, "curl")?;
    }
    put(request)?;
    let Some(version) = &rollback.version else {
        let what = format!("go back to the release of {name} before the current one");
        return request.add(script(what, &["rollback", name], &settings));
    };
    check_file_name("a release", version)?;
    let look = super::program::command(&["serves", name, version]);
    let what = format!("go back to release {version} of {name}");
    request.add(script(what, &["rollback", name, version], &settings).unless(look))
}

#[cfg(test)]
mod tests {
    use super::super::AppDeploy;
    use super::*;

    #[test]
    fn a_named_release_is_gone_back_to_once() {
        let mut recorder = Recorder::<AppDeploy>::on("debian 12");
        recorder.call("rollback", json!({"name": "hello", "version": "1"})).unwrap();
        let actions = recorder.actions();
        let last = actions.last().unwrap();
        let program = "sh /usr/local/lib/pallet/app-deploy";
        assert_eq!(last.arguments["script"], format!("{program} rollback hello 1"));
        assert_eq!(last.arguments["unless"], format!("{program} serves hello 1"));
    }
}

//! The service of an application that has no releases.

use pallet_core::prelude::*;

use super::names::{changed, check_app};

parameters! {
    /// Starts the service of an application, now and at boot, and restarts it if
    /// `app_deploy.unit` or `app_deploy.environment` changed something.
    ///
    /// Call it after these two. An application with releases does not need it:
    /// `app_deploy.release` starts and restarts its service.
    ///
    /// Example: `app_deploy.run(request, "hello")`
    pub(crate) struct Run {
        /// Name of the application.
        name: String,
    }
}

pub(crate) fn run(request: &mut Request, run: Run) -> Result<()> {
    let Run { name } = run;
    check_app(&name)?;
    request.add(Service::start(&name).enabled(true))?;
    request.add_with(Service::restart(&name), Options::new().if_flag(changed(&name)))
}

#[cfg(test)]
mod tests {
    use super::super::AppDeploy;
    use super::*;

    #[test]
    fn a_service_restarts_only_if_it_changed() {
        let mut recorder = Recorder::<AppDeploy>::on("debian 12");
        recorder.call("run", json!({"name": "hello"})).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[0].options.if_flag, None);
        assert_eq!(actions[1].arguments["action"], "restart");
        assert_eq!(actions[1].options.if_flag.as_deref(), Some("app-deploy-hello"));
    }
}

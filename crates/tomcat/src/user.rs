//! Users of Tomcat's own database, such as those of the manager.

use pallet_core::prelude::*;

use super::connector::Presence;
use super::element::Element;
use super::program::part;
use super::system::Place;

parameters! {
    /// Ensures a user of Tomcat's own database, `tomcat-users.xml`, or that there is none of this
    /// name.
    ///
    /// The first one replaces that file, which then has the declared users and no others. Tomcat
    /// reads it again by itself, within 10 s.
    ///
    /// Example: `tomcat.user(request, "deployer", password = secret("deployer"), roles = ["manager-script"])`
    pub(crate) struct User {
        /// Name of the user.
        name: String,
        /// Password. Pass it as a secret. Not needed for `absent`.
        #[serde(default)]
        password: Option<String>,
        /// Roles, such as `manager-gui`.
        #[serde(default)]
        roles: Vec<String>,
        /// Whether there is the user: `present` or `absent`.
        #[serde(default)]
        action: Presence,
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
    }
}

pub(crate) fn user(request: &mut Request, user: User) -> Result<()> {
    let User { name, .. } = &user;
    check_file_name("a user", name)?;
    for role in &user.roles {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ensure!(!role.is_empty() && role.bytes().all(good), "{role:?} is not a name of a role");
    }
    let place = Place::of(request, user.instance.as_deref())?;
    let element = match user.action {
        Presence::Absent => None,
        Presence::Present => {
            let password = user.password.as_deref().unwrap_or_default();
            ensure!(!password.is_empty(), "the user {name} needs a password");
            let element = Element::new("user").attribute("username", name);
            let element = element.attribute("password", password);
            Some(element.attribute("roles", user.roles.join(",")))
        }
    };
    part(request, &place, ("users", name), element.as_ref(), Options::new())
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    #[test]
    fn a_user_needs_no_restart() {
        let mut recorder = Recorder::<Tomcat>::on("debian 12");
        let arguments = json!({"name": "ann", "password": "⟦secret:ann⟧", "roles": ["a", "b"]});
        recorder.call("user", arguments).unwrap();
        let actions = recorder.actions();
        let path = "/etc/tomcat10/pallet/users/ann";
        let file = actions.iter().find(|action| action.subject == path).unwrap();
        let lines = "<user\nusername ann\npassword ⟦secret:ann⟧\nroles a,b\n>\n";
        assert_eq!(file.arguments["content"], lines);
        assert_eq!(actions.last().unwrap().options.flag_on_change, None);
    }

    #[test]
    fn bad_arguments_are_refused() {
        for arguments in [
            json!({"name": "a b", "password": "x"}),
            json!({"name": "a"}),
            json!({"name": "a", "password": "x", "roles": ["a,b"]}),
        ] {
            let mut recorder = Recorder::<Tomcat>::on("debian 12");
            assert!(recorder.call("user", &arguments).is_err(), "{arguments}");
        }
    }
}

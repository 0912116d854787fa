//! The context of an application: its resources, such as databases, and its settings.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::application::file_name;
use super::element::Element;
use super::program::part;
use super::system::Place;

parameters! {
    /// Ensures the context of an application, in `Catalina/localhost` of the configuration: the
    /// resources that it looks up, and its settings. Only Tomcat and root can read it.
    ///
    /// Call `tomcat.service` last, which restarts Tomcat if it changed.
    ///
    /// Example: `tomcat.context(request, "/shop", resources = {"jdbc/shop": {"type": "javax.sql.DataSource", "url": "jdbc:postgresql://db/shop", "username": "shop", "password": secret("database")}})`
    pub(crate) struct Context {
        /// Context path of the application.
        path: String,
        /// Resources, by their names under `java:comp/env`, each with its attributes. May hold
        /// secrets.
        #[serde(default)]
        resources: BTreeMap<String, BTreeMap<String, String>>,
        /// Values of type `String`, by their names under `java:comp/env`. May hold secrets.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Initialization parameters of the servlet context. They override those of the
        /// application.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
        /// Attributes of the context itself, such as `{"reloadable": "false"}`.
        #[serde(default)]
        attributes: BTreeMap<String, String>,
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
    }
}

pub(crate) fn context(request: &mut Request, context: Context) -> Result<()> {
    let name = file_name(&context.path)?;
    let place = Place::of(request, context.instance.as_deref())?;
    let element = element(&context)?;
    part(request, &place, ("contexts", &name), Some(&element), place.changed())
}

fn element(context: &Context) -> Result<Element> {
    for name in ["docBase", "path"] {
        let own = context.attributes.contains_key(name);
        ensure!(!own, "{name} follows from the application; omit it");
    }
    let mut out = Element::new("Context").attributes(&context.attributes);
    for (name, attributes) in &context.resources {
        ensure!(attributes.contains_key("type"), "the resource {name} needs a type");
        let resource = Element::new("Resource").attribute("name", name);
        out = out.child(resource.attribute("auth", "Container").attributes(attributes));
    }
    for (name, value) in &context.environment {
        let entry = Element::new("Environment").attribute("name", name).attribute("value", value);
        let entry = entry.attribute("type", "java.lang.String").attribute("override", "false");
        out = out.child(entry);
    }
    for (name, value) in &context.parameters {
        let entry = Element::new("Parameter").attribute("name", name).attribute("value", value);
        out = out.child(entry.attribute("override", "false"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    #[test]
    fn a_context_has_what_is_looked_up() {
        let mut recorder = Recorder::<Tomcat>::on("debian 12");
        recorder
            .call(
                "context",
                json!({
                    "path": "/shop",
                    "resources": {
                        "jdbc/shop": {"type": "javax.sql.DataSource", "password": "⟦secret:a⟧"}
                    },
                    "environment": {"greeting": "hello"}, "parameters": {"a": "b"}
                }),
            )
            .unwrap();
        let actions = recorder.actions();
        let path = "/etc/tomcat10/pallet/contexts/shop";
        let file = actions.iter().find(|action| action.subject == path).unwrap();
        assert_eq!(
            file.arguments["content"],
            "<Context\n<Resource\nname jdbc/shop\nauth Container\npassword ⟦secret:a⟧\n\
             type javax.sql.DataSource\n>\n<Environment\nname greeting\nvalue hello\n\
             type java.lang.String\noverride false\n>\n<Parameter\nname a\nvalue b\n\
             override false\n>\n>\n"
        );
        let script = actions.last().unwrap().arguments["script"].as_str().unwrap().to_owned();
        assert!(script.ends_with("render tomcat10 tomcat10 contexts shop"), "{script}");
    }

    #[test]
    fn bad_arguments_are_refused() {
        for arguments in [
            json!({"path": "shop"}),
            json!({"path": "/shop", "resources": {"a": {}}}),
            json!({"path": "/shop", "attributes": {"docBase": "/etc"}}),
            json!({"path": "/shop", "environment": {"a": "b\n<C"}}),
        ] {
            let mut recorder = Recorder::<Tomcat>::on("debian 12");
            assert!(recorder.call("context", &arguments).is_err(), "{arguments}");
        }
    }
}

//! Actions, which phase functions declare. Each is one file, and a pure function of its arguments
//! and the known state of the node.
//!
//! To add one, copy a neighbour of about 100 lines and add its line to the table at the end of this
//! file.

mod account_name;
mod block;
mod builders;
mod change;
#[cfg(any(test, feature = "host"))]
pub mod check;
mod claims;
mod declared;
mod download;
mod edit;
mod entry;
mod ere;
mod error;
mod file_support;
mod fold;
mod guard;
#[cfg(test)]
mod law;
mod order;
mod ownership;
mod package_file;
mod package_options;
mod package_plan;
mod package_spec;
mod segments;
mod ssh_file;
mod text;
mod text_block;
mod traits;
mod unpacking;
mod wait;
mod workspace;

pub use block::{BlockRole, InBlock};
pub use change::{Certainty, Change, Upload, UploadSource};
pub use claims::{ClaimIndex, Claims};
pub use declared::{CONTROLLER, Condition, Declared, Options, Shown, SourceLocation};
pub use entry::ActionEntry;
pub use error::ActionError;
pub use file_support::Existence;
#[cfg(feature = "host")]
pub(crate) use fold::FlagTurn;
pub use fold::{Flags, Skipped, Step, Waiting, observation, plan, plan_watched};
pub use order::order;
pub use segments::{Segment, segments};
pub use traits::{Action, AnyAction};
pub use workspace::{Listed, Workspace};

macro_rules! actions {
    ($($module:ident::$action:ident,)*) => {
        $(pub mod $module; pub use $module::$action;)*

        /// All actions, by name.
        pub const TABLE: &[ActionEntry] = &[$(ActionEntry::of::<$action>(),)*];
    };
}

actions! {
    add_rpm::AddRpm,
    archive::Archive,
    authorized_key::AuthorizedKey,
    block_in_file::BlockInFile,
    cron::Cron,
    debconf_set_selections::DebconfSetSelections,
    directory::Directory,
    exec::Exec,
    exec_checked_script::ExecCheckedScript,
    exec_script::ExecScript,
    fifo::Fifo,
    file::File,
    filesystem::Filesystem,
    git_checkout::GitCheckout,
    group::Group,
    hostname::Hostname,
    hosts_entry::HostsEntry,
    ini_setting::IniSetting,
    install_deb::InstallDeb,
    kernel_module::KernelModule,
    known_host::KnownHost,
    line_in_file::LineInFile,
    locale::Locale,
    minimal_packages::MinimalPackages,
    mount::Mount,
    package::Package,
    package_manager::PackageManager,
    package_repository::PackageRepository,
    package_source::PackageSource,
    packages::Packages,
    reboot::Reboot,
    remote_directory::RemoteDirectory,
    remote_file::RemoteFile,
    retry::Retry,
    rsync::Rsync,
    sed::Sed,
    service::Service,
    service_script::ServiceScript,
    swap::Swap,
    symbolic_link::SymbolicLink,
    sysctl::Sysctl,
    timezone::Timezone,
    user::User,
    wait_for_command::WaitForCommand,
    wait_for_file::WaitForFile,
    wait_for_http::WaitForHttp,
    wait_for_port::WaitForPort,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn every_action_and_each_of_its_parameters_is_documented() {
        for entry in TABLE {
            let schema = (entry.parameters)();
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(
                text.contains(&format!("Example: `{}(request, ", entry.name)),
                "{}: {text}",
                entry.name
            );
            let parameters = schema["properties"].as_object().expect("it has parameters");
            for (name, parameter) in parameters {
                assert!(
                    parameter["description"].is_string(),
                    "{}: {name}: {parameter}",
                    entry.name
                );
            }
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let first: Vec<Value> =
                parameters.keys().take(required.len()).map(|name| json!(name)).collect();
            assert_eq!(first, required, "{}: what is required comes first", entry.name);
        }
    }

    #[test]
    fn arguments_that_no_action_has_are_refused() {
        for entry in TABLE {
            let error = (entry.parse)(json!({"no_such_parameter": 1})).expect_err("there is none");
            assert!(error.to_string().starts_with(&format!("{}: ", entry.name)), "{error}");
            assert!(error.to_string().contains("no_such_parameter"), "{error}");
        }
        let motd =
            (TABLE.iter().find(|entry| entry.name == "remote_file").expect("there is one").parse)(
                json!({"path": "/etc/motd", "content": "x"}),
            );
        assert_eq!(motd.expect("the arguments are right").subject(), "/etc/motd");
    }
}

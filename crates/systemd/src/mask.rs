//! Masks units, so that nothing can start them.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::manager::{is_template, reload, require, unit_name, unit_path};

parameters! {
    /// Masks a unit: it is stopped, and nothing can start it. Or takes that back.
    ///
    /// A unit whose file is in `/etc/systemd/system` cannot be masked: delete it with
    /// `systemd.unit(..., action = "absent")`.
    ///
    /// Example: `systemd.mask(request, "apt-daily.timer")`
    pub(crate) struct Mask {
        /// The unit: `apt-daily.timer`. Without a kind, it is a service.
        unit: String,
        /// `mask` or `unmask`. `unmask` does not start it.
        #[serde(default)]
        action: MaskAction,
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum MaskAction {
    /// Nothing can start it.
    #[default]
    Mask,
    /// It can be started.
    Unmask,
}

pub(crate) fn mask(request: &mut Request, mask: Mask) -> Result<()> {
    require(request)?;
    let unit = unit_name(&mask.unit)?;
    let path = unit_path(&unit);
    if mask.action == MaskAction::Unmask {
        return request.add(
            ExecCheckedScript::new(
                format!("unmask {unit}"),
                format!("systemctl unmask -- {}", quote(&unit)),
            )
            .only_if(format!("readlink {} | grep -qx /dev/null", quote(&path))),
        );
    }
    if !is_template(&unit) {
        request.add(Service::stop(&unit))?;
    }
    let flag = format!("systemd mask {unit}");
    request.add_with(SymbolicLink::new(path, "/dev/null"), Options::new().flag_on_change(&flag))?;
    reload(request, &flag)
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    #[test]
    fn a_masked_unit_is_stopped_before() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder.call("mask", json!({"unit": "apt-daily.timer"})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "service apt-daily.timer",
                "symbolic_link /etc/systemd/system/apt-daily.timer",
                "exec_checked_script read the units again"
            ]
        );
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder.call("mask", json!({"unit": "cups", "action": "unmask"})).unwrap();
        assert_eq!(
            recorder.actions()[0].arguments["only_if"],
            "readlink /etc/systemd/system/cups.service | grep -qx /dev/null"
        );
    }
}

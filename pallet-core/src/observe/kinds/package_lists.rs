//! The age of the package lists.

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, number};
use super::super::kind::{Kind, KindDescription};
use crate::model::{Known, Os};
use crate::script::{PACKAGE_LISTS, Script};

/// The age of the lists in seconds; the inner `None`: there are no lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageLists(pub(crate) Known<Option<u64>>);

impl Default for PackageLists {
    fn default() -> Self {
        PackageLists(Known::Unknown)
    }
}

impl Kind for PackageLists {
    type Questions = bool;

    fn ask(questions: &mut bool, other: bool) {
        *questions |= other;
    }

    fn functions(questions: &bool) -> Vec<&'static str> {
        if *questions { vec![PACKAGE_LISTS] } else { Vec::new() }
    }

    fn script(questions: &bool, script: Script) -> Script {
        match questions {
            true => script.raw(r#"answer package_lists "$(package_lists_age "$packages")""#),
            false => script,
        }
    }

    fn read(
        &mut self,
        _questions: &bool,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            if let ["package_lists", age] = answer.as_slice() {
                let age = if age.is_empty() { None } else { Some(number(answer, age)?) };
                self.0 = Known::Known(age);
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        if self != other {
            self.0 = Known::Unknown;
        }
    }

    fn learn(&mut self, newer: Self) {
        if newer.0 != Known::Unknown {
            *self = newer;
        }
    }

    fn describe(&self, questions: &bool, _outputs: bool) -> Vec<KindDescription> {
        let describe = || {
            let found = match &self.0 {
                Known::Known(None) => Some("there are none".to_owned()),
                Known::Known(Some(seconds)) => Some(format!("{seconds} s old")),
                Known::Unknown => None,
            };
            KindDescription::new("the age of the package lists", found)
        };
        questions.then(describe).into_iter().collect()
    }
}

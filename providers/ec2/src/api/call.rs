//! A call of the Query API: an action with its parameters.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// The API version of all calls.
const VERSION: &str = "2016-11-15";

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: &'static str,
    parameters: Vec<(String, String)>,
    filters: usize,
}

impl Call {
    pub(crate) fn new(action: &'static str) -> Self {
        Call { action, parameters: Vec::new(), filters: 0 }
    }

    /// Sets a parameter.
    pub(crate) fn set(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.push((name.into(), value.to_string()));
        self
    }

    /// Sets a parameter, if it has a value.
    pub(crate) fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets a list of values: `Owner.1`, `Owner.2`, ...
    pub(crate) fn list<T: ToString>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        values
            .into_iter()
            .enumerate()
            .fold(self, |call, (index, value)| call.set(format!("{name}.{}", index + 1), value))
    }

    /// Limits the result to resources with one of these values.
    pub(crate) fn filter<T: ToString>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.filters += 1;
        let filter = format!("Filter.{}", self.filters);
        self.set(format!("{filter}.Name"), name).list(&format!("{filter}.Value"), values)
    }

    /// Tags of the new resources, set in the same step that creates them.
    pub(crate) fn tags(self, resources: &[&str], tags: &BTreeMap<String, String>) -> Self {
        resources.iter().enumerate().fold(self, |call, (index, resource)| {
            let specification = format!("TagSpecification.{}", index + 1);
            call.set(format!("{specification}.ResourceType"), resource)
                .tag_list(&format!("{specification}.Tag"), tags)
        })
    }

    /// Sets a list of tags.
    pub(crate) fn tag_list(self, name: &str, tags: &BTreeMap<String, String>) -> Self {
        tags.iter().enumerate().fold(self, |call, (index, (key, value))| {
            let tag = format!("{name}.{}", index + 1);
            call.set(format!("{tag}.Key"), key).set(format!("{tag}.Value"), value)
        })
    }

    /// The body of the request.
    pub(crate) fn body(&self) -> String {
        let mut body = format!("Action={}&Version={VERSION}", self.action);
        for (name, value) in &self.parameters {
            body.push('&');
            body.extend(escaped(name));
            body.push('=');
            body.extend(escaped(value));
        }
        body
    }
}

/// Percent-encodes as in RFC 3986: everything but letters, digits and `-._~`.
fn escaped(text: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_and_escaped() {
        let tags = BTreeMap::from([("a b".to_owned(), "ü".to_owned())]);
        let call = Call::new("DescribeX")
            .list("Owner", ["self", "1"])
            .filter("name", ["a*", "b"])
            .filter("state", ["on"])
            .maybe("None", None::<u8>);
        assert_eq!(
            call.tags(&["instance"], &tags).body(),
            "Action=DescribeX&Version=2016-11-15&Owner.1=self&Owner.2=1&Filter.1.Name=name&\
             Filter.1.Value.1=a%2A&Filter.1.Value.2=b\
             &Filter.2.Name=state&Filter.2.Value.1=on&TagSpecification.1.ResourceType=instance&\
             TagSpecification.1.Tag.1.Key=a%20b&TagSpecification.1.Tag.1.Value=%C3%BC"
        );
    }
}

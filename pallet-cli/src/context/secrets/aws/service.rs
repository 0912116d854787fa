//! The services of AWS that keep secrets.

/// A service that keeps secrets.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name for people.
    pub(super) name: &'static str,
    /// Its name in signatures and in its host name.
    pub(super) host: &'static str,
    /// Its name in AWS's configuration.
    pub(super) id: &'static str,
    /// The call that reads a secret.
    pub(super) call: &'static str,
}

pub(super) static SECRETS_MANAGER: Service = Service {
    name: "AWS Secrets Manager",
    host: "secretsmanager",
    id: "Secrets Manager",
    call: "secretsmanager.GetSecretValue",
};

pub(super) static PARAMETERS: Service = Service {
    name: "the parameters of AWS Systems Manager",
    host: "ssm",
    id: "SSM",
    call: "AmazonSSM.GetParameter",
};

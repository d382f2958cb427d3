//! Users whose tokens the edge hands out to anyone who asks: for the demo of a development stack, and for nothing else.

use super::{Auth, ConfigError, Listener};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Demo")]
pub(super) struct Args {
    /// Users that anyone can sign in as on the page at /, as JSON: [{"email", "id", "organization", "role"}]. Development only:
    /// needs `JWT_SECRET`, and a loopback address in LISTEN. Unset: none
    #[arg(long, env = "DEMO_USERS", value_name = "JSON", hide_env_values = true)]
    demo_users: Option<String>,
}

/// A user of the demo.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoUser {
    pub(crate) email: String,
    /// The subject of the tokens.
    pub(crate) id: String,
    /// Shown to people. Permissions are decided in Postgres.
    pub(crate) organization: String,
    pub(crate) role: String,
}

/// Users without a password, and the secret that signs their tokens.
#[derive(Clone)]
pub(crate) struct Demo {
    pub(crate) users: Vec<DemoUser>,
    pub(crate) secret: String,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("users", &self.users).finish_non_exhaustive()
    }
}

impl Args {
    /// Fails closed: users without a password are refused wherever somebody else could reach them.
    pub(super) fn check(self, auth: &Auth, listener: &Listener) -> Result<Option<Demo>, ConfigError> {
        let Some(json) = self.demo_users.filter(|json| !json.is_empty()) else { return Ok(None) };
        let invalid = |problem, advice| Err(ConfigError::new("DEMO_USERS", problem, advice));
        let users: Vec<DemoUser> = match serde_json::from_str(&json) {
            Ok(users) => users,
            Err(error) => {
                return invalid(
                    format!("not a JSON array of users: {error}"),
                    r#"Set [{"email": …, "id": …, "organization": …, "role": …}], or unset it."#,
                );
            }
        };
        if !listener.listen.ip().is_loopback() {
            return invalid(
                format!("anyone who reaches {} could sign in without a password", listener.listen),
                "Unset it. For development, set LISTEN to a loopback address such as 127.0.0.1:8080.",
            );
        }
        let Some(secret) = auth.secret.clone() else {
            return invalid(
                "without JWT_SECRET no token can be signed".to_owned(),
                "Set JWT_SECRET, or unset DEMO_USERS.",
            );
        };
        Ok(Some(Demo { users, secret }))
    }
}

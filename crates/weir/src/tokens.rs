//! New tokens for the admin listener.

use anyhow::Context;
use console::{Token, new_token};
use toml::Value;

use crate::cli::print;
use crate::cli::token::NewOptions;
use crate::config;

/// Prints a new token, once, and what the configuration is to say of it.
pub(crate) fn new(NewOptions { name, role }: &NewOptions) -> anyhow::Result<()> {
    let known = config::role(role).with_context(|| format!("{role:?} is no role"))?;
    let (token, sha256) = new_token()?;
    Token::new(name, known, &sha256)?;
    let name = Value::String(name.clone());
    print(&format!(
        "{token}\n\n# The token above is shown this once: hand it to whom it is for. The configuration has only its digest:\n\
         [[admin.token]]\nname = {name}\nrole = \"{role}\"\nsha256 = \"{sha256}\""
    ));
    Ok(())
}

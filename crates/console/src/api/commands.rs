//! What a person tells Weir to do with a customer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Order;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts;
use crate::admin::Admin;
use crate::api::extract::{Said, Whose};
use crate::api::words::{Accepted, words};
use crate::problem::Problem;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Given {
    #[serde(flatten)]
    order: Order,
    /// Who gives it, where that is another than who sends it; without a token it has to be said.
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    /// Why, in the author's words.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// The members beside the order.
#[derive(Deserialize)]
struct Signed {
    by: Option<String>,
    reason: String,
}

impl TryFrom<Map<String, Value>> for Given {
    type Error = String;

    /// A member that the order does not have is refused: whoever misspells `until` would else hold somebody for good.
    fn try_from(mut members: Map<String, Value>) -> Result<Self, String> {
        let order = members.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = Order::members(&order).ok_or_else(|| {
            format!("`type` is {order:?}, and no command is called so: there are {}", Order::NAMES.join(", "))
        })?;
        let is_known = |name: &str| ["type", "by", "reason"].contains(&name) || known.contains(&name);
        if let Some(unknown) = members.keys().find(|name| !is_known(name)) {
            let all: Vec<_> = known.iter().chain(&["reason", "by"]).copied().collect();
            return Err(format!("a command `{order}` has no member `{unknown}`: it has {}", all.join(", ")));
        }
        if order == "release" {
            members.entry("fully").or_insert(Value::Bool(false));
        }
        let read = |error: serde_json::Error| error.to_string();
        let Signed { by, reason } = serde_json::from_value(Value::Object(members.clone())).map_err(read)?;
        let order = serde_json::from_value(Value::Object(members)).map_err(read)?;
        Ok(Self { order, by, reason })
    }
}

/// Appends the command to the log; the scorer follows it within moments, and the decision tells.
#[utoipa::path(post, path = "/v1/customers/{id}/commands", params(("id" = String, Path, description = "The customer")), request_body = Given, responses((status = 202, description = "It is on the log", body = Accepted), (status = 409, description = "The customer can't go into that phase from the one that it is in"), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn command(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Whose(id): Whose,
    Said(Given { order, by, reason }): Said<Given>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::give(&admin, &caller, &id, order, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}

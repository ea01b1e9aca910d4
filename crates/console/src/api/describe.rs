//! What is the same in the description of every operation: who may ask, and what is answered to those who may not, or who ask
//! for something that can't be understood.

use axum::http::StatusCode;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Required, ResponseBuilder};

use crate::access::Role;

/// The name under which operations say which role they need.
const ROLE: &str = "x-weir-role";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// Says of an operation that it needs `role`, and what is answered to those who are not let in or can't be understood. Of the
/// refusals that it describes itself it says that they are problem documents.
pub(super) fn describe(operation: &mut Operation, role: Role) {
    operation.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    let said = ExtensionsBuilder::new().add(ROLE, role.name()).build();
    operation.extensions.get_or_insert_default().merge(said);
    let needs = format!("needs the role {role}, or comes from another site");
    refuses(operation, StatusCode::UNAUTHORIZED, "no token, or one that Weir does not know");
    refuses(operation, StatusCode::FORBIDDEN, &needs);
    refuses(operation, StatusCode::MISDIRECTED_REQUEST, "not by this name, or not at this process");
    refuses(operation, StatusCode::TOO_MANY_REQUESTS, "too many failed attempts of this address");
    let takes = operation.request_body.as_ref().and_then(inline).map(|body| body.content.contains_key(JSON));
    if takes.is_some() || operation.parameters.as_ref().is_some_and(|all| !all.is_empty()) {
        refuses(operation, StatusCode::BAD_REQUEST, "the request makes no sense");
    }
    if takes.is_some() {
        refuses(operation, StatusCode::PAYLOAD_TOO_LARGE, "the body is too long");
    }
    if takes == Some(true) {
        refuses(operation, StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not said to be JSON");
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            response.content.insert(PROBLEM.to_owned(), problem().into());
        }
    }
}

/// Says of a read in JSON that it has an entity tag, and that it is not sent again to whoever has it.
pub(super) fn describe_read(operation: &mut Operation) {
    let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") else { return };
    if !answer.content.contains_key(JSON) {
        return;
    }
    let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).build();
    let tag = HeaderBuilder::new().schema(Some(text())).description(Some("Its entity tag.")).build();
    answer.headers.insert("ETag".to_owned(), tag.clone().into());
    let same = ResponseBuilder::new().description("It has not changed since.").header("ETag", tag).build();
    operation.responses.responses.insert(StatusCode::NOT_MODIFIED.as_str().to_owned(), same.into());
    let known: Parameter = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .schema(Some(text()))
        .description(Some("The entity tag of an earlier answer"))
        .build();
    operation.parameters.get_or_insert_default().push(known.into());
}

/// Unless the operation says it better.
fn refuses(operation: &mut Operation, status: StatusCode, why: &str) {
    let refusal = || ResponseBuilder::new().description(why).build().into();
    operation.responses.responses.entry(status.as_str().to_owned()).or_insert_with(refusal);
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build()
}

fn inline(body: &RefOr<RequestBody>) -> Option<&RequestBody> {
    match body {
        RefOr::T(body) => Some(body),
        RefOr::Ref(_) => None,
    }
}

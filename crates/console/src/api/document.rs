//! The description of the API, made from the code, and a page to try it.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::api::describe::{describe, describe_read};
use crate::problem::Problem;

/// The page is put together by a script of its own, with pictures in it.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
                           frame-ancestors 'none'; object-src 'none'";

/// Lets nobody with less than `role` at the routes, and says so in their description.
pub(crate) fn needing(role: Role, mut routes: OpenApiRouter<Admin>) -> OpenApiRouter<Admin> {
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        operations.into_iter().filter_map(Option::as_mut).for_each(|operation| describe(operation, role));
        item.get.iter_mut().for_each(describe_read);
    }
    routes.route_layer(from_fn(move |request: Request, next: Next| guard(role, request, next)))
}

async fn guard(role: Role, request: Request, next: Next) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>();
    caller.ok_or_else(|| Problem::forbidden("nobody was let in here"))?.may(role)?;
    Ok(next.run(request).await)
}

/// Serves the description and the page; the router of everything that is described.
pub(crate) fn serve(routes: OpenApiRouter<Admin>) -> Router<Admin> {
    let (router, document) = routes.split_for_parts();
    let config = Config::from("/v1/openapi.json").try_it_out_enabled(true).persist_authorization(false);
    let page: Router<Admin> = SwaggerUi::new("/v1/docs").config(config).into();
    // Every request takes a copy of what is laid over the routes.
    router.layer(Extension(Arc::new(document))).merge(page.layer(from_fn(allow_pictures)))
}

async fn allow_pictures(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    answer
}

/// The description that everything else is added to.
pub(crate) fn beginning() -> OpenApi {
    let info = InfoBuilder::new().title("Weir").version(env!("CARGO_PKG_VERSION")).description(Some(
        "See what Weir measures, decides and does, and steer it. See docs/api.md for tokens, roles, errors, cursors and entity tags.",
    ));
    let mut document = OpenApi::new(info.build(), utoipa::openapi::Paths::new());
    let scheme =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`weir token new` makes one.")).build();
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.add_security_scheme("token", SecurityScheme::Http(scheme));
    document
}

/// This description, as OpenAPI 3.1.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, description = "The description", body = Object)))]
pub(crate) async fn openapi(Extension(document): Extension<Arc<OpenApi>>) -> Response {
    Json(document.as_ref()).into_response()
}

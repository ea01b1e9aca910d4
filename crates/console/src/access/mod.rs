//! Who asks, and what they may do.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// What somebody may do: whoever may do more may do all that is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Steers customers and enforcement.
    Operator,
    /// Answers what awaits approval, and puts policies in force.
    Approver,
}

/// Who asks: in the extensions of each request that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the log calls them.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Lets a request in.
pub(crate) async fn admit(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller { name: "local".to_owned(), role: Role::Approver });
    next.run(request).await
}

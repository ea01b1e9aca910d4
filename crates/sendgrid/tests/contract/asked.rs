//! Which endpoint was asked.

use sendgrid::api::Endpoint;

/// The endpoint of a path: the one with the fewest names where several fit.
pub(crate) fn endpoint(method: &str, path: &str) -> Option<Endpoint> {
    let fits = |endpoint: &Endpoint| {
        let template: Vec<&str> = endpoint.template().split('/').collect();
        let parts: Vec<&str> = path.split('/').collect();
        let all_fit = template.iter().zip(&parts).all(|(template, part)| template.starts_with('{') || template == part);
        endpoint.method().as_str() == method && template.len() == parts.len() && all_fit
    };
    let names = |endpoint: &Endpoint| endpoint.template().matches('{').count();
    Endpoint::ALL.iter().copied().filter(fits).min_by_key(names)
}

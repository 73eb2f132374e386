//! `GET /openapi.json`: the description of all requests, made from what stands beside them.

use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::Problem;
use super::{append, events, projections, states, status, streams, watching};

/// The requests that there are.
#[derive(OpenApi)]
#[openapi(
    info(title = "ream", description = "An event store in a directory, over HTTP."),
    paths(
        events::read,
        append::lines::append_lines,
        append::append,
        streams::list,
        streams::show,
        states::get,
        states::put,
        states::delete,
        projections::list,
        projections::selecting::select,
        status::subscriptions,
        status::status,
        watching::metrics
    ),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Requests;

/// That requests bring a token.
struct Token;

impl Modify for Token {
    fn modify(&self, description: &mut Description) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        description.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Describes all requests.
pub(super) async fn describe() -> Result<Response, Problem> {
    let json = Requests::openapi().to_json().map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json)
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_described_with_what_it_takes_and_answers() {
        let json = serde_json::to_value(Requests::openapi()).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"), "{json}");
        let paths = json["paths"].as_object().unwrap();
        let mut found: Vec<String> = paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| format!("{method} {path}"))
            })
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "delete /states/{stream}",
                "get /events",
                "get /metrics",
                "get /projections",
                "get /projections/{name}",
                "get /states/{stream}",
                "get /status",
                "get /streams",
                "get /streams/{stream}",
                "get /subscriptions",
                "post /events",
                "post /streams/{stream}",
                "put /states/{stream}",
            ]
        );
        for (path, methods) in paths {
            for (method, request) in methods.as_object().unwrap() {
                assert!(request["summary"].is_string(), "{method} {path}");
                let problem = &request["responses"]["default"]["content"];
                assert!(
                    problem["application/problem+json"].is_object(),
                    "{method} {path}: {problem}"
                );
            }
        }
    }
}

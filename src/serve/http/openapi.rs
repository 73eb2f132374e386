//! `GET /openapi.json`: the description of all requests. It is made from what stands beside them, and kept in
//! `docs/openapi.json`: what would make it is larger than what it makes.

use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use super::schemas::ProblemJson;

/// As it is kept.
const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

/// Describes all requests.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses(
        (status = 200, description = "All requests, as OpenAPI 3.1 describes them", body = serde_json::Value),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(super) async fn describe() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DESCRIPTION)
        .into_response()
}

/// What the description is made from.
#[cfg(test)]
mod made {
    use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
    use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
    use utoipa::openapi::{OpenApi as Description, RefOr};
    use utoipa::{Modify, OpenApi};

    use super::super::{append, events, projections, states, status, streams, watching};

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
            watching::metrics,
            super::describe,
            super::super::health
        ),
        security(("token" = [])),
        modifiers(&Token, &Named)
    )]
    pub(super) struct Requests;

    /// That requests bring a token.
    struct Token;

    impl Modify for Token {
        fn modify(&self, description: &mut Description) {
            let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
            description.components.get_or_insert_default().add_security_scheme("token", scheme);
        }
    }

    /// That a stream may be named by a parameter as well, and that no request is called after the code that answers it.
    struct Named;

    impl Modify for Named {
        fn modify(&self, description: &mut Description) {
            let paths = &mut description.paths.paths;
            let state = paths.get("/states/{stream}").cloned().map(by_parameter);
            paths.extend(state.map(|state| ("/states".to_owned(), state)));
            let stream = paths.get("/streams/{stream}").cloned().map(by_parameter);
            if let (Some(streams), Some(stream)) = (paths.get_mut("/streams"), stream) {
                streams.post = stream.post;
            }
            paths.values_mut().flat_map(operations).for_each(|operation| operation.tags = None);
        }
    }

    /// The same requests, with what is named in their path as a parameter.
    fn by_parameter(mut path: PathItem) -> PathItem {
        for operation in operations(&mut path) {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && parameter.parameter_in == ParameterIn::Path
                {
                    parameter.parameter_in = ParameterIn::Query;
                    parameter.description = Some("The stream".into());
                }
            }
            operation.operation_id.iter_mut().for_each(|id| id.push_str("_by_parameter"));
        }
        path
    }

    fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
        [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;
    use utoipa::OpenApi as _;

    use super::DESCRIPTION;
    use super::made::Requests;

    /// Has the description be kept as it is made; `.ci/generate` says so.
    const UPDATE: &str = "REAM_UPDATE_DESCRIPTION";

    #[test]
    fn the_description_that_is_kept_is_what_is_made() {
        let made = Requests::openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os(UPDATE).is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
            return std::fs::write(path, made).unwrap();
        }
        assert!(made == DESCRIPTION, "docs/openapi.json is not fresh: run .ci/generate");
    }

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
                "delete /states",
                "delete /states/{stream}",
                "get /events",
                "get /health",
                "get /metrics",
                "get /openapi.json",
                "get /projections",
                "get /projections/{name}",
                "get /states",
                "get /states/{stream}",
                "get /status",
                "get /streams",
                "get /streams/{stream}",
                "get /subscriptions",
                "post /events",
                "post /streams",
                "post /streams/{stream}",
                "put /states",
                "put /states/{stream}",
            ]
        );
        let mut names = HashSet::new();
        for (path, methods) in paths {
            for (method, request) in methods.as_object().unwrap() {
                assert!(request["summary"].is_string(), "{method} {path}");
                let name = request["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{method} {path}: {name}");
                let problem = &request["responses"]["default"]["content"];
                assert!(
                    problem["application/problem+json"].is_object(),
                    "{method} {path}: {problem}"
                );
            }
        }
    }

    #[test]
    fn a_stream_may_be_named_by_a_parameter() {
        let described = serde_json::to_value(Requests::openapi()).unwrap();
        let paths = &described["paths"];
        for (path, method) in
            [("/streams", "post"), ("/states", "get"), ("/states", "put"), ("/states", "delete")]
        {
            let (named, in_path) =
                (&paths[path][method], &paths[format!("{path}/{{stream}}")][method]);
            let stream = &named["parameters"][0];
            let told = json!([stream["name"], stream["in"], stream["required"]]);
            assert_eq!(told, json!(["stream", "query", true]), "{method} {path}");
            assert_eq!(named["responses"], in_path["responses"], "{method} {path}");
        }
    }
}

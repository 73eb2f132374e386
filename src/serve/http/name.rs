//! The names in the paths of requests.

use axum::http::Uri;

use super::address::decoded;
use super::parameters::Parameters;
use super::problem::Problem;
use crate::event::StreamName;

/// The name behind `path`, or in the parameter `stream`.
pub(super) fn name_in(uri: &Uri, path: &str, parameters: &Parameters) -> Result<String, Problem> {
    let behind = uri.path().strip_prefix(path).filter(|name| !name.is_empty());
    let behind = behind.map(|name| {
        let wrong =
            || Problem::usage(format!("`{name}` in the address is not percent-encoded UTF-8"));
        decoded(name, false).ok_or_else(wrong)
    });
    match (behind.transpose()?, parameters.one("stream")?) {
        (Some(name), None) => Ok(name),
        (None, Some(name)) => Ok(name.into()),
        (None, None) => {
            let problem = Problem::usage("no stream is named");
            let detail = format!("it stands behind {path}, or in the parameter `stream`");
            Err(problem.with_detail(detail))
        }
        _ => Err(Problem::usage("the stream is named twice, in the path and in `stream`")),
    }
}

/// The same as the name of a stream.
pub(super) fn stream_in(
    uri: &Uri,
    path: &str,
    parameters: &Parameters,
) -> Result<StreamName, Problem> {
    let name = name_in(uri, path, parameters)?;
    StreamName::new(name).map_err(|error| Problem::invalid(error.to_string()))
}

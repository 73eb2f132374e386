//! `GET /projections/{name}`: the rows that are asked for, as they stand at one moment.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tokio::time::{Instant, sleep};

use crate::event::Position;
use crate::expression::{Condition, Parameter, Parameters as Values};
use crate::schema::{FieldType, RowWriter, Schema};
use crate::serve::http::address::decoded;
use crate::serve::http::backend::Backend;
use crate::serve::http::body::{self, LINES};
use crate::serve::http::guard::accepts;
use crate::serve::http::parameters::Parameters;
use crate::serve::http::problem::Problem;
use crate::serve::http::schemas::ProblemJson;
use crate::store::{Error, OrderBy, Projection, Selection, Store};
use crate::wait;
use crate::wire::parse_duration;

const KNOWN: [&str; 7] = ["where", "fields", "order-by", "limit", "offset", "at-least", "wait"];
/// What the parameters begin with that give values to the `:names` of an expression.
const WITH: &str = "with.";
const CSV: &str = "text/csv";
/// How long rows may be together, in bytes.
const ROWS: usize = 64 << 20;
/// How long is waited for a projection, where nothing else is said.
const WAIT: Duration = Duration::from_secs(5);

/// What is asked for.
struct Asked {
    name: String,
    parameters: Parameters,
    is_csv: bool,
    /// What has to be in it.
    at_least: Option<Position>,
}

/// How far a projection has come that has not come far enough.
struct Behind(Position);

/// Selects rows.
#[utoipa::path(
    get,
    path = "/projections/{name}",
    operation_id = "select_rows",
    params(
        ("name" = String, Path, description = "The projection"),
        ("where" = Option<String>, Query, description = "Only rows that this is true of; `:names` in it are given as `with.NAME`"),
        ("fields" = Option<String>, Query, description = "Only these fields, with commas between them"),
        ("order-by" = Option<String>, Query, description = "The order, by fields with commas between them; the largest first behind a `-`"),
        ("limit" = Option<u64>, Query, description = "At most N"),
        ("offset" = Option<u64>, Query, description = "Pass over N"),
        ("at-least" = Option<u64>, Query, description = "What was stored up to this position is in them"),
        ("wait" = Option<String>, Query, min_length = 1, description = "How long that is waited for: `500ms`, `5s`")
    ),
    responses(
        (status = 200, description = "Rows, one on each line", content(
            (serde_json::Value = "application/jsonl"),
            (String = "text/csv")
        )),
        (status = "default", description = "What went wrong", body = ProblemJson, content_type = "application/problem+json")
    )
)]
pub(in crate::serve::http) async fn select(
    State(backend): State<Arc<Backend>>,
    RawQuery(given): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(given.as_deref(), &KNOWN, Some(WITH))?;
    let name = uri.path().strip_prefix("/projections/").unwrap_or_default();
    let name = decoded(name, false).unwrap_or_default();
    let at_least = parameters.number("at-least")?.map(Position);
    let wait = parameters.one_by("wait", parse_duration)?;
    if wait.is_some() && at_least.is_none() {
        return Err(Problem::usage("`wait` goes with `at-least`"));
    }
    let wait = wait.unwrap_or(WAIT).min(backend.limits.request);
    let is_csv = accepts(&headers, CSV);
    let asked = Arc::new(Asked { name, parameters, is_csv, at_least });
    let begun = Instant::now();
    let (mut pause, longest) = wait::REACHED;
    loop {
        let asking = Arc::clone(&asked);
        let rows = backend.perform(move |store| asking.select(store)).await?;
        let Behind(checkpoint) = match rows {
            Ok(rows) => return Ok(body::whole(if is_csv { CSV } else { LINES }, rows)),
            Err(behind) => behind,
        };
        let left = wait.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(not_reached(&asked, checkpoint));
        }
        // A projection has no bell: many that follow each other would ring for ever.
        sleep(pause.min(left)).await;
        pause = (2 * pause).min(longest);
    }
}

fn not_reached(asked: &Asked, checkpoint: Position) -> Problem {
    let (name, position) = (&asked.name, asked.at_least.unwrap_or_default());
    let title = format!("the projection `{name}` has come to {checkpoint}, and not to {position}");
    let problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, "not-reached", 10, title);
    let problem = problem.text("projection", name).number("position", position.0);
    let problem = problem.number("checkpoint", checkpoint.0);
    problem.with_detail("see how far it has come: GET /projections")
}

impl Asked {
    /// The rows, where what has to be in them is.
    fn select(&self, store: &Store) -> Result<Result<Vec<u8>, Behind>, Problem> {
        let projection = store.projection(&self.name)?;
        let selection = self.selection(projection.schema())?;
        if let Some(position) = self.at_least
            && !store.has_reached(&projection, position)?
        {
            return Ok(Err(Behind(projection.checkpoint()?.position)));
        }
        self.rows(&projection, &selection).map(Ok)
    }

    fn rows(&self, projection: &Projection, selection: &Selection) -> Result<Vec<u8>, Problem> {
        let fields = projection.schema().fields();
        let names: Vec<&str> =
            selection.fields.iter().map(|at| fields[*at].name.as_str()).collect();
        let (writer, mut rows, mut failed) = (RowWriter::new(&names), Vec::new(), None);
        if self.is_csv {
            rows.extend_from_slice(names.join(",").as_bytes());
            rows.push(b'\n');
        }
        projection.select(selection, |row| {
            let written = if self.is_csv {
                (0..names.len()).try_for_each(|place| {
                    if place > 0 {
                        rows.push(b',');
                    }
                    row.value(place).map(|value| value.write_csv(&mut rows))
                })
            } else {
                writer.write(&mut rows, |place| row.value(place))
            };
            rows.push(b'\n');
            failed = written.err();
            let goes_on = failed.is_none() && rows.len() <= ROWS;
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        if rows.len() > ROWS {
            let problem = Problem::invalid(format!("the rows have more than {ROWS} bytes"));
            return Err(
                problem.with_detail("ask for less with `where`, `fields`, or `limit` and `offset`")
            );
        }
        Ok(rows)
    }

    fn selection(&self, schema: &Schema) -> Result<Selection, Problem> {
        let parameters = &self.parameters;
        let mut selection = Selection::all(schema);
        let condition = parameters.one("where")?;
        let values = self.values(condition.unwrap_or_default())?;
        if let Some(condition) = condition {
            let condition = Condition::new(condition, schema, &values);
            let wrong = |error| Problem::from(Error::from(Box::new(error)));
            selection.condition = Some(condition.map_err(wrong)?);
        }
        if let Some(list) = parameters.one("fields")? {
            selection.fields.clear();
            for name in list.split(',').map(str::trim) {
                let field = field(schema, name)?;
                if selection.fields.contains(&field) {
                    return Err(Problem::invalid(format!("`fields` names `{name}` twice")));
                }
                selection.fields.push(field);
            }
        }
        let order = parameters.one("order-by")?.into_iter().flat_map(|list| list.split(','));
        for name in order.map(str::trim) {
            let descending = name.starts_with('-');
            let field = field(schema, name.strip_prefix('-').unwrap_or(name))?;
            if schema.fields()[field].field_type == FieldType::Json {
                return Err(Problem::invalid(format!("`{name}` is json, which has no order")));
            }
            if selection.order.iter().any(|by| by.field == field) {
                return Err(Problem::invalid(format!("`order-by` names `{name}` twice")));
            }
            selection.order.push(OrderBy { field, descending });
        }
        selection.limit = parameters.number("limit")?;
        selection.offset = parameters.number("offset")?.unwrap_or_default();
        Ok(selection)
    }

    /// The values that are given to the `:names` of an expression.
    fn values(&self, condition: &str) -> Result<Values, Problem> {
        let mut values = Values::default();
        let given = self.parameters.iter();
        for (name, value) in
            given.filter_map(|(name, value)| Some((name.strip_prefix(WITH)?, value)))
        {
            if values.get(name).is_some() {
                return Err(Problem::usage(format!("the parameter `{WITH}{name}` is given twice")));
            }
            if !condition.contains(&format!(":{name}")) {
                let title = format!("`{WITH}{name}`: the expression has no parameter :{name}");
                return Err(Problem::invalid(title));
            }
            values.insert(name, Parameter::Untyped(value.into()));
        }
        Ok(values)
    }
}

/// The number of the field `name`.
fn field(schema: &Schema, name: &str) -> Result<usize, Problem> {
    schema.position(name).ok_or_else(|| {
        let problem = Problem::invalid(format!("no field `{name}`"));
        let all = || schema.names(&(0..schema.fields().len()).collect::<Vec<_>>());
        problem.with_detail(match schema.near(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", all()),
        })
    })
}

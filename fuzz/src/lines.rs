//! Lines: events, CloudEvents, commands and a program's replies.

use ream::wire::{self, AnyCommand, LineError, Reply, Where};
use ream::{Condition, FieldValues, Parameters, Row, Schema};

/// That a line is an event, which comes out as it went in; or that its error can be shown. Whether it
/// is one.
pub fn event_line(line: &[u8]) -> bool {
    match wire::parse_event(line) {
        Ok(event) => {
            let mut again = Vec::new();
            wire::write_new_event(&mut again, &event);
            assert_eq!(wire::parse_event(&again), Ok(event));
            true
        }
        Err(error) => refused(line, &error),
    }
}

/// That a line is a CloudEvent, of which the event comes out as it went in; or that its error can be shown. Whether
/// it is one.
pub fn cloud_event(line: &[u8]) -> bool {
    match wire::parse_cloud_event(line) {
        Ok(event) => {
            let mut again = Vec::new();
            wire::write_new_event(&mut again, &event);
            assert_eq!(wire::parse_event(&again), Ok(event));
            true
        }
        Err(error) => refused(line, &error),
    }
}

/// The same as for an event, for a command.
pub fn command_line(line: &[u8]) -> bool {
    match wire::parse_command(line) {
        Ok(command) => {
            let (mut again, id, data) = match &command {
                AnyCommand::Stream(command) => {
                    let mut again = b"{\"stream\":".to_vec();
                    wire::write_string(&mut again, command.stream.as_str());
                    (again, &command.id, &command.data)
                }
                AnyCommand::Boundary(command) => {
                    let mut again = b"{\"query\":".to_vec();
                    wire::write_query(&mut again, &command.criteria);
                    (again, &command.id, &command.data)
                }
            };
            if let Some(id) = id {
                again.extend_from_slice(b",\"id\":");
                wire::write_string(&mut again, id.as_str());
            }
            again.extend_from_slice(b",\"command\":");
            again.extend_from_slice(data.as_str().as_bytes());
            again.push(b'}');
            assert_eq!(wire::parse_command(&again), Ok(command));
            true
        }
        Err(error) => refused(line, &error),
    }
}

/// That a line is a reply, of which the parts are rows, values and conditions of a schema or are refused;
/// or that its error can be shown. Whether it is a reply.
pub fn reply_line(line: &[u8], schema: &Schema) -> bool {
    let reply = match wire::parse_reply(line, &wire::Defaults::default()) {
        Ok(reply) => reply,
        Err(error) => return refused(line, &error),
    };
    match reply {
        Reply::Set(row) | Reply::Upsert { row, .. } => {
            if let Ok(read) = Row::parse(row.text.as_bytes(), schema) {
                let again = Row::parse(read.to_json(schema).as_bytes(), schema);
                assert_eq!(again, Ok(read));
            }
        }
        Reply::Update { rows: Where::Equal(part), .. } | Reply::Delete(Where::Equal(part)) => {
            if let Ok(values) = FieldValues::parse(part.text.as_bytes(), schema) {
                let _ = Condition::equal(&values, schema);
            }
        }
        Reply::Update { rows: Where::Expression { text, .. }, .. }
        | Reply::Delete(Where::Expression { text, .. }) => {
            let _ = Condition::new(&text, schema, &Parameters::default());
        }
        _ => {}
    }
    true
}

/// That an error has a place in the line, or right behind it, and can be read. It is none of a line.
fn refused(line: &[u8], LineError { column, reason }: &LineError) -> bool {
    assert!((1..=line.len() + 1).contains(column), "column {column} of {}: {reason}", line.len());
    assert!(!reason.is_empty() && reason.len() <= 4000, "{} bytes", reason.len());
    false
}

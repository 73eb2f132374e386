//! Projections as the registry has them: there is one or not, whatever has become of its file.

use rusqlite::Connection;

use crate::schema::{Definition, Identifier};
use crate::store::permit::Permit;
use crate::store::sqlite::Store;
use crate::store::sqlite::failure::Failure;
use crate::store::sqlite::registry::{self, Kind, Name};
use crate::store::{Error, ProjectionEntry};

/// The projection `name`.
pub(super) fn find(connection: &Connection, name: &str) -> Result<ProjectionEntry, Failure> {
    entry(row(connection, name)?)
}

/// The row of the projection `name`.
fn row(connection: &Connection, name: &str) -> Result<Name, Failure> {
    if let Some(found) = registry::find_kind(connection, name, Kind::Projection)? {
        return Ok(found);
    }
    let near = registry::near(connection, name, Kind::Projection)?;
    Err(Error::ProjectionNotFound { name: name.into(), near }.into())
}

/// The generation of the projection `name` that serves.
pub(super) fn serves(connection: &Connection, name: &str) -> Result<u64, Failure> {
    Ok(row(connection, name)?.generation)
}

/// The projection in a row.
pub(super) fn entry(row: Name) -> Result<ProjectionEntry, Failure> {
    let Name { text: name, generation, record, permit, .. } = row;
    let record = record.unwrap_or_default();
    let unreadable = |error: &dyn std::fmt::Display| {
        registry::unreadable(Kind::Projection, &name, &record, error)
    };
    Ok(ProjectionEntry {
        name: Identifier::new(&name).map_err(|error| unreadable(&error))?,
        definition: Definition::parse(&record).map_err(|error| unreadable(&error))?,
        generation,
        // What is no permit is none that holds.
        permit: permit.as_deref().and_then(Permit::from_bytes),
        given: false,
    })
}

/// Stores a projection in the place of the row that its name had.
pub(super) fn put(connection: &Connection, entry: &ProjectionEntry) -> Result<(), Failure> {
    let name = registry::find_kind(connection, entry.name.as_str(), Kind::Projection)?;
    let row = Name {
        text: entry.name.to_string(),
        kind: Some(Kind::Projection),
        generation: entry.generation,
        record: Some(entry.definition.to_json()),
        permit: entry.permit.as_ref().map(|permit| permit.as_bytes().to_vec()),
        ..name.unwrap_or_default()
    };
    Ok(row.put(connection)?)
}

impl Store {
    /// The projection whose name is `name`, but for upper and lower case.
    pub(crate) fn registered(&self, name: &Identifier) -> Result<Option<ProjectionEntry>, Error> {
        self.look(|connection| {
            match registry::holder(connection, name.as_str(), Kind::Projection)? {
                registry::Holder::Known(row) => entry(*row).map(Some),
                registry::Holder::Nobody { .. } => Ok(None),
            }
        })
    }

    /// The projection `name`, as it is registered.
    pub(crate) fn projection_entry(&self, name: &str) -> Result<ProjectionEntry, Error> {
        self.look(|connection| find(connection, name))
    }

    /// The projections, by name.
    pub(crate) fn projections(&self) -> Result<Vec<ProjectionEntry>, Error> {
        self.look(|connection| {
            let all = registry::all(connection, Kind::Projection)?;
            registry::known(all, &self.options, entry)
        })
    }

    pub(crate) fn remember(&mut self, entry: &ProjectionEntry) -> Result<(), Error> {
        self.write(false, |transaction| {
            let connection = transaction.connection();
            let generation = serves(connection, entry.name.as_str())?;
            put(connection, &ProjectionEntry { generation, ..entry.clone() })
        })
    }

    /// Stores a permit with what the projection `name` remembers by then, which `permit` is made for.
    pub(crate) fn allow(
        &mut self,
        name: &str,
        permit: impl Fn(&ProjectionEntry) -> Permit,
    ) -> Result<ProjectionEntry, Error> {
        self.write(false, |transaction| {
            let connection = transaction.connection();
            let mut entry = find(connection, name)?;
            entry.permit = Some(permit(&entry));
            put(connection, &entry)?;
            Ok(entry)
        })
    }
}

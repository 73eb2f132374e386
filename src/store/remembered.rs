//! Programs that a store remembers: where they are run, and whether they may run here.
//!
//! A store can come from anywhere, and with it the programs of its projections. So a program that is
//! given here gets a permit, which only holds here, and without one that holds no remembered program
//! runs. `docs/trust.md` says why, and what a permit is made of.

use std::path::{Path, PathBuf};

use super::Store;
use super::chain::permit_hash;
use super::error::{Error, NotAllowed};
use super::name::ProjectionEntry;
use super::permit::Permit;
use super::rules::Act;
use super::rules::names::{self, Holder};
use crate::platform::Origin;
use crate::schema::{Definition, Identifier};

impl ProjectionEntry {
    /// A projection that is to be made. A program in `definition` is one that was read somewhere:
    /// [`Store::give`] gives one.
    #[must_use]
    pub fn new(name: Identifier, definition: Definition) -> Self {
        Self { name, definition, generation: 1, permit: None, given: false }
    }
}

impl Store {
    /// Gives a projection the program that makes it, run in `directory`. Whoever calls this says that
    /// the program may run here; what was read from the store or from a file is not given.
    pub fn give(&self, entry: &mut ProjectionEntry, program: Vec<String>, directory: &Path) {
        entry.definition.program = program;
        entry.definition.directory = Some(self.directory_to_remember(directory));
        entry.given = true;
        entry.permit = self.permit(entry).ok();
    }

    /// Whether the program that `entry` remembers was given or allowed here, and nothing has changed
    /// since that a permit depends on.
    #[must_use]
    pub fn allows(&self, entry: &ProjectionEntry) -> bool {
        entry.permit.is_some() && self.permit(entry).ok() == entry.permit
    }

    /// That the program of `entry` may run: it is given by whoever asks, or allowed here, or the store
    /// was opened with [`Options::allow_programs`].
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`].
    ///
    /// [`Options::allow_programs`]: crate::Options::allow_programs
    pub fn check_program(&self, entry: &ProjectionEntry) -> Result<(), Error> {
        let store = &self.engine;
        let none = entry.definition.program.is_empty();
        if none || entry.given || store.options().allow_programs || self.allows(entry) {
            return Ok(());
        }
        Err(Error::NotAllowed(Box::new(NotAllowed {
            name: entry.name.to_string(),
            program: entry.definition.program.clone(),
            directory: self.program_directory(&entry.definition),
            store: self.path().map_or_else(PathBuf::new, |path| {
                path.canonicalize().unwrap_or_else(|_| path.to_owned())
            }),
            no_permits: self.permit(entry).err(),
        })))
    }

    /// Makes a projection, without rows; whether it is new. Its program gets a permit.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionExists`] where there is one that is made of something else, [`Error::NameTaken`]
    /// where a subscription has the name, [`Error::NotAllowed`] where it has a program that may not run.
    pub fn create_projection(&mut self, entry: &ProjectionEntry) -> Result<bool, Error> {
        let found = self.name(entry.name.as_str())?;
        let same = match names::registered(found.as_ref(), &entry.name)? {
            Holder::Known(known) => {
                Some(known).filter(|known| known.definition == entry.definition)
            }
            Holder::Nobody { .. } => None,
        };
        if same.is_none_or(|known| !self.allows(&known)) {
            self.check_program(entry)?;
        }
        let mut entry = entry.clone();
        if !entry.definition.program.is_empty() {
            entry.permit = self.permit(&entry).ok();
        }
        self.make_projection(&entry)
    }

    /// Makes a projection by a definition from elsewhere, without rows; whether it is new. Its program may run once it
    /// is allowed, by [`Store::allow`].
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionExists`] where there is one that is made of something else, [`Error::NameTaken`]
    /// where a subscription has the name.
    pub fn define_projection(&mut self, entry: &ProjectionEntry) -> Result<bool, Error> {
        let found = self.name(entry.name.as_str())?;
        match names::registered(found.as_ref(), &entry.name)? {
            Holder::Known(known) if known.definition == entry.definition => Ok(false),
            Holder::Known(_) => Err(Error::ProjectionExists(entry.name.to_string())),
            Holder::Nobody { .. } => {
                self.make_projection(&ProjectionEntry { permit: None, ..entry.clone() })
            }
        }
    }

    /// Allows the program that the projection `name` remembers, and records that: it may run here from now on.
    /// The projection as it is, with the program that was allowed.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectionNotFound`]; [`Error::NoPermits`] where none can be kept.
    pub fn allow(&mut self, name: &str) -> Result<ProjectionEntry, Error> {
        let (id, origin) = (self.id().to_owned(), self.origin());
        let origin = origin.map_err(Error::NoPermits)?;
        let allowed = self.act(|tx| {
            let found = tx.look().name(name)?;
            let mut entry = names::projection(found.as_ref(), name)?;
            entry.permit = Some(permit_of(&origin, &id, &entry));
            let made = names::made(found.as_ref(), &entry);
            if found.as_ref() == Some(&made) {
                return Ok((entry, Vec::new()));
            }
            tx.put_name(&made)?;
            let generation = entry.generation;
            Ok((entry, vec![Act::ProjectionAllowed { name: name.into(), generation }]))
        });
        allowed.map_err(|error| self.with_near(error))
    }

    /// The directory that a program is run in whenever it is remembered, as it is stored: from the one
    /// on that the store lies in, where it is there or below, so that both can be moved together.
    #[must_use]
    pub fn directory_to_remember(&self, directory: &Path) -> String {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let within =
            self.place().and_then(|place| Some(directory.strip_prefix(place).ok()?.to_owned()));
        match within {
            Some(within) if within.as_os_str().is_empty() => HERE.into(),
            Some(within) => within.to_string_lossy().into_owned(),
            None => directory.to_string_lossy().into_owned(),
        }
    }

    /// The directory that the program in `definition` is run in.
    #[must_use]
    pub fn program_directory(&self, definition: &Definition) -> PathBuf {
        let place = self.place().unwrap_or_default();
        match relative(definition) {
            HERE => place,
            directory => place.join(directory),
        }
    }

    /// The directory that the store lies in.
    fn place(&self) -> Option<PathBuf> {
        self.path()?.canonicalize().ok()?.parent().map(Path::to_owned)
    }

    fn permit(&self, entry: &ProjectionEntry) -> Result<Permit, &'static str> {
        Ok(permit_of(&self.origin()?, self.id(), entry))
    }

    /// Where the store's database comes from, or why that can't be told.
    fn origin(&self) -> Result<Origin, &'static str> {
        self.engine.origin()
    }
}

/// The permit of the program that `entry` remembers, in the store `store`, whose database comes from
/// `origin`.
fn permit_of(origin: &Origin, store: &str, entry: &ProjectionEntry) -> Permit {
    let ProjectionEntry { name, definition, .. } = entry;
    let directory = relative(definition);
    Permit::new(permit_hash(origin, store, name.as_str(), &definition.program, directory))
}

/// The directory that the store lies in, as it is remembered.
const HERE: &str = ".";

/// The directory in a definition, from the one on that the store lies in.
fn relative(definition: &Definition) -> &str {
    definition.directory.as_deref().unwrap_or(HERE)
}

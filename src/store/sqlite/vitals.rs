//! What the files of a store are like.

use std::path::{Path, PathBuf};

use super::event_row::Head;
use super::log::{self, FRAMES_AT_WORK};
use super::records::{Acknowledged, read};
use super::{Store, scrub, table};
use crate::platform;
use crate::store::rules::names::Kind;
use crate::store::vitals::Vitals;
use crate::store::{Error, Options};

impl Store {
    /// What the store's files are like.
    pub(crate) fn vitals(&self) -> Result<Vitals, Error> {
        let (head, erasing) = self.look(|connection| {
            let head = Head::read(connection, self.id())?;
            Ok((head.position, scrub::unfinished(connection)?.is_some()))
        })?;
        let acknowledged: Option<Acknowledged> = read(&self.layout);
        let mut read_by = log::readers(&self.layout);
        read_by.retain(|process| *process != std::process::id());
        Ok(Vitals {
            head,
            acknowledged: acknowledged.map(|said| said.position),
            log_bytes: log::wal_bytes(&self.layout),
            log_bytes_at_work: log::bytes(FRAMES_AT_WORK),
            read_by,
            erasing,
            free_bytes: platform::free_bytes(Path::new(&self.layout.root)),
            shared_file_system: self.shared_file_system(),
            last_backup: self.last_backup()?,
            strays: self.strays()?,
        })
    }

    /// The kind of file system, where it was asked to use one that other machines share.
    fn shared_file_system(&self) -> Option<String> {
        let Options { unsafe_file_system, .. } = self.options;
        if unsafe_file_system { self.layout.place.shared_file_system() } else { None }
    }

    /// The files of projections that are in no one's use, each with the name of its projection.
    fn strays(&self) -> Result<Vec<(String, PathBuf)>, Error> {
        let files = table::files(&self.layout)?;
        // Behind the files: what is made since then is no stray.
        let names = self.names()?;
        let mut strays = Vec::new();
        for (name, generation, path) in files {
            let found = names.iter().find(|found| found.text == name.as_str());
            let serves = found.filter(|found| found.kind == Some(Kind::Projection));
            if serves.is_some_and(|serves| serves.generation == generation)
                || self.is_made(&name)?
            {
                continue;
            }
            strays.push((name.to_string(), path));
        }
        Ok(strays)
    }
}

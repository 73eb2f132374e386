//! The manifest of a backup: one object of JSON, its keys in a fixed order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Backup, BackupFile, BackupProjection};
use crate::event::Position;
use crate::store::Checkpoint;

/// The manifest's own format.
const FORMAT: u32 = 1;

/// The manifest as it is written.
#[derive(Serialize, Deserialize)]
struct ManifestJson {
    manifest: u32,
    made_by: String,
    store: String,
    format: u32,
    head: u64,
    link: String,
    time: String,
    events: u64,
    files: Vec<FileJson>,
    projections: Vec<ProjectionJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damaged: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct FileJson {
    file: String,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct ProjectionJson {
    projection: String,
    generation: u64,
    position: u64,
}

/// The format of a manifest, whatever else it says.
#[derive(Deserialize)]
struct FormatJson {
    manifest: u32,
}

impl Backup {
    /// The manifest, with an end of line.
    pub(in crate::store) fn to_json(&self) -> Result<String, serde_json::Error> {
        let files = self.files.iter().map(|file| {
            let BackupFile { name, bytes } = file.clone();
            FileJson { file: name, bytes }
        });
        let projections = self.projections.iter().map(|projection| {
            let BackupProjection { name, generation, position } = projection.clone();
            ProjectionJson { projection: name, generation, position: position.0 }
        });
        let json = serde_json::to_string(&ManifestJson {
            manifest: FORMAT,
            made_by: self.made_by.clone(),
            store: self.store.clone(),
            format: self.format,
            head: self.head.position.0,
            link: self.head.link.to_string(),
            time: self.time.to_string(),
            events: self.events,
            files: files.collect(),
            projections: projections.collect(),
            damaged: self.damaged.clone(),
        })?;
        Ok(json + "\n")
    }

    /// What the manifest of the backup in `path` says, or why it is none. Keys that are not known are passed
    /// over.
    pub(in crate::store) fn parse(path: PathBuf, text: &str) -> Result<Self, String> {
        let known: FormatJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if known.manifest > FORMAT {
            return Err("a later version of ream wrote it".into());
        }
        let json: ManifestJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let link = json.link.parse().map_err(|error| format!("`link`: {error}"))?;
        let time = json.time.parse().map_err(|error| format!("`time`: {error}"))?;
        let files =
            json.files.into_iter().map(|FileJson { file: name, bytes }| BackupFile { name, bytes });
        let projections = json.projections.into_iter().map(|projection| {
            let ProjectionJson { projection: name, generation, position } = projection;
            BackupProjection { name, generation, position: Position(position) }
        });
        Ok(Self {
            path,
            made_by: json.made_by,
            store: json.store,
            format: json.format,
            head: Checkpoint { position: Position(json.head), link },
            time,
            events: json.events,
            files: files.collect(),
            projections: projections.collect(),
            damaged: json.damaged,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = concat!(
        r#"{"manifest":1,"made_by":"ream 0.1.0","store":"4fz0k7m2q9xwb","format":1,"head":3,"#,
        r#""link":"0123456789abcdef0123456789abcdef","time":"2026-11-23T04:49:13.784077Z","#,
        r#""events":3,"files":[{"file":"db","bytes":4096}],"#,
        r#""projections":[{"projection":"users","generation":2,"position":3}]}"#,
        "\n"
    );

    #[test]
    fn what_is_written_is_read() {
        let backup = Backup::parse("x".into(), TEXT).unwrap();
        assert_eq!(backup.to_json().unwrap(), TEXT);
        assert_eq!((backup.head.position.0, backup.bytes()), (3, 4096));
        let damaged = TEXT.replace("}\n", r#","damaged":"lost"}"#) + "\n";
        assert_eq!(Backup::parse("x".into(), &damaged).unwrap().to_json().unwrap(), damaged);
        let later = TEXT.replace("}\n", r#","more":[1]}"#);
        assert_eq!(Backup::parse("x".into(), &later).unwrap(), backup);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for (from, to, reason) in [
            ("{\"manifest\":1", "{\"manifest\":2", "a later version of ream wrote it"),
            ("{\"manifest\":1", "{\"manifest\":-1", "invalid value"),
            ("0123456789abcdef\"", "0123\"", "`link`: "),
            ("2026-11-23T", "23.11.2026 ", "`time`: "),
            ("\"events\":3,", "", "missing field `events`"),
            ("\n", "{}", "trailing characters"),
            ("}]}\n", "", "EOF while parsing"),
        ] {
            let told = Backup::parse("x".into(), &TEXT.replace(from, to)).unwrap_err();
            assert!(told.starts_with(reason), "{told}");
        }
    }
}

//! Names: who may have one, and what it stands for.
//!
//! Names that differ in nothing but case are one name: they would be one file in some file systems. What is
//! left of a name that was given back is the last generation that it had, so that no file name is used again.

use std::collections::HashMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{SubscriptionName, Timestamp};
use crate::excerpt::excerpt;
use crate::schema::{Definition, Identifier, OpenDefinition};
use crate::store::permit::Permit;
use crate::store::{
    Checkpoint, Error, LastFailure, NewSubscription, NewerRecord, ProjectionEntry, Subscription,
};
use crate::wire::CriteriaParts;

/// How much of a failure is kept, in bytes.
const MOST_FAILURE: usize = 2000;
/// What stands where the message of a failure was forgotten.
const ERASED: &str = "(erased, since it may have quoted what was removed)";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Projection,
    Subscription,
}

impl Kind {
    /// As a part of a sentence.
    fn told(self) -> &'static str {
        match self {
            Self::Projection => "a projection",
            Self::Subscription => "a subscription",
        }
    }
}

/// What a store keeps of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Name {
    /// The name as it was first written.
    pub(crate) text: String,
    /// What it stands for; nothing once it is free.
    pub(crate) kind: Option<Kind>,
    /// The generation of a projection that serves, or the last one that did.
    pub(crate) generation: u64,
    /// What it is made from, or what it follows, as JSON.
    pub(crate) record: Option<String>,
    /// The permit of the program in `record`.
    pub(crate) permit: Option<Vec<u8>>,
    /// How far a subscription has come. A projection has that in its file.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// When it failed last, where it has not gone on since.
    pub(crate) failed: Option<Timestamp>,
    /// How it failed; nothing where that was forgotten.
    pub(crate) failure: Option<String>,
}

impl Name {
    /// The name given back: what stays is that its generations are used up.
    pub(crate) fn given_back(&self) -> Self {
        Self { text: self.text.clone(), generation: self.generation, ..Self::default() }
    }

    /// The same with how it failed last, or that it no longer does.
    pub(crate) fn failing(self, failure: Option<(Timestamp, &str)>) -> Self {
        let message = failure.map(|(_, message)| excerpt(message, MOST_FAILURE).into_owned());
        Self { failed: failure.map(|(time, _)| time), failure: message, ..self }
    }

    fn damaged(&self, error: &dyn Display) -> Error {
        Error::Damaged { what: format!("the {} `{}` is none: {error}", self.word(), self.text) }
    }

    /// Why its record can't be read. The row is as it was written, so an object that is not known here is
    /// one of a later ream.
    fn unreadable(&self, error: &dyn Display) -> Error {
        let record = self.record.as_deref().unwrap_or_default();
        if serde_json::from_str::<HashMap<String, &RawValue>>(record).is_err() {
            return self.damaged(error);
        }
        let (what, name, reason) = (self.word(), self.text.clone(), error.to_string());
        Error::NewerRecord(NewerRecord { what, name, reason })
    }

    /// The kind that it is of, as a word.
    fn word(&self) -> &'static str {
        self.kind.unwrap_or(Kind::Subscription).told().trim_start_matches("a ")
    }
}

/// Whether a name is there for who asks for it.
#[derive(Debug, PartialEq)]
pub(crate) enum Holder<T> {
    /// It stands for something of the kind that is asked for.
    Known(T),
    /// It is free. The last generation that it had.
    Nobody { generation: u64 },
}

/// What `name` stands for, as it is written; `found` is what the store keeps of it, but for its case.
pub(crate) fn exactly<'n>(found: Option<&'n Name>, name: &str) -> Option<&'n Name> {
    found.filter(|found| found.kind.is_some() && found.text == name)
}

/// The same where it is of a kind.
pub(crate) fn of_kind<'n>(found: Option<&'n Name>, name: &str, kind: Kind) -> Option<&'n Name> {
    exactly(found, name).filter(|found| found.kind == Some(kind))
}

/// Who has a name that is wanted for a kind, but for its case. What another kind has is refused.
fn holder<'n>(found: Option<&'n Name>, name: &str, kind: Kind) -> Result<Holder<&'n Name>, Error> {
    match found {
        Some(found) if found.kind == Some(kind) => Ok(Holder::Known(found)),
        Some(Name { kind: Some(other), .. }) => {
            Err(Error::NameTaken { name: name.into(), what: other.told() })
        }
        free => Ok(Holder::Nobody { generation: free.map_or(0, |free| free.generation) }),
    }
}

/// How what is called `name` failed last.
pub(crate) fn last_failure(found: Option<&Name>, name: &str) -> Option<LastFailure> {
    let found = exactly(found, name)?;
    let message = found.failure.clone().unwrap_or_else(|| ERASED.into());
    found.failed.map(|time| LastFailure { time, message })
}

/// The last generation that `name` had, as it is written; 0 where it never had one.
pub(crate) fn last_generation(found: Option<&Name>, name: &str) -> u64 {
    found.filter(|found| found.text == name).map_or(0, |found| found.generation)
}

/// What a subscription follows, as JSON.
///
/// Another key is of a later ream, and without it another subscription would be followed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowsJson {
    from: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<Box<RawValue>>,
}

/// The subscription that `new` would be, where it is there already; one that follows something else, or has
/// its name in another case, is refused.
pub(crate) fn subscribe(
    found: Option<&Name>,
    new: &NewSubscription,
) -> Result<Holder<Subscription>, Error> {
    let known = match holder(found, new.name.as_str(), Kind::Subscription)? {
        Holder::Known(known) => subscription_in(known)?,
        Holder::Nobody { generation } => return Ok(Holder::Nobody { generation }),
    };
    if known.follows.name != new.name || to_json(&known.follows) != to_json(new) {
        let name = known.follows.name.to_string();
        return Err(Error::SubscriptionDiffers { name, follows: told(&known.follows) });
    }
    Ok(Holder::Known(known))
}

/// A new subscription, as it is kept, under a name whose last generation is given.
pub(crate) fn subscribed(new: &NewSubscription, generation: u64, at: Checkpoint) -> Name {
    Name {
        text: new.name.to_string(),
        kind: Some(Kind::Subscription),
        generation,
        record: Some(to_json(new)),
        checkpoint: Some(at),
        ..Name::default()
    }
}

/// The subscription `name`.
pub(crate) fn subscription(found: Option<&Name>, name: &str) -> Result<Subscription, Error> {
    let found = of_kind(found, name, Kind::Subscription);
    let none = || Error::SubscriptionNotFound { name: name.into(), near: Vec::new() };
    subscription_in(found.ok_or_else(none)?)
}

/// The subscription that a name stands for.
pub(crate) fn subscription_in(name: &Name) -> Result<Subscription, Error> {
    let FollowsJson { from, types, tags, query } =
        serde_json::from_str(name.record.as_deref().unwrap_or_default())
            .map_err(|error| name.unreadable(&error))?;
    let [from, types, tags] =
        [&from, &types, &tags].map(|texts| texts.iter().map(|text| &**text).collect());
    let criteria = CriteriaParts { from, types, tags, query }.read();
    Ok(Subscription {
        follows: NewSubscription {
            name: SubscriptionName::stored(&name.text),
            criteria: criteria.map_err(|error| name.damaged(&error))?,
        },
        checkpoint: name.checkpoint.ok_or_else(|| name.damaged(&"it has no checkpoint"))?,
    })
}

fn to_json(new: &NewSubscription) -> String {
    let CriteriaParts { from, types, tags, query } = CriteriaParts::of(&new.criteria);
    let [from, types, tags] =
        [from, types, tags].map(|texts| texts.into_iter().map(String::from).collect());
    let follows = FollowsJson { from, types, tags, query };
    // Lists of texts are always JSON.
    serde_json::to_string(&follows).unwrap_or_default()
}

/// What a subscription follows, for the eye.
fn told(follows: &NewSubscription) -> String {
    let CriteriaParts { from, types, tags, query } = CriteriaParts::of(&follows.criteria);
    if let Some(query) = query {
        return format!("what {query} chooses");
    }
    let mut told = if from.is_empty() { "all streams".into() } else { from.join(" ") };
    for (what, texts) in [("of type", types), ("with the tags", tags)] {
        if !texts.is_empty() {
            told = format!("{told}, {what} {}", texts.join(", "));
        }
    }
    told
}

/// The projection that has a name, in whatever case; what another kind has is refused.
pub(crate) fn registered(
    found: Option<&Name>,
    name: &Identifier,
) -> Result<Holder<ProjectionEntry>, Error> {
    Ok(match holder(found, name.as_str(), Kind::Projection)? {
        // What is open is made of nothing yet.
        Holder::Known(Name { generation, .. }) if is_open(found) => {
            Holder::Nobody { generation: *generation }
        }
        Holder::Known(known) => Holder::Known(projection_in(known)?),
        Holder::Nobody { generation } => Holder::Nobody { generation },
    })
}

/// The projection that `entry` would be, where it is there already; one that is made of something else, or
/// has its name in another case, is refused.
pub(crate) fn create(
    found: Option<&Name>,
    entry: &ProjectionEntry,
) -> Result<Holder<ProjectionEntry>, Error> {
    if let Holder::Known(known) = holder(found, entry.name.as_str(), Kind::Projection)?
        && let Some(open) = open_in(known)
    {
        // What it is made of is what its first row makes of it.
        let fits = known.text == entry.name.as_str()
            && open == OpenDefinition::of(&entry.definition.schema);
        return if fits {
            Ok(Holder::Nobody { generation: known.generation })
        } else {
            Err(Error::ProjectionExists(known.text.clone()))
        };
    }
    match registered(found, &entry.name)? {
        Holder::Known(known)
            if known.name != entry.name || known.definition != entry.definition =>
        {
            Err(Error::ProjectionExists(known.name.to_string()))
        }
        holder => Ok(holder),
    }
}

/// The definition of a projection whose fields have no types yet, where a name stands for such a one.
pub(crate) fn open_in(name: &Name) -> Option<OpenDefinition> {
    let record = name.record.as_deref().filter(|_| name.kind == Some(Kind::Projection));
    OpenDefinition::parse(record?)
}

fn is_open(found: Option<&Name>) -> bool {
    found.and_then(open_in).is_some()
}

/// The projection `name` without types, where it is there already, without them or with them by now; one
/// that has other fields, or its name in another case, is refused.
pub(crate) fn create_open(
    found: Option<&Name>,
    name: &Identifier,
    open: &OpenDefinition,
) -> Result<Holder<()>, Error> {
    let known = match holder(found, name.as_str(), Kind::Projection)? {
        Holder::Known(known) => known,
        Holder::Nobody { generation } => return Ok(Holder::Nobody { generation }),
    };
    let has = match open_in(known) {
        Some(open) => open,
        None => OpenDefinition::of(&projection_in(known)?.definition.schema),
    };
    if known.text == name.as_str() && has == *open {
        return Ok(Holder::Known(()));
    }
    Err(Error::ProjectionExists(known.text.clone()))
}

/// A projection without types, as it is kept, under a name whose last generation is given.
pub(crate) fn opened(name: &Identifier, open: &OpenDefinition, generation: u64) -> Name {
    let (text, record) = (name.to_string(), Some(open.to_json()));
    Name { text, kind: Some(Kind::Projection), generation, record, ..Name::default() }
}

/// The generation of the projection `name` that serves.
pub(crate) fn serves(found: Option<&Name>, name: &str) -> Result<u64, Error> {
    let none = || Error::ProjectionNotFound { name: name.into(), near: Vec::new() };
    Ok(of_kind(found, name, Kind::Projection).ok_or_else(none)?.generation)
}

/// The projection `name`.
pub(crate) fn projection(found: Option<&Name>, name: &str) -> Result<ProjectionEntry, Error> {
    let none = || Error::ProjectionNotFound { name: name.into(), near: Vec::new() };
    projection_in(of_kind(found, name, Kind::Projection).ok_or_else(none)?)
}

/// The projection that a name stands for.
pub(crate) fn projection_in(name: &Name) -> Result<ProjectionEntry, Error> {
    let record = name.record.as_deref().unwrap_or_default();
    if open_in(name).is_some() {
        return Err(Error::ProjectionOpen(name.text.clone()));
    }
    Ok(ProjectionEntry {
        name: Identifier::new(&name.text).map_err(|error| name.unreadable(&error))?,
        definition: Definition::parse(record).map_err(|error| name.unreadable(&error))?,
        generation: name.generation,
        // What is no permit is none that holds.
        permit: name.permit.as_deref().and_then(Permit::from_bytes),
        given: false,
    })
}

/// A projection as it is kept, in the place of what was kept of its name.
pub(crate) fn made(found: Option<&Name>, entry: &ProjectionEntry) -> Name {
    let before = of_kind(found, entry.name.as_str(), Kind::Projection);
    Name {
        text: entry.name.to_string(),
        kind: Some(Kind::Projection),
        generation: entry.generation,
        record: Some(entry.definition.to_json()),
        permit: entry.permit.as_ref().map(|permit| permit.as_bytes().to_vec()),
        ..before.cloned().unwrap_or_default()
    }
}

/// The same for the generation that is to serve after the one that does. Where another one does by now, or
/// none, it is refused.
pub(crate) fn switched(found: Option<&Name>, entry: &ProjectionEntry) -> Result<Name, Error> {
    match of_kind(found, entry.name.as_str(), Kind::Projection) {
        Some(serving) if serving.generation + 1 == entry.generation => Ok(made(found, entry)),
        _ => Err(Error::Superseded(entry.name.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Criteria, Criterion, Link, Position};
    use crate::schema::Schema;

    fn follows(name: &str, patterns: &[&str]) -> NewSubscription {
        let streams = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let criteria = Criteria::of(Criterion { streams, ..Criterion::default() });
        NewSubscription { name: name.parse().unwrap(), criteria }
    }

    fn at(position: u64) -> Checkpoint {
        Checkpoint { position: Position(position), link: Link::genesis("x") }
    }

    fn entry(name: &str, fields: &[&str], generation: u64) -> ProjectionEntry {
        let definition = Definition::new(Schema::of(fields).unwrap());
        let (permit, given) = (Some(Permit::new([7; 32])), false);
        ProjectionEntry { name: name.parse().unwrap(), definition, generation, permit, given }
    }

    /// What comes of asking for a name, in a word.
    fn word<T>(answer: Result<Holder<T>, Error>) -> String {
        match answer {
            Ok(Holder::Known(_)) => "known".into(),
            Ok(Holder::Nobody { generation }) => format!("free after {generation}"),
            Err(Error::NameTaken { name, what }) => format!("{name} is {what}"),
            Err(Error::SubscriptionDiffers { name, follows }) => format!("{name}: {follows}"),
            Err(Error::ProjectionExists(name)) => format!("{name} exists"),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_may_have_a_name() {
        let subscription = |name| subscribed(&follows(name, &["order-*"]), 2, at(3));
        let projection = |name| made(None, &entry(name, &["id:integer:key"], 4));
        let other = |name| made(None, &entry(name, &["id:text:key"], 4));
        for (found, subscribe_to, create_of) in [
            (None, "free after 0", "free after 0"),
            (Some(subscription("mail")), "known", "mail is a subscription"),
            (Some(subscription("Mail")), "Mail: order-*", "mail is a subscription"),
            (Some(projection("mail")), "mail is a projection", "known"),
            (Some(projection("Mail")), "mail is a projection", "Mail exists"),
            (Some(other("mail")), "mail is a projection", "mail exists"),
            (Some(subscription("mail").given_back()), "free after 2", "free after 2"),
            (Some(projection("MAIL").given_back()), "free after 4", "free after 4"),
        ] {
            let found = found.as_ref();
            let asked = subscribe(found, &follows("mail", &["order-*"]));
            assert_eq!(word(asked), subscribe_to, "{found:?}");
            let asked = create(found, &entry("mail", &["id:integer:key"], 1));
            assert_eq!(word(asked), create_of, "{found:?}");
        }
        let found = subscription("mail");
        let all = subscribe(Some(&found), &follows("mail", &[]));
        assert_eq!(word(all), "mail: order-*");
    }

    #[test]
    fn a_name_is_found_as_it_is_written_and_as_what_it_is() {
        let name = subscribed(&follows("mail", &["a"]), 0, at(3));
        assert_eq!(subscription(Some(&name), "mail").unwrap().checkpoint, at(3));
        let hidden = |refused| matches!(refused, Err(Error::SubscriptionNotFound { .. }));
        for found in [
            None,
            Some(&name.given_back()),
            Some(&made(None, &entry("mail", &["i:integer:key"], 1))),
        ] {
            assert!(hidden(subscription(found, "mail")), "{found:?}");
        }
        assert!(hidden(subscription(Some(&name), "Mail")));
        assert!(matches!(projection(Some(&name), "mail"), Err(Error::ProjectionNotFound { .. })));
        let broken = Name { checkpoint: None, ..name.clone() };
        let refused = subscription(Some(&broken), "mail").unwrap_err().to_string();
        assert!(refused.contains("the subscription `mail` is none"), "{refused}");
        let newer = Name { kind: Some(Kind::Projection), ..name };
        let refused = projection(Some(&newer), "mail").unwrap_err().to_string();
        assert!(refused.starts_with("the projection `mail` was made by a later"), "{refused}");
        let broken = Name { record: Some("[]".into()), ..newer };
        let refused = projection(Some(&broken), "mail").unwrap_err().to_string();
        assert!(refused.contains("the projection `mail` is none"), "{refused}");
    }

    #[test]
    fn a_generation_serves_after_the_one_before_it_and_keeps_how_it_failed() {
        let new = entry("users", &["id:integer:key"], 5);
        let serving = |generation| ProjectionEntry { generation, ..new.clone() };
        let now = Timestamp::from_micros(0).unwrap();
        let found = made(None, &serving(4)).failing(Some((now, "it failed")));
        let next = switched(Some(&found), &new).unwrap();
        assert_eq!(projection(Some(&next), "users").unwrap(), new);
        assert_eq!(last_failure(Some(&next), "users").unwrap().message, "it failed");
        let forgotten = Name { failure: None, ..next };
        assert_eq!(last_failure(Some(&forgotten), "users").unwrap().message, ERASED);
        assert_eq!(last_failure(Some(&forgotten.failing(None)), "users"), None);
        for found in
            [None, Some(found.given_back()), Some(made(None, &serving(3))), Some(made(None, &new))]
        {
            let refused = switched(found.as_ref(), &new);
            assert!(matches!(refused, Err(Error::Superseded(_))), "{found:?}");
        }
    }
}

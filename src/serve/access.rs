//! Who may do what: tokens, and what each lets its holder do. No token is kept, shown or logged: of each
//! there is its hash.

use std::fmt;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::store::{
    Actor, BadCredentials, Error, Fields, Hash, Options, RunLock, Store, read_private,
};

/// The name of who has the token in the store.
const OWNER: &str = "owner";
/// The most bytes of a holder's name.
const NAME: usize = 255;

/// What a connection may do; each may do what the ones before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// To list, get, select and subscribe.
    Read,
    /// Also to publish, and to set states.
    Append,
    /// All else.
    Admin,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Access {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Read, Self::Append, Self::Admin]
            .into_iter()
            .find(|access| access.to_string() == word)
            .ok_or(())
    }
}

/// Who has a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) name: Arc<str>,
    pub(super) access: Access,
}

impl Holder {
    /// Who owns the store.
    pub(super) fn owner() -> Self {
        Self { name: OWNER.into(), access: Access::Admin }
    }

    /// The same, who may do no more than that.
    pub(super) fn limited(self, most: Access) -> Self {
        Self { access: self.access.min(most), ..self }
    }

    /// Who acts on the store where the holder asks for that.
    pub(super) fn actor(&self) -> Actor {
        Actor::named(&*self.name)
    }

    /// Whoever connects where no token is needed.
    pub(super) fn anyone() -> Self {
        Self { name: "anyone".into(), access: Access::Admin }
    }
}

/// A token that a client has sent.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The hash of a token, and who has it.
type Held = (Hash, Holder);

/// What is wrong with a text of tokens: in which line, where it has lines, and what.
#[derive(Debug, PartialEq, Eq)]
struct Wrong(Option<usize>, String);

/// The tokens, shared by all that listen; read anew at SIGHUP.
pub(super) struct Tokens {
    path: PathBuf,
    /// Whether it is the file in the store, which holds one token alone.
    is_own: bool,
    trust_owner: bool,
    /// What any of them lets its holder do at most.
    most: Access,
    held: RwLock<Vec<Held>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even their hashes.
        f.debug_struct("Tokens").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The tokens in the file at `path`.
    pub(super) fn of_file(path: &Path, options: &Options) -> Result<Self, Error> {
        let tokens = Self {
            path: path.into(),
            is_own: false,
            trust_owner: options.trust_owner,
            most: Access::Admin,
            held: RwLock::default(),
        };
        tokens.reload()?;
        Ok(tokens)
    }

    /// The token in the store, which is made where there is none. Whoever calls this is its only server.
    pub(super) fn of_store(
        store: &Store,
        alone: &RunLock,
        options: &Options,
    ) -> Result<Self, Error> {
        let (path, text) = store.own_token(alone)?;
        let held = Self::read(&path, &text, true)?;
        let trust_owner = options.trust_owner;
        let (most, held) = (Access::Admin, RwLock::new(held));
        Ok(Self { path, is_own: true, trust_owner, most, held })
    }

    /// The same, with which no one may do more than that.
    pub(super) fn limited(self, most: Access) -> Self {
        Self { most, ..self }
    }

    /// The file that they are in.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Who has this token.
    pub(super) fn find(&self, token: &str) -> Option<Holder> {
        let asked = hash(token);
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        // How long it takes does not say which one it is, nor how near another comes: all are looked at.
        for (hash, holder) in &*held {
            let differs = hash.iter().zip(&asked).fold(0, |differs, (a, b)| differs | (a ^ b));
            if black_box(differs) == 0 {
                found = Some(holder);
            }
        }
        found.cloned().map(|holder| holder.limited(self.most))
    }

    /// Reads the file anew; where it can't be used, what was there stays.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let text = read_private(&self.path, self.trust_owner)?;
        let held = Self::read(&self.path, &text, self.is_own)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    fn read(path: &Path, text: &str, is_own: bool) -> Result<Vec<Held>, Error> {
        let read = if is_own { read_own(text) } else { read_lines(text) };
        read.map_err(|Wrong(line, reason)| {
            Error::BadCredentials(BadCredentials { path: path.into(), line, reason })
        })
    }
}

/// Reads the text of the file in the store.
fn read_own(text: &str) -> Result<Vec<Held>, Wrong> {
    let token = text.trim_ascii();
    if !is_token(token) {
        return Err(Wrong(None, "it does not hold one token and nothing else".into()));
    }
    Ok(vec![(hash(token), Holder::owner())])
}

/// Reads lines: a name, what its holder may do, a token.
fn read_lines(text: &str) -> Result<Vec<Held>, Wrong> {
    let mut held: Vec<(usize, Held)> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // No field is quoted: where they are in another order, any may be the token.
        let wrong = |reason: String| Wrong(Some(number), reason);
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[name, access, token] = &fields[..] else {
            let count = fields.len();
            return Err(wrong(format!("it has {count} fields, and not 3: NAME ACCESS TOKEN")));
        };
        if name.len() > NAME || name.chars().any(char::is_control) {
            return Err(wrong(format!(
                "the name has more than {NAME} bytes or a control character"
            )));
        }
        let access = access.parse();
        let access =
            access.map_err(|()| wrong("its second field is none of read, append, admin".into()))?;
        if !is_token(token) {
            return Err(wrong("the token has other characters than those of ASCII".into()));
        }
        let hash = hash(token);
        if let Some((first, _)) = held.iter().find(|(_, (other, _))| *other == hash) {
            return Err(wrong(format!("it has the token of line {first}")));
        }
        held.push((number, (hash, Holder { name: name.into(), access })));
    }
    Ok(held.into_iter().map(|(_, held)| held).collect())
}

fn hash(token: &str) -> Hash {
    Fields::hashed(token.as_bytes()).hash()
}

/// Whether a text can be a token: it travels in a header of HTTP as well.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn who_has_a_token_is_found_by_the_whole_of_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens");
        let lines = "# who\n\n ann\tread  t-ann \r\nbob append t-bob\nbob admin t-other\n";
        write(&path, lines);
        let tokens = Tokens::of_file(&path, &Options::default()).unwrap();
        let holder = |name: &str, access| Some(Holder { name: name.into(), access });
        assert_eq!(tokens.find("t-ann"), holder("ann", Access::Read));
        assert_eq!(tokens.find("t-bob"), holder("bob", Access::Append));
        assert_eq!(tokens.find("t-other"), holder("bob", Access::Admin));
        for none in ["", "t-an", "t-ann ", "t-anna", "T-ANN", "ann", "t-bob\n"] {
            assert_eq!(tokens.find(none), None, "{none:?}");
        }
        let shown = format!("{tokens:?}");
        assert!(!shown.contains("t-") && !shown.contains("held"), "{shown}");
    }

    #[test]
    fn what_is_no_line_is_named_by_its_number_and_never_quoted() {
        let refused = |text: &str| {
            let Wrong(line, reason) = read_lines(text).unwrap_err();
            assert!(!reason.contains("secret"), "{reason}");
            (line.unwrap(), reason)
        };
        let fields = |count| format!("it has {count} fields, and not 3: NAME ACCESS TOKEN");
        assert_eq!(refused("\nann read\n"), (2, fields(2)));
        assert_eq!(refused("ann read secret secret"), (1, fields(4)));
        let access = "its second field is none of read, append, admin";
        assert_eq!(refused("ann secret read"), (1, access.into()));
        assert_eq!(refused("ann READ secret"), (1, access.into()));
        let ascii = "the token has other characters than those of ASCII";
        assert_eq!(refused("ann read secr\u{e9}t"), (1, ascii.into()));
        let name = "the name has more than 255 bytes or a control character";
        assert_eq!(refused(&format!("{} read secret", "x".repeat(256))), (1, name.into()));
        assert_eq!(refused("a\u{1b}b read secret"), (1, name.into()));
        let twice = "ann read secret\n\nbob read other\ncat admin secret\n";
        assert_eq!(refused(twice), (4, "it has the token of line 1".into()));
        assert_eq!(read_lines("# none\n"), Ok(Vec::new()));
        let error = BadCredentials { path: "t".into(), line: Some(2), reason: fields(2) };
        assert_eq!(error.to_string(), "t, line 2: it has 2 fields, and not 3: NAME ACCESS TOKEN");
    }

    #[test]
    fn tokens_are_read_anew_and_stay_where_that_fails() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens");
        write(&path, "ann read one\n");
        let tokens = Tokens::of_file(&path, &Options::default()).unwrap();
        write(&path, "ann read two\n");
        assert!(tokens.find("one").is_some());
        tokens.reload().unwrap();
        assert_eq!((tokens.find("one"), tokens.find("two").is_some()), (None, true));
        for spoil in [
            &|| write(&path, "ann read\n") as (),
            &|| fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap(),
            &|| fs::remove_file(&path).unwrap(),
        ] as [&dyn Fn(); 3]
        {
            spoil();
            assert!(tokens.reload().is_err());
            assert!(tokens.find("two").is_some());
        }
    }

    #[test]
    fn a_store_has_a_token_of_its_own_that_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s");
        let (store, _) = Store::init(&path, &Options::default()).unwrap();
        let alone = store.take_server().unwrap();
        let of_store =
            |store: &Store, alone: &RunLock| Tokens::of_store(store, alone, &Options::default());
        let tokens = of_store(&store, &alone).unwrap();
        assert_eq!(tokens.path(), path.join("serve.token"));
        let kept = fs::read_to_string(tokens.path()).unwrap();
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let token = kept.strip_suffix('\n').unwrap();
        assert!(token.len() == 32 && token.bytes().all(is_hex), "{token}");
        assert_eq!(tokens.find(token), Some(Holder::owner()));
        let mode = fs::metadata(tokens.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = of_store(&store, &alone).unwrap();
        assert!(again.find(token).is_some());
        // Another store has another one.
        let (other, _) = Store::init(&home.path().join("o"), &Options::default()).unwrap();
        let others = of_store(&other, &other.take_server().unwrap()).unwrap();
        assert!(others.find(token).is_none());
        // One's own may be written there.
        write(tokens.path(), "of-my-own");
        tokens.reload().unwrap();
        assert!(tokens.find("of-my-own").is_some());
        for wrong in ["", "two tokens", "\u{e9}"] {
            write(tokens.path(), wrong);
            assert!(tokens.reload().is_err());
            assert!(of_store(&store, &alone).is_err());
        }
        fs::set_permissions(tokens.path(), Permissions::from_mode(0o640)).unwrap();
        assert!(of_store(&store, &alone).is_err());
    }

    #[test]
    fn threads_may_share_them() {
        fn shared<T: Send + Sync>() {}
        shared::<Arc<Tokens>>();
        assert!(Access::Read < Access::Append && Access::Append < Access::Admin);
    }
}

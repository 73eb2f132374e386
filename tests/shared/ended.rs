//! A program that was run to its end, as a test sees it. The tests that use this say besides how it may fail.

use std::process::Output;

/// A program that was run to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It went well; what it said.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, &*self.err), (0, ""), "{self:?}");
        self.out
    }

    /// It went well, and said this.
    #[track_caller]
    pub(crate) fn says(self, expected: &str) {
        assert_eq!(self.ok(), expected);
    }
}

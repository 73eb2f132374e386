//! A terminal of 80 columns and 24 lines, to run a program on.

use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::{ffi::OsStr, io::Write as _};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr, tcsetwinsize,
};

/// A pseudoterminal.
pub(super) struct Terminal {
    /// What a person would see, and where a person would type.
    person: File,
    /// What the program has.
    program: File,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let program = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        // It shows what the program writes and nothing else.
        let mut modes = tcgetattr(&program).unwrap();
        modes.output_modes.remove(OutputModes::OPOST);
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&program, OptionalActions::Now, &modes).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&program, size).unwrap();
        Self { person: person.into(), program }
    }

    /// A stream of the program's.
    pub(super) fn side(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// Types a text.
    pub(super) fn type_text(&mut self, text: &[u8]) {
        self.person.write_all(text).unwrap();
    }

    /// What the program shows. It ends when the program does.
    pub(super) fn screen(self) -> File {
        self.person
    }
}

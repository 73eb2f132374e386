//! Links the `ream` program statically on Linux with glibc, where the C library allows it.
//!
//! A dynamic start costs a lone append a third of its time. `-C target-feature=+crt-static` would
//! also hit proc-macros, so the arguments go to the program alone: with `-static` and no position
//! independence, and with linker scripts that send the shared names which rustc asks for
//! (`-lc`, `-lm`, `-lgcc_s`) to the archives. Without a `libc.a` the program is linked as usual.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=REAM_DYNAMIC");
    let linux_gnu = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux")
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let native = env::var("HOST").ok() == env::var("TARGET").ok();
    if !linux_gnu || !native || env::var_os("REAM_DYNAMIC").is_some() {
        return;
    }
    let archives = ["libc.a", "libm.a", "libgcc_eh.a", "libgcc.a"];
    if !archives.iter().all(|archive| compiler_finds(archive)) {
        println!("cargo:warning=no libc.a: ream is linked dynamically and starts slower");
        return;
    }
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let scripts = [
        ("libc.so", "GROUP ( -l:libc.a -l:libgcc_eh.a -l:libgcc.a )\n"),
        ("libm.so", "INPUT ( -l:libm.a )\n"),
        ("libgcc_s.so", "INPUT ( -l:libgcc_eh.a )\n"),
    ];
    for (name, script) in scripts {
        if let Err(error) = fs::write(out.join(name), script) {
            println!("cargo:warning={name}: {error}; ream is linked dynamically");
            return;
        }
    }
    for argument in [format!("-L{}", out.display()), "-no-pie".into(), "-static".into()] {
        println!("cargo:rustc-link-arg-bins={argument}");
        // The benchmark's floor is linked as the program is.
        println!("cargo:rustc-link-arg-benches={argument}");
    }
}

/// Whether the C compiler, which links, knows where `archive` is.
fn compiler_finds(archive: &str) -> bool {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let Ok(output) = Command::new(compiler).arg(format!("-print-file-name={archive}")).output()
    else {
        return false;
    };
    let path = String::from_utf8_lossy(&output.stdout);
    let path = Path::new(path.trim());
    path.is_absolute() && path.exists()
}

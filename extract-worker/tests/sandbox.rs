//! A hostile program enters the sandbox and tries to get out. Each attempt runs in a separate process: once
//! without the sandbox, to show that it can succeed, and once inside it, where it must be denied.
//!
//! There is no test harness: this program is also the hostile program (`--attempt NAME`), and the sandbox
//! applies to a whole process.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use dossier_extract::{Isolation, Limits, Sandbox};
use dossier_extract_worker::sandbox::{self, Crew, ForeignLibrary};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, Output, Stdio};
use std::sync::mpsc;
use std::{env, fs, io, net, ptr, thread};

type Attempt = fn() -> io::Result<()>;

/// Attempts that a compromised parser would make.
const ATTEMPTS: &[(&str, Attempt)] = &[
    ("open", || fs::read("/etc/passwd").map(drop)),
    ("list", || fs::read_dir("/").map(drop)),
    ("stat", || fs::metadata("/etc/passwd").map(drop)),
    ("write", || fs::write(env::temp_dir().join("dossier-escape"), "out").map(drop)),
    ("remove", || fs::write(removable(), "").and_then(|()| fs::remove_file(removable()))),
    ("connect", connect),
    ("listen", || net::TcpListener::bind("127.0.0.1:0").map(drop)),
    ("socket", || call(libc::SYS_socket, [libc::AF_UNIX.into(), libc::SOCK_STREAM.into(), 0, 0])),
    ("datagram", || net::UdpSocket::bind("127.0.0.1:0").map(drop)),
    ("exec", || exec(&["/bin/true"])),
    ("fork", fork),
    ("thread", || thread::Builder::new().spawn(|| ()).map(drop)),
    ("map executable", || map(libc::PROT_READ | libc::PROT_EXEC).map(drop)),
    ("make executable", make_executable),
    ("signal parent", || call(libc::SYS_kill, [parent(), 0, 0, 0])),
    ("trace parent", || call(libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), parent(), 0, 0])),
    ("read parent", || call(libc::SYS_process_vm_readv, [parent(), 0, 0, 0])),
    ("pidfd of parent", || call(libc::SYS_pidfd_open, [parent(), 0, 0, 0])),
    ("memory file", || call(libc::SYS_memfd_create, [c"x".as_ptr() as i64, 0, 0, 0])),
    ("pipe", || io::pipe().map(drop)),
    ("duplicate", || call(libc::SYS_dup, [1, 0, 0, 0])),
    ("control file", || call(libc::SYS_fcntl, [1, libc::F_GETFL.into(), 0, 0])),
    ("new namespace", || call(libc::SYS_unshare, [libc::CLONE_NEWUTS.into(), 0, 0, 0])),
    ("raise limit", raise_limit),
    ("be dumpable", || call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE.into(), 1, 0, 0])),
    ("io_uring", || call(libc::SYS_io_uring_setup, [1, ring().as_mut_ptr() as i64, 0, 0])),
    ("change folder", || env::set_current_dir("/tmp")),
    ("sleep", || call(libc::SYS_nanosleep, [[0_i64, 1].as_ptr() as i64, 0, 0, 0])),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        // Arguments of the test runner.
        ["--attempt", name, place] => return hostile(name, place),
        ["--list", ..] => return ExitCode::SUCCESS,
        _ => {}
    }
    compute_is_allowed();
    every_attempt_is_denied();
    limits_hold();
    a_kernel_without_landlock_is_refused_unless_accepted();
    further_layers_are_what_the_report_says();
    helpers_are_as_many_as_allowed();
    println!("sandbox: {} attempts, all denied", ATTEMPTS.len());
    ExitCode::SUCCESS
}

/// Where the parser and a helper of it run.
const ON_A_HELPER: &str = "sandboxed, on a helper";

/// The places whose sandbox is complete. A machine with one processor has no helpers.
fn places() -> impl Iterator<Item = &'static str> {
    let has_helper = said(&attempt("helpers", "sandboxed")) == "1";
    ["sandboxed", "sandboxed with Tesseract"].into_iter().chain(has_helper.then_some(ON_A_HELPER))
}

/// Ordinary parser work must still succeed, on its large stack.
fn compute_is_allowed() {
    for place in places() {
        let output = attempt("compute", place);
        assert!(output.status.success(), "{place}: {output:?}");
        assert_eq!(said(&output), "computed", "{place}");
    }
}

fn every_attempt_is_denied() {
    for (name, _) in ATTEMPTS {
        if !matches!(*name, "trace parent" | "new namespace" | "io_uring" | "raise limit") {
            // An unprivileged or confined host may deny these even without the sandbox.
            let free = attempt(name, "free");
            assert_eq!(said(&free), "escaped", "{name} does not succeed even without the sandbox: {free:?}");
        }
        for place in places() {
            let output = attempt(name, place);
            let killed = output.status.signal() == Some(libc::SIGSYS);
            assert!(killed || said(&output).starts_with("denied"), "{name}, {place}: {output:?}");
            assert_ne!(said(&output), "escaped", "{name}, {place}");
            println!("{name}, {place}: {}", if killed { "killed" } else { "denied" });
        }
    }
}

/// Memory and CPU time are limited, and a stack overflow ends only the process.
fn limits_hold() {
    for place in places() {
        let hoard = attempt("hoard", place);
        assert_eq!(hoard.status.signal(), Some(libc::SIGABRT), "{place}: {hoard:?}");
        assert!(complaint(&hoard).contains("memory allocation of"), "{place}: {hoard:?}");
        let spin = attempt("spin", place);
        assert_eq!(spin.status.signal(), Some(libc::SIGXCPU), "{place}: {spin:?}");
        let recurse = attempt("recurse", place);
        assert_eq!(recurse.status.signal(), Some(libc::SIGABRT), "{place}: {recurse:?}");
        assert!(complaint(&recurse).contains("overflowed its stack"), "{place}: {recurse:?}");
    }
}

/// As many threads as the limits and the processors allow, and only for files that take longer than to start them.
fn helpers_are_as_many_as_allowed() {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(said(&attempt("helpers", "sandboxed")), (processors.min(2) - 1).to_string());
    assert_eq!(said(&attempt("helpers", "sandboxed, alone")), "0");
    assert_eq!(said(&attempt("helpers", "sandboxed, in 500 MiB")), "0");
    let mut small = command("helpers", "sandboxed");
    let small = small.stdin(fs::File::open("/etc/passwd").unwrap()).output().unwrap();
    assert_eq!(said(&small), "0");
}

/// Simulates a kernel without landlock: a filter makes its calls fail with ENOSYS.
fn a_kernel_without_landlock_is_refused_unless_accepted() {
    let refused = attempt("compute", "without landlock");
    assert!(said(&refused).starts_with("refused: landlock"), "{refused:?}");
    let accepted = attempt("compute", "without landlock, accepted");
    assert_eq!(said(&accepted), "computed", "{accepted:?}");
    // The layer is named, and no other is missing.
    let missing = |place: &str| -> Vec<String> {
        let reported = said(&attempt("report", place));
        reported.lines().filter_map(|line| line.strip_prefix("missing: ")).map(str::to_owned).collect()
    };
    let without = missing("without landlock, accepted");
    assert!(without.len() == 1 && without[0].starts_with("landlock: "), "{without:?}");
    assert_eq!(missing("sandboxed"), Vec::<String>::new());
    // The other layers are still active.
    let output = attempt("open", "without landlock, accepted");
    assert_eq!(output.status.signal(), Some(libc::SIGSYS), "{output:?}");
}

/// The kernel shows the layers of a running program as it reports them.
fn further_layers_are_what_the_report_says() {
    let reported = said(&attempt("report", "sandboxed"));
    let has = |layer: &str| reported.lines().any(|line| line == format!("further: {layer}"));
    let mut program = command("spin", "sandboxed").spawn().unwrap();
    let of = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", program.id())).unwrap_or_default();
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // Everybody may make the kernel kill their own process first.
    while of("status").lines().all(|line| line != "Seccomp:\t2") {
        assert!(std::time::Instant::now() < deadline, "the program is not in the sandbox");
        thread::yield_now();
    }
    assert!(has("first to be killed when memory runs out"), "{reported}");
    assert_eq!(of("oom_score_adj").trim(), "1000");
    if let (Some(own), Some(other)) = (network("self"), network(&program.id().to_string())) {
        assert_eq!(has("namespaces"), own != other, "{reported}");
    }
    let is_nobody = of("status").lines().any(|line| line == "Uid:\t65534\t65534\t65534\t65534");
    assert_eq!(has("user of its own"), is_nobody, "{reported}");
    assert!(of("status").lines().any(|line| line == "CapEff:\t0000000000000000"), "{reported}");
    program.kill().unwrap();
    program.wait().unwrap();
}

/// The hostile program.
fn hostile(name: &str, place: &str) -> ExitCode {
    let work = move |name: &str| match name {
        "compute" => println!("{}", compute()),
        "hoard" => println!("{}", hoard()),
        "spin" => loop {
            black_box(0);
        },
        "recurse" => println!("{}", recurse(0)),
        _ => match ATTEMPTS.iter().find(|(known, _)| *known == name).unwrap().1() {
            Ok(()) => println!("escaped"),
            Err(error) => println!("denied: {error}"),
        },
    };
    let sandbox = if place.ends_with("accepted") { Sandbox::AcceptMissing } else { Sandbox::Require };
    if place == "free" {
        work(name);
        return ExitCode::SUCCESS;
    }
    if place.starts_with("without landlock") {
        take_landlock_away();
    }
    let memory_bytes = if place.ends_with("in 500 MiB") { 500 } else { 512 } * 1024 * 1024;
    let threads = if place.ends_with("alone") { 1 } else { 2 };
    let limits = Limits { memory_bytes, threads, cpu_seconds: 1, ..Limits::default() };
    let name = name.to_owned();
    let library = if place.ends_with("Tesseract") { ForeignLibrary::Tesseract } else { ForeignLibrary::None };
    let is_on_helper = place == ON_A_HELPER;
    let inside = move |isolation: Isolation, crew: Crew| match name.as_str() {
        "helpers" => println!("{}", crew.len()),
        name if is_on_helper => {
            let (done, is_done) = mpsc::channel::<()>();
            crew.each(|| {
                let (name, done) = (name.to_owned(), done.clone());
                move || {
                    work(&name);
                    drop(done);
                }
            });
            drop(done);
            let _: Result<(), _> = is_done.recv();
        }
        "report" => {
            isolation.missing.iter().for_each(|layer| println!("missing: {layer}"));
            isolation.further.iter().for_each(|layer| println!("further: {layer}"));
            isolation.unavailable.iter().for_each(|layer| println!("unavailable: {layer}"));
        }
        name => work(name),
    };
    if let Err(error) = sandbox::enter(&limits, sandbox, library, inside) {
        println!("refused: {error}");
    }
    ExitCode::SUCCESS
}

/// Runs the hostile program.
fn attempt(name: &str, place: &str) -> Output {
    command(name, place).output().unwrap()
}

fn command(name: &str, place: &str) -> std::process::Command {
    #[expect(clippy::disallowed_methods, reason = "the hostile program")]
    let mut command = std::process::Command::new(env::current_exe().unwrap());
    // Without an environment, like the worker, and with a file to read that is large enough for helpers.
    let large = fs::File::open(env::current_exe().unwrap()).unwrap();
    command.args(["--attempt", name, place]).env_clear().stdin(Stdio::from(large));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn take_landlock_away() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let calls =
        [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];
    let rules = calls.into_iter().map(|call| (call, Vec::new())).collect();
    let missing = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, missing, env::consts::ARCH.try_into().unwrap());
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

// If it were inlined, its array would be on the stack of every attempt.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the point of it")]
fn compute() -> &'static str {
    let mut numbers: Vec<u64> = (0..1_000_000).map(|n| n * 7919 % 1_000_003).collect();
    numbers.sort_unstable();
    // 16 MiB of stack, more than the main thread has.
    let deep = black_box([1_u8; 16 * 1024 * 1024]);
    let hashed: std::collections::HashMap<u64, u64> = numbers.iter().map(|n| (*n, n * n)).collect();
    let caught = std::panic::catch_unwind(|| panic!("contained")).is_err();
    if caught && hashed[&9] == 81 && deep.iter().all(|byte| *byte == 1) { "computed" } else { "miscomputed" }
}

fn hoard() -> usize {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 64 * 1024 * 1024]);
        black_box(&hoard);
    }
}

#[expect(unconditional_recursion, reason = "the point of it")]
fn recurse(depth: usize) -> usize {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth % 64]
}

fn call(number: libc::c_long, [a, b, c, d]: [i64; 4]) -> io::Result<()> {
    // SAFETY: the calls made here take numbers, or pointers to memory that outlives the call.
    let result = unsafe { libc::syscall(number, a, b, c, d, 0, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn parent() -> i64 {
    std::os::unix::process::parent_id().into()
}

fn removable() -> std::path::PathBuf {
    env::temp_dir().join(format!("dossier-escape-{}", std::process::id()))
}

fn ring() -> [u8; 120] {
    [0; 120]
}

fn connect() -> io::Result<()> {
    match net::TcpStream::connect("127.0.0.1:9") {
        // Refused by the port and not by the sandbox, so the network was reached.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        other => other.map(drop),
    }
}

fn exec(arguments: &[&str]) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "an attempt to escape")]
    let status = std::process::Command::new(arguments[0]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the child failed")) }
}

fn fork() -> io::Result<()> {
    // SAFETY: the child exits immediately without running any other code.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) }
        }
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn map(protection: i32) -> io::Result<*mut libc::c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new anonymous mapping does not affect memory that is in use.
    let address = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address) }
}

fn make_executable() -> io::Result<()> {
    let address = map(libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: this function has just mapped the page, and nothing else uses it.
    let result = unsafe { libc::mprotect(address, 4096, libc::PROT_READ | libc::PROT_EXEC) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn raise_limit() -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: 1 << 40, rlim_max: 1 << 40 };
    // SAFETY: the pointer is to a live rlimit.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

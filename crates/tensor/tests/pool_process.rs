//! What the pool promises about the process it lives in: processors it may use, forks, and the end.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr)] // how a child tells its parent

use densely_tensor::{Isa, Pool};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process, thread};

const THREADS: &str = "DENSELY_THREADS";
const ISA: &str = "DENSELY_ISA";

/// Run by the other tests in a process of its own. It ends with workers of the shared default pool alive, too.
#[test]
#[ignore = "part of the other tests, which start it"]
fn child() {
    match Pool::from_environment() {
        Ok(pool) => {
            let mut items = [0; 100];
            pool.for_each_part(1, &mut items[..], |_, part| part.fill(1));
            Pool::default().for_each_part(1, &mut items[..], |_, part| part.fill(2));
            assert_eq!(items, [2; 100]);
            eprintln!("threads: {}, by default: {};", pool.threads(), Pool::default().threads());
            eprintln!("instruction set: {};", pool.isa());
        }
        Err(error) => eprintln!("threads: {error};"),
    }
}

/// What [`child`] says about its threads, started through the command `through`.
fn threads_of_child(through: &[&str], variable: Option<&str>) -> String {
    said_by_child("threads", through, variable.map(|value| (THREADS, value)))
}

/// What [`child`] says about something, started through the command `through` and with a variable.
fn said_by_child(about: &str, through: &[&str], variable: Option<(&str, &str)>) -> String {
    let test = env::current_exe().expect("a test has a path");
    let mut command = through.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    command.extend([test.to_str().expect("the path is UTF-8").to_owned()]);
    command.extend(["child", "--exact", "--ignored", "--nocapture"].map(String::from));
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).env_remove(THREADS).env_remove(ISA);
    if let Some((name, value)) = variable {
        child.env(name, value);
    }
    let output = child.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {text}");
    let before = format!("{about}: ");
    let (_, said) = text.split_once(&before).unwrap_or_else(|| panic!("{command:?} said {text:?}"));
    said.split(';').next().expect("split gives a first part").to_owned()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The processors that this process may run on.
fn allowed_processors() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let ranges = list.expect("the kernel lists processors").trim().split(',').flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.parse::<usize>().expect("a number");
        number(first)..=number(last)
    });
    ranges.collect()
}

#[test]
fn as_many_threads_as_the_affinity_mask_has_processors() {
    let allowed = allowed_processors();
    for n_processors in 1..=allowed.len().min(3) {
        let list: Vec<String> = allowed[..n_processors].iter().map(usize::to_string).collect();
        let threads = n_processors.min(processors()); // a quota may allow fewer
        let said = threads_of_child(&["taskset", "--cpu-list", &list.join(",")], None);
        assert_eq!(said, format!("{threads}, by default: {threads}"), "on processors {list:?}");
    }
}

#[test]
fn the_variable_says_how_many_threads() {
    let (one, all) = (allowed_processors()[0].to_string(), processors());
    assert_eq!(threads_of_child(&["env"], Some(" 3 ")), format!("3, by default: {all}"));
    assert_eq!(threads_of_child(&["taskset", "--cpu-list", &one], Some("5")), "5, by default: 1");
    for refused in ["0", "1025", "", "two", "-1", "1.5"] {
        let said = threads_of_child(&["env"], Some(refused));
        assert_eq!(said, format!("DENSELY_THREADS is {refused:?}, expected a number from 1 to 1024"));
    }
}

#[test]
fn the_variable_says_which_instruction_set() {
    for isa in Isa::available() {
        let name = isa.to_string();
        assert_eq!(said_by_child("instruction set", &["env"], Some((ISA, &name))), name);
    }
    let best = Isa::detect().to_string();
    assert_eq!(said_by_child("instruction set", &["env"], None), best);
}

/// A group of processes with a quota of processor time, removed in the end.
struct Cgroup(PathBuf);

impl Cgroup {
    /// `quota` microseconds of each 100,000, on all processors together.
    fn new(quota: u32) -> Self {
        let name = format!("densely-test-{}", process::id());
        let first_version = Path::new("/sys/fs/cgroup/cpu");
        let group =
            if first_version.is_dir() { first_version } else { Path::new("/sys/fs/cgroup") }.join(name);
        fs::create_dir(&group).expect("the hierarchy of cgroups is mounted and may be written");
        let group = Cgroup(group);
        let set = |file: &str, value: String| fs::write(group.0.join(file), value);
        let result = if first_version.is_dir() {
            set("cpu.cfs_period_us", "100000".into()).and(set("cpu.cfs_quota_us", quota.to_string()))
        } else {
            set("cpu.max", format!("{quota} 100000"))
        };
        result.expect("the hierarchy has the controller of processor time");
        group
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).expect("no process of the group is left");
    }
}

#[test]
#[ignore = "makes a cgroup with a quota, needs root: `cargo xtask slow`"]
fn a_quota_is_rounded_down_to_whole_processors() {
    for (quota, expected) in [(50_000, 1), (100_000, 1), (150_000, 1), (200_000, 2), (1_000_000, 10)] {
        let group = Cgroup::new(quota);
        let enter = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", group.0.display());
        let threads = processors().min(expected);
        let said = threads_of_child(&["sh", "-c", &enter, "sh"], None);
        assert_eq!(said, format!("{threads}, by default: {threads}"), "{quota} µs of 100,000");
    }
}

unsafe extern "C" {
    fn fork() -> i32;
    safe fn alarm(seconds: u32) -> u32;
    safe fn _exit(status: i32) -> !;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
}

/// Its workers do not exist in the child; the calling thread does their work, and dropping the pool waits for nobody.
#[test]
fn a_pool_works_and_ends_in_the_child_of_a_fork() {
    let pool = Pool::new(3).expect("threads are to be had");
    let mut items = [0; 100];
    pool.for_each_part(1, &mut items[..], |_, part| part.fill(1));
    thread::sleep(std::time::Duration::from_millis(100)); // an idle pool's workers sleep
    // SAFETY: the child calls only the pool, which holds no lock now, and leaves without running anything of the
    // parent's.
    let process = unsafe { fork() };
    if process == 0 {
        alarm(20); // ends a child that hangs
        pool.for_each_part(1, &mut items[..], |_, part| part.fill(2));
        drop(pool);
        _exit(if items == [2; 100] { 0 } else { 1 });
    }
    let mut status = -1;
    // SAFETY: the child is ours, and the status a place for a number.
    assert_eq!(unsafe { waitpid(process, &mut status, 0) }, process, "fork gave {process}");
    assert_eq!(status, 0, "the child's wait status");
    assert_eq!(items, [1; 100]);
}

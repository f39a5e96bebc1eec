//! What readers do with broken files: a Markdown table, taken by running each of them on each file in a process of its own
//! that counts what it allocates.

mod cases;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, panic, thread};

use idx_peers::Reader;

/// A process that is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than this is refused, as a small machine would.
const MEMORY: usize = 8 << 30;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to `System` unchanged, or gives no memory at all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed).saturating_add(layout.size());
        PEAK.fetch_max(live, Ordering::Relaxed);
        if live > MEMORY {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract, which is `System`'s.
        unsafe { System.dealloc(pointer, layout) }
    }
}

const PYTHON: &str = "
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
import idx2numpy
try:
    print('taken', idx2numpy.convert_from_file(sys.argv[1] + '/train-images-idx3-ubyte').size)
except MemoryError as error:
    print('memory')
except Exception as error:
    print('error', error)
";

fn main() {
    if let [_, reader, folder] = &env::args().collect::<Vec<_>>()[..] {
        return child(reader, Path::new(folder));
    }
    let folder = tempfile::tempdir().unwrap();
    idx_peers::write_mnist(folder.path());
    let images = folder.path().join("train-images-idx3-ubyte");
    let right = fs::read(&images).unwrap();
    let labels = fs::read(folder.path().join("train-labels-idx1-ubyte")).unwrap();

    println!("| file | {} |", Reader::ALL.map(Reader::name).join(" | "));
    println!("| --- |{}", " --- |".repeat(Reader::ALL.len()));
    let row = |name: &str| {
        println!("| {name} | {} |", Reader::ALL.map(|reader| outcome(reader, folder.path())).join(" | "));
    };
    row("*a right one*");
    for (name, make) in cases::CASES {
        make(&images, &right);
        row(name);
        let _ = fs::remove_file(&images).or_else(|_| fs::remove_dir(&images));
        fs::write(&images, &right).unwrap();
        fs::write(folder.path().join("train-labels-idx1-ubyte"), &labels).unwrap();
    }
}

/// Reads, and says what came of it.
fn child(reader: &str, folder: &Path) {
    panic::set_hook(Box::new(|_| {}));
    let reader = Reader::ALL.into_iter().find(|known| known.name() == reader).expect("a name");
    let outcome = panic::catch_unwind(|| reader.read(folder));
    let peak = PEAK.load(Ordering::Relaxed) >> 20;
    match outcome {
        Ok(Ok(values)) => println!("taken {values} {peak}"),
        Ok(Err(error)) => println!("error {error}"),
        Err(_) => println!("panic {peak}"),
    }
}

fn outcome(reader: Reader, folder: &Path) -> String {
    let mut command = if reader == Reader::Idx2Numpy {
        let mut command = Command::new(env::var_os("PYTHON").map_or("python3".into(), PathBuf::from));
        command.args(["-c", PYTHON]);
        command
    } else {
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg(reader.name());
        command
    };
    command.arg(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let Some(text) = wait(child) else { return "**hangs**".to_owned() };
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["taken", values, ..] => format!("takes {values} values"),
        ["error", ..] => "error".to_owned(),
        ["memory"] => "**out of memory**".to_owned(),
        ["panic", ..] => "**panic**".to_owned(),
        _ => "**aborts, out of memory**".to_owned(),
    }
}

fn wait(mut child: Child) -> Option<String> {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Some(String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned())
}

//! What readers do with broken files: a Markdown table, taken by running each of them on each file in a process of its own
//! that counts what it allocates.

mod cases;

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, panic, thread};

use idx_peers::Reader;

/// A process that is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than this is refused, as a small machine would.
const MEMORY: usize = 8 << 30;

/// More than this at once is worth a word in the table: a right file holds 47 MB.
const GIANT: usize = 1 << 30;

/// How a child process that failed to get memory ends.
const ABORTED: i32 = 6;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts bytes that are asked for. `false` if they are too many.
fn granted(bytes: usize) -> bool {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
    let granted = live <= MEMORY;
    if granted {
        PEAK.fetch_max(live, Ordering::Relaxed);
    } else {
        LIVE.fetch_sub(bytes, Ordering::Relaxed);
    }
    granted
}

// SAFETY: every call goes to `System` unchanged, or gives no memory at all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        if granted(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is `System`'s.
        if granted(layout.size()) { unsafe { System.alloc_zeroed(layout) } } else { std::ptr::null_mut() }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract, which is `System`'s.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Prints what a child of this program prints: what came of it, the number of values, the most bytes held at once.
const PYTHON: &str = "
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
import idx2numpy
outcome, values = 'error', 0
try:
    values = idx2numpy.convert_from_file(sys.argv[1] + '/train-images-idx3-ubyte').size
    outcome = 'taken'
except MemoryError:
    outcome = 'memory'
except Exception:
    pass
print(outcome, values, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
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
    let (outcome, values) = match panic::catch_unwind(|| reader.read(folder)) {
        Ok(Ok(values)) => ("taken", values),
        Ok(Err(_)) => ("error", 0),
        Err(_) => ("panic", 0),
    };
    println!("{outcome} {values} {}", PEAK.load(Ordering::Relaxed));
}

/// A cell of the table. A child that ends in any way that is not expected ends this program.
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
    command.arg(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Some(Output { status, stdout, stderr }) = wait(command.spawn().unwrap()) else {
        return "**hangs**".to_owned();
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.signal() == Some(ABORTED)
        && let Some((_, asked)) = stderr.split_once("memory allocation of ")
        && let Some((bytes, _)) = asked.split_once(" bytes failed")
    {
        return format!("**aborts**, asks for {} bytes", grouped(bytes.parse().unwrap()));
    }
    assert!(status.success(), "{}: {status}: {stdout}{stderr}", reader.name());
    let words: Vec<&str> = stdout.split_whitespace().collect();
    let [outcome, values, peak] = words[..] else { panic!("{}: {stdout}", reader.name()) };
    let outcome = match outcome {
        "taken" => format!("takes {}", grouped(values.parse().unwrap())),
        "error" => "error".to_owned(),
        "memory" => "**out of memory**".to_owned(),
        "panic" => "**panic**".to_owned(),
        _ => panic!("{}: {stdout}", reader.name()),
    };
    let peak: usize = peak.parse().unwrap();
    if peak < GIANT { outcome } else { format!("{outcome}, held {:.1} GiB", peak as f64 / GIANT as f64) }
}

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// What a child writes is short, so that it need not be read before its end.
fn wait(mut child: Child) -> Option<Output> {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Some(child.wait_with_output().unwrap())
}

//! How long it takes to load MNIST's training images, and to pass through them in random order, beside the peers and beside
//! what a system can do at best. Files are in the page cache, so processor time counts, the system's for the process included:
//! others that wait for the same processors do not show in it. All take turns, and ratios are taken round by round, against the
//! first of each group.
//!
//! ```text
//! cargo run --release --bin times -- ../../../data/mnist [ROUNDS]
//! ```
//!
//! $PYTHON, else `python3`, needs idx2numpy; without it these lines are left out.

use std::cell::RefCell;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cpu_time::ProcessTime;
use idx_dataset::{IdxFile, find, map, read, read_pair};
use idx_peers::{Reader, header};

const ITEMS: usize = 60_000;
const PIXELS: usize = 28 * 28;
/// The header of a file of images.
const HEADER: usize = 16;
/// Files are opened so many times in a row, for the clock's sake.
const OPENS: u32 = 100;

const OPEN: &str = "open and close alone";

/// Somebody who does a thing once and says how much processor time it took, in seconds.
struct Contender<'a> {
    group: &'static str,
    name: &'static str,
    run: Box<dyn FnMut() -> f64 + 'a>,
    times: Vec<f64>,
}

impl<'a> Contender<'a> {
    /// What `work` returns is dropped within the time.
    fn new<T>(group: &'static str, name: &'static str, mut work: impl FnMut() -> T + 'a) -> Self {
        let run = Box::new(move || {
            let start = ProcessTime::now();
            drop(black_box(work()));
            start.elapsed().as_secs_f64()
        });
        Self { group, name, run, times: Vec::new() }
    }

    /// The mean of [`OPENS`].
    fn opening<T>(name: &'static str, mut open: impl FnMut() -> T + 'a) -> Self {
        let mut contender = Self::new(OPEN, name, move || (0..OPENS).for_each(|_| drop(black_box(open()))));
        let mut run = contender.run;
        contender.run = Box::new(move || run() / f64::from(OPENS));
        contender
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let source = Path::new(arguments.get(1).expect("the folder of MNIST's files, plain"));
    let rounds: usize = arguments.get(2).map_or(15, |rounds| rounds.parse().expect("a number of rounds"));

    // The peers want all four files plain, in a folder of their own.
    let folder = tempfile::tempdir().expect("a temporary folder");
    for set in ["train", "t10k"] {
        for name in [format!("{set}-images-idx3-ubyte"), format!("{set}-labels-idx1-ubyte")] {
            fs::copy(source.join(&name), folder.path().join(&name)).expect("MNIST's files");
        }
    }
    let path = folder.path().join("train-images-idx3-ubyte");
    let compressed = folder.path().join("images.gz");
    let images = read(&path).expect("the images");
    assert_eq!(images.shape, [ITEMS, 28, 28]);
    idx_dataset::write_gzip(&compressed, &images).expect("the compressed images");
    let large = large(folder.path());

    let bytes = fs::read(&path).expect("the images");
    let order: Vec<usize> = (0..ITEMS).map(|n| n * 7919 % ITEMS).collect();
    // SAFETY: whoever measures does not change the data meanwhile.
    let mapped = unsafe { map(&path) }.expect("the images");
    let mapped = mapped.slice();
    let positioned = IdxFile::open(&path).expect("the images");
    check(&path, &compressed, &bytes);

    let python = Python::start(&path, &compressed).map(RefCell::new);
    let [plain, four, gzip, random] =
        ["one file", "all four files", "one file, gzip", "one epoch of random access"];
    let mut contenders = vec![
        Contender::new(plain, "`std::fs::read`, which looks at nothing", || fs::read(&path).unwrap()),
        Contender::new(plain, "`read_exact` into a vector of zeros", || {
            let mut bytes = vec![0; HEADER + ITEMS * PIXELS];
            File::open(&path).and_then(|mut file| file.read_exact(&mut bytes)).unwrap();
            bytes
        }),
        Contender::new(plain, "idx-dataset, `read`", || read(&path).unwrap()),
        Contender::new(plain, "mnist_read", || mnist_read::read_data(path.to_str().unwrap())),
        Contender::new(four, "idx-dataset, `read_pair` twice", || pairs(folder.path())),
        Contender::new(four, "mnist", || Reader::Mnist.read(folder.path()).unwrap()),
        Contender::new(four, "rust-mnist", || Reader::RustMnist.read(folder.path()).unwrap()),
        Contender::new(gzip, "idx-dataset, `read`", || read(&compressed).unwrap()),
        Contender::new(gzip, "flate2 with zlib-rs, nothing else", || flate2(&compressed)),
        Contender::new(gzip, "zune-inflate", || zune(&compressed)),
        Contender::new(gzip, "miniz_oxide with crc32fast", || miniz(&compressed)),
        Contender::new(gzip, "fdeflate with crc32fast", || fdeflate(&compressed)),
        // SAFETY: as above.
        Contender::opening("idx-dataset, `map`, 47 MB", || unsafe { map(&path) }.unwrap()),
        // SAFETY: as above.
        Contender::opening("idx-dataset, `map`, 8 GB", || unsafe { map(&large) }.unwrap()),
        Contender::opening("idx-dataset, `IdxFile::open`, 8 GB", || IdxFile::open(&large).unwrap()),
        Contender::new(random, "slices of a vector", || {
            total(&order, |n| sum(&bytes[HEADER + n * PIXELS..][..PIXELS]))
        }),
        Contender::new(random, "idx-dataset, in memory", || total(&order, |n| sum(images.item(n).unwrap()))),
        Contender::new(random, "idx-dataset, mapped", || {
            total(&order, |n| sum(&mapped.item::<u8>(n).unwrap()))
        }),
        Contender::new(random, "idx-dataset, positioned reads", || {
            let mut item = vec![0; PIXELS];
            total(&order, |n| {
                positioned.read_item(n, &mut item).unwrap();
                sum(&item)
            })
        }),
    ];
    match &python {
        Some(python) => {
            for (group, name, command) in [
                (plain, "idx2numpy", "idx2numpy"),
                (plain, "`numpy.fromfile`", "fromfile"),
                (gzip, "idx2numpy, Python's gzip", "idx2numpy-gzip"),
                (OPEN, "`numpy.memmap`, 47 MB", "memmap"),
                (random, "NumPy, an array in memory", "random"),
            ] {
                let times = if group == OPEN { OPENS } else { 1 };
                let run = Box::new(move || python.borrow_mut().ask(command) / f64::from(times));
                contenders.push(Contender { group, name, run, times: Vec::new() });
            }
        }
        None => eprintln!("no Python with idx2numpy; expected one by the name $PYTHON"),
    }
    for round in 0..=rounds {
        for contender in &mut contenders {
            let time = (contender.run)();
            if round > 0 {
                contender.times.push(time); // the first round warms up
            }
        }
    }
    for group in [plain, four, gzip, OPEN, random] {
        let of_group: Vec<&Contender> = contenders.iter().filter(|one| one.group == group).collect();
        println!("\n| {group} | ms, median (range) | times as long, median (range) |\n| --- | --- | --- |");
        for contender in &of_group {
            let ratios = contender.times.iter().zip(&of_group[0].times).map(|(time, first)| time / first);
            let times = statistics(contender.times.iter().map(|time| 1e3 * time));
            println!("| {} | {times} | {} |", contender.name, statistics(ratios));
        }
    }
}

/// Median, least and greatest.
fn statistics(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let text = |value: f64| match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    let (least, median, most) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    format!("{} ({}–{})", text(median), text(least), text(most))
}

/// All give the same.
fn check(path: &Path, compressed: &Path, bytes: &[u8]) {
    assert_eq!(read(path).unwrap().as_u8().unwrap(), &bytes[HEADER..]);
    assert_eq!(read(compressed).unwrap().as_u8().unwrap(), &bytes[HEADER..]);
    for inflate in [flate2, zune, miniz, fdeflate] {
        assert!(inflate(compressed) == bytes);
    }
}

fn total(order: &[usize], item: impl FnMut(usize) -> u64) -> u64 {
    order.iter().copied().map(item).sum()
}

fn sum(item: &[u8]) -> u64 {
    item.iter().map(|&pixel| u32::from(pixel)).sum::<u32>().into()
}

fn pairs(folder: &Path) -> [idx_dataset::Pair; 2] {
    ["train", "t10k"].map(|set| {
        let file = |kind: &str| find(folder, &format!("{set}-{kind}"));
        read_pair(file("images-idx3-ubyte"), file("labels-idx1-ubyte")).expect("MNIST")
    })
}

/// Ten million images, none of which is stored: a file with a hole.
fn large(folder: &Path) -> PathBuf {
    const ITEMS: u32 = 10_000_000;
    let path = folder.join("large");
    let mut file = File::create(&path).expect("a large file");
    file.write_all(&header(8, &[ITEMS, 28, 28])).expect("its header");
    file.seek(SeekFrom::Start((HEADER + ITEMS as usize * PIXELS - 1) as u64)).expect("its end");
    file.write_all(&[0]).expect("its last byte");
    path
}

fn flate2(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + ITEMS * PIXELS + 1);
    let file = BufReader::new(File::open(path).expect("the compressed images"));
    flate2::bufread::MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("a whole member");
    bytes
}

fn zune(path: &Path) -> Vec<u8> {
    let compressed = fs::read(path).expect("the compressed images");
    let options = zune_inflate::DeflateOptions::default().set_size_hint(HEADER + ITEMS * PIXELS);
    let mut decoder = zune_inflate::DeflateDecoder::new_with_options(&compressed, options);
    decoder.decode_gzip().expect("a whole member")
}

/// The deflated bytes of a member whose header holds no name, and its checksum.
fn member(compressed: &[u8]) -> (&[u8], u32) {
    let (deflated, trailer) = compressed[10..].split_at(compressed.len() - 18);
    (deflated, u32::from_le_bytes(trailer[..4].try_into().expect("four bytes")))
}

fn miniz(path: &Path) -> Vec<u8> {
    use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

    let compressed = fs::read(path).expect("the compressed images");
    let (deflated, checksum) = member(&compressed);
    let mut bytes = vec![0; HEADER + ITEMS * PIXELS];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut decoder = Box::<DecompressorOxide>::default();
    let (status, ..) = decompress(&mut decoder, deflated, &mut bytes, 0, flags);
    assert_eq!(status, miniz_oxide::inflate::TINFLStatus::Done);
    assert_eq!(crc32fast::hash(&bytes), checksum);
    bytes
}

/// It knows only zlib's form: two bytes before, and a checksum behind that is not looked at.
fn fdeflate(path: &Path) -> Vec<u8> {
    let mut compressed = fs::read(path).expect("the compressed images");
    let checksum = member(&compressed).1;
    compressed[8..10].copy_from_slice(&[0x78, 0x01]);
    let mut bytes = vec![0; HEADER + ITEMS * PIXELS];
    let mut decoder = fdeflate::Decompressor::new();
    decoder.ignore_adler32();
    let (mut taken, mut made) = (8, 0);
    while !decoder.is_done() {
        let (used, given) = decoder.read(&compressed[taken..], &mut bytes, made, true).expect("a member");
        (taken, made) = (taken + used, made + given);
    }
    assert_eq!((made, crc32fast::hash(&bytes)), (bytes.len(), checksum));
    bytes
}

/// A Python that waits for the name of what to do, and answers with the seconds that it took.
struct Python {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    fn start(path: &Path, compressed: &Path) -> Option<Self> {
        const PROGRAM: &str = "
import gzip, sys, time, numpy, idx2numpy
path, compressed = sys.argv[1:]
images = numpy.fromfile(path, numpy.uint8, offset=16).reshape(-1, 784)
order = [n * 7919 % 60000 for n in range(60000)]
work = {
    'ready': lambda: None,
    'idx2numpy': lambda: idx2numpy.convert_from_file(path),
    'fromfile': lambda: numpy.fromfile(path, numpy.uint8, offset=16).reshape(-1, 28, 28),
    'idx2numpy-gzip': lambda: idx2numpy.convert_from_string(gzip.open(compressed).read()),
    'memmap': lambda: [numpy.memmap(path, numpy.uint8, 'r', offset=16).shape for _ in range(100)],
    'random': lambda: sum(int(images[n].sum(dtype=numpy.int64)) for n in order),
}
for line in sys.stdin:
    start = time.process_time()
    work[line.strip()]()
    print(time.process_time() - start, flush=True)
";
        let python = std::env::var_os("PYTHON").unwrap_or("python3".into());
        let mut command = Command::new(python);
        command.args(["-c", PROGRAM]).args([path, compressed]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let questions = process.stdin.take()?;
        let answers = BufReader::new(process.stdout.take()?);
        let mut python = Self { process, questions, answers };
        python.try_ask("ready").map(|_| python)
    }

    fn try_ask(&mut self, question: &str) -> Option<f64> {
        writeln!(self.questions, "{question}").ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        answer.trim().parse().ok()
    }

    fn ask(&mut self, question: &str) -> f64 {
        self.try_ask(question).expect("an answer of Python")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait().map(drop));
    }
}

//! Errors on the standard error: one line, whole, with nothing in it that could control the terminal.

use crate::ui::text::printable;
use std::error::Error;
use std::io::Write;
use std::iter;
use std::process::ExitCode;

/// Shows why a command failed: the message, then its causes, of which it has not said anything yet.
pub(crate) fn show_error(error: &dyn Error) {
    to_standard_error(&format!("densely: error: {}\n", printable(with_causes(error))));
}

pub(crate) fn with_causes(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"))
}

/// Shows what the command line's parser says: help and the version on the standard output, and everything else as an
/// error, with status 2.
pub(crate) fn show_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing can be done for a reader who has gone away.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        let lines: Vec<String> = error.render().to_string().lines().map(printable).collect();
        to_standard_error(&format!("densely: {}\n", lines.join("\n")));
    }
    ExitCode::from(2)
}

fn to_standard_error(text: &str) {
    // There is no other place to say that this failed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::with_causes;
    use crate::error::Error;
    use densely::data::Csv;
    use densely::{Model, Pool};
    use idx_dataset::Origin;
    use std::io;
    use std::path::Path;

    /// That `expected` is all that is told.
    #[track_caller]
    fn check(error: impl Into<Error>, expected: &str) {
        assert_eq!(with_causes(&error.into()), expected);
    }

    #[test]
    fn a_cause_is_told_once_whichever_crate_meets_it() {
        let path = Path::new("absent");
        let cause = "No such file or directory (os error 2)";
        check(idx_dataset::read(path).unwrap_err(), &format!("absent: cannot open the file: {cause}"));
        check(
            densely::Error::from(idx_dataset::read(path).unwrap_err()),
            &format!("absent: cannot open the file: {cause}"),
        );
        let source = || io::Error::from_raw_os_error(2);
        check(
            idx_dataset::Error::Read { origin: Origin::File(path.to_owned()), offset: 4, source: source() },
            &format!("absent: cannot read on at byte 4: {cause}"),
        );
        let pool = Pool::new(1).unwrap();
        check(Model::<f32>::load(path, pool.clone()).unwrap_err(), &format!("cannot read absent: {cause}"));
        check(densely::write_atomically("/", b"").unwrap_err(), "cannot write /: not the name of a file");
        check(
            densely::PoolError::Spawn { thread: 2, threads: 4, source: source() },
            &format!("cannot start thread 2 of 4: {cause}"),
        );
        check(
            Error::Read { path: path.to_owned(), source: source() },
            &format!("absent: cannot read the file: {cause}"),
        );
    }

    #[test]
    fn what_is_wrong_in_a_file_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "1,x\n,x\n").unwrap();
        let cell = "line 2, column 1: the cell is empty, expected a number";
        check(Csv::new(&path, -1).read(&path).unwrap_err(), &format!("{}: {cell}", path.display()));
        let model = Model::<f32>::load(&path, Pool::new(1).unwrap()).unwrap_err();
        let message = with_causes(&Error::from(model));
        assert_eq!(message.matches("not a safetensors file").count(), 1, "{message}");
        assert_eq!(message.matches(&path.display().to_string()).count(), 1, "{message}");
        let text = "Sequential(inputs: 1, layers: [Dense(units: 1, activation: Sofmax)])";
        let problem = Box::new(densely::Sequential::from_ron(text).unwrap_err());
        let message = with_causes(&Error::Content { file: "r.ron".to_owned(), problem });
        assert_eq!(message.matches("did you mean").count(), 1, "{message}");
    }
}

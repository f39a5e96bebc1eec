//! Names of classes, and their order.

use super::dataset::MAX_CLASSES;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Collects the names of classes as they come, or looks them up among those that are known.
pub(super) struct Classes {
    numbers: HashMap<String, u32>,
    labels: Vec<u32>,
    /// Whether a name may be new.
    open: bool,
}

/// Why a name is no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Unknown { classes: usize },
    TooMany,
}

impl Classes {
    /// With these names, or, if there are none, with whatever names will come.
    pub(super) fn new(known: &[String]) -> Self {
        let numbers = known.iter().cloned().zip(0..).collect();
        Self { numbers, labels: Vec::new(), open: known.is_empty() }
    }

    /// Adds a sample of the class of that name.
    pub(super) fn push(&mut self, name: &str) -> Result<(), Refused> {
        let label = match self.numbers.get(name) {
            Some(&label) => label,
            None if !self.open => return Err(Refused::Unknown { classes: self.numbers.len() }),
            None if self.numbers.len() == MAX_CLASSES => return Err(Refused::TooMany),
            None => {
                let label = self.numbers.len() as u32;
                self.numbers.insert(name.to_owned(), label);
                label
            }
        };
        self.labels.push(label);
        Ok(())
    }

    /// The names and the label of each sample. New names are sorted; known ones keep their order.
    pub(super) fn finish(self) -> (Vec<String>, Vec<u32>) {
        let mut names: Vec<(String, u32)> = self.numbers.into_iter().collect();
        if self.open {
            let all_numbers = names.iter().all(|(name, _)| number(name).is_some());
            names.sort_by(|(one, _), (other, _)| compare(one, other, all_numbers));
        } else {
            names.sort_by_key(|&(_, label)| label);
        }
        let mut place = vec![0; names.len()];
        for (new, &(_, old)) in (0_u32..).zip(&names) {
            place[old as usize] = new;
        }
        let labels = self.labels.into_iter().map(|label| place[label as usize]).collect();
        (names.into_iter().map(|(name, _)| name).collect(), labels)
    }
}

/// By value if all names are numbers (2 before 10), otherwise, and where values are equal, by bytes.
fn compare(one: &str, other: &str, all_numbers: bool) -> Ordering {
    let by_value = match (number(one), number(other)) {
        (Some(one), Some(other)) if all_numbers => one.total_cmp(&other),
        _ => Ordering::Equal,
    };
    by_value.then_with(|| one.cmp(other))
}

fn number(name: &str) -> Option<f64> {
    name.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: &[&str], come: &[&str], names: &[&str], labels: &[u32]) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let mut classes = Classes::new(&known);
        come.iter().for_each(|name| classes.push(name).unwrap());
        let (found, found_labels) = classes.finish();
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>(), found_labels),
            (names.to_vec(), labels.to_vec())
        );
    }

    #[test]
    fn new_names_are_sorted_by_value_or_by_bytes() {
        check(&[], &["b", "a", "b", "C"], &["C", "a", "b"], &[2, 1, 2, 0]);
        check(&[], &["10", "9", "-1", "10"], &["-1", "9", "10"], &[2, 1, 0, 2]);
        check(&[], &["10", "9", "x"], &["10", "9", "x"], &[0, 1, 2]);
    }

    #[test]
    fn known_names_keep_their_order_and_admit_no_other() {
        check(&["b", "a"], &["a", "a", "b"], &["b", "a"], &[1, 1, 0]);
        assert_eq!(Classes::new(&["a".to_owned()]).push("b"), Err(Refused::Unknown { classes: 1 }));
    }

    #[test]
    fn more_classes_than_a_dataset_may_have_are_refused() {
        let mut classes = Classes::new(&[]);
        (0..MAX_CLASSES).for_each(|class| classes.push(&class.to_string()).unwrap());
        assert_eq!(classes.push("one more"), Err(Refused::TooMany));
    }
}

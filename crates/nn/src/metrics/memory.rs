//! What metrics have seen as plain numbers, to be put into a checkpoint and taken out again.

use super::sum::Sum;
use std::slice::Iter;

/// Something that is a list of numbers, and nothing else.
pub(super) trait Memory {
    /// Adds the numbers to a list.
    fn write(&self, numbers: &mut Vec<f64>);

    /// Takes the numbers from a list that was [written](Self::write) by something of the same size; `None` if it ends too soon.
    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()>;
}

impl Memory for f64 {
    fn write(&self, numbers: &mut Vec<f64>) {
        numbers.push(*self);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        *self = *numbers.next()?;
        Some(())
    }
}

impl Memory for Sum {
    fn write(&self, numbers: &mut Vec<f64>) {
        let Self { sum, lost } = self;
        numbers.extend([sum, lost]);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.sum.read(numbers)?;
        self.lost.read(numbers)
    }
}

/// One after the other; how many there are does not change.
impl<M: Memory> Memory for [M] {
    fn write(&self, numbers: &mut Vec<f64>) {
        self.iter().for_each(|part| part.write(numbers));
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.iter_mut().try_for_each(|part| part.read(numbers))
    }
}

/// Pairs, as many as the first number says.
impl Memory for Vec<(f64, f64)> {
    fn write(&self, numbers: &mut Vec<f64>) {
        numbers.push(self.len() as f64);
        self.iter().for_each(|&(one, other)| numbers.extend([one, other]));
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        let count = *numbers.next()?;
        // A count that no list has is beyond what there is.
        let pairs = numbers.as_slice().get(..(count as usize).checked_mul(2)?)?;
        self.clear();
        self.extend(pairs.as_chunks().0.iter().map(|&[one, other]| (one, other)));
        *numbers = numbers.as_slice()[pairs.len()..].iter();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_pairs_takes_no_more_than_its_own() {
        let mut numbers = Vec::new();
        vec![(1.0, 2.0), (3.0, f64::INFINITY)].write(&mut numbers);
        numbers.push(7.0);
        let (mut pairs, mut rest) = (vec![(9.0, 9.0)], numbers.iter());
        pairs.read(&mut rest).expect("they were written");
        assert_eq!((pairs, rest.as_slice()), (vec![(1.0, 2.0), (3.0, f64::INFINITY)], &[7.0][..]));
        for wrong in [&[][..], &[2.0, 0.0, 0.0, 0.0], &[f64::INFINITY], &[1e300, 1.0]] {
            assert_eq!(Vec::<(f64, f64)>::new().read(&mut wrong.iter()), None, "{wrong:?}");
        }
    }
}

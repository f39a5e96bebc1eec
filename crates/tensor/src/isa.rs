//! The one place that asks the CPU what it can do, and the one step from ordinary code into its instruction sets.

use crate::arch::{Vector, VectorTypes};
use crate::scalar::Scalar;
use std::fmt;

/// The instruction sets that our kernels are written for. An `Isa` is proof that this CPU has one of them.
///
/// All give the same bits; they differ in speed only.
///
/// ```
/// use densely_tensor::Isa;
///
/// let best = Isa::detect();
/// assert!(Isa::available().any(|isa| isa == best));
/// assert_eq!("portable".parse(), Ok(Isa::PORTABLE));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Family); // the field is private: only values that `supported` lets pass are made

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Every family that this target could have, best first.
#[cfg(target_arch = "x86_64")]
const FAMILIES: &[Family] = &[Family::Avx512, Family::Avx2, Family::Portable];
#[cfg(target_arch = "aarch64")]
const FAMILIES: &[Family] = &[Family::Neon, Family::Portable];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FAMILIES: &[Family] = &[Family::Portable];

impl Family {
    fn name(self) -> &'static str {
        match self {
            Family::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Family::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Family::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Family::Neon => "neon",
        }
    }

    /// Whether this CPU, and the operating system for its registers, support the family.
    fn supported(self) -> bool {
        match self {
            Family::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Family::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Family::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "aarch64")]
            Family::Neon => std::arch::is_aarch64_feature_detected!("neon"),
        }
    }
}

impl Isa {
    /// What every CPU of the target has. The oracle for the others; slow where the target has no fused multiply-add.
    pub const PORTABLE: Isa = Isa(Family::Portable);

    /// The best that this CPU has.
    pub fn detect() -> Isa {
        Isa::available().next().unwrap_or(Isa::PORTABLE)
    }

    /// All that this CPU has, best first; [`Isa::PORTABLE`] is the last.
    pub fn available() -> impl Iterator<Item = Isa> {
        FAMILIES.iter().copied().filter(|family| family.supported()).map(Isa)
    }

    /// Bytes of the second-level cache that products count on. A CPU with AVX-512 has them; of those with AVX2, AMD's since 2017
    /// have, and Intel's for desktops before 2021 have half.
    pub(crate) fn second_level_cache(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Family::Avx512 => 1024 * 1024,
            _ => 512 * 1024,
        }
    }

    /// Lanes of its vectors.
    pub(crate) fn lanes<T: Scalar>(self) -> usize {
        struct Lanes;
        impl<T: Scalar> Kernel<T> for Lanes {
            type Output = usize;

            #[inline(always)]
            fn run<V: Vector<Element = T>>(self) -> usize {
                V::LANES
            }
        }
        self.run::<T, _>(Lanes)
    }

    /// Runs a kernel compiled for this instruction set.
    pub(crate) fn run<T: Scalar, K: Kernel<T>>(self, kernel: K) -> K::Output {
        match self.0 {
            Family::Portable => kernel.run_portable(),
            // SAFETY: an `Isa` holds a family only after `supported` found each feature that the function enables.
            #[cfg(target_arch = "x86_64")]
            Family::Avx2 => unsafe { kernel.run_avx2() },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Family::Avx512 => unsafe { kernel.run_avx512() },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Family::Neon => unsafe { kernel.run_neon() },
        }
    }
}

/// Work that is compiled once for each instruction set: everything that [`run`](Kernel::run) calls must be inlined
/// into it, or it is compiled for the baseline and loses its speed (never its bits).
///
/// The functions that switch an instruction set on are methods, because the compiler puts methods beside their type: so
/// kernels of different modules are compiled at the same time.
pub trait Kernel<T: Scalar>: Sized {
    type Output;

    /// The work, on vectors `V`. Mark it `#[inline(always)]`.
    fn run<V: Vector<Element = T>>(self) -> Self::Output;

    #[inline(never)]
    fn run_portable(self) -> Self::Output {
        self.run::<<T as VectorTypes>::Portable>()
    }

    /// # Safety
    ///
    /// The CPU must have AVX2, FMA and POPCNT.
    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,popcnt")]
    unsafe fn run_avx2(self) -> Self::Output {
        self.run::<<T as VectorTypes>::Avx2>()
    }

    /// # Safety
    ///
    /// The CPU must have all that the function enables.
    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,popcnt")]
    unsafe fn run_avx512(self) -> Self::Output {
        self.run::<<T as VectorTypes>::Avx512>()
    }

    /// # Safety
    ///
    /// The CPU must have NEON.
    #[cfg(target_arch = "aarch64")]
    #[inline(never)]
    #[target_feature(enable = "neon")]
    unsafe fn run_neon(self) -> Self::Output {
        self.run::<<T as VectorTypes>::Neon>()
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.name())
    }
}

/// A name that is no instruction set of this CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{name:?} is not an instruction set of this machine; it has {}", available_names())]
pub struct UnknownIsa {
    /// What was asked for.
    pub name: String,
}

fn available_names() -> String {
    Isa::available().map(|isa| isa.to_string()).collect::<Vec<_>>().join(", ")
}

impl std::str::FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Isa, UnknownIsa> {
        Isa::available().find(|isa| isa.0.name() == name).ok_or_else(|| UnknownIsa { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests go through what is available, so they would pass where detection finds too little.
    #[test]
    fn what_a_target_always_has_is_found() {
        let expected = if cfg!(target_arch = "aarch64") { "neon" } else { "portable" };
        assert!(Isa::available().any(|isa| isa.to_string() == expected));
        assert_eq!(Isa::available().last(), Some(Isa::PORTABLE));
    }
}

use std::fmt;
use std::str::FromStr;

/// An integer of any size, as Python has it.
///
/// It is a container: it converts, compares and prints, but does not calculate.
///
/// ```
/// use rmote_wire::BigInt;
///
/// let big: BigInt = "-340282366920938463463374607431768211456".parse()?;
/// assert!(i128::try_from(&big).is_err());
/// assert_eq!(big.to_string(), "-340282366920938463463374607431768211456");
/// # Ok::<(), rmote_wire::ParseBigIntError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt {
    /// Two's complement, little-endian, shortest form, at least one byte.
    bytes: Vec<u8>,
}

impl BigInt {
    /// Reads two's complement, little-endian. Nothing at all is zero.
    pub fn from_le_bytes(bytes: &[u8]) -> Self {
        Self::shorten(bytes.to_vec())
    }

    pub(crate) fn from_le_bytes_unsigned(bytes: &[u8]) -> Self {
        let mut bytes = bytes.to_vec();
        bytes.push(0);
        Self::shorten(bytes)
    }

    /// The shortest two's complement, little-endian.
    pub fn as_le_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        is_negative(&self.bytes)
    }

    fn shorten(mut bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            bytes.push(0);
        }
        while !is_shortest(&bytes) {
            bytes.pop();
        }
        Self { bytes }
    }

    fn from_sign_and_limbs(negative: bool, limbs: &[u64]) -> Self {
        let mut bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        bytes.push(0);
        if negative {
            negate(&mut bytes);
        }
        Self::shorten(bytes)
    }

    /// The absolute value, little-endian, without leading zeros.
    fn limbs(&self) -> Vec<u64> {
        let mut bytes = self.bytes.clone();
        if self.is_negative() {
            // One more byte: the absolute value of the smallest number of a width needs the sign bit.
            bytes.push(0xff);
            negate(&mut bytes);
        }
        let mut limbs: Vec<u64> = bytes
            .chunks(8)
            .map(|chunk| {
                let mut limb = [0; 8];
                limb[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(limb)
            })
            .collect();
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        limbs
    }

    /// Sign-extends to a fixed width.
    fn to_width<const N: usize>(&self) -> Option<[u8; N]> {
        let mut wide = [if self.is_negative() { 0xff } else { 0 }; N];
        wide.get_mut(..self.bytes.len())?
            .copy_from_slice(&self.bytes);
        Some(wide)
    }
}

impl fmt::Display for BigInt {
    /// Writes decimal digits, and hexadecimal ones above 4,096 bytes: decimal ones take time that grows with the
    /// square of the length, and the number may be a hostile peer's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        let mut limbs = self.limbs();
        let mut digits = String::new();
        if self.bytes.len() > DECIMAL_BYTES {
            for (index, limb) in limbs.iter().rev().enumerate() {
                match index {
                    0 => write!(digits, "{limb:x}")?,
                    _ => write!(digits, "{limb:016x}")?,
                }
            }
            return f.pad_integral(!self.is_negative(), "0x", &format!("0x{digits}"));
        }
        let mut groups = Vec::new();
        while !limbs.is_empty() {
            groups.push(divide(&mut limbs));
        }
        write!(digits, "{}", groups.pop().unwrap_or(0))?;
        for group in groups.iter().rev() {
            write!(digits, "{group:019}")?;
        }
        f.pad_integral(!self.is_negative(), "", &digits)
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BigInt({self})")
    }
}

impl FromStr for BigInt {
    type Err = ParseBigIntError;

    /// Reads what `Display` writes: decimal digits, or hexadecimal ones after `0x`, after an optional sign.
    fn from_str(text: &str) -> Result<Self, ParseBigIntError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (radix, group, digits) = match digits.strip_prefix("0x") {
            Some(digits) => (16_u64, 15, digits),
            None => (10, GROUP_DIGITS, digits),
        };
        if digits.is_empty() {
            return Err(ParseBigIntError(()));
        }
        let mut limbs = Vec::new();
        for group in digits.as_bytes().chunks(group) {
            let mut value = 0;
            let mut scale = 1;
            for &digit in group {
                let digit = char::from(digit).to_digit(if radix == 16 { 16 } else { 10 });
                value = value * radix + u64::from(digit.ok_or(ParseBigIntError(()))?);
                scale *= radix;
            }
            multiply_add(&mut limbs, scale, value);
        }
        Ok(Self::from_sign_and_limbs(negative, &limbs))
    }
}

impl From<i64> for BigInt {
    fn from(value: i64) -> Self {
        Self::from_le_bytes(&value.to_le_bytes())
    }
}

impl From<u64> for BigInt {
    fn from(value: u64) -> Self {
        Self::from_le_bytes_unsigned(&value.to_le_bytes())
    }
}

impl From<i128> for BigInt {
    fn from(value: i128) -> Self {
        Self::from_le_bytes(&value.to_le_bytes())
    }
}

impl From<u128> for BigInt {
    fn from(value: u128) -> Self {
        Self::from_le_bytes_unsigned(&value.to_le_bytes())
    }
}

impl TryFrom<&BigInt> for i64 {
    type Error = BigIntRangeError;

    fn try_from(value: &BigInt) -> Result<Self, BigIntRangeError> {
        let bytes = value.to_width().ok_or(BigIntRangeError(()))?;
        Ok(Self::from_le_bytes(bytes))
    }
}

impl TryFrom<&BigInt> for u64 {
    type Error = BigIntRangeError;

    fn try_from(value: &BigInt) -> Result<Self, BigIntRangeError> {
        let value = i128::try_from(value)?;
        Self::try_from(value).map_err(|_| BigIntRangeError(()))
    }
}

impl TryFrom<&BigInt> for i128 {
    type Error = BigIntRangeError;

    fn try_from(value: &BigInt) -> Result<Self, BigIntRangeError> {
        let bytes = value.to_width().ok_or(BigIntRangeError(()))?;
        Ok(Self::from_le_bytes(bytes))
    }
}

impl TryFrom<&BigInt> for u128 {
    type Error = BigIntRangeError;

    fn try_from(value: &BigInt) -> Result<Self, BigIntRangeError> {
        // The 17th byte of a number above i128::MAX holds its sign.
        let bytes = value.to_width::<17>().ok_or(BigIntRangeError(()))?;
        match bytes.split_last_chunk::<1>() {
            Some((low, [0])) => {
                let mut wide = [0; 16];
                wide.copy_from_slice(low);
                Ok(Self::from_le_bytes(wide))
            }
            _ => Err(BigIntRangeError(())),
        }
    }
}

/// A [`BigInt`] that does not fit the type asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the integer is out of range")]
pub struct BigIntRangeError(());

/// A text that is no integer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text is no integer")]
pub struct ParseBigIntError(());

/// Whether no byte could be left out.
pub(crate) fn is_shortest(bytes: &[u8]) -> bool {
    match bytes {
        [] => false,
        [.., second, 0] => *second >= 0x80,
        [.., second, 0xff] => *second < 0x80,
        _ => true,
    }
}

fn is_negative(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|&byte| byte >= 0x80)
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

/// Divides by `GROUP`, drops leading zeros and gives the remainder.
fn divide(limbs: &mut Vec<u64>) -> u64 {
    let mut rest = 0;
    for limb in limbs.iter_mut().rev() {
        let wide = u128::from(rest) << 64 | u128::from(*limb);
        // The rest is below GROUP, so the quotient fits a limb.
        *limb = low(wide / u128::from(GROUP));
        rest = low(wide % u128::from(GROUP));
    }
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    rest
}

fn multiply_add(limbs: &mut Vec<u64>, factor: u64, mut carry: u64) {
    for limb in limbs.iter_mut() {
        let wide = u128::from(*limb) * u128::from(factor) + u128::from(carry);
        *limb = low(wide);
        carry = low(wide >> 64);
    }
    if carry != 0 {
        limbs.push(carry);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what is asked for"
)]
fn low(wide: u128) -> u64 {
    wide as u64
}

/// The largest power of ten in a limb.
const GROUP: u64 = 10_u64.pow(19);

const GROUP_DIGITS: usize = 19;

/// Some 10,000 digits, which take below a millisecond.
const DECIMAL_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_signs() {
        for value in [
            0,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            256,
            i128::MAX,
            i128::MIN,
        ] {
            let big = BigInt::from(value);
            assert!(is_shortest(big.as_le_bytes()), "{value}");
            assert_eq!(i128::try_from(&big), Ok(value));
            assert_eq!(big.to_string(), value.to_string());
            assert_eq!(value.to_string().parse(), Ok(big.clone()));
            assert_eq!(u128::try_from(&big).ok(), u128::try_from(value).ok());
            assert_eq!(i64::try_from(&big).ok(), i64::try_from(value).ok());
            assert_eq!(u64::try_from(&big).ok(), u64::try_from(value).ok());
        }
        let largest = BigInt::from(u128::MAX);
        assert_eq!(u128::try_from(&largest), Ok(u128::MAX));
        assert!(i128::try_from(&largest).is_err());
        assert_eq!(largest.to_string(), u128::MAX.to_string());
        assert_eq!(BigInt::from_le_bytes(&[]), BigInt::from(0_i64));
        assert_eq!(BigInt::from_le_bytes(&[0xff; 40]), BigInt::from(-1_i64));
    }

    #[test]
    fn digits_of_any_number_come_back() {
        let decimal = format!("-{}", "1234567890".repeat(30));
        assert_eq!(decimal.parse::<BigInt>().unwrap().to_string(), decimal);
        let zeros = format!("1{}", "0".repeat(80));
        assert_eq!(zeros.parse::<BigInt>().unwrap().to_string(), zeros);
        let mut huge = vec![7; 2 * DECIMAL_BYTES];
        huge.push(0xfe);
        let huge = BigInt::from_le_bytes(&huge);
        assert!(huge.to_string().starts_with("-0x1"));
        assert_eq!(huge.to_string().parse(), Ok(huge));
        for bad in ["", "-", "0x", "1_0", "+-1", "é", "0xg", "1a"] {
            assert!(bad.parse::<BigInt>().is_err(), "{bad}");
        }
    }
}

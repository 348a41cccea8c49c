//! Scalars as Kubernetes writes them: uids, resource versions, timestamps, quantities.

/// The 128 bits of a uid in its usual 36 characters.
#[must_use]
pub fn parse_uid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    bytes
        .iter()
        .enumerate()
        .try_fold(0u128, |bits, (index, byte)| match (index, byte) {
            (8 | 13 | 18 | 23, b'-') => Some(bits),
            (8 | 13 | 18 | 23, _) => None,
            _ => Some(bits << 4 | u128::from(char::from(*byte).to_digit(16)?)),
        })
}

/// The usual 36 characters of a uid.
#[must_use]
pub fn uid_text(uid: u128) -> String {
    let mut text = String::with_capacity(36);
    for place in (0..32).rev() {
        if matches!(place, 23 | 19 | 15 | 11) {
            text.push('-');
        }
        let digit = (uid >> (4 * place)) as usize & 0xf;
        text.push(char::from(b"0123456789abcdef"[digit]));
    }
    text
}

/// A `resourceVersion`: decimal digits, or nothing (0) where a list was put together by a client.
#[must_use]
pub fn parse_resource_version(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    // `u64::from_str` would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Seconds UTC of an RFC 3339 timestamp; fractions are cut off.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !text.is_ascii() {
        return None;
    }
    for (index, mark) in [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')] {
        if bytes[index] != mark {
            return None;
        }
    }
    if !matches!(bytes[10], b'T' | b't') {
        return None;
    }
    let [year, month, day] = [
        digits(&bytes[..4])?,
        digits(&bytes[5..7])?,
        digits(&bytes[8..10])?,
    ];
    let [hour, minute, second] = [
        digits(&bytes[11..13])?,
        digits(&bytes[14..16])?,
        digits(&bytes[17..19])?,
    ];
    // 60 is a leap second.
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let fraction = bytes[19..]
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let zone = match bytes[19] {
        b'.' if fraction > 0 => &bytes[20 + fraction..],
        _ => &bytes[19..],
    };
    let seconds = days_from_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u32::try_from(seconds - zone_seconds(zone)?).ok()
}

/// Milliseconds of a recorded time in seconds UTC.
pub fn milliseconds(seconds: f64) -> Result<i64, String> {
    // Years 1970 to 2106, like every other time.
    if !(0.0..=f64::from(u32::MAX)).contains(&seconds) {
        return Err(format!("t {seconds} is not in seconds since 1970"));
    }
    Ok((seconds * 1000.0).round() as i64)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn zone_seconds(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let [hours, minutes] = [digits(hours)?, digits(&[*tens, *ones])?];
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, `days_from_civil`).
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A Kubernetes quantity in thousandths, rounded up as `MilliValue()` does.
///
/// Grammar: `k8s.io/apimachinery/pkg/api/resource/quantity.go`.
#[must_use]
pub fn parse_milli(text: &str) -> Option<u64> {
    let end = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // 18 digits keep the mantissa within 64 bits.
    if !(1..=18).contains(&(whole.len() + fraction.len())) {
        return None;
    }
    let mantissa = whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0u128, |mantissa, byte| {
            byte.is_ascii_digit()
                .then(|| mantissa * 10 + u128::from(byte - b'0'))
        })?;
    let decimals = u32::try_from(fraction.len()).ok()?;
    let (factor, tens) = scale(suffix)?;
    let tens = tens + 3 - i32::try_from(decimals).ok()?;
    let scaled = mantissa.checked_mul(factor)?;
    let power = 10u128.checked_pow(tens.unsigned_abs())?;
    let milli = if tens < 0 {
        scaled.div_ceil(power)
    } else {
        scaled.checked_mul(power)?
    };
    u64::try_from(milli).ok()
}

/// The factor and the power of ten of a suffix.
fn scale(suffix: &str) -> Option<(u128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            let power: i32 = digits.parse().ok()?;
            ((-18..=18).contains(&power)).then_some((1, power))?
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{parse_milli, parse_resource_version, parse_timestamp, parse_uid, uid_text};

    #[test]
    fn timestamps_are_seconds_utc() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-23T09:34:00Z", Some(1_795_426_440)),
            ("2026-11-23T17:34:00+08:00", Some(1_795_426_440)),
            ("2026-11-23T09:34:00.999999Z", Some(1_795_426_440)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-11-23 09:34:00Z", None),
            ("2026-11-23T09:34:00", None),
            ("2026-11-23T09:34:00.Z", None),
            ("2026-13-23T09:34:00Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse_timestamp(text), seconds, "{text}");
        }
    }

    #[test]
    fn quantities_round_up_to_thousandths() {
        for (text, milli) in [
            ("100m", Some(100)),
            ("2", Some(2000)),
            ("0.1", Some(100)),
            ("1.0001", Some(1001)),
            ("100u", Some(1)),
            ("64Mi", Some(64 * 1024 * 1024 * 1000)),
            ("1e3", Some(1_000_000)),
            ("1E", None),
            ("", None),
            ("-1", None),
            ("1Zi", None),
            (".", None),
        ] {
            assert_eq!(parse_milli(text), milli, "{text}");
        }
    }

    #[test]
    fn resource_versions_are_decimal() {
        assert_eq!(
            parse_resource_version("18446744073709551615"),
            Some(u64::MAX)
        );
        assert_eq!(parse_resource_version("18446744073709551616"), None);
        assert_eq!(parse_resource_version("+1"), None);
        assert_eq!(parse_resource_version("0x1"), None);
        assert_eq!(parse_resource_version(""), Some(0));
    }

    #[test]
    fn a_uid_has_its_dashes_in_place() {
        assert_eq!(parse_uid("401598b1-3f34-4eee-afe2-d156af76fff"), None);
        assert_eq!(parse_uid("401598b13-f34-4eee-afe2-d156af76fff5"), None);
        assert_eq!(parse_uid("401598b1-3f34-4eee-afe2-d156af76ffg5"), None);
    }

    proptest! {
        #[test]
        fn a_uid_is_what_was_written(uid: u128) {
            prop_assert_eq!(parse_uid(&uid_text(uid)), Some(uid));
        }
    }
}

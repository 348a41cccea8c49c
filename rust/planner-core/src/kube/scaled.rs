//! Numbers that may be written as a percentage.
//!
//! Which rounding applies is the business of each field (see [`super::strategy`] and
//! [`super::budget`]); here is only the arithmetic, which is that of
//! `k8s.io/apimachinery pkg/util/intstr`: a product in `float64`, divided by 100, then ceil or
//! floor. An integer passes through untouched, whatever the total.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// A number of pods, or a percentage of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    /// So many.
    Int(i32),
    /// So many of a hundred.
    Percent(i32),
}

/// The text or number is not an amount of pods.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{written} is not an amount: write an integer such as 5, or a whole percentage such as \"5%\""
)]
pub struct NotAnAmount {
    written: String,
}

/// In which direction a percentage becomes a number of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Ceil.
    Up,
    /// Floor.
    Down,
}

impl Rounding {
    /// As it is told to people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Up => "rounded up",
            Self::Down => "rounded down",
        }
    }
}

/// A number and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Pods.
    pub value: u32,
    /// For example `maxUnavailable 20% of 110 = 22 (rounded up)`.
    pub text: String,
}

impl IntOrPercent {
    /// Reads a text that must end in `%` around an integer, as `GetScaledValueFromIntOrPercent`.
    pub fn strict(value: &Value) -> Result<Self, NotAnAmount> {
        let percent = |text: &str| {
            text.strip_suffix('%')
                .and_then(|number| number.parse().ok())
        };
        Self::read(value, percent)
    }

    /// Reads a text whose `%` may be missing, as the deprecated `GetValueFromIntOrPercent`: the
    /// text `"5"` is five percent. Several `OpenKruise` fields are still read so.
    pub fn legacy(value: &Value) -> Result<Self, NotAnAmount> {
        Self::read(value, |text| text.replace('%', "").parse().ok())
    }

    fn read(value: &Value, percent: impl Fn(&str) -> Option<i32>) -> Result<Self, NotAnAmount> {
        let amount = match value {
            Value::Number(number) => number
                .as_i64()
                .and_then(|int| i32::try_from(int).ok())
                .map(Self::Int),
            Value::String(text) => percent(text).map(Self::Percent),
            _ => None,
        };
        amount.ok_or_else(|| NotAnAmount {
            written: value.to_string(),
        })
    }

    /// How many of `total` pods; a percentage is rounded up. Negative amounts are 0.
    #[must_use]
    pub fn ceil(self, total: u32) -> u32 {
        self.resolve(total, Rounding::Up)
    }

    /// How many of `total` pods; a percentage is rounded down. Negative amounts are 0.
    #[must_use]
    pub fn floor(self, total: u32) -> u32 {
        self.resolve(total, Rounding::Down)
    }

    /// How many of `total` pods.
    #[must_use]
    pub fn resolve(self, total: u32, rounding: Rounding) -> u32 {
        match self {
            Self::Int(number) => u32::try_from(number).unwrap_or(0),
            Self::Percent(percent) => {
                let exact = f64::from(percent) * f64::from(total) / 100.0;
                let whole = match rounding {
                    Rounding::Up => exact.ceil(),
                    Rounding::Down => exact.floor(),
                };
                // `as` saturates, and a negative amount becomes 0.
                #[expect(clippy::cast_sign_loss, reason = "a negative amount is no pods")]
                let pods = whole as u32;
                pods
            }
        }
    }

    /// The same with the words that explain it, for example
    /// `maxUnavailable 20% of 110 = 22 (rounded up)` or `maxUnavailable 5`.
    #[must_use]
    pub fn explain(self, field: &str, total: u32, rounding: Rounding) -> Resolved {
        let value = self.resolve(total, rounding);
        let text = match self {
            Self::Int(_) => format!("{field} {self}"),
            Self::Percent(_) => {
                format!("{field} {self} of {total} = {value} ({})", rounding.text())
            }
        };
        Resolved { value, text }
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(out, "{number}"),
            Self::Percent(percent) => write!(out, "{percent}%"),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrPercent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::strict(&Value::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{IntOrPercent, Rounding};

    fn percent(text: &str) -> IntOrPercent {
        IntOrPercent::strict(&json!(text)).unwrap()
    }

    #[test]
    fn percentages_round_as_they_are_told() {
        assert_eq!((percent("25%").ceil(10), percent("25%").floor(10)), (3, 2));
        assert_eq!((percent("50%").ceil(7), percent("50%").floor(7)), (4, 3));
        assert_eq!((percent("10%").ceil(25), percent("10%").floor(25)), (3, 2));
        assert_eq!((percent("100%").ceil(7), percent("100%").floor(7)), (7, 7));
        assert_eq!((percent("0%").ceil(7), percent("150%").ceil(10)), (0, 15));
    }

    #[test]
    fn the_product_is_taken_before_the_division() {
        // 7/100 is not exact in binary; 0.07 * 100 would round up to 8.
        assert_eq!(percent("7%").ceil(100), 7);
        assert_eq!(percent("29%").floor(100), 29);
    }

    #[test]
    fn integers_do_not_know_the_total() {
        assert_eq!(IntOrPercent::Int(30).ceil(7), 30);
        assert_eq!(IntOrPercent::Int(-1).floor(7), 0);
        assert_eq!(IntOrPercent::Percent(-10).ceil(100), 0);
    }

    #[test]
    fn only_the_deprecated_reading_forgives_a_missing_sign() {
        assert!(IntOrPercent::strict(&json!("5")).is_err());
        assert_eq!(
            IntOrPercent::legacy(&json!("5")),
            Ok(IntOrPercent::Percent(5))
        );
        assert_eq!(
            IntOrPercent::legacy(&json!("5%")),
            Ok(IntOrPercent::Percent(5))
        );
        assert_eq!(IntOrPercent::legacy(&json!(5)), Ok(IntOrPercent::Int(5)));
    }

    #[test]
    fn what_is_no_whole_amount_is_refused() {
        let bad = [
            json!("0.5%"),
            json!("%"),
            json!(""),
            json!("ten"),
            json!(1.5),
            Value::Null,
        ];
        for bad in bad {
            assert!(IntOrPercent::strict(&bad).is_err(), "{bad}");
            assert!(IntOrPercent::legacy(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_explanation_says_base_and_direction() {
        let resolved = percent("20%").explain("maxUnavailable", 110, Rounding::Up);
        assert_eq!(resolved.value, 22);
        assert_eq!(resolved.text, "maxUnavailable 20% of 110 = 22 (rounded up)");
        let fixed = IntOrPercent::Int(5).explain("maxUnavailable", 110, Rounding::Up);
        assert_eq!(fixed.text, "maxUnavailable 5");
    }
}

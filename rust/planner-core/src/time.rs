//! Time as people write it.

use chrono::{DateTime, SecondsFormat};

/// Milliseconds UTC as RFC 3339 with whole seconds, for example `2026-11-23T09:34:00Z`.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn time_is_utc_with_whole_seconds() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_795_426_521_646), "2026-11-23T09:35:21Z");
    }
}

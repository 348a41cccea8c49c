//! The plan without barriers.

use serde::Serialize;

use super::{Certificate, Scene};

/// How long it takes when nobody waits for a wave to be over, and the least that it could.
#[derive(Serialize)]
pub(super) struct Streaming<'a> {
    seconds: f64,
    seconds_bound: f64,
    proof: Certificate<'a>,
}

impl Scene<'_> {
    /// Where the request asks for it.
    pub(super) fn streaming(&self) -> Option<Streaming<'_>> {
        let streaming = self.schedule.streaming.as_ref()?;
        Some(Streaming {
            seconds: streaming.ms as f64 / 1000.0,
            seconds_bound: streaming.bound_ms as f64 / 1000.0,
            proof: self.certificate(&streaming.proof),
        })
    }
}

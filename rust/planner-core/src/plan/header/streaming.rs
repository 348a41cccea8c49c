//! The plan without barriers.

use serde::Serialize;

use super::{Certificate, Scene};

/// How long it takes when nobody waits for a wave to be over, and the least that it could.
#[derive(Serialize)]
pub(super) struct Streaming<'a> {
    seconds: f64,
    seconds_bound: f64,
    /// Of each wave, when the first of its moves begins and the last ends.
    spans: Vec<(f64, f64)>,
    proof: Certificate<'a>,
}

impl Scene<'_> {
    /// Where the request asks for it.
    pub(super) fn streaming(&self) -> Option<Streaming<'_>> {
        let streaming = self.schedule.streaming.as_ref()?;
        let problem = &self.model.problem;
        let mut spans = vec![(u64::MAX, 0); self.schedule.waves as usize];
        for (at, chunk) in self.schedule.chunks.iter().enumerate() {
            let (begin_ms, end_ms) = &mut spans[chunk.wave as usize - 1];
            let first = streaming.runs(at).first().expect("no chunk is empty");
            *begin_ms = first.start_ms.min(*begin_ms);
            *end_ms = self.schedule.end_ms(problem, at).max(*end_ms);
        }
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let spans = spans.into_iter().map(|(a, b)| (seconds(a), seconds(b)));
        Some(Streaming {
            spans: spans.collect(),
            seconds: seconds(streaming.ms),
            seconds_bound: seconds(streaming.bound_ms),
            proof: self.certificate(&streaming.proof),
        })
    }
}

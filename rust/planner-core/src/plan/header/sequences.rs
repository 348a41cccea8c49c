//! The phases of each sequence: how many moves they have, and in which waves.

use serde::Serialize;

use super::Scene;

#[derive(Serialize)]
pub(super) struct PhaseSpan<'a> {
    sequence: &'a str,
    /// Where the sequence is kept by itself.
    place: Option<&'a str>,
    name: &'a str,
    moves: u32,
    first_wave: Option<u32>,
    last_wave: Option<u32>,
}

impl Scene<'_> {
    /// Those of a sequence in their order.
    pub(super) fn sequences(&self) -> Vec<PhaseSpan<'_>> {
        let mut phases: Vec<PhaseSpan<'_>> = self
            .model
            .phases
            .iter()
            .map(|it| PhaseSpan {
                sequence: &it.sequence,
                place: (!it.place.is_empty()).then_some(&it.place),
                name: &it.name,
                moves: 0,
                first_wave: None,
                last_wave: None,
            })
            .collect();
        if phases.is_empty() {
            return phases;
        }
        for chunk in &self.schedule.chunks {
            let cohorts = &self.model.problem.groups[chunk.group as usize].cohorts;
            for phase in cohorts.phases(chunk.cohort as usize) {
                let phase = &mut phases[*phase as usize];
                phase.moves += chunk.count;
                phase.first_wave = phase.first_wave.or(Some(chunk.wave));
                phase.last_wave = Some(chunk.wave);
            }
        }
        phases
    }
}

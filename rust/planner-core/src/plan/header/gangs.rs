//! The gangs of each entry of the request: how many move, and how large the largest is.

use serde::Serialize;

use super::Scene;

#[derive(Serialize)]
pub(super) struct GangsOf<'a> {
    name: &'a str,
    /// Gangs that move.
    gangs: u32,
    moves: u32,
    /// Most moves of one gang.
    largest: u32,
}

impl Scene<'_> {
    /// By entry, in their order.
    pub(super) fn gangs(&self) -> Vec<GangsOf<'_>> {
        let mut moves = vec![0; self.model.gangs.len()];
        let chunks = if moves.is_empty() {
            &[]
        } else {
            &self.schedule.chunks[..]
        };
        for chunk in chunks {
            let cohorts = &self.model.problem.groups[chunk.group as usize].cohorts;
            if let Some(gang) = cohorts.gang(chunk.cohort as usize) {
                moves[gang as usize] += chunk.count;
            }
        }
        let entries = self.model.gang_entries.iter().enumerate();
        let of_entry = entries.map(|(entry, name)| {
            let gangs = self.model.gangs.iter().zip(&moves);
            let its = gangs.filter(|(gang, moves)| gang.entry == entry && **moves > 0);
            let its = its.map(|(_, moves)| *moves);
            GangsOf {
                name,
                gangs: its.clone().count() as u32,
                moves: its.clone().sum(),
                largest: its.max().unwrap_or(0),
            }
        });
        of_entry.collect()
    }
}

impl GangsOf<'_> {
    /// What people are told of an entry by which nothing moves together.
    pub(super) fn idle(&self) -> Option<String> {
        let Self { name, gangs, .. } = self;
        (*gangs == 0).then(|| format!("gangs {name}: no two pods move together by it"))
    }
}

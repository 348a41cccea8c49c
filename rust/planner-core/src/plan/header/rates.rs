//! Each rate: its moves, and how much longer the waves are for it.

use serde::Serialize;

use super::Scene;
use crate::model::RateOf;

#[derive(Serialize)]
pub(super) struct Rate<'a> {
    name: &'a str,
    cluster: Option<&'a str>,
    #[serde(flatten)]
    of: Of<'a>,
    moves: u64,
    adds_s: f64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Of<'a> {
    Writes {
        writes_per_second: u32,
    },
    Pulls {
        registry: &'a str,
        pulls_per_second: u32,
        pulls: u64,
        /// By workload, those that have any: what each of its moves pulls at most.
        pulls_a_move: Vec<(u32, u32)>,
    },
}

impl Scene<'_> {
    /// Every rate of the problem.
    pub(super) fn rates(&self) -> Vec<Rate<'_>> {
        let paced = self.schedule.paced(&self.model.problem);
        let each = (0..).zip(paced).map(|(index, paced)| {
            let rate = &self.model.problem.rates[index as usize];
            let (cluster, of) = match &self.model.rates[index as usize] {
                RateOf::Writes(cluster) => {
                    let writes_per_second = rate.per_s;
                    (Some(*cluster), Of::Writes { writes_per_second })
                }
                RateOf::Pulls { registry, cluster } => {
                    let of = Of::Pulls {
                        registry,
                        pulls_per_second: rate.per_s,
                        pulls: paced.units,
                        pulls_a_move: self.needs(index),
                    };
                    (*cluster, of)
                }
            };
            Rate {
                name: &rate.name,
                cluster: cluster.map(|it| self.inventory.clusters[it as usize].name),
                of,
                moves: paced.moves,
                adds_s: paced.adds_ms as f64 / 1000.0,
            }
        });
        each.collect()
    }

    /// What a move of each group needs of a rate, of those that need any and have a move.
    fn needs(&self, rate: u32) -> Vec<(u32, u32)> {
        let groups = (0..).zip(&self.model.problem.groups);
        let needs = groups.filter_map(|(at, group)| {
            let need = group.needs.iter().find(|it| it.rate == rate)?;
            let moves = self.spread.by_group.chunks(at as usize).len();
            (moves > 0).then_some((at, need.units))
        });
        needs.collect()
    }
}

//! Stages that hold nothing, or wait for nobody.

use super::{Finding, Posed};

impl Posed<'_> {
    /// `moves` are those of each cohort that can be made at all.
    pub(super) fn stages(&self, moves: &[u32]) -> Vec<Finding> {
        let sizes = self.group_moves(moves);
        let stages = &self.request.spec.stages;
        let mut found = Vec::new();
        let mut reached = vec![0; sizes.len()];
        for (at, stage) in stages.iter().enumerate() {
            let path = format!("stages.{}", stage.name);
            let mut held = 0_u64;
            for (reached, moves) in reached.iter_mut().zip(&sizes) {
                let until = stage.per_workload.ceil(*moves).min(*moves).max(*reached);
                held += u64::from(until - *reached);
                *reached = until;
            }
            if held == 0 && sizes.iter().any(|moves| *moves > 0) {
                found.push(Finding {
                    rule: "empty-stage",
                    path: path.clone(),
                    message: "it holds no move of any workload: the stages before it hold as many"
                        .to_owned(),
                    remedy: "make it larger than the stage before, or take it out".to_owned(),
                });
            }
            let waits = stage.soak.is_some() || stage.approval.is_some();
            if at + 1 == stages.len() && waits {
                found.push(Finding {
                    rule: "waits-for-nothing",
                    path,
                    message: "its soak and approval come after the last move".to_owned(),
                    remedy: "take them out, or let another stage follow".to_owned(),
                });
            }
        }
        found.extend(self.left_out(&sizes, &reached));
        found
    }

    /// What the last stage leaves.
    fn left_out(&self, sizes: &[u32], reached: &[u32]) -> Option<Finding> {
        let last = self.request.spec.stages.last()?;
        let pairs = sizes.iter().zip(reached);
        let left: u64 = pairs.map(|(moves, until)| u64::from(moves - until)).sum();
        (left > 0).then(|| Finding {
            rule: "leaves-out",
            path: format!("stages.{}", last.name),
            message: format!("the stages end before {left} moves, which no stage makes"),
            remedy: "let the last stage end at 100%, if that is not meant".to_owned(),
        })
    }

    fn group_moves(&self, moves: &[u32]) -> Vec<u32> {
        let mut rest = moves;
        let groups = self.model.problem.groups.iter();
        let sizes = groups.map(|group| {
            let (own, others) = rest.split_at(group.cohorts.len());
            rest = others;
            own.iter().sum()
        });
        sizes.collect()
    }
}

//! What proves a bound, with the numbers that anybody can check.

use serde::Serialize;

use super::Scene;
use crate::schedule::{self, Proof, Unit, problem::ResourceIdx};

/// Why no plan can be shorter, for people and for the checker.
#[derive(Default, Serialize)]
pub(super) struct Certificate<'a> {
    kind: &'static str,
    text: String,
    through: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<ChainLink<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Room<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhasePart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Edge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tail: Option<Edge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    between: Option<Between>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shortest_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Begun<'a>>,
}

/// The moves of a rate, and when all have begun.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "names are published")]
struct Begun<'a> {
    name: &'a str,
    moves: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u64>,
    begun_s: f64,
}

/// A phase of a sequence, and what its moves take from.
#[derive(Serialize)]
struct PhasePart<'a> {
    sequence: &'a str,
    place: Option<&'a str>,
    name: &'a str,
    budget: Room<'a>,
}

#[derive(Serialize)]
struct ChainLink<'a> {
    workload: &'a str,
    moves: u32,
    waves: u32,
    stages: &'a [u32],
    budget: Option<Room<'a>>,
    #[serde(flatten)]
    lasts: Option<Lasts>,
}

/// How long the moves of a link take.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "units are said everywhere")]
struct Lasts {
    shortest_s: f64,
    longest_s: f64,
    soaks_s: f64,
    /// Until they have begun, where they go by a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_s: Option<f64>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "names are published")]
struct Room<'a> {
    name: &'a str,
    cluster: Option<&'a str>,
    place: Option<&'a str>,
    moves: u32,
    room: u32,
}

#[derive(Serialize)]
struct Edge {
    waves: u32,
    moves: u32,
}

#[derive(Serialize)]
struct Between {
    head_waves: u32,
    moves: u32,
    down: u32,
    tail_waves: u32,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "units are said everywhere")]
struct Times {
    head_s: f64,
    moves_s: f64,
    tail_s: f64,
}

impl Scene<'_> {
    pub(super) fn certificate<'s>(&'s self, proof: &'s Proof) -> Certificate<'s> {
        let argued = self.argued(proof);
        match proof {
            Proof::Nothing => Certificate {
                kind: "nothing",
                ..argued
            },
            Proof::Chain { links, unit } => Certificate {
                kind: if links.len() == 1 {
                    "workload"
                } else {
                    "chain"
                },
                chain: self.chain(links, *unit),
                ..argued
            },
            Proof::Calendar { links, .. } => Certificate {
                kind: "calendar",
                chain: self.chain(links, Unit::Milliseconds),
                ..argued
            },
            Proof::Resource { .. } | Proof::Between { .. } | Proof::ResourceTime { .. } => {
                self.by_budget(proof, argued)
            }
            Proof::Phases { parts } => self.of_phases(parts, argued),
            Proof::Rate { begun, shortest_ms } => Certificate {
                kind: "rate",
                rate: Some(self.begun(*begun)),
                shortest_s: Some(seconds(*shortest_ms)),
                ..argued
            },
            Proof::Begun { begun, why } => Certificate {
                rate: Some(self.begun(*begun)),
                text: argued.text,
                ..self.certificate(why)
            },
            Proof::Waves {
                shortest_ms,
                begun,
                why,
            } => Certificate {
                shortest_s: Some(seconds(*shortest_ms)),
                rate: begun.map(|begun| self.begun(begun)),
                text: argued.text,
                ..self.certificate(why)
            },
        }
    }

    /// What a proof says in words.
    fn argued<'s>(&'s self, proof: &Proof) -> Certificate<'s> {
        let problem = &self.model.problem;
        let name = |group: u32| &*problem.groups[group as usize].name;
        Certificate {
            text: proof.sentence(problem),
            through: proof.through().into_iter().map(name).collect(),
            ..Certificate::default()
        }
    }

    /// By what a budget has room for; nothing else is one of these.
    fn by_budget<'s>(&'s self, proof: &Proof, argued: Certificate<'s>) -> Certificate<'s> {
        match proof {
            Proof::Resource {
                resource,
                moves,
                room,
                head,
                tail,
            } => Certificate {
                head: Some(Edge::of(*head)),
                tail: Some(Edge::of(*tail)),
                ..self.of_budget(*resource, *moves, *room, argued)
            },
            Proof::Between {
                resource,
                moves,
                room,
                between,
            } => Certificate {
                between: Some(Between::of(*between)),
                ..self.of_budget(*resource, *moves, *room, argued)
            },
            Proof::ResourceTime {
                resource,
                moves,
                room,
                head_ms,
                moves_ms,
                tail_ms,
            } => Certificate {
                times: Some(Times::of(*head_ms, *moves_ms, *tail_ms)),
                ..self.of_budget(*resource, *moves, *room, argued)
            },
            _ => argued,
        }
    }

    fn of_budget<'s>(
        &'s self,
        resource: ResourceIdx,
        moves: u32,
        room: u32,
        argued: Certificate<'s>,
    ) -> Certificate<'s> {
        Certificate {
            kind: "budget",
            budget: Some(self.room(resource, moves, room)),
            ..argued
        }
    }

    fn begun(&self, begun: schedule::Begun) -> Begun<'_> {
        Begun {
            name: &self.model.problem.rates[begun.rate as usize].name,
            moves: begun.moves,
            units: (begun.units != u64::from(begun.moves)).then_some(begun.units),
            begun_s: seconds(begun.ms),
        }
    }

    fn chain<'s>(&'s self, links: &'s [schedule::ChainLink], unit: Unit) -> Vec<ChainLink<'s>> {
        links.iter().map(|link| self.link(link, unit)).collect()
    }

    fn link<'s>(&'s self, link: &'s schedule::ChainLink, unit: Unit) -> ChainLink<'s> {
        ChainLink {
            workload: &self.model.problem.groups[link.group as usize].name,
            moves: link.moves,
            waves: link.waves,
            stages: &link.stages,
            budget: link
                .room
                .map(|it| self.room(it.resource, it.moves, it.room)),
            lasts: (unit != Unit::Waves).then(|| Lasts {
                shortest_s: seconds(link.shortest_ms),
                longest_s: seconds(link.longest_ms),
                soaks_s: seconds(link.soaks_ms),
                begun_s: (link.begun_ms > 0).then(|| seconds(link.begun_ms)),
            }),
        }
    }

    fn of_phases<'s>(
        &'s self,
        parts: &'s [schedule::PhasePart],
        argued: Certificate<'s>,
    ) -> Certificate<'s> {
        Certificate {
            kind: "phases",
            phases: parts.iter().map(|part| self.phase(part)).collect(),
            ..argued
        }
    }

    fn phase(&self, part: &schedule::PhasePart) -> PhasePart<'_> {
        let of = &self.model.phases[part.phase as usize];
        PhasePart {
            sequence: &of.sequence,
            place: (!of.place.is_empty()).then_some(&of.place),
            name: &of.name,
            budget: self.room(part.room.resource, part.room.moves, part.room.room),
        }
    }

    fn room(&self, resource: ResourceIdx, moves: u32, room: u32) -> Room<'_> {
        let budget = self.model.budget(resource);
        let place = &*self.model.places[resource as usize];
        Room {
            name: &budget.name,
            cluster: budget
                .cluster
                .map(|it| self.inventory.clusters[it as usize].name),
            place: (!place.is_empty()).then_some(place),
            moves,
            room,
        }
    }
}

impl Times {
    fn of(head_ms: u64, moves_ms: u64, tail_ms: u64) -> Self {
        Self {
            head_s: seconds(head_ms),
            moves_s: seconds(moves_ms),
            tail_s: seconds(tail_ms),
        }
    }
}

impl Edge {
    fn of(edge: schedule::Edge) -> Self {
        Self {
            waves: edge.waves,
            moves: edge.moves,
        }
    }
}

impl Between {
    fn of(between: schedule::Between) -> Self {
        Self {
            head_waves: between.head_waves,
            moves: between.moves,
            down: between.down,
            tail_waves: between.tail_waves,
        }
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

//! The problem that the scheduler solves.
//!
//! A wave is a barrier: the moves of a wave are down together and back before the next wave.
//! For every wave and every resource from which a move of that wave takes:
//! `down + taken <= limit`, where `down` are the pods that are down already and have not been
//! moved in an earlier wave (a pod that is down counts until the end of the wave that moves it).
//! A wave lasts as long as its longest move, after all that go by the same rate have begun.

pub use super::calendar::Calendar;
pub use super::cohorts::{Cohort, Cohorts};
pub use super::rates::{Need, Rate};

/// Index into [`Problem::resources`].
pub type ResourceIdx = u32;
/// Number of a pool of resources; see [`Problem::pools`].
pub type PoolIdx = u32;
/// Index into [`Problem::groups`].
pub type GroupIdx = u32;
/// Index into [`Problem::calendars`].
pub type CalendarIdx = u32;
/// Index into [`Problem::rates`].
pub type RateIdx = u32;
/// Index into [`Problem::phases`].
pub type PhaseIdx = u32;
/// Index into [`Problem::gangs`].
pub type GangIdx = u32;

/// A renewable resource: one budget at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What people call it, for example `pdb/trade/cart`; unique.
    pub name: Box<str>,
    /// Units that may be taken at once.
    pub limit: u32,
    /// Units that are taken before the first wave by pods that are down. Cohorts that
    /// [`Cohort::releases`] give theirs back; the others stay taken for good.
    pub down: u32,
    /// A node, a zone or the like: a pod of one may go before a pod of another, whatever their
    /// order.
    pub is_place: bool,
}

/// In which order the cohorts of a group may be taken; what [`Cohorts::put_ahead`] says holds besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// A cohort only when all before it are used up (in the same wave counts).
    Strict,
    /// Any; earlier ones are preferred.
    #[default]
    Free,
}

/// A part of a group's moves, after which people look before they go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The stage ends when this many moves of the group are done (cumulative, ascending).
    pub until: u32,
    /// Time to wait after the stage's last wave before the next stage of the group begins.
    pub soak_ms: u64,
}

/// The moves of one workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What people call it, for example `hangzhou/trade/CloneSet/cart`; unique.
    pub name: Box<str>,
    /// In the order in which the workload's controller takes them.
    pub cohorts: Cohorts,
    /// Whether that order binds.
    pub order: Order,
    /// A wave holds moves of one stage of a group only. Empty: one stage without soak.
    /// A stage that ends where the one before ended holds no move; it is skipped, and so is its
    /// soak. If the last stage ends before the group's moves do, the stages cover the first
    /// moves in the order of the cohorts and the others can never be done.
    /// No stage ends within what a gang has of the group: of a group that is free, a gang has one
    /// move where there are stages.
    pub stages: Vec<Stage>,
    /// A wave that moves any of the group lies inside what each of these has open. Empty: any
    /// time goes.
    pub calendars: Vec<CalendarIdx>,
    /// What each move needs of the rates by which they begin one after the other, ascending and
    /// without repetition. Empty: all of a wave begin at once.
    pub needs: Vec<Need>,
}

/// `after` makes its first move only in a wave before which `count` moves of `before` are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precedence {
    /// What people call it, for example `trade/checkout after trade/payment`.
    pub name: Box<str>,
    /// The group that goes first.
    pub before: GroupIdx,
    /// The group that waits.
    pub after: GroupIdx,
    /// Moves of `before` that have to be done. More than it has: `after` can never begin.
    pub count: u32,
}

/// Moves of any groups that go before or after others; see [`Cohorts::put_in`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What people call it, for example `zones: hangzhou/a`; unique.
    pub name: Box<str>,
    /// Whether its moves are made only in a wave before which all moves of the phase before it in
    /// the list are done that can be done at all, and all of those before that.
    pub follows: bool,
}

/// Moves of any groups that go in one wave, or not at all; see [`Cohorts::put_in_gang`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gang {
    /// What people call it, for example `inference: trade/lws-0`; unique.
    pub name: Box<str>,
    /// Whether something that is not of the problem keeps a part of it from being made.
    pub is_torn: bool,
}

/// The whole problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// All resources.
    pub resources: Vec<Resource>,
    /// Of each resource its pool, from 0: people see the resources of a pool, such as those of a
    /// budget at every node, as one. Empty: nobody asks what is left of them.
    pub pools: Vec<PoolIdx>,
    /// All groups.
    pub groups: Vec<Group>,
    /// All precedences between groups.
    pub precedences: Vec<Precedence>,
    /// All phases, those of a sequence one after the other.
    pub phases: Vec<Phase>,
    /// All gangs. A problem that asks for streaming has none.
    pub gangs: Vec<Gang>,
    /// All calendars.
    pub calendars: Vec<Calendar>,
    /// All rates.
    pub rates: Vec<Rate>,
    /// Whether somebody asks when each move begins if nobody waits for a wave to be over.
    pub streaming: bool,
}

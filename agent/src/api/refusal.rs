//! What the command line exits with when the state machine refuses an order, however the order came.

use teal_rollout::machine::Refusal;

/// The exit code of a refusal, as in the table under `teal --help`.
#[must_use]
pub const fn exit_of(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::AlreadyRunning { .. } => 0,
        Refusal::UnknownComponent { .. } | Refusal::Version(_) | Refusal::NothingToDeploy => 2,
        Refusal::NotLeading
        | Refusal::Mode(_)
        | Refusal::NothingToRollBack
        | Refusal::NoWayBack { .. }
        | Refusal::WrongPhase { .. } => 4,
        Refusal::Starting | Refusal::EdgeUnreachable { .. } | Refusal::StoreFailing | Refusal::CannotScaleUp => 5,
        Refusal::Paused { .. } => 7,
        Refusal::Busy { .. } | Refusal::ComingBack { .. } | Refusal::Overtaken => 8,
    }
}

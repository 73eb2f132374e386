//! Acts on the store itself: what each changes and the event that records it are one transaction.

use crate::store::engine::Tx;
use crate::store::rules::Act;
use crate::store::{Actor, Error, SealedEvent, Sealer, Store};

impl Store {
    /// Runs `work` in one transaction, and records in it the acts that `work` says it did.
    pub(in crate::store) fn act<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Tx) -> Result<(T, Vec<Act>), Error>,
    ) -> Result<T, Error> {
        // What is read of the system is read before the turn is taken.
        let (mut sealer, actor) = (Sealer::new()?, self.actor());
        self.transact(false, |tx| {
            let (done, acts) = work(tx)?;
            let records: Vec<SealedEvent> =
                acts.iter().map(|act| sealer.seal(act.event(&actor))).collect();
            tx.record(&records)?;
            Ok(done)
        })
    }

    /// Who acts from now on, as [`Options::actor`](crate::Options::actor).
    #[cfg(all(feature = "serve", unix))]
    pub(crate) fn act_as(&mut self, actor: Option<Actor>) {
        self.engine.options_mut().actor = actor;
    }

    fn actor(&self) -> Actor {
        self.engine.options().actor.clone().unwrap_or_else(Actor::of_process)
    }
}

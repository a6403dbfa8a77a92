//! Matching as a chain of steps: judge the next maker, then execute the step. An ordinary order
//! executes each step before the next is judged; a fill-or-kill order has all its steps judged
//! before the first is executed.

use crate::book::{Book, Done, Session};
use crate::desk::{Candidate, Desk, PlannedFill, Stage};
use crate::error::{Error, Failure};
use crate::event::Reason;
use crate::order::{REDUCE_ONLY, SelfTrade, Side, TimeInForce};
use crate::store::{NIL, Resting};

/// What happens between a taker and the next maker: a fill, then who has to go, and why.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Place of the maker.
    maker: u32,
    /// 0: no fill.
    quantity: u32,
    /// None: stays, if anything is left of it.
    cancel_maker: Reason,
    /// None: goes on, if anything is left of it.
    stop_taker: Reason,
}

impl Book {
    /// How much of a candidate may go ahead, and why not all: what reduces, then what admission
    /// allows. `account` is the place of the candidate's account.
    #[inline]
    pub(crate) fn allowance<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        candidate: &Candidate<'_>,
        account: u32,
    ) -> Done<D, (u32, Reason)> {
        let mut limit = candidate.quantity;
        if candidate.order.has(REDUCE_ONLY) {
            limit = limit.min(self.reducible(session, candidate, account)?);
        }
        if limit == 0 {
            return Ok((0, Reason::REDUCE_ONLY));
        }
        let asked = Candidate { quantity: limit, ..*candidate };
        let verdict = session.desk.admit(&asked).map_err(Failure::Desk)?;
        let (quantity, reason) = (verdict.quantity, verdict.reason);
        match u32::try_from(quantity) {
            Ok(all) if all == limit => {
                let cut = limit < candidate.quantity;
                Ok((limit, if cut { Reason::REDUCE_ONLY } else { reason }))
            }
            Ok(part) if part < limit && reason != Reason::NONE => Ok((part, reason)),
            _ => Err(Error::Verdict { quantity, reason, limit }.into()),
        }
    }

    /// How much a reduce-only order may fill: the opposite position, planned fills counted.
    fn reducible<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        candidate: &Candidate<'_>,
        account: u32,
    ) -> Done<D, u32> {
        let order = candidate.order;
        let counted = self.accounts.get(account);
        let position = session.desk.position(order.account, self.instrument, counted.position);
        let held = position.map_err(Failure::Desk)?.saturating_add(counted.planned);
        let opposite = match order.side {
            Side::Buy => held.saturating_neg(),
            Side::Sell => held,
        };
        Ok(u32::try_from(opposite.max(0)).unwrap_or(u32::MAX))
    }

    /// Trades what can be traded, then rests or ends.
    #[inline]
    pub(crate) fn match_and_rest<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        mut taker: Resting,
    ) -> Done<D> {
        let makers = taker.order.side.opposite() as usize;
        while taker.open > 0 {
            let maker = self.ladders[makers].front(taker.order.price);
            if maker == NIL {
                break;
            }
            let step = self.judge(session, maker, &taker, taker.open, &[])?;
            self.execute(session, step, &mut taker)?;
            if step.stop_taker != Reason::NONE {
                return Ok(());
            }
        }
        if taker.open == 0 {
            Ok(())
        } else if taker.order.time_in_force == TimeInForce::GoodTill {
            self.rest(taker);
            Ok(())
        } else {
            self.cancelled(session, &taker, Reason::IMMEDIATE_OR_CANCEL)
        }
    }

    /// Trades the whole order, or refuses it and changes nothing.
    pub(crate) fn fill_or_kill<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        mut taker: Resting,
        reason: Reason,
    ) -> Done<D> {
        if taker.open < taker.order.quantity {
            return self.reject(session, &taker.order, reason);
        }
        let mut steps = Vec::new();
        let planned = self.plan(session, &taker, &mut steps);
        self.unplan(&taker, &steps);
        if !planned? {
            return self.reject(session, &taker.order, Reason::FILL_OR_KILL);
        }
        self.accepted(session, &taker, Reason::NONE)?;
        steps.into_iter().try_for_each(|step| self.execute(session, step, &mut taker))
    }

    /// Whether the order can be filled completely; `steps` are how, or how far it got.
    fn plan<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        taker: &Resting,
        steps: &mut Vec<Step>,
    ) -> Done<D, bool> {
        let limit = taker.order.price;
        let makers = taker.order.side.opposite();
        let mut earlier = Vec::new();
        let mut missing = taker.order.quantity;
        let mut place = self.ladder(makers).front(limit);
        while place != NIL {
            let step = self.judge(session, place, taker, missing, &earlier)?;
            if step.stop_taker != Reason::NONE {
                return Ok(false);
            }
            steps.push(step);
            if step.quantity > 0 {
                let maker = self.store.get(place);
                let (order, account, quantity) = (maker.order, maker.account, step.quantity);
                earlier.push(PlannedFill { maker: order, taker: taker.order, quantity });
                self.accounts.get_mut(account).planned += order.side.signed(quantity);
                let own = self.accounts.get_mut(taker.account);
                own.planned += taker.order.side.signed(quantity);
                missing -= quantity;
                if missing == 0 {
                    return Ok(true);
                }
            }
            place = self.ladder(makers).after(&self.store, place, limit);
        }
        Ok(false)
    }

    /// Nothing is planned any more.
    fn unplan(&mut self, taker: &Resting, steps: &[Step]) {
        self.accounts.get_mut(taker.account).planned = 0;
        for step in steps {
            let account = self.store.get(step.maker).account;
            self.accounts.get_mut(account).planned = 0;
        }
    }

    /// What happens between this taker and this maker; changes nothing.
    #[inline]
    fn judge<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        place: u32,
        taker: &Resting,
        taker_open: u32,
        earlier: &[PlannedFill],
    ) -> Done<D, Step> {
        let maker = self.store.get(place);
        if maker.order.same_owner(&taker.order) {
            return Ok(yielding(place, taker.order.self_trade));
        }
        let asked = Candidate {
            stage: Stage::Fill,
            instrument: self.instrument,
            order: &maker.order,
            price: maker.order.price,
            quantity: maker.open.min(taker_open),
            counterparty: Some(&taker.order),
            earlier,
        };
        let (of_maker, why) = self.allowance(session, &asked, maker.account)?;
        let step = Step { maker: place, quantity: 0, cancel_maker: why, stop_taker: Reason::NONE };
        if of_maker == 0 {
            return Ok(step);
        }
        let counterparty = Some(&maker.order);
        let asked = Candidate { order: &taker.order, counterparty, quantity: of_maker, ..asked };
        let (quantity, why) = self.allowance(session, &asked, taker.account)?;
        if quantity < of_maker {
            return Ok(Step { quantity, cancel_maker: Reason::NONE, stop_taker: why, ..step });
        }
        Ok(Step { quantity, ..step })
    }

    /// Does what was judged.
    #[inline]
    fn execute<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        step: Step,
        taker: &mut Resting,
    ) -> Done<D> {
        let Step { maker: place, quantity, cancel_maker, stop_taker } = step;
        if quantity > 0 {
            let mut maker = *self.store.get(place);
            maker.open -= quantity;
            taker.open -= quantity;
            taker.filled += quantity;
            self.accounts.fill(maker.account, maker.order.side, quantity);
            self.accounts.fill(taker.account, taker.order.side, quantity);
            if maker.open == 0 {
                self.forget(place);
            } else {
                let ladder = &mut self.ladders[maker.order.side as usize];
                ladder.set_open(&mut self.store, place, maker.open);
                self.store.get_mut(place).filled += quantity;
            }
            session.filled(self.instrument, &maker, taker, quantity)?;
            if maker.open > 0 && cancel_maker != Reason::NONE {
                self.cancel_place(session, place, cancel_maker)?;
            }
        } else if cancel_maker != Reason::NONE {
            self.cancel_place(session, place, cancel_maker)?;
        }
        if stop_taker != Reason::NONE {
            return self.cancelled(session, taker, stop_taker);
        }
        Ok(())
    }
}

/// The step of a taker that met an order of its own owner.
fn yielding(maker: u32, mode: SelfTrade) -> Step {
    let (cancel_maker, stop_taker) = match mode {
        SelfTrade::CancelMaker => (Reason::SELF_TRADE, Reason::NONE),
        SelfTrade::CancelTaker => (Reason::NONE, Reason::SELF_TRADE),
        SelfTrade::CancelBoth => (Reason::SELF_TRADE, Reason::SELF_TRADE),
    };
    Step { maker, quantity: 0, cancel_maker, stop_taker }
}

//! Where a leveraged account is closed: at a gap, or among the adverse touches of a bar; the venue's rules for one pair.

use super::bar::Bar;
use super::dec::Dec;
use super::margin::charged;
use super::order::{Code, Kind, Report, What, BUY};
use super::venue::{OrderSim, BASE, QUOTE};
use crate::error::Result;

/// How far the band of safe prices keeps from the level: floats are compared before decimals are.
const CAUTION: f64 = 1e-9;

impl OrderSim {
    /// Whether a bar comes near the level of a liquidation.
    #[inline]
    pub(super) fn in_danger(&mut self, bar: &Bar) -> Result<bool> {
        if !self.at_risk() {
            return Ok(false);
        }
        let moves = self.moves;
        if self.margin.as_deref().is_some_and(|m| m.at != moves) {
            let band = self.band()?;
            if let Some(m) = self.margin.as_deref_mut() {
                (m.band, m.at) = (band, moves);
            }
        }
        Ok(self
            .margin
            .as_deref()
            .is_some_and(|m| !(m.carry.mark[0].is_nan() && bar.low > m.band.0 && bar.high < m.band.1)))
    }

    fn band(&self) -> Result<(f64, f64)> {
        let Some(m) = self.margin.as_deref() else {
            return Ok((f64::NEG_INFINITY, f64::INFINITY));
        };
        let (held, quote) = (self.owned[BASE].to_f64(), self.owned[QUOTE].to_f64());
        let part = m.terms.maintenance.to_f64();
        if held > 0.0 {
            let level = -quote / (held * (1.0 - part));
            return Ok((level + level.abs() * CAUTION, f64::INFINITY));
        }
        let level = quote / (-held * (1.0 + part));
        Ok((f64::NEG_INFINITY, level - level.abs() * CAUTION))
    }

    /// Open, and the worst price for what is held, that count for a liquidation.
    fn valued(&self, bar: &Bar) -> (f64, f64) {
        let [open, high, low, _] = match self.margin.as_deref() {
            Some(m) if !m.parted && !m.carry.mark[0].is_nan() => m.carry.mark,
            _ => [bar.open, bar.high, bar.low, bar.close],
        };
        (open, if self.owned[BASE].mantissa > 0 { low } else { high })
    }

    fn liquidates(&self, price: f64) -> Result<bool> {
        let Some(m) = self.margin.as_deref() else {
            return Ok(false);
        };
        let price = Dec::from_f64(price)?;
        let gross = self.size().by(price)?;
        Ok(gross.mantissa > 0 && !self.worth(price)?.above(m.terms.maintenance.by(gross)?)?)
    }

    /// Close the account if the open is too bad for it.
    pub(super) fn liquidate_gap(&mut self, bar: &Bar) -> Result<()> {
        let (open, _) = self.valued(bar);
        if self.liquidates(open)? {
            self.liquidate(bar, bar.open)?;
        }
        Ok(())
    }

    /// Close the account if the bar's worst price does it, before a stop further from the open would act.
    pub(super) fn liquidated_first(&mut self, bar: &Bar, stop: Option<f64>) -> Result<bool> {
        if self.whole_lots()? == 0 {
            return Ok(false);
        }
        let (_, worst) = self.valued(bar);
        if !self.liquidates(worst)? {
            return Ok(false);
        }
        let level = self.rules.tick.times(self.level()?)?.to_f64();
        if stop.is_some_and(|s| (s - bar.open).abs() < (level - bar.open).abs()) {
            return Ok(false);
        }
        let reference = if self.owned[BASE].mantissa > 0 {
            bar.low.max(level.min(bar.open))
        } else {
            bar.high.min(level.max(bar.open))
        };
        self.liquidate(bar, reference)?;
        Ok(true)
    }

    /// Ticks at which the equity meets its maintenance, on the worse one.
    fn level(&self) -> Result<i64> {
        let Some(m) = self.margin.as_deref() else {
            return Ok(0);
        };
        let (part, quote) = (m.terms.maintenance, self.owned[QUOTE]);
        let long = self.owned[BASE].mantissa > 0;
        let short_of = if long { Dec::ZERO.minus(quote)? } else { quote };
        let share = if long {
            Dec::ONE.minus(part)?
        } else {
            Dec::ONE.plus(part)?
        };
        let unit = self.size().by(share)?.by(self.rules.tick)?;
        if short_of.mantissa <= 0 {
            return Ok(0);
        }
        if long {
            short_of.floor_steps(unit)
        } else {
            short_of.ceil_steps(unit)
        }
    }

    /// End every order and close the position at a price before slippage.
    fn liquidate(&mut self, bar: &Bar, reference: f64) -> Result<()> {
        while !self.live.is_empty() {
            self.finish(0, What::Canceled, Code::Liquidated)?;
        }
        let held = self.whole_lots()?;
        if held == 0 {
            return Ok(());
        }
        let (side, lots) = (-held.signum(), held.abs());
        let quantity = self.rules.lot.times(lots)?;
        let ticks = self.taken(side, quantity, reference, bar)?;
        let notional = quantity.by(self.rules.tick.times(ticks)?)?;
        let in_base = self.rules.fee_received && side == BUY;
        let fee = if in_base { quantity } else { notional }
            .by(self.rules.fees[1])?
            .truncated(8)?;
        let sign = Dec::new(i128::from(side), 0);
        self.owned[BASE] = self.owned[BASE].plus(quantity.by(sign)?)?;
        self.owned[QUOTE] = self.owned[QUOTE].minus(notional.by(sign)?)?;
        let payer = if in_base { BASE } else { QUOTE };
        self.owned[payer] = self.owned[payer].minus(fee)?;
        self.moves += 1;
        // told before the fill that ends the position
        if let Some(m) = self.margin.as_deref() {
            let left = self.worth(Dec::from_f64(bar.open)?)?;
            let most = if left.mantissa > 0 {
                left.truncated(8)?
            } else {
                Dec::ZERO
            };
            let amount = charged(notional.by(m.terms.liquidation_fee)?)?.min(most)?;
            self.charge(Code::Liquidation, amount)?;
        }
        self.reports.push(Report {
            step: self.step,
            what: What::Filled,
            id: 0,
            side,
            kind: Kind::Market,
            code: Code::Liquidation,
            ticks,
            lots,
            fee,
            taker: true,
            reference,
        });
        Ok(())
    }
}

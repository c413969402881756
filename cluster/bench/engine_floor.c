/* What plain C needs for the same backtest: every price checked, moving averages of the close by running sums, signal
 * at the close, fill at the next open with fee and slippage, equity of every bar, every round trip, largest drawdown.
 * The referee of the engine bench; compiled by the system's cc where there is one.
 *
 * Written to be fast: no condition in the loop that the warm-up could take, pointers that do not alias, fills out of
 * line. The check of the opens, which our kernel makes too, is what brings them into the cache: without it every fill
 * waits for memory, and the loop takes twice as long. */
#include <stddef.h>

typedef struct {
    long entry_bar, exit_bar, direction;
    double quantity, entry_price, exit_price, fees, slippage, pnl, return_frac;
} Trade;

typedef struct {
    double cash, units, before, fee, slip, fees, lost;
    long count;
} Account;

static __attribute__((noinline)) void turn(Account *a, Trade *t, long bar, double open, int buy) {
    if (buy) {
        double px = open * (1 + a->slip), size = a->cash / (px * (1 + a->fee)), paid = size * px * a->fee;
        a->before = a->cash;
        a->cash = a->cash - size * px - paid;
        a->units = size;
        t->entry_bar = bar, t->direction = 1, t->quantity = size, t->entry_price = px;
        t->fees = paid, t->slippage = size * open * a->slip;
        a->fees += paid, a->lost += t->slippage;
    } else {
        double px = open * (1 - a->slip), paid = a->units * px * a->fee, off = a->units * open * a->slip;
        a->cash = a->cash + a->units * px - paid;
        t->exit_bar = bar, t->exit_price = px, t->fees += paid, t->slippage += off;
        t->pnl = a->cash - a->before, t->return_frac = t->pnl / (t->quantity * t->entry_price);
        a->fees += paid, a->lost += off, a->units = 0, a->count++;
    }
}

/* totals: final equity, max drawdown, fees, slippage. Returns the number of trades, -1 for a price that is not above 0,
 * -2 for no room: there must be room for one trade in two bars. */
long ma_cross(const double *restrict open, const double *restrict close, long bars, long fast, long slow, double money,
              double fee, double slip, double *restrict equity, Trade *restrict trades, long room,
              double *restrict totals) {
    double fast_sum = 0, slow_sum = 0, peak = money, worst = 0, cash = money, units = 0;
    double per_fast = 1.0 / fast, per_slow = 1.0 / slow;
    Account a = {money, 0, money, fee, slip, 0, 0, 0};
    int bad = 0, held = 0, wanted = 0;
    long warm = slow < bars ? slow : bars;
    if (2 * room < bars) return -2;
    for (long i = 0; i < warm; i++) {
        bad |= !(open[i] > 0) | !(close[i] > 0);
        if (i >= slow - fast) fast_sum += close[i];
        slow_sum += close[i];
        equity[i] = money;
    }
    wanted = warm == slow && fast_sum * per_fast > slow_sum * per_slow;
    for (long i = warm; i < bars; i++) {
        double p = close[i];
        bad |= !(open[i] > 0) | !(p > 0);
        if (wanted != held) {
            turn(&a, trades + a.count, i, open[i], wanted);
            cash = a.cash, units = a.units, held = wanted;
        }
        fast_sum += p - close[i - fast];
        slow_sum += p - close[i - slow];
        wanted = fast_sum * per_fast > slow_sum * per_slow;
        double value = cash + units * p;
        equity[i] = value;
        peak = value > peak ? value : peak;
        double fall = 1 - value / peak;
        worst = fall > worst ? fall : worst;
    }
    if (held) {
        Trade *t = trades + a.count++;
        t->exit_bar = -1, t->exit_price = close[bars - 1], t->pnl = equity[bars - 1] - a.before;
        t->return_frac = t->pnl / (t->quantity * t->entry_price);
    }
    totals[0] = bars ? equity[bars - 1] : money, totals[1] = worst, totals[2] = a.fees, totals[3] = a.lost;
    return bad ? -1 : a.count;
}

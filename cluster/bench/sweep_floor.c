/* What plain C needs for the same sweep of moving-average crossovers: signal at the close, fill at the next open with
 * fee and slippage, long with all the money or flat; per pair final equity, sum and sum of squares of the returns per
 * bar, largest drawdown, closed trades, wins, fees. The referees of the sweep bench, compiled by the system's cc.
 *
 * each_alone: one pass over all bars per pair.
 * shared: averages once per window and tile of bars, signals as words of bits, only their changes are visited; sums of
 * returns come from prefix sums, extremes from a walk over the closes that were held. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { OUT = 7, TILE = 256 };

typedef struct {
    double cash, units, before, peak, low, worst, sum, squares, fees;
    long entry, trades, wins;
    uint64_t signal;
} Pair;

static void start(Pair *p, double money) {
    memset(p, 0, sizeof *p);
    p->cash = p->peak = p->low = money;
}

static void value(Pair *p, double v) {
    if (v > p->peak) {
        double fall = 1 - p->low / p->peak;
        if (fall > p->worst) p->worst = fall;
        p->peak = p->low = v;
    } else if (v < p->low) {
        p->low = v;
    }
}

static void buy(Pair *p, double open, double fee, double slip) {
    double px = open * (1 + slip), size = p->cash / (px * (1 + fee)), paid = size * px * fee;
    p->before = p->cash;
    p->cash = p->cash - size * px - paid;
    p->units = size;
    p->fees += paid;
}

static void sell(Pair *p, double open, double fee, double slip) {
    double px = open * (1 - slip), paid = p->units * px * fee;
    p->cash = p->cash + p->units * px - paid;
    p->units = 0;
    p->fees += paid;
    p->trades++;
    p->wins += p->cash > p->before;
}

static void finish(Pair *p, double close, double *out) {
    double fall = 1 - p->low / p->peak;
    out[0] = p->cash + p->units * close;
    out[1] = p->sum;
    out[2] = p->squares;
    out[3] = fall > p->worst ? fall : p->worst;
    out[4] = p->trades;
    out[5] = p->wins;
    out[6] = p->fees;
}

void each_alone(const double *open, const double *close, long bars, const long *fast, const long *slow, long pairs,
                double money, double fee, double slip, double *out) {
    for (long k = 0; k < pairs; k++) {
        Pair p;
        start(&p, money);
        double f = 0, s = 0, per_fast = 1.0 / fast[k], per_slow = 1.0 / slow[k], last = money;
        int held = 0, wanted = 0;
        for (long i = 0; i < bars; i++) {
            if (wanted != held) {
                if (wanted) buy(&p, open[i], fee, slip);
                else sell(&p, open[i], fee, slip);
                held = wanted;
            }
            double v = p.cash + p.units * close[i], r = v / last - 1;
            p.sum += r, p.squares += r * r, last = v;
            value(&p, v);
            f += close[i], s += close[i];
            if (i >= fast[k]) f -= close[i - fast[k]];
            if (i >= slow[k]) s -= close[i - slow[k]];
            wanted = i >= slow[k] - 1 && f * per_fast > s * per_slow;
        }
        finish(&p, close[bars - 1], out + OUT * k);
    }
}

/* `longest` is the longest window; windows are marked in `used`. Returns 0 if there is no memory. */
int shared(const double *open, const double *close, long bars, const long *fast, const long *slow, long pairs,
           long longest, const char *used, double money, double fee, double slip, double *out) {
    Pair *all = malloc(pairs * sizeof *all);
    double *rows = aligned_alloc(64, (longest + 1) * TILE * sizeof(double));
    double *prefix = malloc((bars + 1) * sizeof(double));
    double *sums = malloc((bars + 1) * sizeof(double)), *squares = malloc((bars + 1) * sizeof(double));
    if (!all || !rows || !prefix || !sums || !squares) return 0;
    for (long k = 0; k < pairs; k++) start(all + k, money);
    prefix[0] = sums[0] = squares[0] = 0;
    for (long i = 0; i < bars; i++) {
        double r = i ? close[i] / close[i - 1] - 1 : 0;
        prefix[i + 1] = prefix[i] + (close[i] - close[0]);
        sums[i + 1] = sums[i] + r, squares[i + 1] = squares[i] + r * r;
    }
    for (long t = 0; t < bars; t += TILE) {
        long len = bars - t < TILE ? bars - t : TILE;
        for (long w = 1; w <= longest; w++) {
            if (!used[w]) continue;
            double per = 1.0 / w, *row = rows + w * TILE;
            long first = w - 1 > t ? w - 1 - t : 0;
            for (long j = 0; j < TILE; j++) row[j] = 0;
            for (long j = first; j < len; j++) row[j] = (prefix[t + j + 1] - prefix[t + j + 1 - w]) * per;
        }
        for (long k = 0; k < pairs; k++) {
            Pair *p = all + k;
            const double *f = rows + fast[k] * TILE, *s = rows + slow[k] * TILE;
            for (long b = 0; b < len; b += 64) {
                uint64_t word = 0;
#ifdef __AVX2__
                for (int j = 0; j < 64; j += 4) {
                    __m256d x = _mm256_load_pd(f + b + j), y = _mm256_load_pd(s + b + j);
                    word |= (uint64_t)_mm256_movemask_pd(_mm256_cmp_pd(x, y, _CMP_GT_OQ)) << j;
                }
#else
                for (int j = 0; j < 64; j++) word |= (uint64_t)(f[b + j] > s[b + j]) << j;
#endif
                long at = t + b, warm = slow[k] - 1 - at;
                if (warm > 0) word = warm < 64 ? word & ~0ULL << warm : 0;
                uint64_t change = word ^ (word << 1 | p->signal);
                p->signal = word >> 63;
                for (; change; change &= change - 1) {
                    int j = __builtin_ctzll(change);
                    long i = at + j + 1; /* bar of the fill */
                    if (i >= bars || at + j >= bars) break;
                    if (word >> j & 1) {
                        double cash = p->cash;
                        buy(p, open[i], fee, slip);
                        double r = p->units * close[i] / cash - 1;
                        p->sum += r, p->squares += r * r, p->entry = i;
                    } else {
                        for (long y = p->entry; y < i; y++) value(p, p->cash + p->units * close[y]);
                        p->sum += sums[i] - sums[p->entry + 1], p->squares += squares[i] - squares[p->entry + 1];
                        double last = p->units * close[i - 1];
                        sell(p, open[i], fee, slip);
                        double r = p->cash / last - 1;
                        p->sum += r, p->squares += r * r;
                        value(p, p->cash);
                    }
                }
            }
        }
    }
    for (long k = 0; k < pairs; k++) {
        Pair *p = all + k;
        if (p->units > 0) {
            for (long y = p->entry; y < bars; y++) value(p, p->cash + p->units * close[y]);
            p->sum += sums[bars] - sums[p->entry + 1], p->squares += squares[bars] - squares[p->entry + 1];
        }
        finish(p, close[bars - 1], out + OUT * k);
    }
    free(all), free(rows), free(prefix), free(sums), free(squares);
    return 1;
}

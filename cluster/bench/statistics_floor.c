/* What plain C needs for the statistics of returns and for resampled paths: the referee of the statistics bench.
 * Compiled by the system's cc, also with -march=native and with free reordering of sums, which our kernels do not
 * allow themselves: they give the same bits on every machine. */
#include <stdint.h>

static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a < b ? a : b; }

/* One pass: power sums, downside, gains, losses, growth, deepest drawdown, wins. No quantiles, no runs, no checks. */
void statistics_pass(const double *r, long n, double *out) {
    double s1 = 0, s2 = 0, s3 = 0, s4 = 0, down = 0, gains = 0, losses = 0, value = 1, peak = 1, worst = 1;
    long wins = 0;
    for (long i = 0; i < n; i++) {
        double x = r[i], q = x * x, low = smaller(x, 0);
        s1 += x, s2 += q, s3 += q * x, s4 += q * q;
        down += low * low, losses += low, gains += larger(x, 0);
        wins += x > 0;
        value += value * x;
        peak = larger(peak, value);
        worst = smaller(worst, value / peak);
    }
    double all[10] = {s1 / n, s2 / n, s3 / n, s4 / n, down / n, gains, losses, value, 1 - worst, (double)wins};
    for (int i = 0; i < 10; i++) out[i] = all[i];
}

/* Independent draws from gross returns, eight paths side by side: final value and deepest drawdown of each. */
void bootstrap_pass(const double *gross, long n, long paths, long steps, uint64_t seed, double *deepest,
                    double *growth) {
    enum { K = 8 };
    uint32_t state[K];
    for (int k = 0; k < K; k++) state[k] = (uint32_t)(seed * 2654435761u + k * 40503u + 1u) | 1u;
    for (long p = 0; p < paths; p += K) {
        double value[K], peak[K], worst[K];
        for (int k = 0; k < K; k++) value[k] = peak[k] = worst[k] = 1;
        for (long t = 0; t < steps; t++)
            for (int k = 0; k < K; k++) {
                uint32_t z = state[k];
                z ^= z << 13, z ^= z >> 17, z ^= z << 5;
                state[k] = z;
                value[k] *= gross[(long)(((uint64_t)z * (uint64_t)n) >> 32)];
                peak[k] = larger(peak[k], value[k]);
                worst[k] = smaller(worst[k], value[k] / peak[k]);
            }
        for (int k = 0; k < K && p + k < paths; k++) deepest[p + k] = 1 - worst[k], growth[p + k] = value[k];
    }
}

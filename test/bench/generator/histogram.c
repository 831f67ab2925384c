#include <string.h>
#include "xload.h"

enum { SUBBUCKETS = 64, BUCKETS = 60 * SUBBUCKETS };
static u64 buckets[BUCKETS], count, max;
static double sum;

void histogram_reset(void) {
  memset(buckets, 0, sizeof buckets);
  count = max = 0;
  sum = 0;
}

void histogram_add(u64 ns) {
  u32 index = ns;
  if (ns >= SUBBUCKETS) {
    int shift = 63 - __builtin_clzll(ns) - 6;
    index = (shift + 1) * SUBBUCKETS + (u32)((ns >> shift) - SUBBUCKETS);
  }
  buckets[index]++;
  count++;
  sum += ns;
  if (ns > max) max = ns;
}

static double middle_of(u32 index) {
  if (index < SUBBUCKETS) return index;
  u64 width = 1ull << (index / SUBBUCKETS - 1);
  return (double)((index % SUBBUCKETS + SUBBUCKETS) * width) + 0.5 * width;
}

double histogram_quantile_us(double quantile) {
  if (count == 0) return 0;
  u64 wanted = (u64)(quantile * count), seen = 0;
  if (wanted >= count) wanted = count - 1;
  for (u32 i = 0; i < BUCKETS; i++) {
    seen += buckets[i];
    if (seen > wanted) return middle_of(i) / 1000.0;
  }
  return max / 1000.0;
}

double histogram_mean_us(void) { return count ? sum / count / 1000.0 : 0; }
double histogram_max_us(void) { return max / 1000.0; }
